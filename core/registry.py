"""Names for things that are loaded only when asked for: one thing, one file, one line."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from trimix.core.errors import unknown


class Registry(Mapping[str, Any]):
    """name -> object, where the object is named as "module:attribute" and imported on first use.

    Raises:
        ConfigError: a name that is not registered; the error lists the ones that are.
    """

    def __init__(self, kind: str, entries: Mapping[str, str]) -> None:
        self.kind, self._entries = kind, dict(entries)

    def __getitem__(self, name: str) -> Any:
        module, attribute = self.where(name).split(":")
        return getattr(importlib.import_module(module), attribute)

    def where(self, name: str) -> str:
        """The "module:attribute" of a name, for another process to import.

        Raises:
            ConfigError: a name that is not registered.
        """
        if name not in self._entries:
            raise unknown(self.kind, name, self._entries)
        return self._entries[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

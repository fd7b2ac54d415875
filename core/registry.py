"""Names for things that are loaded only when asked for: one thing, one file, one line."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from trimix.core.errors import ConfigError, unknown

_OWN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


class Registry(Mapping[str, Any]):
    """name -> object, where the object is named as "module:attribute" and imported on first use.

    Args:
        kind: what it names, for errors.
        entries: name -> "module:attribute".
        needs: what an object of a user's own must have. None: only registered names will do.
            Otherwise any "module:attribute" that can be imported is a name too, so that what is
            one's own needs no line here. Such a name runs the module's code: it must come from
            the user, never out of a file; a name out of a file is first looked for with `in`,
            which knows the registered ones alone.

    Raises:
        ConfigError: a name that is not registered, and the error lists the ones that are; or a
            "module:attribute" that cannot be imported or has not what it needs.
    """

    def __init__(
        self, kind: str, entries: Mapping[str, str], *, needs: Sequence[str] | None = None
    ) -> None:
        self.kind, self._entries, self._needs = kind, dict(entries), needs

    def __getitem__(self, name: str) -> Any:
        where = self.where(name)
        module, attribute = where.split(":")
        if name not in self._entries:
            return self._own(name, module, attribute)
        return getattr(importlib.import_module(module), attribute)

    def where(self, name: str) -> str:
        """The "module:attribute" of a name, for another process to import.

        Raises:
            ConfigError: a name that is not registered, nor one's own where that would do.
        """
        if name in self._entries:
            return self._entries[name]
        if self.is_own(name):
            return name
        raise unknown(self.kind, name, [*self._entries, *self._hint()])

    def is_own(self, name: str) -> bool:
        """Whether the name is a "module:attribute" that this registry takes from a user."""
        return self._needs is not None and _OWN.fullmatch(name) is not None

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def _hint(self) -> list[str]:
        return [] if self._needs is None else ["your own as module:attribute"]

    def _own(self, name: str, module: str, attribute: str) -> Any:
        where = f"{self.kind} {name!r}"
        loaded = _import(module, where)
        if not hasattr(loaded, attribute):
            known = ", ".join(sorted(n for n in vars(loaded) if n[0] != "_")) or "nothing"
            raise ConfigError(
                f"module {module!r} has no {attribute!r}", where=where, do=f"it has {known}"
            )
        found = getattr(loaded, attribute)
        lacking = [n for n in self._needs or () if not hasattr(found, n)]
        if not callable(found) or lacking:
            what = f"has no {', '.join(lacking)}" if lacking else "cannot be called"
            raise ConfigError(what, where=where, do=f"give what every {self.kind} has")
        return found


def _import(module: str, where: str) -> ModuleType:
    """A user's module; what fails in its own code beside its imports is theirs to see whole."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(
            f"module {module!r} cannot be imported ({error})",
            where=where,
            do="run where it lies, or put its folder on PYTHONPATH",
        ) from error
    except SyntaxError as error:
        raise ConfigError(
            f"{error.msg} (line {error.lineno})", where=f"{where}: {error.filename}"
        ) from error

"""A call that another process can make: the name of a function and plain arguments."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trimix.core.contracts import Json
from trimix.core.errors import ConfigError


@dataclass(frozen=True)
class Named:
    """Calls "module:function" with keyword arguments that are plain JSON.

    A world factory is called with the number of rows as its one positional argument, a policy
    loader with the world.

    Args:
        target: e.g. "trimix.evaluate.loaders:trained".
        arguments: the keyword arguments as a JSON object; `Named.of` writes it.
    """

    target: str
    arguments: str = "{}"

    @classmethod
    def of(cls, target: str, arguments: Mapping[str, Json] | None = None) -> Named:
        return cls(target, json.dumps(dict(arguments or {}), sort_keys=True))

    def __call__(self, *positional: Any) -> Any:
        """Import the function and call it.

        Raises:
            ConfigError: there is no such module or function.
        """
        module, _, attribute = self.target.partition(":")
        try:
            function = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError, ValueError) as error:
            raise ConfigError(f"cannot find {self.target!r}: {error}") from error
        return function(*positional, **json.loads(self.arguments))

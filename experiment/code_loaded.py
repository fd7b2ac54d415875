"""Whether the code that runs is the code in the files: results are named after the files."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.machinery import ModuleSpec

from trimix.core.errors import TrimixError
from trimix.experiment.code_module import Module, find

_seen: dict[str, tuple[ModuleSpec | None, str]] = {}
"""Module -> (its spec, None as long as it is not imported; digest of its file). An import or a
reload gives a module a new spec, and it then runs what its file says."""


def note_loaded(module: Module) -> None:
    """Remember what a module's file says, unless it is known to run something older."""
    if not is_outdated(module):
        _seen[module.name] = (_spec(module.name), module.view().digest)


def is_outdated(module: Module) -> bool:
    """Whether the file was edited since this process imported it."""
    spec, digest = _seen.get(module.name, (None, ""))
    now = _spec(module.name)
    # Specs compare as equal when they lead to the same file.
    is_older = now is not None and (spec is None or spec is now)
    return is_older and digest not in ("", module.view().digest)


def was_loaded(module: Module) -> bool:
    """Whether the file was edited, and imported before that: then what it said before runs."""
    return is_outdated(module) and _seen[module.name][0] is not None


def require_loaded(names: Iterable[str]) -> None:
    """Refuse to make results with code that is older than what they would be named after.

    Args:
        names: modules, or module:definition.

    Raises:
        TrimixError: a module was edited after this process imported it.
    """
    for name in names:
        module = find(name.partition(":")[0])
        if module is not None and is_outdated(module):
            raise TrimixError(
                "the code was edited while this was running",
                where=str(module.path),
                do="run the same command again; what is finished is kept",
            )


def _spec(name: str) -> ModuleSpec | None:
    return getattr(sys.modules.get(name), "__spec__", None)

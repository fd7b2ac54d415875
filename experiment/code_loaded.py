"""Whether the code that runs is the code in the files: results are named after the files."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from importlib.machinery import ModuleSpec, SourcelessFileLoader
from pathlib import Path
from types import CodeType

from trimix.core.errors import TrimixError
from trimix.experiment.code_module import Module, find

_seen: dict[str, tuple[ModuleSpec | None, str]] = {}
"""Module -> (its spec, None as long as it is not imported; digest of its file). An import or a
reload gives a module a new spec, and it then runs what its file says."""

_UNKNOWN = "edited before it was looked at"
_32_BITS = 0xFFFFFFFF


def note_loaded(module: Module) -> None:
    """Remember what a module's file says, unless it is known to run something older."""
    if is_outdated(module):
        return
    spec = _spec(module.name)
    is_new = spec is not None and _seen.get(module.name, (None,))[0] is not spec
    was_edited = is_new and spec is not None and _was_edited(module, spec)
    _seen[module.name] = (spec, _UNKNOWN if was_edited else module.view().digest)


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


def _was_edited(module: Module, spec: ModuleSpec) -> bool:
    """Whether a file was edited between its import and our first look at it.

    Then Python's cache of it is older than it is, and holds other code. Without a cache, or where
    another process has written it anew, that cannot be told.
    """
    cache = Path(spec.cached or "")
    if sys.dont_write_bytecode or not cache.is_file() or not os.access(cache.parent, os.W_OK):
        return False  # what is there may be older than the import
    head, stat = cache.read_bytes()[:16], module.path.stat()
    flags, mtime, size = (int.from_bytes(head[i : i + 4], "little") for i in (4, 8, 12))
    if flags or (mtime, size) == (int(stat.st_mtime) & _32_BITS, stat.st_size & _32_BITS):
        return False
    try:
        then = SourcelessFileLoader(module.name, str(cache)).get_code(module.name)
    except (ImportError, EOFError, ValueError):
        return False  # another Python's, or half written
    now = compile(module.path.read_bytes(), str(module.path), "exec", dont_inherit=True)
    return not _is_same(then, now)


def _is_same(one: object, other: object) -> bool:
    """Whether two pieces of code do the same, wherever their lines are."""
    if not isinstance(one, CodeType) or not isinstance(other, CodeType):
        return type(one) is type(other) and repr(one) == repr(other)
    return (
        one.co_code == other.co_code
        and (one.co_names, one.co_varnames) == (other.co_names, other.co_varnames)
        and len(one.co_consts) == len(other.co_consts)
        and all(map(_is_same, one.co_consts, other.co_consts))
    )


def _spec(name: str) -> ModuleSpec | None:
    return getattr(sys.modules.get(name), "__spec__", None)

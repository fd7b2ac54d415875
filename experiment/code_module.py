"""One source file as results see it: what counts of it, what it imports, which files it names."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trimix.core.errors import MissingError, TrimixError
from trimix.data.digests import Stamp, stamp_of
from trimix.experiment.code_files import named_files
from trimix.experiment.code_parts import Import, Part, parts_of

IMPORTED = "__init__"
"""The part of a module that runs when it is imported."""
BY_DEFINITION = "trimix.experiment."
"""Modules that units of several kinds share: of them only what is imported is followed."""
_MAIN = ("__main__", "__mp_main__")
_STDLIB = Path(sysconfig.get_path("stdlib"))


@dataclass(frozen=True)
class View:
    """What counts of a module.

    Args:
        digest: of the syntax trees, without comments and docstrings.
        imports: what is followed from here.
        files: name -> file that a string of the code names.
    """

    digest: str
    imports: frozenset[Import]
    files: Mapping[str, Path]


@dataclass(frozen=True)
class Module:
    """A source file, parsed."""

    name: str
    path: Path
    parts: Sequence[Part]
    _views: dict[str, View] = field(default_factory=dict)

    def view(self, what: str = "") -> View:
        """Of the whole module, of one definition with all that it uses here, or of its import."""
        if what not in self._views:
            parts = self._used_by(what) if what else self.parts
            self._views[what] = self._seen(parts)
        return self._views[what]

    def require(self, what: str) -> None:
        """Refuse a root that is not there.

        Raises:
            MissingError: there is no such definition.
        """
        if what.partition(".")[0] not in {part.bound for part in self.parts}:
            raise MissingError(f"{what!r} is not defined", where=str(self.path))

    def _seen(self, parts: Sequence[Part]) -> View:
        names = {name for part in parts for name in part.names}
        # A name that only annotates is imported for type checkers.
        only = {name for part in parts for name in part.annotating} - names
        return View(
            hashlib.blake2b("\n".join(p.text for p in parts).encode(), digest_size=16).hexdigest(),
            frozenset(to for p in parts for given, to in p.imports if given not in only),
            named_files({text for part in parts for text in part.strings}, self.path),
        )

    def _used_by(self, what: str) -> list[Part]:
        """A definition, what it uses of this module, and what an import of that does."""
        given = {part.bound: part for part in self.parts if part.bound}
        todo = [name for part in self.parts if not part.bound for name in part.names]
        if what == IMPORTED:
            todo += [part.bound for part in self.parts if part.is_import]
        else:
            todo.append(what.partition(".")[0])  # if it is a value, it is there already
        used: set[str] = set()
        while todo:
            name = todo.pop()
            if name in given and name not in used:
                used.add(name)
                todo += given[name].names
        return [part for part in self.parts if not part.bound or part.bound in used]


def find(name: str) -> Module | None:
    """The module with this name; None if it is no Python source or there is none.

    Files are read again when they changed.

    Raises:
        TrimixError: the file is no Python, as it may be while somebody edits it.
    """
    path = _locate(name)
    if path is None:
        return None
    stamp = stamp_of(path)
    if path not in _parsed or _parsed[path][0] != stamp:
        own = _MAIN[0] if name in _MAIN else name
        package = own.split(".")[: None if path.name == "__init__.py" else -1]
        try:
            parts = parts_of(path.read_bytes(), package)
        except SyntaxError as fault:
            raise TrimixError(
                f"{fault.msg} (line {fault.lineno})",
                where=str(path),
                do="if it is being edited, run the same command again; what is finished is kept",
            ) from fault
        _parsed[path] = (stamp, Module(own, path, parts))
    return _parsed[path][1]


_parsed: dict[Path, tuple[Stamp, Module]] = {}


def followed(target: Import) -> tuple[str, str]:
    """Where an import leads.

    Returns:
        (a module, or module:definition, whose code is followed, or else the library's name)
    """
    name, attribute = target
    top = name.partition(".")[0]
    if _is_pythons(top):
        return "", ""
    if not is_followed(top):
        return "", top
    if attribute and _locate(f"{name}.{attribute}"):
        return f"{name}.{attribute}", ""
    if attribute and name.startswith(BY_DEFINITION):
        return f"{name}:{attribute}", ""
    return name, ""


def _is_pythons(top: str) -> bool:
    """Whether a module is of the standard library, and no file of the user's hides it."""
    if top not in sys.stdlib_module_names:
        return False
    spec = importlib.util.find_spec(top)
    origin = Path(spec.origin) if spec and spec.has_location and spec.origin else _STDLIB
    return origin.is_relative_to(_STDLIB)


def is_followed(top: str) -> bool:
    """Whether a top-level package is known by its code: trimix, and what is not installed."""
    if top == "trimix" or top in _MAIN:
        return True
    spec = importlib.util.find_spec(top)
    places = [*(spec.submodule_search_locations or []), spec.origin or ""] if spec else [""]
    outside = {"site-packages", "dist-packages"}
    return not any(outside.intersection(Path(p).parts) for p in places) and any(
        p.endswith(".py") or Path(p).is_dir() for p in places if p
    )


def _locate(name: str) -> Path | None:
    """The source file of a module, without importing anything."""
    top, *rest = name.split(".")
    if top in _MAIN:
        main = getattr(sys.modules["__main__"], "__file__", None)
        return Path(main).resolve() if main else None
    spec = importlib.util.find_spec(top)
    if spec is None:
        return None
    folders = [Path(p) for p in spec.submodule_search_locations or []]
    path = Path(spec.origin) if spec.origin else None
    for part in rest:
        found = [f / part / "__init__.py" for f in folders] + [f / f"{part}.py" for f in folders]
        path = next((p for p in found if p.is_file()), None)
        folders = [f / part for f in folders if (f / part).is_dir()]
    return path.resolve() if path and path.suffix == ".py" else None

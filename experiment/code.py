"""Which code a result hangs on: what is reached by imports from where it is made.

A *root* is a module ("trimix.sim.world") or a definition in one ("trimix.experiment.sources:Sim").
From a module everything is followed that it imports, at its top or in a function. Of the packages
on the way what their `__init__` does when it is imported counts too. From a definition only what
it uses is followed, and what its module does when it is imported; so units of several kinds can
share a file.

What is followed is compared as a syntax tree, so that comments, docstrings and layout are no
changes. Not followed: imports for type checkers, names that only annotate, and the names in a
`Registry`, which stand for every choice there is: who uses one entry names its module as a root.
Neither is the store itself, nor what shares work out: that results do not hang on them is tested,
not keyed. Files beside the code (scenes, templates) count where a string of the code names them.
What is installed from elsewhere is known by its version.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from trimix.core.errors import MissingError
from trimix.data.digests import Stamp, stamp_of
from trimix.data.files import text_digest
from trimix.experiment.code_files import file_digest
from trimix.experiment.code_loaded import note_loaded
from trimix.experiment.code_module import IMPORTED, find, followed

PLUMBING = tuple(f"trimix.experiment.{part}" for part in ("code", "executor", "store"))


@dataclass(frozen=True)
class Code:
    """What is reached from some roots.

    Args:
        modules: module, or module:definition -> digest of its syntax tree.
        files: file beside the code, from its package -> digest of what it says.
        libraries: distribution -> version.
        python: minor version, e.g. "3.11".
        paths: every source file and file beside it that was looked at.
    """

    modules: Mapping[str, str]
    files: Mapping[str, str]
    libraries: Mapping[str, str]
    python: str
    paths: tuple[Path, ...]


def reached(roots: Sequence[str]) -> Code:
    """The code that is reached from these roots.

    Raises:
        MissingError: a root's source, or a definition in it, cannot be found.
    """
    known = _known.get(tuple(roots))
    if known is not None and known[0] == _stamps(known[1].paths):
        return known[1]
    code = _follow(roots)
    _known[tuple(roots)] = (_stamps(code.paths), code)
    return code


_known: dict[tuple[str, ...], tuple[list[Stamp | None], Code]] = {}


def _follow(roots: Sequence[str]) -> Code:
    modules: dict[str, str] = {}
    files: dict[str, set[Path]] = {}
    libraries: set[str] = set()
    paths: set[Path] = set()
    todo = [_split(root) for root in roots]
    given = set(todo)
    while todo:
        name, part = todo.pop()
        at = f"{name}:{part}" if part else name
        if at in modules:
            continue
        module = find(name)
        if module is None:
            if (name, part) not in given:
                continue  # a folder without __init__, or made of no Python source
            raise MissingError(
                f"module {name!r} has no source that could be read",
                do="define it in a file that can be imported",
            )
        if part and (name, part) in given:
            module.require(part)
        note_loaded(module)
        view = module.view(part)
        modules[at] = view.digest
        paths.update([module.path, *view.files.values()])
        for file, path in view.files.items():
            files.setdefault(file, set()).add(path)
        packages = name.split(".")[:-1]
        todo += [(".".join(packages[: i + 1]), IMPORTED) for i in range(len(packages))]
        for target in view.imports:
            root, library = followed(target)
            libraries.update(filter(None, [library]))
            if root and not root.startswith(PLUMBING):
                todo.append(_split(root))
    return Code(
        modules=dict(sorted(modules.items())),
        files={name: _of_all(found) for name, found in sorted(files.items())},
        libraries=_versions(libraries),
        python="{}.{}".format(*sys.version_info[:2]),
        paths=tuple(sorted(paths)),
    )


def forget() -> None:
    """Look at everything again: a library was installed meanwhile."""
    _known.clear()
    _distributions.cache_clear()


def _of_all(paths: set[Path]) -> str:
    """Digest of the files that somebody's modules in several places call by one name."""
    digests = sorted(map(file_digest, paths))
    return digests[0] if len(digests) == 1 else text_digest("\n".join(digests))


def _split(root: str) -> tuple[str, str]:
    name, _, part = root.partition(":")
    return name, part


def _stamps(paths: Sequence[Path]) -> list[Stamp | None]:
    return [stamp_of(path) if path.is_file() else None for path in paths]


@cache
def _distributions() -> Mapping[str, list[str]]:
    """Importable name -> the distributions that bring it."""
    return metadata.packages_distributions()


def _versions(names: set[str]) -> dict[str, str]:
    """Distribution -> version, of those that bring these importable names."""
    found = {}
    for name in names:
        for distribution in _distributions().get(name, []):
            found[distribution] = metadata.version(distribution)
    return dict(sorted(found.items()))

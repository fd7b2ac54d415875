"""Files beside the code that its strings name: scenes, textures, templates, tables."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from xml.etree import ElementTree

from trimix.data.files import digest, text_digest

PACKAGE = Path(__file__).resolve().parents[1]
ASSETS = PACKAGE / "assets"
"""Where assets.path(name) looks."""
_FILE = re.compile(r"[\w./*+-]+\.[A-Za-z]\w{0,15}")
_FOLDERS = re.compile(r"""\b(?:mesh|texture|asset)dir\s*=\s*["']([^"']+)["']""")
"""Where MuJoCo looks for the files of a scene."""
_FOLDER = re.compile(r"[\w-]+")
_TEXT = {".xml", ".mjcf", ".urdf", ".yaml", ".yml", ".json", ".toml", ".obj", ".mtl"}
_TEXT |= {".jinja", ".html", ".css", ".js"}
_SCENES = {".xml", ".mjcf"}
_CODE = {".py", ".pyc", ".pyi"}


def named_files(texts: Iterable[str], module: Path) -> dict[str, Path]:
    """The files that a module's strings name, and the files that those name.

    A string counts if there is a file of that name beside the module, in a package that it lies
    in, or in assets/; a folder there counts with all that is in it; the holes of an f-string stand
    for anything.

    Args:
        texts: strings of the code, with "*" for the holes of f-strings.
        module: its source file.

    Returns:
        name, from the package or the module's folder -> file
    """
    packages = _packages(module)
    bases = [*packages, *([ASSETS] if module.is_relative_to(PACKAGE) else [])]
    todo = [path for text in texts for path in _matches(text, bases)]
    for base in packages:
        for name in {p.name for p in base.iterdir() if p.is_dir()}.intersection(texts):
            folder = base / name
            if _FOLDER.fullmatch(name) and not (folder / "__init__.py").exists():
                todo += _all_in(folder)
    found: dict[str, Path] = {}
    while todo:
        path = todo.pop()
        root = PACKAGE if path.is_relative_to(PACKAGE) else module.parent
        name = Path(os.path.relpath(path, root)).as_posix()
        if name not in found:
            found[name] = path
            todo += _inner(path)
    return found


def _packages(module: Path) -> list[Path]:
    """The folder of a module, and of somebody else's also those of the packages around it."""
    if module.is_relative_to(PACKAGE):
        return [module.parent]
    around = takewhile(lambda folder: (folder / "__init__.py").exists(), module.parent.parents)
    return [module.parent, *around]


def file_digest(path: Path) -> str:
    """Digest of what a file says: of XML without comments and layout."""
    if path.suffix == ".xml":
        with suppress(ElementTree.ParseError):
            return text_digest(ElementTree.canonicalize(from_file=path, strip_text=True))
    return digest(path)


def _matches(text: str, bases: Iterable[Path]) -> Iterator[Path]:
    if len(text) > 200 or not _FILE.fullmatch(text) or text.startswith("/"):
        return
    for base in bases:
        candidates = base.glob(text) if "*" in text else [base / text]
        yield from (p.resolve() for p in candidates if _counts(p))


def _inner(path: Path) -> Iterator[Path]:
    """The files that a scene, a template or a table names."""
    if path.suffix in _TEXT:
        content = path.read_text(encoding="utf-8", errors="replace")
        bases = [path.parent, *([ASSETS] if path.is_relative_to(ASSETS) else [])]
        for text in set(_FILE.findall(content)):
            if "*" not in text:
                yield from _matches(text, bases)
        for name in _FOLDERS.findall(content):
            folder = path.parent / name
            if path.suffix in _SCENES and folder.resolve() != path.parent and folder.is_dir():
                yield from _all_in(folder)


def _all_in(folder: Path) -> list[Path]:
    return [p.resolve() for p in folder.rglob("*") if _counts(p)]


def _counts(path: Path) -> bool:
    return path.is_file() and path.suffix not in _CODE

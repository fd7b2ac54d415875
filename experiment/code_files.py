"""Files beside the code that its strings name: scenes, textures, templates, tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

from trimix.data.files import digest, text_digest

PACKAGE = Path(__file__).resolve().parents[1]
ASSETS = PACKAGE / "assets"
"""Where assets.path(name) looks."""
_FILE = re.compile(r"[\w./*+-]+\.[a-z]\w{1,5}")
_FOLDER = re.compile(r"[\w-]+")
_TEXT = {".xml", ".yaml", ".yml", ".json", ".jinja", ".html", ".css", ".js", ".toml", ".urdf"}
_CODE = {".py", ".pyc", ".pyi"}


def named_files(texts: Iterable[str], module: Path) -> dict[str, Path]:
    """The files that a module's strings name, and the files that those name.

    A string counts if there is a file of that name beside the module or in assets/; a folder
    beside the module counts with all that is in it; the holes of an f-string stand for anything.

    Args:
        texts: strings of the code, with "*" for the holes of f-strings.
        module: its source file.

    Returns:
        name, from the package or the module's folder -> file
    """
    bases = [module.parent, *([ASSETS] if module.is_relative_to(PACKAGE) else [])]
    folders = {p.name for p in module.parent.iterdir() if p.is_dir()}
    todo = [path for text in texts for path in _matches(text, bases)]
    for name in folders.intersection(texts):
        folder = module.parent / name
        if _FOLDER.fullmatch(name) and not (folder / "__init__.py").exists():
            todo += [p for p in folder.rglob("*") if _counts(p)]
    found: dict[str, Path] = {}
    while todo:
        path = todo.pop()
        root = PACKAGE if path.is_relative_to(PACKAGE) else module.parent
        name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
        if name not in found:
            found[name] = path
            todo += _inner(path)
    return found


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


def _counts(path: Path) -> bool:
    return path.is_file() and path.suffix not in _CODE

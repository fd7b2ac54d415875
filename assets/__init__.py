"""Our own robots, props and textures, and the way to their files."""

from __future__ import annotations

from pathlib import Path

from trimix.core.errors import MissingError

ROOT = Path(__file__).resolve().parent


def path(name: str) -> Path:
    """The file of an asset, e.g. path("robots/cr5.xml").

    Raises:
        MissingError: there is no such asset; the error lists the folder's.
    """
    file = (ROOT / name).resolve()
    if not file.is_relative_to(ROOT) or not file.is_file():
        folder = (ROOT / name).parent
        near = sorted(p.name for p in folder.glob("*.xml")) if folder.is_dir() else []
        raise MissingError(f"asset {name!r} does not exist", do=f"there: {', '.join(near) or '-'}")
    return file

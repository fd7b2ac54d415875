"""trimix/manifest.json: which plan made a data set, from what, and the digests of its files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trimix.core.errors import DataError
from trimix.data import files
from trimix.data.lerobot import layout

_KINDS = {"plan_hash": str, "source_indices": list, "skipped": dict, "notes": list, "files": dict}


def read(root: Path) -> Mapping[str, Any]:
    """The manifest; empty for a data set that trimix did not write.

    Raises:
        DataError: it is not one that trimix wrote.
    """
    path = root / layout.MANIFEST
    if not path.is_file():
        return {}
    raw: dict[str, Any] = files.read_json(path)
    for name, kind in _KINDS.items():
        if not isinstance(raw, dict) or not isinstance(raw.get(name), kind):
            raise DataError(
                f"{name!r} is missing or not a {kind.__name__}",
                where=str(path),
                do="delete the file: the data set stays readable without it",
            )
    return raw


def listed_files(root: Path) -> dict[str, tuple[int, str]]:
    """File -> (bytes, digest) as written."""
    listed = {}
    for name, entry in read(root).get("files", {}).items():
        if not isinstance(entry, list) or len(entry) != 2:
            raise DataError(
                f"the entry of {name!r} is not [bytes, digest]",
                where=str(root / layout.MANIFEST),
                do="delete the file: the data set stays readable without it",
            )
        listed[name] = (entry[0], entry[1])
    return listed

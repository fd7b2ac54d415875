"""Files of an evaluation that are either whole or not there."""

from __future__ import annotations

from pathlib import Path

from trimix.data.files import storage_errors, write_bytes


def replace_whole(path: Path, content: bytes) -> Path:
    """Write beside the path and rename, so that no reader ever sees half a file.

    Raises:
        TrimixError: the disk is full or refuses the write.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".tmp")
        write_bytes(temporary, content)
        return temporary.replace(path)

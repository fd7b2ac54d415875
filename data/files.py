"""Files that are either whole or not there, and digests of what they hold."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISREG
from typing import Any

from trimix.core.errors import ConfigError, DataError, TrimixError

_STORAGE = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "writing is not permitted",
    errno.EPERM: "writing is not permitted",
    errno.EEXIST: "a file is in the way",
    errno.ENOTDIR: "a file is in the way",
    errno.EISDIR: "a folder is in the way",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EIO: "the disk does not work",
}


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn a full disk or a refused write into one TrimixError that names the path."""
    try:
        yield
    except OSError as fault:
        if fault.errno not in _STORAGE:
            raise
        raise TrimixError(
            _STORAGE[fault.errno],
            where=str(path),
            do="make room or choose another folder, then run the same command again",
        ) from fault


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file and wait until it is on the disk."""
    with path.open("wb") as file:
        file.write(content)
        sync(file)


def write_atomic(path: Path, content: bytes) -> Path:
    """Write beside the path and rename, so that no reader ever sees half a file.

    The folder is made if it is not there. Returns the path.

    Raises:
        TrimixError: the disk is full or refuses the write.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".tmp")
        write_bytes(temporary, content)
        return temporary.replace(path)


def sync(file: Any) -> None:
    """Flush an open file down to the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: a rename survives a power cut only after this."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: Any) -> None:
    """Write JSON with a stable layout, durably."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    write_bytes(path, (text + "\n").encode())


def compact_json(value: Any) -> str:
    """JSON on one line, the same for equal values."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)


def require_file(path: Path, what: str = "the file", where: str = "") -> os.stat_result:
    """The facts of a file that can be read to its end.

    Args:
        what, where: how an error calls the file, and where it says the file is.

    Raises:
        DataError: it is missing, or a folder, a device or a pipe: those may be read for ever.
    """
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        why = "is a link that leads nowhere" if path.is_symlink() else "is missing"
        raise DataError(f"{what} {why}", where=where or str(path)) from None
    except OSError as fault:
        why = "it is a link to itself" if fault.errno == errno.ELOOP else str(fault.strerror)
        raise DataError(f"{what} cannot be opened: {why}", where=where or str(path)) from None
    if not S_ISREG(found.st_mode):
        raise DataError(f"{what} is no regular file", where=where or str(path))
    return found


def require_own_folder(folder: Path, *marks: str) -> None:
    """Raise ConfigError for a folder that holds something else than what is to be written there.

    Args:
        folder: it may be missing, or empty but for hidden files.
        marks: files or folders of which what is written there always leaves one.
    """
    if not folder.is_dir() or any((folder / mark).exists() for mark in marks):
        return
    theirs = sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
    if theirs:
        raise ConfigError(
            f"the folder is there and holds something else, {theirs[0]}",
            where=str(folder.resolve()),
            do="choose a new or empty one with out=",
        )


def read_json(path: Path) -> Any:
    """Parse a JSON file.

    Raises:
        DataError: the file is missing or is not JSON.
    """
    require_file(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as fault:
        raise DataError(f"not valid JSON ({fault})", where=str(path)) from None


def read_json_lines(path: Path) -> list[Any]:
    """Parse a file with one JSON value a line.

    Raises:
        DataError: the file is missing or a line is not JSON; the error names the line.
    """
    require_file(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as fault:
        raise DataError(f"not text ({fault})", where=str(path)) from None
    values = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            values.append(json.loads(line))
        except json.JSONDecodeError as fault:
            raise DataError(f"not valid JSON ({fault})", where=f"{path} line {number}") from None
    return values


def text_digest(text: str) -> str:
    """Hex digest of a text."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def digest(path: Path, without: int = 0) -> str:
    """Hex digest of a file's bytes, but for the last so many.

    Raises:
        DataError: it is missing or no regular file.
    """
    left = require_file(path).st_size - without
    state = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(min(1 << 20, max(left, 0)) if without else 1 << 20):
            state.update(block)
            left -= len(block)
    return state.hexdigest()


def files_below(root: Path, *folders: str) -> list[Path]:
    """Every file below root/<folder>, sorted, so that order never depends on the file system.

    Linked folders are followed: data sets are often links into a cache.

    Raises:
        DataError: a linked folder contains itself.
    """
    found = []
    for folder in folders:
        for parent, below, names in os.walk(root / folder, followlinks=True):
            found += [Path(parent) / name for name in names]
            for link in (Path(parent) / name for name in below):
                if link.is_symlink() and Path(parent).resolve().is_relative_to(link.resolve()):
                    raise DataError("the linked folder contains itself", where=str(link))
    return sorted(found)


def combined_digest(digests: dict[str, str]) -> str:
    """One digest of many named ones; independent of their order."""
    state = hashlib.blake2b(digest_size=16)
    for name in sorted(digests):
        state.update(f"{name}\0{digests[name]}\n".encode())
    return state.hexdigest()


def remove_tree(folder: Path) -> None:
    """Delete a folder of ours; a folder that is already gone is fine."""
    if folder.exists():
        shutil.rmtree(folder)

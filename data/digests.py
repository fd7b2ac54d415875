"""Digests of files, computed once for as long as a file stays as it is.

A file that was looked at is remembered by inode, size and the two times at which its content and
its inode changed: a second look costs a stat. The times of a file system stand still for some
milliseconds, so a file that changed just now is not remembered: it may change again without
telling. The memory is a small file in the user's cache folder that can be deleted at any time.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from trimix.core.errors import TrimixError
from trimix.data import files

ENVIRONMENT = "TRIMIX_CACHE"
_SETTLED_NS = 100_000_000

Stamp = tuple[int, int, int, int]
"""Inode, size, mtime and ctime in ns."""


def default_cache_dir() -> Path:
    """$TRIMIX_CACHE, else the user's cache folder: data sets may lie on read-only disks."""
    chosen = os.environ.get(ENVIRONMENT)
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trimix"


class Digests:
    """Digests of the files of one folder.

    Args:
        folder: the files' folder, or one above it.
        cache_dir: where the memory is kept; None is the user's cache folder.
    """

    def __init__(self, folder: Path, cache_dir: Path | None = None) -> None:
        name = files.text_digest(str(folder.absolute()))
        self._memory = (cache_dir or default_cache_dir()) / "digests" / f"{name}.jsonl"
        self._known: dict[str, tuple[Stamp, str]] | None = None

    def of(self, path: Path, without: int = 0) -> str:
        """Hex digest of the file's bytes, but for the last so many (always as many of one file).

        Raises:
            DataError: it is missing or no regular file.
        """
        if self._known is None:
            self._known = _read(self._memory)
        stamp, name = stamp_of(path), str(path.absolute())
        before = self._known.get(name)
        if before is not None and before[0] == stamp:
            return before[1]
        now = time.time_ns()
        found = files.digest(path, without)
        if stamp_of(path) == stamp and now - max(stamp[2:]) > _SETTLED_NS:
            self._known[name] = (stamp, found)
            _append(self._memory, [name, *stamp, found])
        return found


def stamp_of(path: Path) -> Stamp:
    """What changes when a file does.

    Raises:
        DataError: it is missing or no regular file: a device would be read for ever.
    """
    stat = files.require_file(path)
    return (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


def _read(memory: Path) -> dict[str, tuple[Stamp, str]]:
    """The last line of each file; lines that were cut off are left out."""
    known: dict[str, tuple[Stamp, str]] = {}
    try:
        lines = memory.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}  # there is none, or it cannot be used: files are read again
    for line in lines:
        try:
            name, inode, size, mtime, ctime, digest = json.loads(line)
            known[name] = ((inode, size, mtime, ctime), digest)
        except (TypeError, ValueError):
            continue
    if len(lines) > 2 * len(known) + 100:
        _rewrite(memory, known)
    return known


def _rewrite(memory: Path, known: dict[str, tuple[Stamp, str]]) -> None:
    """Only what still counts: a folder whose files change often must not grow its memory."""
    lines = [json.dumps([name, *stamp, digest]) for name, (stamp, digest) in known.items()]
    try:
        files.write_atomic(memory, ("\n".join(lines) + "\n").encode())
    except (OSError, TrimixError):
        return  # as in _append


def _append(memory: Path, entry: list[int | str]) -> None:
    """One line at once, so that processes may write side by side."""
    line = (json.dumps(entry) + "\n").encode()
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(memory, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    except OSError:
        return  # a read-only or full disk: the file is read again next time
    try:
        os.write(descriptor, line)
    except OSError:
        return
    finally:
        os.close(descriptor)

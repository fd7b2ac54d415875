"""What an entry holds, file by file, and whether it still does."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR

from trimix.data.files import digest

Stamp = tuple[int, int, int, int]
"""(inode, size, mtime_ns, ctime_ns) of a file: as long as they stay, so does its content."""
_SETTLED_NS = 100_000_000
"""Clocks of file systems stand still for some milliseconds: a file that changed just now may
change again without its times telling."""


@dataclass(frozen=True)
class Contents:
    """Files below a folder: name -> (bytes, digest)."""

    files: Mapping[str, tuple[int, str]]

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(size for size, _ in self.files.values())

    @property
    def digest(self) -> str:
        """One digest of all names and contents."""
        state = hashlib.blake2b(digest_size=16)
        for name, (size, of) in sorted(self.files.items()):
            state.update(f"{name}\0{size}\0{of}\n".encode())
        return state.hexdigest()


def stamps(folder: Path) -> dict[str, Stamp]:
    """Every file below a folder; a link counts as a file that holds where it points."""
    found = {}
    for parent, folders, names in os.walk(folder):
        for name in [*names, *folders]:
            path = Path(parent, name)
            stat = path.lstat()
            if not S_ISDIR(stat.st_mode):
                stamp = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
                found[path.relative_to(folder).as_posix()] = stamp
    return found


def take(folder: Path) -> tuple[Contents, dict[str, Stamp]]:
    """Contents of a finished folder, and the stamps at which they were read."""
    before = stamps(folder)
    now = time.time_ns()
    files = {name: (stamp[1], _digest(folder / name)) for name, stamp in sorted(before.items())}
    return Contents(files), settled(before, now)


def settled(found: Mapping[str, Stamp], now_ns: int) -> dict[str, Stamp]:
    """The stamps that would show any later change."""
    return {name: stamp for name, stamp in found.items() if abs(now_ns - stamp[3]) > _SETTLED_NS}


def check(
    folder: Path, contents: Contents, known: Mapping[str, Stamp]
) -> tuple[str, dict[str, Stamp]]:
    """Whether a folder still holds what it did.

    Args:
        folder: of the entry's files.
        contents: what it held when it was made.
        known: stamps at which files were found to be right before; they are not read again.

    Returns:
        (what is wrong in a few words, or "", the stamps to know next time)
    """
    now = time.time_ns()
    found = stamps(folder)
    for name in sorted(contents.files.keys() | found.keys()):
        if name not in found:
            return f"{name} is missing", {}
        if name not in contents.files:
            return f"{name} was added", {}
        if found[name][1] != contents.files[name][0]:
            return f"{name} has another size", {}
    for name, stamp in found.items():
        if known.get(name) != stamp and _digest(folder / name) != contents.files[name][1]:
            return f"{name} was edited", {}
    return "", settled(found, now)


def _digest(path: Path) -> str:
    if path.is_symlink():
        return hashlib.blake2b(str(path.readlink()).encode(), digest_size=16).hexdigest()
    return digest(path)

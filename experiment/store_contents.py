"""What an entry holds, file by file, and whether it still does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISLNK, S_ISREG

from trimix.data.digests import Digests
from trimix.data.files import combined_digest, text_digest


@dataclass(frozen=True)
class Contents:
    """Files below a folder: name -> (bytes, digest). A link is a file that holds where it leads."""

    files: Mapping[str, tuple[int, str]]

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(size for size, _ in self.files.values())

    @property
    def digest(self) -> str:
        """One digest of all names and contents."""
        return combined_digest({name: digest for name, (_, digest) in self.files.items()})


def contents_of(folder: Path, memory: Path) -> Contents:
    """What a folder holds now.

    Args:
        folder: of the files.
        memory: a folder for what is remembered of them, so that a file is read again only when its
            inode, size or times changed.
    """
    digests = Digests(folder, memory)
    sizes = _sizes(folder)
    return Contents({n: (s, _digest(folder / n, digests)) for n, s in sorted(sizes.items())})


def difference(folder: Path, contents: Contents, memory: Path) -> str:
    """What a folder does not hold as it did, in a few words; "" if it does.

    Args:
        folder, memory: see contents_of.
        contents: what it held when it was made.
    """
    sizes = _sizes(folder)
    for name in sorted(contents.files.keys() | sizes.keys()):
        if name not in sizes:
            return f"{name} is missing"
        if name not in contents.files:
            return f"{name} was added"
        if sizes[name] != contents.files[name][0]:
            return f"{name} has another size"
    digests = Digests(folder, memory)
    for name, (_, digest) in contents.files.items():
        if _digest(folder / name, digests) != digest:
            return f"{name} was edited"
    return ""


def _sizes(folder: Path) -> dict[str, int]:
    """Bytes of every file below a folder; -1 for a pipe or a device."""
    found = {}
    for parent, folders, names in os.walk(folder):
        for name in [*names, *folders]:
            path = Path(parent, name)
            stat = path.lstat()
            if not S_ISDIR(stat.st_mode):
                plain = S_ISREG(stat.st_mode) or S_ISLNK(stat.st_mode)
                found[path.relative_to(folder).as_posix()] = stat.st_size if plain else -1
    return found


def _digest(path: Path, digests: Digests) -> str:
    return text_digest(f"-> {path.readlink()}") if path.is_symlink() else digests.of(path)

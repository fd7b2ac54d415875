"""Whether the files of a data set are those that were written."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath

from trimix.core.errors import DataError
from trimix.data import files, manifest
from trimix.data.digests import Digests
from trimix.data.lerobot import layout

FOLDERS = ("data", "images", "meta", "trimix", "videos")
"""Where a data set keeps what it holds; the card beside them may be edited."""


class Contents:
    """The files of one data set, compared with its manifest when they are first read.

    Args:
        root: the data set's folder; without a manifest nothing is known to compare with.
        verify: False gives files out as they are, for those who look for faults.
        templates: where its own description says that files are: "clips/{video_key}.mp4".
    """

    def __init__(self, root: Path, verify: bool = True, templates: Sequence[str] = ()) -> None:
        self.root, self._verify = root, verify
        self._folders = dict.fromkeys([*FOLDERS, *map(_fixed_folder, templates)])
        self._digests = Digests(root)

    @cached_property
    def _written(self) -> dict[Path, str]:
        """File -> digest."""
        if not self._verify:
            return {}
        listed = manifest.listed_files(self.root)
        return {self.root / name: digest for name, (_, digest) in listed.items()}

    def checked(self, path: Path) -> Path:
        """The path again; of a file that was never written, its reader finds out.

        Raises:
            DataError: the file is missing or is not the one that was written.
        """
        listed = self._written.get(path)
        if listed is not None and self._digests.of(path) != listed:
            raise DataError(
                "the file is not the one that was written",
                where=str(path),
                do=f"copy it again from its source, or delete {self.root / layout.MANIFEST} "
                "if the change was meant",
            )
        return path

    def hash(self) -> str:
        """Of all names and bytes; the same wherever and whenever the files are.

        Raises:
            DataError: a file of the manifest is missing or is not the one that was written.
        """
        for path in self._written:
            self.checked(path)
        found = {p.relative_to(self.root).as_posix(): p for p in self.paths()}
        return files.combined_digest({name: self._digests.of(p) for name, p in found.items()})

    def paths(self) -> list[Path]:
        """Every file but the manifest, in order.

        Raises:
            DataError: a folder is inside itself, by a link.
        """
        every = dict.fromkeys(files.files_below(self.root, *self._folders))
        return [p for p in every if p != self.root / layout.MANIFEST]


def is_within(name: str) -> bool:
    """Whether a relative path stays inside the folder that it starts from."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def is_kept(name: str) -> bool:
    """Whether a path, relative to a data set, is of a file whose bytes are looked after."""
    return is_within(name) and PurePosixPath(name).parts[:1] in {(folder,) for folder in FOLDERS}


def _fixed_folder(template: str) -> str:
    """What lies above the first hole of a template."""
    return template.partition("{")[0].rpartition("/")[0]

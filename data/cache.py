"""Decoded frames in memory-mapped files, so that training is not bound by video decoding.

Axes: F flat rows, H x W pixels (origin top left), RGB uint8.

A cache file is named by the data set's content, the camera and the size, and appears by one
rename: several processes may build the same one at once, the last rename wins with equal bytes.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trimix.core.contracts import U8
from trimix.core.errors import DataError
from trimix.data import files
from trimix.data.dataset import Dataset
from trimix.data.images import Aspect, resize

ENVIRONMENT = "TRIMIX_CACHE"


@dataclass(frozen=True)
class FrameCache:
    """camera -> (F, H, W, 3) uint8, memory-mapped and read-only."""

    images: Mapping[str, U8]

    def __reduce__(self) -> tuple[Any, ...]:
        """Mapped arrays travel to other processes as file names, not as gigabytes."""
        if all(isinstance(frames, np.memmap) for frames in self.images.values()):
            return _map, ({c: str(m.filename) for c, m in self.images.items()},)  # type: ignore[attr-defined]
        return FrameCache, (dict(self.images),)


def _map(paths: Mapping[str, str]) -> FrameCache:
    return FrameCache({camera: np.load(path, mmap_mode="r") for camera, path in paths.items()})


def default_cache_dir() -> Path:
    """$TRIMIX_CACHE, else the user's cache folder: data sets may lie on read-only disks."""
    chosen = os.environ.get(ENVIRONMENT)
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trimix"


def open_cache(
    dataset: Dataset,
    cameras: Sequence[str] | None = None,
    image_hw: tuple[int, int] | None = None,
    cache_dir: Path | None = None,
    *,
    aspect: Aspect = "stretch",
    progress: Callable[[int, int], None] | None = None,
) -> FrameCache:
    """Map the decoded frames, decoding those that are not there yet.

    Args:
        cameras: None for all.
        image_hw: None keeps each camera's size.
        progress: called with (frames done, frames in all) while decoding.

    Raises:
        ConfigError: a camera is unknown.
        DataError: a video is missing, broken or too short.
        TrimixError: the disk is full.
    """
    folder = Path(cache_dir) if cache_dir is not None else default_cache_dir()
    names = list(dataset.interface.cameras) if cameras is None else list(cameras)
    chosen = dataset.interface.select(names).cameras
    paths = {}
    for camera, native in chosen.items():
        hw = image_hw or native
        name = f"{dataset.content_hash}-{camera}-{hw[0]}x{hw[1]}-{aspect}.npy"
        path = folder / name
        if not path.is_file():
            _build(dataset, camera, hw, aspect, path, progress)
        paths[camera] = str(path)
    return _map(paths)


def _build(
    dataset: Dataset,
    camera: str,
    hw: tuple[int, int],
    aspect: Aspect,
    path: Path,
    progress: Callable[[int, int], None] | None,
) -> None:
    total = dataset.n_frames
    with files.storage_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                header = {"descr": "|u1", "fortran_order": False, "shape": (total, *hw, 3)}
                np.lib.format.write_array_header_1_0(file, header)
                # Written, not mapped: a full disk must be an error here, not a signal later.
                done = 0
                for index, frames in dataset.iter_frames(camera):
                    if len(frames) != dataset.episodes[index].length:
                        raise DataError(
                            f"{len(frames)} frames, {dataset.episodes[index].length} are expected",
                            where=f"{dataset.root} episode {index} camera {camera!r}",
                        )
                    file.write(np.ascontiguousarray(resize(frames, hw, aspect)).data)
                    done += len(frames)
                    if progress is not None:
                        progress(done, total)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

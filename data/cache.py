"""Decoded frames in memory-mapped files, so that training is not bound by video decoding.

Axes: F flat rows, H x W pixels (origin top left), RGB uint8.

A cache file is named by the data set's content, the camera, the size and by what decodes, and
appears by one rename: several processes may build the same one at once, the last rename wins with
equal bytes.
It ends with the digest of its other bytes: a file that was cut off or edited is built anew.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from trimix.core.contracts import U8
from trimix.core.errors import DataError
from trimix.data import files, images
from trimix.data.dataset import Dataset
from trimix.data.digests import Digests, default_cache_dir
from trimix.data.images import Aspect, resize
from trimix.data.lerobot import folder as reading
from trimix.data.lerobot import video

_DIGEST_BYTES = 16


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
    paths, digests = {}, Digests(folder, folder)
    for camera, native in chosen.items():
        hw = image_hw or native
        name = f"{dataset.content_hash}-{camera}-{hw[0]}x{hw[1]}-{aspect}-{_decoder()}.npy"
        path = folder / name
        if not _is_whole(path, digests):
            _build(dataset, camera, hw, aspect, path, progress)
        paths[camera] = str(path)
    return _map(paths)


@cache
def _decoder() -> str:
    """What frames hang on beside the data: the code that decodes and resizes, and its libraries."""
    code = [Path(module.__file__ or "").read_bytes() for module in (images, reading, video)]
    versions = f"{version('av')} {version('pillow')}"
    return hashlib.blake2b(b"".join([*code, versions.encode()]), digest_size=4).hexdigest()


def _is_whole(path: Path, digests: Digests) -> bool:
    """Whether a cache file is there as it was built."""
    if not path.is_file() or path.stat().st_size < _DIGEST_BYTES:
        return False
    with path.open("rb") as file:
        file.seek(-_DIGEST_BYTES, os.SEEK_END)
        promised = file.read()
    return digests.of(path, without=_DIGEST_BYTES) == promised.hex()


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
                header = io.BytesIO()
                described = {"descr": "|u1", "fortran_order": False, "shape": (total, *hw, 3)}
                np.lib.format.write_array_header_1_0(header, described)
                file.write(header.getvalue())
                state = hashlib.blake2b(header.getvalue(), digest_size=_DIGEST_BYTES)
                # Written, not mapped: a full disk must be an error here, not a signal later.
                done = 0
                for index, frames in dataset.iter_frames(camera):
                    if len(frames) != dataset.episodes[index].length:
                        raise DataError(
                            f"{len(frames)} frames, {dataset.episodes[index].length} are expected",
                            where=f"{dataset.root} episode {index} camera {camera!r}",
                        )
                    pixels = np.ascontiguousarray(resize(frames, hw, aspect)).data
                    state.update(pixels)
                    file.write(pixels)
                    done += len(frames)
                    if progress is not None:
                        progress(done, total)
                file.write(state.digest())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

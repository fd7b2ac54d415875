"""What an episode says of the simulator that made it."""

from __future__ import annotations

import functools
import hashlib
import zlib
from importlib.metadata import version

import mujoco
import numpy as np
import numpy.typing as npt

from trimix.core.contracts import U8
from trimix.core.version import release


@functools.cache
def versions() -> dict[str, str]:
    """Package -> version, of all that decides on a state's bits."""
    return {"trimix": release(), **{p: version(p) for p in ("mujoco", "numpy")}}


def checksums(images: U8) -> npt.NDArray[np.uint32]:
    """(N,) CRC-32 of pictures (N, H, W, 3)."""
    return np.array([zlib.crc32(image.tobytes()) for image in images], np.uint32)


def model_hash(model: mujoco.MjModel) -> str:
    """Of the compiled model, byte for byte."""
    buffer = np.empty(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, buffer)
    return hashlib.blake2b(buffer.tobytes(), digest_size=16).hexdigest()

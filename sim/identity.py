"""What an episode says of the simulator that made it."""

from __future__ import annotations

import functools
import hashlib
from importlib.metadata import version

import mujoco
import numpy as np

from trimix.core.version import release


@functools.cache
def versions() -> dict[str, str]:
    """Package -> version, of all that decides on a state's bits."""
    return {"trimix": release(), **{p: version(p) for p in ("mujoco", "numpy")}}


def model_hash(model: mujoco.MjModel) -> str:
    """Of the compiled model, byte for byte."""
    buffer = np.empty(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, buffer)
    return hashlib.blake2b(buffer.tobytes(), digest_size=16).hexdigest()

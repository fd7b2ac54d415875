"""A pool of procedural textures, so that looks can be randomized without shipping photographs.

`NAMES` are plain grey patterns. `TRAIN` and `HELDOUT` are surfaces of a household, in two pools
that have no texture in common: what a policy trains among, and what it is tested on.
"""

from __future__ import annotations

import functools

import numpy as np

from trimix.assets.textures.classic import NAMES, SIZE, classic
from trimix.assets.textures.surfaces import HELDOUT as _HELDOUT
from trimix.assets.textures.surfaces import TRAIN as _TRAIN
from trimix.core.contracts import U8
from trimix.core.errors import unknown
from trimix.core.seeds import stream

_TRAIN_NAMES: tuple[str, ...] = tuple(_TRAIN)
_HELDOUT_NAMES: tuple[str, ...] = tuple(_HELDOUT)

__all__ = ["NAMES", "SIZE", "gradient", "texture"]


@functools.cache
def texture(name: str) -> U8:
    """(S, S, 3) pattern that tiles and is to be multiplied by a material's colour; read-only.

    The same every time; S is 64 for `NAMES` and 128 for the pools.

    Raises:
        ConfigError: no such texture.
    """
    rng = stream("texture", name)
    recipe = _TRAIN.get(name) or _HELDOUT.get(name)
    if name in NAMES:
        image = classic(name, rng)
    elif recipe is not None:
        image = np.asarray((recipe(rng) * 255).round().clip(0, 255), np.uint8)
    else:
        raise unknown("texture", name, (*NAMES, *_TRAIN_NAMES, *_HELDOUT_NAMES))
    image.flags.writeable = False
    return image


def gradient(
    top: tuple[float, float, float], bottom: tuple[float, float, float], size: int = 32
) -> U8:
    """(S, S, 3) from one colour to another, for a wall; the bottom is its first row."""
    t = np.linspace(0, 1, size)[:, None, None]
    image = np.asarray(bottom) * (1 - t) + np.asarray(top) * t
    return np.asarray((np.repeat(image, size, 1) * 255).round().clip(0, 255), np.uint8)

"""A pool of procedural textures, so that looks can be randomized without shipping photographs.

`NAMES` are plain grey patterns. `TRAIN` and `HELDOUT` are surfaces of a household, in two pools
that have no texture in common: what a policy trains among, and what it is tested on. They are kept
as PNG, drawn once by `surfaces`: models are then the same byte for byte on every machine.
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from PIL import Image

from trimix.assets.textures.classic import NAMES, SIZE, classic
from trimix.assets.textures.surfaces import HELDOUT as _HELDOUT
from trimix.assets.textures.surfaces import TRAIN as _TRAIN
from trimix.core.contracts import U8
from trimix.core.errors import unknown
from trimix.core.seeds import stream

TRAIN: tuple[str, ...] = tuple(_TRAIN)
HELDOUT: tuple[str, ...] = tuple(_HELDOUT)

FOLDER = Path(__file__).parent / "pool"

__all__ = ["FOLDER", "HELDOUT", "NAMES", "SIZE", "TRAIN", "draw", "gradient", "texture"]


def draw(name: str) -> U8:
    """(S, S, 3) a surface of the pools, from its recipe."""
    recipe = {**_TRAIN, **_HELDOUT}[name]
    return np.asarray((recipe(stream("texture", name)) * 255).round().clip(0, 255), np.uint8)


@functools.cache
def texture(name: str) -> U8:
    """(S, S, 3) pattern that tiles and is to be multiplied by a material's colour; read-only.

    The same every time; S is 64 for `NAMES` and 128 for the pools.

    Raises:
        ConfigError: no such texture.
    """
    if name in NAMES:
        image = classic(name, stream("texture", name))
    elif name in _TRAIN or name in _HELDOUT:
        with Image.open(FOLDER / f"{name}.png", formats=("PNG",)) as file:
            image = np.array(file.convert("RGB"))
    else:
        raise unknown("texture", name, (*NAMES, *TRAIN, *HELDOUT))
    image.flags.writeable = False
    return image


def gradient(
    top: tuple[float, float, float], bottom: tuple[float, float, float], size: int = 32
) -> U8:
    """(S, S, 3) from one colour to another, for a wall; the bottom is its first row."""
    t = np.linspace(0, 1, size)[:, None, None]
    image = np.asarray(bottom) * (1 - t) + np.asarray(top) * t
    return np.asarray((np.repeat(image, size, 1) * 255).round().clip(0, 255), np.uint8)

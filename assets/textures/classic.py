"""Seven plain patterns of 64 px; the sealed target's looks refer to them, so they never change."""

from __future__ import annotations

import numpy as np

from trimix.core.contracts import F64, U8
from trimix.core.errors import unknown

SIZE = 64
NAMES = ("plain", "speckle", "cloud", "wood", "checker", "brushed", "stain")


def classic(name: str, rng: np.random.Generator) -> U8:
    """(S, S, 3) greyish pattern to be multiplied by a material's colour."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    if name == "plain":
        grey = np.ones((SIZE, SIZE))
    elif name == "speckle":
        grey = 0.85 + 0.15 * rng.random((SIZE, SIZE))
    elif name == "cloud":
        grey = 0.65 + 0.35 * _cloud(rng, (2, 4, 8))
    elif name == "wood":
        rings = x * 6 + 0.6 * _cloud(rng, (2, 4))
        grey = 0.7 + 0.3 * (0.5 + 0.5 * np.sin(2 * np.pi * rings))
    elif name == "checker":
        grey = np.where((np.floor(x * 8) + np.floor(y * 8)) % 2 == 0, 1.0, 0.7)
    elif name == "brushed":
        grey = np.repeat(0.8 + 0.2 * rng.random((SIZE, 1)), SIZE, axis=1)
    elif name == "stain":
        grey = np.where(_cloud(rng, (3, 6)) > 0.55, 1.0, 0.75)
    else:
        raise unknown("texture", name, NAMES)
    return np.repeat((grey * 255).round().clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def _cloud(rng: np.random.Generator, octaves: tuple[int, ...]) -> F64:
    """(S, S) smooth periodic noise in [0, 1]: value noise summed over octaves."""
    total = np.zeros((SIZE, SIZE))
    coordinate = np.arange(SIZE) / SIZE
    for octave in octaves:
        grid = rng.random((octave, octave))
        at = coordinate * octave
        low = np.floor(at).astype(int)
        blend = (1 - np.cos(np.pi * (at - low))) / 2
        high = (low + 1) % octave
        rows = grid[low] * (1 - blend)[:, None] + grid[high] * blend[:, None]
        total += (rows[:, low] * (1 - blend) + rows[:, high] * blend) / octave
    total -= total.min()
    return total / max(float(total.max()), 1e-9)

"""Image augmentation of training windows, keyed by a counter.

What a window gets depends on its augmentation seed alone, not on its place in a batch or on the
worker that loaded it. The random shift is that of DrQ (Kostrikov et al., 2020): pad, then crop.

Axes: B windows, h frames of history, H x W pixels, uint8 RGB.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from trimix.core.contracts import F32, F64, U8
from trimix.core.errors import unknown
from trimix.core.seeds import key

MODES = ("off", "shift", "colour", "shift+colour")
SHIFT_FRACTION = 1 / 16
"""Largest shift over the image's side: 4 of 64 px, DrQ's."""

U64 = npt.NDArray[np.uint64]


def uniforms(seeds: U64, purpose: str, count: int) -> F64:
    """(B,) seeds -> (B, count) numbers in [0, 1), by splitmix64 (Steele et al., OOPSLA 2014)."""
    salt = np.uint64(key(purpose) & (2**64 - 1))
    steps = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (seeds.astype(np.uint64) ^ salt)[:, None] + steps
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
    z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53


def check_mode(mode: str) -> str:
    """The mode itself.

    Raises:
        ConfigError: not one of MODES.
    """
    if mode not in MODES:
        raise unknown("augmentation", mode, MODES)
    return mode


def shift(images: Mapping[str, U8], seeds: U64, mode: str) -> dict[str, U8]:
    """Shift each window's frames alike: camera -> (B, h, H, W, 3); the edge pixels repeat."""
    if "shift" not in mode:
        return dict(images)
    return {
        camera: _shifted(image, uniforms(seeds, f"shift {camera}", 2))
        for camera, image in images.items()
    }


def _shifted(image: U8, draws: F64) -> U8:
    b, _, height, width, _ = image.shape
    pad_y, pad_x = (max(1, round(side * SHIFT_FRACTION)) for side in (height, width))
    padded = np.pad(image, ((0, 0), (0, 0), (pad_y, pad_y), (pad_x, pad_x), (0, 0)), mode="edge")
    out = np.empty_like(image)
    for i in range(b):
        y = int(draws[i, 0] * (2 * pad_y + 1))
        x = int(draws[i, 1] * (2 * pad_x + 1))
        out[i] = padded[i, :, y : y + height, x : x + width]
    return out


def colour(seeds: U64, mode: str) -> F32 | None:
    """(B, 3, 4) affine colour maps on RGB in [0, 1]; None when the mode has no colour.

    Brightness, contrast about mid-grey, saturation and a turn of the hue about the grey axis are
    all affine, so that one map holds the four.
    """
    if "colour" not in mode:
        return None
    draw = uniforms(seeds, "colour", 4) * 2 - 1
    brightness, contrast = 0.2 * draw[:, 0], 1 + 0.3 * draw[:, 1]
    saturation, angle = 1 + 0.4 * draw[:, 2], 0.25 * draw[:, 3]
    grey = np.full((3, 3), 1 / 3)
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    turn = (  # Rodrigues' rotation about (1, 1, 1)
        grey
        + np.cos(angle)[:, None, None] * (np.eye(3) - grey)
        + np.sin(angle)[:, None, None] * cross
    )
    matrix = grey + saturation[:, None, None] * (turn - grey)
    matrix = contrast[:, None, None] * matrix
    offset = brightness + 0.5 * (1 - contrast)
    out = np.concatenate([matrix, np.repeat(offset[:, None, None], 3, axis=1)], axis=2)
    return out.astype(np.float32)

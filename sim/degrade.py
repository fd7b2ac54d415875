"""What a cheap camera does to a picture: exposure, white balance, blur, vignette, noise, JPEG.

In the order of a camera: light falls through the lens (blur, vignette, fewer pixels), is amplified
(exposure, white balance, gamma), gets the sensor's noise, and is compressed. All is neutral by
default, and what is neutral costs nothing. Axes: H x W pixels, RGB uint8.
"""

from __future__ import annotations

import functools
import io
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
from PIL import Image

from trimix.core.contracts import F32, U8
from trimix.core.errors import ConfigError
from trimix.core.seeds import stream

# Samples of the noise tile; a frame of 256 x 256 takes 196,608 of them from any place.
_TILE = 1 << 20
MAX_BLUR_PX = 8.0
_MAX_SHRINK = 16
_WHITE = (1.0, 1.0, 1.0)
_TABLES = np.array([0, 256, 512], np.int16)


@dataclass(frozen=True)
class Degradation:
    """How bad a camera is.

    Args:
        gain: factor of the exposure.
        white_balance: factors of red, green and blue.
        gamma: exponent: the picture to the power of 1 / gamma, so that more is brighter.
        noise_std: of Gaussian noise, in levels of 255.
        blur_px: standard deviation of a defocused lens.
        motion_px: length of a smear across `motion_rad`; below 1 px there is none.
        motion_rad: its direction, counter-clockwise from the picture's right.
        vignette: how much darker the corners are, in [0, 1].
        shrink: a sensor with so many times fewer rows and columns, drawn large again.
        jpeg_quality: 1 to 95; 0 does not compress.

    Raises:
        ConfigError: a number that no camera has.
    """

    gain: float = 1.0
    white_balance: tuple[float, float, float] = _WHITE
    gamma: float = 1.0
    noise_std: float = 0.0
    blur_px: float = 0.0
    motion_px: float = 0.0
    motion_rad: float = 0.0
    vignette: float = 0.0
    shrink: float = 1.0
    jpeg_quality: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            if not np.isfinite(getattr(self, field.name)).all():
                raise ConfigError(f"{field.name} is {getattr(self, field.name)}")
        wrong = {
            "gain": self.gain < 0,
            "white_balance": len(self.white_balance) != 3 or min(self.white_balance) < 0,
            "gamma": self.gamma <= 0,
            "noise_std": self.noise_std < 0,
            "blur_px": not 0 <= self.blur_px <= MAX_BLUR_PX,
            "motion_px": self.motion_px < 0,
            "vignette": not 0 <= self.vignette <= 1,
            "shrink": not 1 <= self.shrink <= _MAX_SHRINK,
            "jpeg_quality": not 0 <= self.jpeg_quality <= 95,
        }
        for name in (n for n, bad in wrong.items() if bad):
            raise ConfigError(f"{name} of a camera is {getattr(self, name)}", do="see Degradation")

    @property
    def neutral(self) -> bool:
        """Whether pictures stay as they are."""
        return self == _NEUTRAL


_NEUTRAL = Degradation()


def degrade(image: U8, how: Degradation, rng: np.random.Generator) -> U8:
    """The picture (H, W, 3) as the camera gives it; the image given stays as it is.

    Args:
        rng: of this frame alone; the noise of frames with unlike streams is unlike.
    """
    if how.neutral:
        return image.copy()
    picture = _lens(image, how)
    if how.gamma != 1:
        picture = np.take(_curve(how), picture + _TABLES)
    plain = how.gamma != 1 or (how.gain == 1 and how.white_balance == _WHITE)
    if not plain or how.vignette or how.noise_std:
        # A row is its pixels' channels: numpy is slow where the last axis is as short as 3.
        light = picture.reshape(len(picture), -1).astype(np.float32)
        if not plain:
            light *= np.tile(_factors(how), picture.shape[1])
        if how.vignette:
            light *= 1 - np.float32(how.vignette) * _falloff(*picture.shape[:2])
        if how.noise_std:
            light += noise(light.shape, how.noise_std, rng)
        light += np.float32(0.5)  # to the nearest level, as a cast cuts off
        np.clip(light, 0.0, 255.0, out=light)
        picture = light.astype(np.uint8).reshape(picture.shape)
    if how.jpeg_quality:
        picture = _compressed(picture, how.jpeg_quality)
    return picture


def noise(shape: tuple[int, ...], std: float, rng: np.random.Generator) -> F32:
    """Gaussian noise, ten times as fast as drawn anew: a piece of one tile, from anywhere.

    Pieces of two frames overlap, but do not lie on each other: 2 million places, forwards or
    backwards, with either sign.
    """
    size = int(np.prod(shape))
    tile = _tile() if size <= _TILE // 2 else _larger_tile(size)
    at, sign = rng.integers(len(tile) - size), rng.integers(4)
    piece = tile[at : at + size]
    if sign & 1:
        piece = piece[::-1]
    return np.asarray(piece.reshape(shape) * np.float32(-std if sign & 2 else std))


def _lens(image: U8, how: Degradation) -> U8:
    """Blur and coarse pixels, of the light itself."""
    if how.motion_px >= 1:
        image = _smeared(image, how.motion_px, how.motion_rad)
    if how.blur_px:
        image = _blurred(image, how.blur_px)
    if how.shrink > 1:
        height, width = image.shape[:2]
        small = max(1, round(width / how.shrink)), max(1, round(height / how.shrink))
        picture = Image.fromarray(image).resize(small, Image.Resampling.BOX)
        image = np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))
    return image


def _blurred(image: U8, std: float) -> U8:
    """A Gaussian, sampled at whole pixels, along rows and then columns; edges are repeated."""
    weights = _weights(std)
    light = image.astype(np.uint16)
    for axis in (1, 0):
        x = light if axis == 0 else light.swapaxes(0, 1)
        total = x * weights[0]
        for k in range(1, min(len(weights), len(x))):
            part = x * weights[k]
            total[k:] += part[:-k]
            total[:-k] += part[k:]
            total[:k] += part[:1]
            total[-k:] += part[-1:]
        total += np.uint16(128)
        total >>= 8
        light = total if axis == 0 else total.swapaxes(0, 1)
    return light.astype(np.uint8)


@functools.lru_cache(maxsize=256)
def _weights(std: float) -> npt.NDArray[np.uint16]:
    """Of the middle, its neighbours, ...: in 256ths, whose sum over both sides is 256."""
    reach = max(1, int(np.ceil(2.5 * std)))
    bell = np.exp(-0.5 * (np.arange(reach + 1) / std) ** 2)
    bell /= bell[0] + 2 * bell[1:].sum()
    weights: npt.NDArray[np.uint16] = np.rint(256 * bell).astype(np.uint16)
    weights[0] = 256 - 2 * int(weights[1:].sum())
    return weights


def _smeared(image: U8, length: float, angle: float) -> U8:
    """The mean of the picture along a line of whole pixels; edges are repeated."""
    count = max(2, round(length) + 1)
    along = np.linspace(-length / 2, length / 2, count)
    columns, rows = np.rint(along * np.cos(angle)), np.rint(-along * np.sin(angle))
    steps = sorted({(int(r), int(c)) for r, c in zip(rows, columns, strict=True)})
    reach = max(max(abs(r), abs(c)) for r, c in steps)
    padded = np.pad(image, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    height, width = image.shape[:2]
    total = np.zeros(image.shape, np.uint16)
    for r, c in steps:
        total += padded[reach + r : reach + r + height, reach + c : reach + c + width]
    return ((total + len(steps) // 2) // len(steps)).astype(np.uint8)


def _factors(how: Degradation) -> F32:
    """(3,) of red, green and blue."""
    return np.asarray(how.gain * np.asarray(how.white_balance), np.float32)


@functools.lru_cache(maxsize=64)
def _curve(how: Degradation) -> U8:
    """(768,) what each level becomes, of red, then green, then blue."""
    light = np.arange(256) / 255 * _factors(how)[:, None]
    return np.rint(255 * light.clip(0, 1) ** (1 / how.gamma)).astype(np.uint8).reshape(-1)


@functools.lru_cache(maxsize=16)
def _falloff(height: int, width: int) -> F32:
    """(H, 3 W) squared distance from the middle, 1 in the corners, for each channel of a row."""
    y = (np.arange(height) + 0.5) / height * 2 - 1
    x = (np.arange(width) + 0.5) / width * 2 - 1
    square = y[:, None] ** 2 + x**2
    return np.repeat((square / square.max()).astype(np.float32), 3, axis=1)


def _compressed(image: U8, quality: int) -> U8:
    """There and back through JPEG, with colours at half resolution as cameras have them."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return np.array(Image.open(file, formats=("JPEG",)))


@functools.cache
def _tile() -> npt.NDArray[np.float32]:
    """The noise that all pictures take theirs from, of mean 0 and deviation 1."""
    return _gaussian(_TILE)


@functools.lru_cache(maxsize=2)
def _larger_tile(size: int) -> npt.NDArray[np.float32]:
    return _gaussian(2 * size)


def _gaussian(size: int) -> npt.NDArray[np.float32]:
    tile = stream("camera noise").standard_normal(size, np.float32)
    tile -= tile.mean()
    tile /= tile.std()
    return tile

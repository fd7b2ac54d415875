"""Moving pictures for the report: episodes of different origins, side by side and in step.

Axes: T frames, H x W pixels, P panels of a strip.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import imageio.v3 as iio
import numpy as np

from trimix.core.contracts import U8, Origin
from trimix.core.episode import Episode
from trimix.core.errors import ConfigError
from trimix.data.lerobot.video import VideoCodec, encode

Section = Literal["rollouts", "dreams", "origins"]
GAP_PX = 8
GREY = 128
# Its preset is the fastest: of the slower ones, veryfast gave other bytes in 4 of 150 tries.
CODEC = VideoCodec(crf=26, gop=60, full_colour_px=0)


@dataclass(frozen=True)
class Panel:
    """One panel of a strip.

    Args:
        origin: real, sim or dream; None where the origin is not what the panel is about.
        label: what stands above it, e.g. "stand-in (simulated)".
        images: (T, H, W, 3) uint8 RGB.
        fps: frames per second.
        note: e.g. "41 steps".
    """

    origin: Origin | None
    label: str
    images: U8
    fps: float
    note: str = ""


@dataclass(frozen=True)
class Strip:
    """Panels that play in step, as one silent video, and stills of the same moments.

    Args:
        title: what the strip shows; of rollouts, the arm's name.
        panels: from left to right.
        section: where on the page it belongs: an arm's rollouts, dreams, or episodes by origin.
    """

    title: str
    panels: tuple[Panel, ...]
    section: Section = "origins"

    def __post_init__(self) -> None:
        if not self.panels:
            raise ConfigError(f"strip {self.title!r} has no panels")
        for panel in self.panels:
            if panel.images.ndim != 4 or panel.images.shape[-1] != 3 or len(panel.images) == 0:
                raise ConfigError(
                    f"panel {panel.label!r} is {panel.images.shape}, expected (T, H, W, 3)"
                )


def panel_of(episode: Episode, camera: str, label: str, note: str = "") -> Panel:
    """The clip of one camera of an episode.

    Raises:
        ConfigError: the episode has no such camera.
    """
    if camera not in episode.images:
        raise ConfigError(
            f"camera {camera!r} is not in the episode",
            do=f"available: {', '.join(episode.images) or 'none'}",
        )
    fps = 1.0 / episode.interface.control_dt_s
    return Panel(episode.provenance.origin, label, episode.images[camera], fps, note)


def side_by_side(strip: Strip, height: int) -> tuple[U8, float]:
    """((T, height, W, 3) frames, fps): the panels in step by the clock; the shorter hold."""
    fps = max(panel.fps for panel in strip.panels)
    seconds = max(len(panel.images) / panel.fps for panel in strip.panels)
    moments = np.arange(max(1, round(seconds * fps))) / fps
    gap = np.full((len(moments), height, GAP_PX, 3), GREY, np.uint8)
    parts: list[U8] = []
    for panel in strip.panels:
        # The nudge keeps k / fps * fps from falling to k - 1.
        rows = np.minimum((moments * panel.fps + 1e-6).astype(int), len(panel.images) - 1)
        parts += [gap, resized(panel.images[rows], height)]
    return np.concatenate(parts[1:], axis=2), fps


def filmstrip(panel: Panel, moments: int, height: int) -> U8:
    """(height, W, 3): stills at evenly spaced moments; each frame at most once."""
    shown = min(moments, len(panel.images))
    rows = np.linspace(0, len(panel.images) - 1, shown).round().astype(int)
    frames = resized(panel.images[rows], height)
    gap = np.full((height, GAP_PX // 2, 3), GREY, np.uint8)
    parts: list[U8] = []
    for frame in frames:
        parts += [gap, frame]
    return np.concatenate(parts[1:], axis=1)


def mp4(frames: U8, fps: float) -> bytes:
    """An H.264 file of (T, H, W, 3) uint8 frames, in the pixel format that every browser plays.

    An odd last row or column is cut off: that format has none. Equal frames give equal bytes.
    imageio's writers would leave the encoder's threads, and a date, to the machine.
    """
    h, w = frames.shape[1:3]
    even = np.ascontiguousarray(frames[:, : h - h % 2, : w - w % 2])
    return encode(even, Fraction(fps).limit_denominator(1000), CODEC)


def png(image: U8) -> bytes:
    """A PNG file of one (H, W, 3) uint8 image."""
    return bytes(iio.imwrite("<bytes>", image, extension=".png"))


def data_uri(content: bytes, media_type: str) -> str:
    """The content as an address that needs no other file."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def panel_widths(panels: Sequence[Panel], height: int) -> list[int]:
    """Widths in px of the panels that `side_by_side` makes."""
    return [_width(panel.images.shape[1:3], height) for panel in panels]


def _width(hw: tuple[int, ...], height: int) -> int:
    return max(1, round(hw[1] * height / hw[0]))


def resized(frames: U8, height: int) -> U8:
    """Nearest neighbour: what the policy sees is shown as it is, pixel by pixel."""
    h, w = frames.shape[1:3]
    width = _width((h, w), height)
    rows = np.minimum((np.arange(height) + 0.5) * h / height, h - 1).astype(int)
    columns = np.minimum((np.arange(width) + 0.5) * w / width, w - 1).astype(int)
    return np.asarray(frames[:, rows][:, :, columns])

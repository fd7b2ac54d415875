"""A banana that bends in the horizontal plane, and its skin."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trimix.assets.props.mesh import Mesh
from trimix.assets.props.shapes import tube
from trimix.core.seeds import stream

BANANA_TEXTURE_HW = (64, 128)
_STEM = 0.016  # m of the stem at the end of negative x, and of the blunt tip at the other
_TIP = 0.010


def banana(
    radius: float = 0.021,
    bend: float = 0.10,
    arc_rad: float = float(np.radians(100.0)),
    segments: int = 12,
    rings: int = 13,
) -> Mesh:
    """A banana lying in the x, y plane, around its collider of capsules.

    The middle of the arc is the origin and x the long axis; the ends curve towards +y. Ridges
    run along it as in the fruit; one end is a stem (at -x), the other a blunt tip.
    Texture coordinates: u from stem to tip, v around. About 300 triangles.

    Args:
        radius: m, in the middle.
        bend: m, radius of the arc.
        arc_rad: angle of the arc between the middles of the end caps.
        segments: around; a multiple of 4 has one right below.
        rings: along.
    """
    half = bend * arc_rad / 2
    # Closer rings at the ends, where the shape changes.
    t = np.linspace(0, 1, rings)
    s = -half - _STEM + (2 * half + _STEM + _TIP) * (t - 0.7 * np.sin(2 * np.pi * t) / (2 * np.pi))
    angle = s / bend
    path = np.stack([bend * np.sin(angle), bend * (1 - np.cos(angle)), np.zeros(rings)], 1)
    at = [-half - _STEM, -half - 0.5 * _STEM, -half + 0.004, -half + 0.022, -0.55 * half, 0.0]
    thick = [0.24, 0.27, 0.40, 0.74, 0.94, 1.0]
    at += [0.55 * half, half - 0.012, half, half + 0.6 * _TIP, half + _TIP]
    thick += [0.95, 0.76, 0.60, 0.30, 0.20]
    radii = radius * np.interp(s, at, thick)
    # Knots of straight lines show as rings of light: smooth them, ends kept.
    for _ in range(2):
        radii[1:-1] = 0.25 * radii[:-2] + 0.5 * radii[1:-1] + 0.25 * radii[2:]
    path = np.concatenate([path[:1], path, path[-1:]])
    # The ends are closed by a last ring of radius 0 a little further on.
    for end, to in ((0, 1), (-1, -2)):
        away = path[to] - path[to + (1 if end == 0 else -1)]
        path[end] = path[to] + 0.0015 * away / np.linalg.norm(away)
    radii = np.concatenate([[0.0], radii, [0.0]])
    around = 2 * np.pi * np.arange(segments) / segments
    # Five flat sides; the factor is at most 1, so that the skin does not sink into the table.
    bumps = 0.975 + 0.025 * np.cos(5 * (around + np.pi / 2))
    return tube(path, radii, segments, bumps=bumps)


def banana_texture() -> npt.NDArray[np.uint8]:
    """(64, 128, 3) skin to be multiplied by a yellow: greenish stem, brown ends, flecks, ridges."""
    rng = stream("texture", "banana")
    height, width = BANANA_TEXTURE_HW
    u = (np.arange(width) + 0.5) / width
    v = (np.arange(height) + 0.5) / height
    skin = np.ones((height, width, 3))
    green = np.clip(1 - np.abs(u - 0.16) / 0.13, 0, 1) + 0.5 * np.clip(1 - (1 - u) / 0.12, 0, 1)
    skin *= 1 - green[None, :, None] * np.array([0.30, 0.10, 0.05])
    ridge = 0.5 + 0.5 * np.cos(2 * np.pi * 5 * v)
    skin *= 1 - 0.05 * ridge[:, None, None] ** 4
    for _ in range(26):  # flecks: short streaks along the fruit
        at_u, at_v = rng.uniform(0.2, 0.9), rng.random()
        long, wide = rng.uniform(0.006, 0.02), rng.uniform(0.010, 0.022)
        apart = np.abs(v - at_v)
        apart = np.minimum(apart, 1 - apart)
        fleck = np.exp(-(((u - at_u) / long) ** 2)[None] - ((apart / wide) ** 2)[:, None])
        skin *= 1 - fleck[..., None] * rng.uniform(0.15, 0.45) * np.array([0.7, 0.85, 1.0])
    for edge in (np.clip(1 - u / 0.035, 0, 1), np.clip(1 - (1 - u) / 0.035, 0, 1)):
        brown = edge[None, :, None] ** 0.7
        skin = skin * (1 - brown) + brown * np.array([0.28, 0.24, 0.5])
    return (skin * 255).round().clip(0, 255).astype(np.uint8)

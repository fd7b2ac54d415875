"""Crockery and parts of furniture, as meshes that are looked at.

All stand at z = 0 and turn around z, so that a collider of cylinders and boxes fits inside.
"""

from __future__ import annotations

import numpy as np

from trimix.assets.props.mesh import Mesh, box_uv, merge
from trimix.assets.props.shapes import lathe, rounded_box, tube
from trimix.core.contracts import F64


def plate(radius: float = 0.10, height: float = 0.014, segments: int = 20) -> Mesh:
    """A dinner plate: foot, flat well, a rim that rises to `height`; uv flat from above."""
    r, h = radius, height
    well = 0.45 * h
    profile = [
        (0.0, 0.0),
        (0.58 * r, 0.0),
        (0.64 * r, 0.18 * h),
        (0.98 * r, 0.80 * h),
        (r, 0.92 * h),
        (0.985 * r, h),
        (0.72 * r, well + 0.18 * h),
        (0.64 * r, well),
        (0.0, well),
    ]
    return _from_above(lathe(profile, segments), radius)


def bowl(
    radius: float = 0.08, height: float = 0.055, thickness: float = 0.004, segments: int = 28
) -> Mesh:
    """A bowl of a round section, open at the top; uv flat from above."""
    foot = 0.45 * radius
    turn = np.linspace(0, np.pi / 2, 7)

    def arc(widest: float, bottom: float, narrowest: float) -> F64:
        """A quarter of an ellipse from the foot to the brim."""
        x = narrowest + (widest - narrowest) * np.sin(turn)
        return np.stack([x, bottom + (height - bottom) * (1 - np.cos(turn))], 1)

    outer = arc(radius, 0.004, foot)
    inner = arc(radius - thickness, 0.004 + thickness, foot - thickness)[::-1]
    brim = [(radius - thickness / 2, height + 0.3 * thickness)]
    profile = np.concatenate(
        [[(0.0, 0.0), (0.9 * foot, 0.0)], outer, brim, inner, [(0.0, 0.004 + thickness)]]
    )
    return _from_above(lathe(profile, segments), radius)


def mug(
    radius: float = 0.040, height: float = 0.095, thickness: float = 0.004, segments: int = 20
) -> Mesh:
    """A mug, open at the top, with its handle towards +x; u once around the body."""
    r, h, t = radius, height, thickness
    body = lathe(
        [
            (0.0, 0.0),
            (0.92 * r, 0.0),
            (r, 0.05 * h),
            (r, 0.98 * h),
            (r - 0.5 * t, h),
            (r - t, 0.98 * h),
            (r - t, 0.08 * h),
            (0.9 * (r - t), t),
            (0.0, t),
        ],
        segments,
    )
    turn = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 9)
    ear = np.stack(
        [
            0.97 * r + 0.72 * r * np.cos(turn),
            np.zeros_like(turn),
            0.53 * h + 0.30 * h * np.sin(turn),
        ],
        1,
    )
    return merge([body, tube(ear, np.full(len(turn), 0.0052), 7, up=(0.0, 1.0, 0.0))])


def handle(width: float = 0.10, depth: float = 0.030, radius: float = 0.006) -> Mesh:
    """A drawer's bow handle: along y, standing out by `depth` towards +x, its feet at x = 0."""
    half, bend = width / 2, min(0.35 * width, 0.8 * depth)
    turn = np.linspace(0, np.pi / 2, 4)
    round_off = np.stack([depth - bend * (1 - np.sin(turn)), half - bend * (1 - np.cos(turn))], 1)
    right = np.concatenate([[(0.0, half)], round_off])
    path = np.concatenate([right, right[::-1] * (1, -1)])
    points = np.column_stack([path, np.zeros(len(path))])
    return tube(points, np.full(len(points), radius), 8)


def peg(half: tuple[float, float, float] = (0.012, 0.012, 0.05), chamfer: float = 0.003) -> Mesh:
    """A square peg along z whose edges are chamfered; its middle at the origin."""
    return box_uv(rounded_box(half, chamfer), 0.1)


def _from_above(mesh: Mesh, radius: float) -> Mesh:
    """Texture laid flat over a round thing, once across it."""
    return mesh.with_uv(mesh.vertices[:, :2] / (2 * radius) + 0.5)

"""The T-block: its geometry, and how it moves when it is pushed slowly.

Frames: the body frame has its origin at the T's centroid, the stem along -y.
Axes: K contacts, E edges (and corners) of the hull, (..., 2) points in m.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from trimix.core.contracts import F64, I64, BoolArray

TEE = "tee"
UNIT = 0.036  # m: the T is a bar of 4 x 1 units on a stem of 1 x 3, as in Push-T
HEIGHT = 0.03  # m
_UP = 5 / 14  # units from the centroid up to where bar and stem meet
# (centre, half extents) of bar and stem, in units.
BOXES = (((0.0, _UP + 0.5), (2.0, 0.5)), ((0.0, _UP - 1.5), (0.5, 1.5)))
# Greatest torque over greatest force of table friction, in units: fitted to 72 pushes of 2 cm of
# the simulated T, which rests on eight corners (evenly spread pressure would make it 1.33, equal
# loads on the corners 1.94).
SUPPORT_RADIUS = 1.5

_TOP, _FOOT = _UP + 1.0, _UP - 3.0
_HULL = ((2, _TOP), (-2, _TOP), (-2, _UP), (-0.5, _FOOT), (0.5, _FOOT), (2, _UP))
# Where the stick may push: (x, y, inward normal) in units, clear of the corners.
_CONTACTS = (
    *((x, _TOP, 0, -1) for x in (-1.7, -1.2, -0.6, 0.0, 0.6, 1.2, 1.7)),
    *((side * 2.0, _UP + 0.5, -side, 0) for side in (-1, 1)),
    *((side * x, _UP, 0, 1) for side in (-1, 1) for x in (1.2, 1.7)),
    *((side * 0.5, y, -side, 0) for side in (-1, 1) for y in (-2.3, -1.6, -0.8, -0.15)),
    *((x, _FOOT, 0, 1) for x in (-0.2, 0.0, 0.2)),
)


class Tee:
    """A T of some scale beside a round stick.

    Args:
        unit: m.
        radius: of the stick in m.
        margin: m to keep between stick and hull on the way around.

    Attributes:
        contact: (K, 2) m, points on the boundary.
        normal: (K, 2) inward unit normals.
        turn: (K,) rad/m, rotation per metre of the centroid's path when pushed there.
        ahead: (K, 2) m, where the stick lines up for a contact, outside the hull.
        corner: (E, 2) m, corners of the hull widened by stick and margin.
    """

    def __init__(self, unit: float, radius: float, margin: float) -> None:
        table = np.array(_CONTACTS)
        stand = table[:, :2] * unit - (radius + 0.0005) * table[:, 2:]
        table = table[clearance(stand, unit) > radius]
        self.unit, self.radius = unit, radius
        self.contact, self.normal = table[:, :2] * unit, table[:, 2:]
        # A force along the normal n at r moves the T along n and turns it: the ellipsoidal limit
        # surface (Lynch and Mason, 1996), v = n, omega = (r x n) / c^2.
        self._c2 = (SUPPORT_RADIUS * unit) ** 2
        self.turn = _cross(self.contact, self.normal) / self._c2
        hull = np.array(_HULL, float) * unit
        self.edge_normal, self._edge_offset = _half_planes(hull)
        self._wide = radius + 0.6 * margin
        self.corner = _widened(hull, radius + margin)
        # Along the outward normal until it is out of the widened hull.
        clear = self._edge_offset + radius + margin - self.contact @ self.edge_normal.T
        rate = -self.normal @ self.edge_normal.T
        depth = np.where(rate > 1e-9, clear / np.maximum(rate, 1e-9), np.inf).min(1)
        self.reach = depth - radius
        self.ahead = self.contact - self.normal * depth[:, None]

    def inside(self, point: F64) -> BoolArray:
        """(...) whether a stick centred at point (..., 2) is too near to walk around the hull."""
        height = point @ self.edge_normal.T - self._edge_offset
        return np.asarray((height < self._wide).all(-1))

    def outward(self, point: F64) -> F64:
        """(2,) the way from the boundary to where a stick is, or out of the T if it is inside."""
        center, half = np.swapaxes(np.array(BOXES), 0, 1) * self.unit
        beyond = np.abs(point - center) - half
        box = int(np.linalg.norm(np.maximum(beyond, 0.0), axis=1).argmin())
        side = np.sign(point - center[box])
        out = np.maximum(beyond[box], 0.0)
        if out.max() <= 0.0:
            out = np.eye(2)[int(beyond[box].argmax())]
        way = side * out
        return np.asarray(way / max(float(np.linalg.norm(way)), 1e-12))

    def blocked(self, a: F64, b: F64) -> BoolArray:
        """(...) whether the hull is in the way of a stick from a to b, both (..., 2)."""
        start = self._edge_offset + self._wide - a @ self.edge_normal.T
        rate = (b - a) @ self.edge_normal.T
        flat = np.abs(rate) < 1e-12
        t = start / np.where(flat, 1.0, rate)
        enter = np.where(flat, np.where(start > 0, -np.inf, np.inf), np.where(rate < 0, t, -np.inf))
        leave = np.where(~flat & (rate > 0), t, np.inf)
        return np.asarray(np.maximum(enter.max(-1), 0.0) < np.minimum(leave.min(-1), 1.0) - 1e-9)

    def route(self, a: F64, contacts: I64) -> tuple[F64, F64]:
        """The shortest way from a (2,) around the hull to where these contacts (M,) line up.

        Returns:
            (M,) m, its length, and (M, 2), the next point on it.
        """
        b = self.ahead[contacts]
        straight = np.linalg.norm(b - a, axis=-1)
        hidden = self.blocked(a[None], np.concatenate([self.corner, b]))
        corners = len(self.corner)
        first = np.linalg.norm(self.corner - a, axis=-1) + hidden[:corners]
        length = (first[:, None, None] + self._chain[:, :, contacts]).reshape(-1, len(b))
        best = length.argmin(0)
        around = length[best, np.arange(len(b))]
        detour = hidden[corners:]
        point = np.where(detour[:, None], self.corner[best // corners], b)
        return np.where(detour, around, straight), point

    def push_velocity(self, contact: int) -> F64:
        """(2,) stick velocity, body frame, per m/s of the centroid, to stay at a contact.

        It is that of a point fixed to the T under a force along the normal: exact without
        friction between the two, and near it with little.
        """
        x, y = self.contact[contact] - self.radius * self.normal[contact]
        return np.asarray(self.normal[contact] + self.turn[contact] * np.array([-y, x]))

    def moved(self, length: F64) -> F64:
        """(K, L, 3) body-frame motion (x, y, yaw) by pushes of these centroid paths (L,) m."""
        angle = self.turn[:, None] * length
        # The centroid moves on an arc: its chord, half the angle off the first direction.
        chord = length * np.sinc(angle / (2 * np.pi))
        c, s = np.cos(angle / 2), np.sin(angle / 2)
        x, y = self.normal[:, :1], self.normal[:, 1:]
        return np.stack([chord * (c * x - s * y), chord * (s * x + c * y), angle], -1)

    @cached_property
    def _chain(self) -> F64:
        """(E, E, K) m, from corner to corner the shorter way and on to contacts; hidden: + 1 m."""
        edges = np.linalg.norm(np.roll(self.corner, -1, 0) - self.corner, axis=1)
        at = np.concatenate([[0.0], np.cumsum(edges)])
        way = np.abs(at[:-1, None] - at[None, :-1])
        way = np.minimum(way, at[-1] - way)
        corner, ahead = self.corner[:, None], self.ahead[None]
        last = np.linalg.norm(corner - ahead, axis=-1) + self.blocked(corner, ahead)
        return np.asarray(way[:, :, None] + last)


def clearance(point: F64, unit: float) -> F64:
    """(...) m from points (..., 2) in the body frame to the T; 0 inside."""
    center, half = np.swapaxes(np.array(BOXES), 0, 1) * unit
    outside = np.maximum(np.abs(point[..., None, :] - center) - half, 0.0)
    return np.asarray(np.linalg.norm(outside, axis=-1).min(-1))


def _cross(a: F64, b: F64) -> F64:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])


def _half_planes(hull: F64) -> tuple[F64, F64]:
    """Outward normals (E, 2) and offsets (E,) of a counter-clockwise convex polygon's edges."""
    edge = np.roll(hull, -1, 0) - hull
    normal = np.stack([edge[:, 1], -edge[:, 0]], 1) / np.linalg.norm(edge, axis=1, keepdims=True)
    return normal, np.asarray((normal * hull).sum(1))


def _widened(hull: F64, margin: float) -> F64:
    """(E, 2) corners of the polygon whose edges lie `margin` further out."""
    normal, offset = _half_planes(hull)
    before = np.roll(normal, 1, 0)
    sides = np.stack([before, normal], 1)
    offsets = np.stack([np.roll(offset, 1), offset], 1) + margin
    return np.asarray(np.linalg.solve(sides, offsets[..., None])[..., 0])


def lost(x: F64, y: F64, yaw: F64, unit: float) -> F64:
    """(...) an estimate from above of how much of the mark a T leaves uncovered.

    Args:
        x, y: m, from the mark, in its frame or the T's.
        yaw: rad.
        unit: m.

    A T moved along its own x or y uncovers 4 of its 7 square units a unit, one that turns 1.18 a
    radian (measured); together they uncover less than the root of the sum of squares.
    """
    turned = yaw - 2 * np.pi * np.rint(yaw * (0.5 / np.pi))
    moved = (np.abs(x) + np.abs(y)) * (4 / 7 / unit)
    return np.asarray(np.sqrt(moved * moved + 1.4 * turned * turned))

"""Shapes of revolution, tubes, boxes with bevelled edges, sheets.

Axes: P points of a profile or path, S segments around.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trimix.assets.props.mesh import Mesh, box_uv, grid_faces, merge, without_slivers
from trimix.core.contracts import F64
from trimix.core.errors import ConfigError

_SHARP_RAD = np.radians(40.0)  # corners of a profile sharper than this stay edges


def lathe(profile: npt.ArrayLike, segments: int = 24, *, smooth: bool = False) -> Mesh:
    """The surface that a profile sweeps around the z axis.

    Texture coordinates: u once around, v along the profile from 0 to 1.

    Args:
        profile: (P, 2) m of radius and z, its outside on the right of the way: up along an
            outer wall, inwards along a top. A point at radius 0 closes the surface.
        segments: around.
        smooth: round off every corner's shading, else only those below 40 degrees.

    Raises:
        ConfigError: fewer than 2 points or 3 segments, a negative radius, a point twice.
    """
    points = np.asarray(profile, float)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 2 or segments < 3:
        raise ConfigError(f"a lathe needs (P >= 2, 2) points and 3 segments, not {points.shape}")
    if (points[:, 0] < 0).any():
        raise ConfigError("a lathe's profile has a negative radius")
    step = np.diff(points, axis=0)
    length = np.linalg.norm(step, axis=1)
    if (length < 1e-9).any():
        raise ConfigError("a lathe's profile has the same point twice")
    along = np.concatenate([[0.0], np.cumsum(length)]) / length.sum()
    outward = np.stack([step[:, 1], -step[:, 0]], 1) / length[:, None]  # (P - 1, 2)
    at, normal = _corners(outward, smooth)
    angle = np.linspace(0, 2 * np.pi, segments + 1)
    c, s = np.cos(angle), np.sin(angle)  # (S + 1,): the seam has its vertices twice
    radius, z = points[at].T
    if smooth:  # where a round end closes, it looks along the axis
        closed = radius == 0
        normal[closed] = np.stack([np.zeros(closed.sum()), np.sign(normal[closed, 1])], 1)
    ring = np.stack(
        [radius[:, None] * c, radius[:, None] * s, np.repeat(z[:, None], len(c), 1)], -1
    )
    facing = np.stack(
        [normal[:, :1] * c, normal[:, :1] * s, np.repeat(normal[:, 1:], len(c), 1)], -1
    )
    uv = np.stack(np.broadcast_arrays(angle / (2 * np.pi), along[at][:, None]), -1)
    mesh = Mesh.of(
        ring.reshape(-1, 3),
        grid_faces(len(at), len(c)),
        facing.reshape(-1, 3),
        uv.reshape(-1, 2),
    )
    return without_slivers(mesh)


def tube(
    path: npt.ArrayLike,
    radii: npt.ArrayLike,
    segments: int = 12,
    *,
    up: tuple[float, float, float] = (0.0, 0.0, 1.0),
    bumps: npt.ArrayLike | None = None,
) -> Mesh:
    """A tube along a path; an end of radius 0 is closed.

    Texture coordinates: u along the path from 0 to 1, v once around.

    Args:
        path: (P, 3) m.
        radii: (P,) m at each point.
        segments: S around.
        up: (3,) where v = 0.25 looks; never along the path.
        bumps: (S,) factors of the radius around the tube, e.g. ridges; None for a round one.
    """
    points, radius = np.asarray(path, float), np.asarray(radii, float)
    if points.shape != (len(radius), 3) or len(radius) < 2:
        raise ConfigError(f"a tube's path is {points.shape}, its radii are {radius.shape}")
    factor = np.ones(segments) if bumps is None else np.asarray(bumps, float)
    if factor.shape != (segments,):
        raise ConfigError(f"a tube of {segments} segments has bumps of shape {factor.shape}")
    factor = np.append(factor, factor[0])
    tangent = np.gradient(points, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    side = np.cross(tangent, np.asarray(up, float))
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    top = np.cross(side, tangent)
    angle = np.linspace(0, 2 * np.pi, segments + 1)
    out = np.cos(angle)[:, None] * side[:, None] + np.sin(angle)[:, None] * top[:, None]
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    # The surface leans along the path by as much as the radius changes on the way.
    lean = np.gradient(radius, along)
    normal = out - lean[:, None, None] * tangent[:, None]
    ring = points[:, None] + out * (radius[:, None] * factor)[..., None]
    uv = np.stack(np.broadcast_arrays((along / along[-1])[:, None], angle[None] / (2 * np.pi)), -1)
    mesh = Mesh.of(
        ring.reshape(-1, 3),
        grid_faces(len(radius), segments + 1)[:, ::-1],
        normal.reshape(-1, 3),
        uv.reshape(-1, 2),
    )
    return without_slivers(mesh)


def capsule(radius: float, half: float, segments: int = 12, stacks: int = 3) -> Mesh:
    """A capsule along z: half is half of its straight part, in m."""
    turn = np.linspace(-np.pi / 2, 0, stacks + 1)
    low = np.stack([radius * np.cos(turn), radius * np.sin(turn) - half], 1)
    low[0, 0] = 0.0
    profile = np.concatenate([low, low[::-1] * (1, -1)])
    new = np.append(True, (np.diff(profile, axis=0) != 0).any(1))  # a ball has no straight part
    return lathe(profile[new], segments, smooth=True)


def ellipsoid(radii: npt.ArrayLike, segments: int = 14, stacks: int = 8) -> Mesh:
    """An ellipsoid with the radii (3,) m along x, y, z."""
    turn = np.linspace(-np.pi / 2, np.pi / 2, stacks + 1)
    profile = np.stack([np.cos(turn), np.sin(turn)], 1)
    profile[[0, -1], 0] = 0.0
    ball = lathe(profile, segments, smooth=True)
    size = np.asarray(radii, float)
    return Mesh.of(ball.vertices * size, ball.faces, ball.normals / size, ball.uv)


def cylinder(radius: float, half: float, segments: int = 16, bevel: float = 0.0) -> Mesh:
    """A closed cylinder along z; half height, bevel of its edges in m."""
    b = min(bevel, radius, half)
    corners = [(radius - b, -half), (radius, b - half)] if b else [(radius, -half)]
    low = np.array([(0.0, -half), *corners])
    profile = np.concatenate([low, low[::-1] * (1, -1)])
    return lathe(profile, segments)


def rounded_box(half: npt.ArrayLike, bevel: float = 0.003, steps: int = 1) -> Mesh:
    """A box whose edges are rounded, so that they catch the light; uv in sides of the box.

    Args:
        half: (3,) m, half extents.
        bevel: radius of the edges in m; at most the smallest half extent.
        steps: of a quarter edge, on each side of its middle.
    """
    size = np.asarray(half, float)
    b = min(bevel, float(size.min()))
    sides = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            sides.append(_side(size, b, steps, axis, sign))
    return merge(sides)


def sheet(half: npt.ArrayLike, cells: int = 1, tile_m: float = 1.0) -> Mesh:
    """A flat sheet that looks up, at z = 0; one texture every tile_m metres.

    Args:
        half: (2,) m, half extents in x and y.
        cells: a side. Light is computed at vertices: one cell is evenly lit.
        tile_m: size of the texture.
    """
    size = np.asarray(half, float)
    x, y = (np.linspace(-h, h, cells + 1) for h in size)
    vertices = np.stack([*np.meshgrid(x, y), np.zeros((cells + 1, cells + 1))], -1).reshape(-1, 3)
    up = np.broadcast_to([0.0, 0.0, 1.0], vertices.shape)
    return box_uv(Mesh.of(vertices, grid_faces(cells + 1, cells + 1), up, vertices[:, :2]), tile_m)


def _side(size: F64, b: float, steps: int, axis: int, sign: float) -> Mesh:
    """One side of a rounded box, with its half of the edges around it."""
    u, v = [(1, 2), (2, 0), (0, 1)][axis]
    if sign < 0:
        u, v = v, u

    def across(k: int) -> F64:
        edge = b * np.tan(np.linspace(0, np.pi / 4, steps + 1))
        return np.concatenate([-(size[k] - b) - edge[::-1], size[k] - b + edge])

    at_u, at_v = across(u), across(v)
    surface = np.empty((len(at_v), len(at_u), 3))
    surface[..., axis] = sign * size[axis]
    surface[..., u], surface[..., v] = at_u[None], at_v[:, None]
    core = np.clip(surface, b - size, size - b)
    normal = surface - core
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
    vertices = core + b * normal
    if b == 0:
        normal[:] = 0.0
        normal[..., axis] = sign
        vertices = surface
    uv = np.stack([vertices[..., u] / size[u], vertices[..., v] / size[v]], -1) / 2 + 0.5
    mesh = Mesh.of(
        vertices.reshape(-1, 3),
        grid_faces(len(at_v), len(at_u)),
        normal.reshape(-1, 3),
        uv.reshape(-1, 2),
    )
    return without_slivers(mesh)


def _corners(outward: F64, smooth: bool) -> tuple[npt.NDArray[np.int64], F64]:
    """Which profile point each row of vertices takes, and its normal; sharp corners twice."""
    at, normal = [0], [outward[0]]
    for k in range(1, len(outward)):
        before, after = outward[k - 1], outward[k]
        if smooth or before @ after > np.cos(_SHARP_RAD):
            at.append(k)
            normal.append(before + after)
        else:
            at += [k, k]
            normal += [before, after]
    at.append(len(outward))
    normal.append(outward[-1])
    return np.array(at), np.array(normal)

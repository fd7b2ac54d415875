"""The shortest way for a point among discs.

Axes: K discs, V corners of the way. Points are (2,) m.
"""

from __future__ import annotations

import numpy as np

from trimix.core.contracts import F64, BoolArray

_CORNERS = 10  # on each disc


def clear(a: F64, b: F64, centers: F64, radii: F64) -> BoolArray:
    """(...) whether straight ways from a to b (..., 2) keep out of all discs (K, 2), (K,)."""
    way = b - a
    square = np.maximum((way * way).sum(-1), 1e-18)
    to = centers - a[..., None, :]
    part = np.clip((to * way[..., None, :]).sum(-1) / square[..., None], 0.0, 1.0)
    apart = np.linalg.norm(to - part[..., None] * way[..., None, :], axis=-1)
    return np.asarray((apart >= radii).all(-1))


def detour(start: F64, goal: F64, centers: F64, radii: F64) -> F64:
    """(2,) the next corner of the shortest way from start to goal around discs, or the goal.

    A disc that holds the start or the goal already counts as small as it must for that one to be
    outside. Where there is no way, it is straight ahead.

    Args:
        centers: (K, 2).
        radii: (K,).
    """
    if not len(centers):
        return goal
    gap = np.minimum(
        np.linalg.norm(centers - start, axis=1), np.linalg.norm(centers - goal, axis=1)
    )
    radii = np.minimum(radii, 0.98 * gap)
    if clear(start, goal, centers, radii):
        return goal
    turn = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    # Straight ways between neighbouring corners keep out of the disc.
    ring = np.stack([np.cos(turn), np.sin(turn)], -1) * 1.02 / np.cos(np.pi / _CORNERS)
    corners = (centers[:, None] + radii[:, None, None] * ring).reshape(-1, 2)
    free = (np.linalg.norm(corners[:, None] - centers, axis=-1) >= radii).all(1)
    nodes = np.concatenate([[start, goal], corners[free]])
    length = np.linalg.norm(nodes[:, None] - nodes, axis=-1)
    open_ = clear(nodes[:, None], np.broadcast_to(nodes, (*length.shape, 2)), centers, radii)
    step = np.where(open_, length, np.inf)
    far = step[:, 1].copy()  # from each node to the goal, by ever more legs
    for _ in range(len(nodes)):
        shorter = (step + far).min(1)
        if (shorter >= far - 1e-12).all():
            break
        far = np.minimum(far, shorter)
    first = step[0] + far
    first[0] = np.inf  # staying is as short as the way itself, and leads nowhere
    best = int(first.argmin())
    return np.asarray(nodes[best] if np.isfinite(first[best]) else goal)

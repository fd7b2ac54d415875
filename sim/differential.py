"""Joint velocities that move the tool: damped least squares (Nakamura and Hanafusa, 1986).

Axes: N rows, D joints.
"""

from __future__ import annotations

import numpy as np

from trimix.core.contracts import F64

TURN_M = 0.25
"""m that a rad of turning weighs: an arm of fewer than six joints keeps the place and gives way
in the turn."""
_DAMPING = 2e-4


def joint_velocity(jacobian: F64, twist: F64, speed_limit: F64) -> F64:
    """(N, D) joint velocities for tool twists, slowed together where one would be too fast.

    Args:
        jacobian: (N, 6, D).
        twist: (N, 6) m/s and rad/s, workspace frame.
        speed_limit: (D,).
    """
    weight = np.repeat([1.0, TURN_M], 3)
    j = jacobian * weight[:, None]
    # Joints of m and of rad alike are measured by what they can do in a second.
    j = j * speed_limit
    square = j @ j.transpose(0, 2, 1)
    damped = square + _DAMPING * np.eye(6)
    unit = np.linalg.solve(damped, (twist * weight)[..., None])
    velocity = (j.transpose(0, 2, 1) @ unit)[..., 0] * speed_limit
    over = np.abs(velocity / speed_limit).max(axis=1, keepdims=True)
    return np.asarray(velocity / np.maximum(over, 1.0))


def rotation_vector(mat: F64) -> F64:
    """(..., 3) rad, the rotation vectors of matrices (..., 3, 3); angles up to pi."""
    skew = np.stack(
        [
            mat[..., 2, 1] - mat[..., 1, 2],
            mat[..., 0, 2] - mat[..., 2, 0],
            mat[..., 1, 0] - mat[..., 0, 1],
        ],
        -1,
    )
    twice_sine = np.linalg.norm(skew, axis=-1)
    angle = np.arctan2(twice_sine / 2, (np.trace(mat, axis1=-2, axis2=-1) - 1) / 2)
    # Near a half turn the sine says nothing about the axis: the largest column of R + 1 does.
    half = mat + np.eye(3)
    column = np.take_along_axis(
        half, np.linalg.norm(half, axis=-2).argmax(-1)[..., None, None], -1
    )[..., 0]
    turned = column / np.maximum(np.linalg.norm(column, axis=-1, keepdims=True), 1e-12)
    axis = skew / np.maximum(twice_sine, 1e-12)[..., None]
    axis = np.where((twice_sine < 1e-6)[..., None], turned, axis)
    return np.asarray(axis * angle[..., None])


def down(yaw: F64) -> F64:
    """(..., 3, 3) rotations of a tool that points straight down, its x axis at yaw rad."""
    c, s, z = np.cos(yaw), np.sin(yaw), np.zeros_like(yaw)
    rows = ((c, s, z), (s, -c, z), (z, z, -np.ones_like(yaw)))
    return np.stack([np.stack(row, -1) for row in rows], -2)

"""Rotations that axes add: rotation vectors on unit quaternions w x y z."""

from __future__ import annotations

import mujoco
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def turned(quat: npt.ArrayLike, vector: Array, *, local: bool) -> Array:
    """(4,) a rotation followed by another of |vector| rad about it.

    Args:
        quat: (4,) where the object stands.
        vector: (3,) rad.
        local: about the object's own axes, else its parent's.
    """
    turn, out = np.empty(4), np.empty(4)
    angle = float(np.linalg.norm(vector))
    axis = vector / angle if angle > 0 else np.array([0.0, 0.0, 1.0])
    mujoco.mju_axisAngle2Quat(turn, axis, angle)
    first = np.asarray(quat, float)
    if local:
        mujoco.mju_mulQuat(out, first, turn)
    else:
        mujoco.mju_mulQuat(out, turn, first)
    return out


def matrix(quat: npt.ArrayLike) -> Array:
    """(3, 3) of a unit quaternion; columns are the turned axes."""
    out = np.empty(9)
    mujoco.mju_quat2Mat(out, np.asarray(quat, float))
    return out.reshape(3, 3)


def quaternion(rotation: Array) -> Array:
    """(4,) of a rotation matrix (3, 3)."""
    out = np.empty(4)
    mujoco.mju_mat2Quat(out, np.ascontiguousarray(rotation).reshape(9))
    return out


def rotated(vector: npt.ArrayLike, turn: Array) -> Array:
    """(3,) a vector turned by a rotation vector in rad."""
    out = np.empty(3)
    mujoco.mju_rotVecQuat(
        out, np.asarray(vector, float), turned(np.array([1.0, 0, 0, 0]), turn, local=False)
    )
    return out


def between(a: Array, b: Array) -> Array:
    """(3,) the shortest rotation vector from the direction of a to that of b."""
    cross, dot = np.cross(a, b), float(a @ b)
    sine = float(np.linalg.norm(cross))
    if sine < 1e-12:
        return np.zeros(3)
    return np.asarray(cross / sine * np.arctan2(sine, dot))

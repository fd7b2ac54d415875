"""Height and tilt of what stands still in the world: tables, shelves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from trimix.core.errors import ConfigError
from trimix.sim.axes.contract import Array, Change, FieldAxis, RowView
from trimix.sim.axes.turning import matrix, turned

_BOX, _PLANE = int(mujoco.mjtGeom.mjGEOM_BOX), int(mujoco.mjtGeom.mjGEOM_PLANE)


@dataclass(frozen=True, kw_only=True)
class Fixed(FieldAxis):
    """An axis of geoms of the world body, whose frame is the world's."""

    def check(self, model: mujoco.MjModel, ids: Sequence[int], target: str) -> None:
        for g in ids:
            if model.geom_bodyid[g] != 0:
                raise ConfigError(
                    f"geom {model.geom(g).name!r} belongs to a body",
                    where=target,
                    do="move the body: body/.../pos",
                )


@dataclass(frozen=True, kw_only=True)
class Lean(Fixed):
    """Two angles in rad about the world's x and y, around the geom's middle."""

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        angles = self.result(change, np.zeros(2))
        for g in ids:
            quat = row.before("geom_quat")[g]
            row["geom_quat"][g] = turned(quat, np.array([*angles, 0.0]), local=False)


def top(kind: int, size: Array, pos: Array, quat: Array, xy: Array) -> Array:
    """(...) m, height of the upper side of a box or plane above points xy (..., 2).

    Args:
        kind: mjtGeom.
        size, pos, quat: the geom's, in the world frame.

    Raises:
        ConfigError: another kind of geom, or one that stands on edge.
    """
    if kind not in (_BOX, _PLANE):
        raise ConfigError("only a box or a plane has a flat top")
    axes = matrix(quat)
    # Whichever of its faces looks up most.
    face = int(np.abs(axes[2]).argmax()) if kind == _BOX else 2
    normal = axes[:, face] * np.sign(axes[2, face])
    if normal[2] < 0.5:
        raise ConfigError("a geom that stands on edge has no top")
    point = pos + normal * (size[face] if kind == _BOX else 0.0)
    slope = (np.asarray(xy) - point[:2]) @ normal[:2]
    return np.asarray(point[2] - slope / normal[2])


HEIGHT = Fixed(
    name="geom/height",
    label="height of the middle",
    changes="physics",
    unit="m",
    low=-5.0,
    high=5.0,
    field="geom_pos",
    column=2,
)
TILT = Lean(
    name="geom/tilt",
    label="tilt",
    changes="physics",
    unit="rad",
    low=-0.3,
    high=0.3,
    hows=("add",),
    field="geom_quat",
)

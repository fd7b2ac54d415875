"""Joints, of the robot and of drawers, doors and buttons; and gravity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from trimix.core.errors import ConfigError
from trimix.sim.axes.contract import Axis, Cells, Change, FieldAxis, RowView, dofs_of, same
from trimix.sim.axes.turning import rotated

WORLD = "world"
"""The one name of the kind gravity."""
_GRAVITY = "opt.gravity"
_ONE_DOF = (int(mujoco.mjtJoint.mjJNT_SLIDE), int(mujoco.mjtJoint.mjJNT_HINGE))


@dataclass(frozen=True, kw_only=True)
class Spring(FieldAxis):
    """A property of the spring of hinges and slides."""

    def check(self, model: mujoco.MjModel, ids: Sequence[int], target: str) -> None:
        for j in ids:
            if int(model.jnt_type[j]) not in _ONE_DOF:
                raise ConfigError(
                    f"joint {model.joint(j).name!r} is neither hinge nor slide", where=target
                )


@dataclass(frozen=True, kw_only=True)
class Rest(Spring):
    """Where the spring of a hinge or slide is slack."""

    def check(self, model: mujoco.MjModel, ids: Sequence[int], target: str) -> None:
        super().check(model, ids, target)
        if not model.jnt_stiffness[list(ids)].any():
            raise ConfigError("no joint of it has a spring", where=target, do="give it stiffness")


def _rests(model: mujoco.MjModel, joints: Sequence[int]) -> list[int]:
    return [int(model.jnt_qposadr[j]) for j in joints]


@dataclass(frozen=True, kw_only=True)
class Tilt(Axis):
    """Two angles in rad by which gravity leans, about x and y: a table that is not level."""

    def cells(self, model: mujoco.MjModel, ids: Sequence[int]) -> Cells:
        return {_GRAVITY: [0, 1, 2]}

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        angles = self.result(change, np.zeros(2))
        row[_GRAVITY][:] = rotated(row.before(_GRAVITY), np.array([*angles, 0.0]))


@dataclass(frozen=True, kw_only=True)
class Magnitude(Axis):
    """Strength of gravity in m/s^2, at its direction."""

    def cells(self, model: mujoco.MjModel, ids: Sequence[int]) -> Cells:
        return {_GRAVITY: [0, 1, 2]}

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        base = row.before(_GRAVITY)
        strength = float(np.linalg.norm(base))
        new = float(self.result(change, strength))
        row[_GRAVITY][:] = base * (new / strength) if strength else np.array([0.0, 0.0, -new])


ARMATURE = FieldAxis(
    name="joint/armature",
    label="armature",
    changes="physics",
    unit="kg m^2 or kg",
    low=0.0,
    high=1000.0,
    field="dof_armature",
    where=dofs_of,
)
DAMPING = FieldAxis(
    name="joint/damping",
    label="damping",
    changes="physics",
    unit="N m s/rad or N s/m",
    low=0.0,
    high=1e5,
    field="dof_damping",
    where=dofs_of,
)
FRICTIONLOSS = FieldAxis(
    name="joint/frictionloss",
    label="dry friction",
    changes="physics",
    unit="N m or N",
    low=0.0,
    high=1000.0,
    field="dof_frictionloss",
    where=dofs_of,
)
STIFFNESS = Spring(
    name="joint/stiffness",
    label="stiffness of the spring",
    changes="physics",
    unit="N m/rad or N/m",
    low=0.0,
    high=1e6,
    field="jnt_stiffness",
    where=same,
)
REST = Rest(
    name="joint/rest",
    label="rest of the spring",
    changes="physics",
    unit="rad or m",
    low=-2 * np.pi,
    high=2 * np.pi,
    field="qpos_spring",
    where=_rests,
)
TILT = Tilt(
    name="gravity/tilt",
    label="tilt",
    changes="physics",
    unit="rad",
    low=-0.3,
    high=0.3,
    hows=("set", "add"),
    order=1,
)
MAGNITUDE = Magnitude(
    name="gravity/magnitude",
    label="gravity",
    changes="physics",
    unit="m/s^2",
    low=0.0,
    high=30.0,
)

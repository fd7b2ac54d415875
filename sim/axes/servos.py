"""Position servos: force = stiffness (command - position) - damping velocity + offset.

In MuJoCo's terms stiffness is gainprm[0] and -biasprm[1], damping -biasprm[2].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from trimix.core.contracts import F64
from trimix.core.errors import ConfigError
from trimix.sim.axes.contract import Axis, Cells, Change, FieldAxis, RowView

_GAIN, _BIAS = "actuator_gainprm", "actuator_biasprm"


@dataclass(frozen=True, kw_only=True)
class Servo(Axis):
    """An axis of position servos, which write both gain and bias."""

    def cells(self, model: mujoco.MjModel, ids: Sequence[int]) -> Cells:
        return {_GAIN: list(ids), _BIAS: list(ids)}

    def check(self, model: mujoco.MjModel, ids: Sequence[int], target: str) -> None:
        for i in ids:
            if (
                model.actuator_biastype[i] != mujoco.mjtBias.mjBIAS_AFFINE
                or model.actuator_biasprm[i, 1] >= 0
            ):
                raise ConfigError(
                    f"actuator {model.actuator(i).name!r} is no position servo", where=target
                )


@dataclass(frozen=True, kw_only=True)
class Gain(Servo):
    """Stiffness and damping by one factor: how far a force pushes the arm, not how late it is."""

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        factor = float(self.result(change, 1.0))
        for i in ids:
            for name in (_GAIN, _BIAS):
                row[name][i] = row.before(name)[i] * factor


@dataclass(frozen=True, kw_only=True)
class Stiffness(Servo):
    """Stiffness at unchanged damping: softer servos follow later."""

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        for i in ids:
            base = float(row.before(_GAIN)[i, 0])
            new = float(self.result(change, base))
            row[_GAIN][i, 0] = new
            row[_BIAS][i, 1] = row.before(_BIAS)[i, 1] * (new / base)
            row[_BIAS][i, 0] = row.before(_BIAS)[i, 0] * (new / base)


@dataclass(frozen=True, kw_only=True)
class Damping(Servo):
    """Damping at unchanged stiffness: their ratio is the time by which the arm is late."""

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        for i in ids:
            row[_BIAS][i, 2] = -self.result(change, -row.before(_BIAS)[i, 2])


@dataclass(frozen=True, kw_only=True)
class Encoder(Servo):
    """The servo reads its joint this much too far: a calibration error.

    The arm stands that much short of every command; `encoder_offset` gives it to those who read
    joints for the policy.
    """

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        offset = float(self.result(change, 0.0))
        for i in ids:
            row[_BIAS][i, 0] = row.before(_BIAS)[i, 0] - row.before(_GAIN)[i, 0] * offset


@dataclass(frozen=True, kw_only=True)
class Strength(FieldAxis):
    """The most force that an actuator gives, as a factor of both limits."""

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        factor = float(self.result(change, 1.0))
        for i in ids:
            row[self.field][i] = row.before(self.field)[i] * factor

    def check(self, model: mujoco.MjModel, ids: Sequence[int], target: str) -> None:
        for i in ids:
            if not model.actuator_forcelimited[i]:
                raise ConfigError(
                    f"actuator {model.actuator(i).name!r} has no limit to its force",
                    where=target,
                    do="give it a forcerange",
                )


@dataclass(frozen=True, kw_only=True)
class Friction(Axis):
    """Dry friction of the driven joint, as a part of the actuator's force limit.

    It adds to the joint's own: so one range serves a large arm and a small one.
    """

    def cells(self, model: mujoco.MjModel, ids: Sequence[int]) -> Cells:
        return {"dof_frictionloss": [self._dof(model, i) for i in ids]}

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        part = float(self.result(change, 0.0))
        for i in ids:
            dof = self._dof(row.model, i)
            limit = float(np.abs(row.model.actuator_forcerange[i]).max())
            force = limit * abs(float(row.model.actuator_gear[i, 0]))
            row["dof_frictionloss"][dof] = row.before("dof_frictionloss")[dof] + part * force

    def check(self, model: mujoco.MjModel, ids: Sequence[int], target: str) -> None:
        STRENGTH.check(model, ids, target)
        for i in ids:
            if model.actuator_trntype[i] != mujoco.mjtTrn.mjTRN_JOINT:
                raise ConfigError(
                    f"actuator {model.actuator(i).name!r} drives no joint", where=target
                )

    @staticmethod
    def _dof(model: mujoco.MjModel, actuator: int) -> int:
        return int(model.jnt_dofadr[model.actuator_trnid[actuator, 0]])


def encoder_offset(model: mujoco.MjModel, bias: F64, gain: F64, servos: Sequence[int]) -> F64:
    """(..., D) rad or m that the encoders of servos read too far.

    Args:
        model: the compiled model.
        bias, gain: (..., nu, 10) actuator_biasprm and actuator_gainprm of rows.
        servos: the D actuators.
    """
    ids = list(servos)
    own = model.actuator_biasprm[ids, 0] / model.actuator_gainprm[ids, 0]
    return np.asarray(own - bias[..., ids, 0] / gain[..., ids, 0])


GAIN = Gain(
    name="actuator/gain",
    label="gain",
    changes="physics",
    unit="",
    low=0.01,
    high=100.0,
)
STIFFNESS = Stiffness(
    name="actuator/stiffness",
    label="stiffness",
    changes="physics",
    unit="N m/rad or N/m",
    low=0.1,
    high=1e7,
    order=1,
)
DAMPING = Damping(
    name="actuator/damping",
    label="damping",
    changes="physics",
    unit="N m s/rad or N s/m",
    low=0.0,
    high=1e6,
    order=2,
)
ENCODER = Encoder(
    name="actuator/encoder_offset",
    label="encoder offset",
    changes="physics",
    unit="rad or m",
    low=-0.2,
    high=0.2,
    hows=("set", "add"),
    order=3,
)
STRENGTH = Strength(
    name="actuator/strength",
    label="factor of the force limit",
    changes="physics",
    unit="",
    low=0.01,
    high=100.0,
    field="actuator_forcerange",
)
FRICTION = Friction(
    name="actuator/friction",
    label="dry friction",
    changes="physics",
    unit="of the force limit",
    low=0.0,
    high=0.9,
    hows=("set", "add"),
    order=1,
)

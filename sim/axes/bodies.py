"""Mass and place of bodies: what they weigh, where their centre of mass is, whether they are there.

Whatever sets mass or inertia here leaves the derived constants to mj_setConst.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from trimix.core.errors import ConfigError
from trimix.sim.axes.contract import Array, Axis, Cells, Change, FieldAxis, RowView, same
from trimix.sim.axes.turning import turned

PARKED_M = 10.0
"""How far below its place a distractor is compiled, so that it is absent unless a draw says so."""


@dataclass(frozen=True, kw_only=True)
class Mass(Axis):
    """Mass in kg; the inertia follows."""

    def cells(self, model: mujoco.MjModel, ids: Sequence[int]) -> Cells:
        return {"body_mass": list(ids), "body_inertia": list(ids)}

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        for i in ids:
            row["body_mass"][i] = float(self.result(change, row.before("body_mass")[i]))
            follow_inertia(row, i)


def follow_inertia(row: RowView, body: int) -> None:
    """A body's nominal inertia, by its mass and by the square of its first geom's size."""
    ratio = row.value("body_mass", body) / float(row.model.body_mass[body])
    geom = int(row.model.body_geomadr[body])
    if geom >= 0:
        size = row.value("geom_size", geom)
        ratio = ratio * float(size.max() / row.model.geom_size[geom].max()) ** 2
    row["body_inertia"][body] = np.asarray(row.model.body_inertia[body]) * float(ratio)


@dataclass(frozen=True, kw_only=True)
class Payload(Axis):
    """Mass in kg that the hand carries and the controller does not know of.

    The arm's gravity compensation bears what it bore before. Needs a body with mass.
    """

    def cells(self, model: mujoco.MjModel, ids: Sequence[int]) -> Cells:
        return {name: list(ids) for name in ("body_mass", "body_inertia", "body_gravcomp")}

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        added = float(self.result(change, 0.0))
        for i in ids:
            old = float(row.before("body_mass")[i])
            new = old + added
            row["body_mass"][i] = new
            row["body_inertia"][i] = row.before("body_inertia")[i] * (new / old)
            row["body_gravcomp"][i] = row.before("body_gravcomp")[i] * (old / new)

    def check(self, model: mujoco.MjModel, ids: Sequence[int], target: str) -> None:
        for i in ids:
            if model.body_mass[i] <= 0:
                raise ConfigError(
                    f"body {model.body(i).name!r} has no mass to add to", where=target
                )


@dataclass(frozen=True, kw_only=True)
class Inertia(FieldAxis):
    """Three factors of the principal moments, at unchanged mass."""

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        factor = self.result(change, np.ones(3))
        for i in ids:
            moments = row.before("body_inertia")[i] * factor
            if 2 * moments.max() > moments.sum() * (1 + 1e-9):
                raise ConfigError(
                    f"principal moments become {[float(f'{m:.3g}') for m in moments]} kg m^2",
                    where=change.target,
                    do="none may exceed the sum of the other two: nothing has such a shape",
                )
            row["body_inertia"][i] = moments


@dataclass(frozen=True, kw_only=True)
class CentreOfMass(FieldAxis):
    """An offset of the centre of mass in m, in the body's axes."""

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        offset = self.result(change, np.zeros(3))
        self._require_general(row.model, ids, change.target)
        for i in ids:
            row["body_ipos"][i] = row.before("body_ipos")[i] + offset

    def check(self, model: mujoco.MjModel, ids: Sequence[int], target: str) -> None:
        self._require_general(model, ids, target)

    @staticmethod
    def _require_general(model: mujoco.MjModel, ids: Sequence[int], target: str) -> None:
        for i in ids:
            if model.body_simple[i]:
                raise ConfigError(
                    f"body {model.body(i).name!r} is compiled with its centre of mass at its "
                    "origin for good",
                    where=target,
                    do="give it simple='false'",
                )


@dataclass(frozen=True, kw_only=True)
class Placed(FieldAxis):
    """Where a body is fixed in its parent; a free body's place is the start's to say."""

    def check(self, model: mujoco.MjModel, ids: Sequence[int], target: str) -> None:
        for i in ids:
            if is_free(model, i) or model.body_mocapid[i] >= 0:
                raise ConfigError(
                    f"body {model.body(i).name!r} is moved by the state, not by the model",
                    where=target,
                    do="let the task's start place it",
                )


@dataclass(frozen=True, kw_only=True)
class Turned(Placed):
    """A rotation vector in rad, in the parent's axes, about the body's origin."""

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        vector = self.result(change, np.zeros(3))
        for i in ids:
            row["body_quat"][i] = turned(row.before("body_quat")[i], vector, local=False)


@dataclass(frozen=True, kw_only=True)
class Present(Placed):
    """1: a distractor stands at its place; 0: it is PARKED_M below, out of sight and reach."""

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        there = float(self.result(change, 0.0))
        if there not in (0.0, 1.0):
            raise ConfigError(f"presence {there:g} is neither 0 nor 1", where=change.target)
        for i in ids:
            row["body_pos"][i] = row.before("body_pos")[i] + self._lift(row.model, i) * there

    def check(self, model: mujoco.MjModel, ids: Sequence[int], target: str) -> None:
        super().check(model, ids, target)
        for i in ids:
            if not self._lift(model, i).any():
                raise ConfigError(
                    f"body {model.body(i).name!r} is not parked",
                    where=target,
                    do=f"compile it {PARKED_M:g} m below its place",
                )

    @staticmethod
    def _lift(model: mujoco.MjModel, body: int) -> Array:
        parked = model.body_pos[body, 2] < -PARKED_M / 2
        return np.array([0.0, 0.0, PARKED_M if parked else 0.0])


def is_free(model: mujoco.MjModel, body: int) -> bool:
    """Whether a body has a free joint."""
    joint = int(model.body_jntadr[body])
    return joint >= 0 and model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_FREE


MASS = Mass(name="body/mass", label="mass", changes="physics", unit="kg", low=1e-6, high=1000.0)
INERTIA = Inertia(
    name="body/inertia",
    label="factor of the moments of inertia",
    changes="physics",
    unit="",
    low=0.05,
    high=20.0,
    field="body_inertia",
    order=5,
)
COM = CentreOfMass(
    name="body/com",
    label="offset of the centre of mass",
    changes="physics",
    unit="m",
    low=-0.3,
    high=0.3,
    hows=("set", "add"),
    field="body_ipos",
    order=5,
)
PAYLOAD = Payload(
    name="body/payload",
    label="payload",
    changes="physics",
    unit="kg",
    low=0.0,
    high=50.0,
    hows=("set", "add"),
    order=6,
)
GRAVCOMP = FieldAxis(
    name="body/gravcomp",
    label="compensated part of the weight",
    changes="physics",
    unit="",
    low=0.0,
    high=2.0,
    field="body_gravcomp",
    where=same,
)
POS = Placed(
    name="body/pos",
    label="position",
    changes="physics",
    unit="m",
    low=-100.0,
    high=100.0,
    field="body_pos",
)
ROTATION = Turned(
    name="body/rotation",
    label="rotation",
    changes="physics",
    unit="rad",
    low=-np.pi,
    high=np.pi,
    hows=("add",),
    field="body_quat",
)
PRESENT = Present(
    name="body/present",
    label="presence",
    changes="physics",
    unit="",
    low=0.0,
    high=1.0,
    hows=("set",),
    field="body_pos",
    order=1,
)

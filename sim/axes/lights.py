"""Lights: where they come from, how bright and how warm they are, whether they are on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from trimix.core.errors import ConfigError
from trimix.sim.axes.contract import Axis, Cells, Change, FieldAxis, RowView
from trimix.sim.axes.turning import rotated

_DIRECTIONAL = int(mujoco.mjtLightType.mjLIGHT_DIRECTIONAL)
_POINT = int(mujoco.mjtLightType.mjLIGHT_POINT)
_COLOURS = ("light_ambient", "light_diffuse", "light_specular")


@dataclass(frozen=True, kw_only=True)
class Positional(FieldAxis):
    """Where a lamp hangs: light that comes from a direction has no place."""

    def check(self, model: mujoco.MjModel, ids: Sequence[int], target: str) -> None:
        for i in ids:
            if model.light_type[i] == _DIRECTIONAL:
                raise ConfigError(
                    f"light {model.light(i).name!r} comes from a direction, not from a place",
                    where=target,
                    do="vary its rotation",
                )


@dataclass(frozen=True, kw_only=True)
class Directed(FieldAxis):
    """The direction of a light that has one."""

    def check(self, model: mujoco.MjModel, ids: Sequence[int], target: str) -> None:
        for i in ids:
            if model.light_type[i] == _POINT:
                raise ConfigError(
                    f"light {model.light(i).name!r} shines everywhere",
                    where=target,
                    do="vary its pos",
                )


@dataclass(frozen=True, kw_only=True)
class Rotation(Directed):
    """A rotation vector in rad of the direction, in the axes of the light's body."""

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        vector = self.result(change, np.zeros(3))
        for i in ids:
            row["light_dir"][i] = rotated(row.before("light_dir")[i], vector)


@dataclass(frozen=True, kw_only=True)
class Warmth(Axis):
    """w: red times e^w, blue times e^-w; 0.3 is about a step from daylight to a bulb."""

    def cells(self, model: mujoco.MjModel, ids: Sequence[int]) -> Cells:
        return dict.fromkeys(_COLOURS, tuple(ids))

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        warmth = float(self.result(change, 0.0))
        tint = np.exp([warmth, 0.0, -warmth])
        for name in _COLOURS:
            for i in ids:
                row[name][i] = row.before(name)[i] * tint


@dataclass(frozen=True, kw_only=True)
class Switch(FieldAxis):
    """1 is on, 0 is off."""

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        state = float(self.result(change, 0.0))
        if state not in (0.0, 1.0):
            raise ConfigError(f"{self.label} {state:g} is neither 0 nor 1", where=change.target)
        for i in ids:
            row[self.field][i] = int(state)


def _colour(attribute: str, most: float) -> FieldAxis:
    return FieldAxis(
        name=f"light/{attribute}",
        label=f"{attribute} light",
        changes="pixels",
        unit="",
        low=0.0,
        high=most,
        field=f"light_{attribute}",
    )


POS = Positional(
    name="light/pos",
    label="position",
    changes="pixels",
    unit="m",
    low=-100.0,
    high=100.0,
    field="light_pos",
)
DIR = Directed(
    name="light/dir",
    label="direction",
    changes="pixels",
    unit="",
    low=-100.0,
    high=100.0,
    field="light_dir",
)
ROTATION = Rotation(
    name="light/rotation",
    label="rotation",
    changes="pixels",
    unit="rad",
    low=-np.pi,
    high=np.pi,
    hows=("add",),
    field="light_dir",
    order=1,
)
DIFFUSE, SPECULAR, AMBIENT = _colour("diffuse", 10), _colour("specular", 10), _colour("ambient", 10)
WARMTH = Warmth(
    name="light/warmth",
    label="warmth",
    changes="pixels",
    unit="",
    low=-1.5,
    high=1.5,
    hows=("set", "add"),
    order=1,
)
ACTIVE = Switch(
    name="light/active",
    label="light",
    changes="pixels",
    unit="",
    low=0.0,
    high=1.0,
    hows=("set",),
    field="light_active",
)
SHADOW = Switch(
    name="light/shadow",
    label="shadow",
    changes="pixels",
    unit="",
    low=0.0,
    high=1.0,
    hows=("set",),
    field="light_castshadow",
)

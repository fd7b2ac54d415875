"""What happens where two things touch: friction, softness, bounce.

MuJoCo combines the parameters of two geoms in contact: the one of higher priority decides alone;
at equal priority each friction coefficient is the larger of the two, and softness a mean. A geom's
axis acts only where it decides or has a say, so a scene gives props, table and pads different
priorities (`sim.axes.roles` finds which of them decide anything).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from trimix.core.errors import ConfigError
from trimix.sim.axes.contract import Axis, Cells, Change, FieldAxis, RowView, Where, geoms_of, same

_MOST = 10.0
# MuJoCo clamps impedances to this.
_IMPEDANCE = (1e-4, 0.9999)


def collides(model: mujoco.MjModel, geom: int) -> bool:
    """Whether a geom is ever touched."""
    return bool(model.geom_contype[geom] or model.geom_conaffinity[geom])


def _friction(kind: str, where: Where) -> FieldAxis:
    return FieldAxis(
        name=f"{kind}/friction",
        label="friction",
        changes="physics",
        unit="(sliding, then torsional and rolling in m)",
        low=0.0,
        high=_MOST,
        field="geom_friction",
        where=where,
    )


@dataclass(frozen=True, kw_only=True)
class Dimension(FieldAxis):
    """A friction coefficient that takes contacts of some dimension to act.

    Args:
        condim: 4 for torsional friction, 6 for rolling.
    """

    condim: int

    def check(self, model: mujoco.MjModel, ids: Sequence[int], target: str) -> None:
        geoms = self.where(model, ids)
        if not any(model.geom_condim[g] >= self.condim for g in geoms):
            raise ConfigError(
                f"no contact of it has {self.label}",
                where=target,
                do=f"give its geoms condim={self.condim}",
            )


def _dimension(kind: str, attribute: str, condim: int, column: int, where: Where) -> Dimension:
    return Dimension(
        name=f"{kind}/{attribute}",
        label=f"{attribute} friction",
        changes="physics",
        unit="m",
        low=0.0,
        high=1.0,
        field="geom_friction",
        column=column,
        where=where,
        condim=condim,
        order=1,
    )


@dataclass(frozen=True, kw_only=True)
class Reference(FieldAxis):
    """A part of solref, which must be given as time constant and damping ratio."""

    def check(self, model: mujoco.MjModel, ids: Sequence[int], target: str) -> None:
        for g in self.where(model, ids):
            if model.geom_solref[g, 0] < 0:
                raise ConfigError(
                    f"geom {g} gives its contact as stiffness and damping",
                    where=target,
                    do="vary its solref",
                )


def _softness(kind: str, where: Where) -> Reference:
    return Reference(
        name=f"{kind}/softness",
        label="time constant of the contact",
        changes="physics",
        unit="s",
        low=1e-3,
        high=0.5,
        field="geom_solref",
        column=0,
        where=where,
        order=1,
    )


@dataclass(frozen=True, kw_only=True)
class Restitution(Reference):
    """Speed after a bounce as a part of that before it.

    A contact is a damped spring whose damping ratio z gives restitution e = exp(-pi z / sqrt(1 -
    z^2)), exact for a spring that also pulls; MuJoCo's does not, so that it bounces less by a few
    hundredths. The spring is as stiff as before: 1 / (time constant * z)^2 stays, or a firm contact
    would become stiffer than a physics step can follow, and throw what rests on it into the air.
    """

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        e = float(self.result(change, 0.0))
        log = np.log(max(e, 1e-9))
        ratio = 1.0 if e <= 0 else float(-log / np.sqrt(np.pi**2 + log**2))
        before = row.before("geom_solref")
        for g in self.where(row.model, ids):
            constant, damped = before[g]
            row["geom_solref"][g] = constant * damped / ratio, ratio


def _restitution(kind: str, where: Where) -> Restitution:
    return Restitution(
        name=f"{kind}/restitution",
        label="restitution",
        changes="physics",
        unit="",
        low=0.0,
        high=0.95,
        hows=("set",),
        field="geom_solref",
        column=1,
        where=where,
        order=2,
    )


def _solref(kind: str, field: str = "geom_solref", where: Where = same) -> FieldAxis:
    return FieldAxis(
        name=f"{kind}/solref",
        label="solref",
        changes="physics",
        unit="(s, damping ratio, or negative stiffness and damping)",
        low=(-1e8, -1e6),
        high=(1.0, 20.0),
        field=field,
        where=where,
    )


def _solimp(kind: str, where: Where, field: str = "geom_solimp") -> FieldAxis:
    return FieldAxis(
        name=f"{kind}/solimp",
        label="solimp",
        changes="physics",
        unit="(impedance at touch and deep, width in m, midpoint, power)",
        low=(_IMPEDANCE[0], _IMPEDANCE[0], 0.0, 0.0, 1.0),
        high=(_IMPEDANCE[1], _IMPEDANCE[1], 0.1, 1.0, 10.0),
        field=field,
        where=where,
    )


@dataclass(frozen=True, kw_only=True)
class PairFriction(Axis):
    """Friction of an explicit contact pair, which overrides that of its geoms.

    The number is the sliding coefficient; the pair's torsional and rolling ones keep their ratio.
    """

    def cells(self, model: mujoco.MjModel, ids: Sequence[int]) -> Cells:
        return {"pair_friction": list(ids)}

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        live, base = row["pair_friction"], row.before("pair_friction")
        for i in ids:
            sliding = float(self.result(change, base[i, 0]))
            live[i] = base[i] * (sliding / base[i, 0])


GEOM_FRICTION, BODY_FRICTION = _friction("geom", same), _friction("body", geoms_of)
GEOM_TORSION = _dimension("geom", "torsional", 4, 1, same)
BODY_TORSION = _dimension("body", "torsional", 4, 1, geoms_of)
GEOM_ROLLING = _dimension("geom", "rolling", 6, 2, same)
BODY_ROLLING = _dimension("body", "rolling", 6, 2, geoms_of)
GEOM_SOLREF, PAIR_SOLREF = _solref("geom"), _solref("pair", "pair_solref")
GEOM_SOFTNESS, BODY_SOFTNESS = _softness("geom", same), _softness("body", geoms_of)
GEOM_RESTITUTION = _restitution("geom", same)
BODY_RESTITUTION = _restitution("body", geoms_of)
GEOM_SOLIMP, BODY_SOLIMP = _solimp("geom", same), _solimp("body", geoms_of)
PAIR_SOLIMP = _solimp("pair", same, "pair_solimp")
PAIR_FRICTION = PairFriction(
    name="pair/friction",
    label="sliding friction",
    changes="physics",
    unit="",
    low=1e-3,
    high=_MOST,
)

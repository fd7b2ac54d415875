"""Size and shape of bodies made of primitive geoms, at unchanged mass.

A stretch S (3 factors along the body's axes) maps every point p of the body to S p: exactly for
boxes and ellipsoids that stand along the axes, and for the middle lines of capsules and cylinders,
whose radius becomes the mean one of the same volume; a turned box keeps its right angles. Centre of
mass and inertia follow exactly, as of that mass distribution, and sites go along.

A mesh that is only seen goes along too: its geom_size, which nothing else reads, is multiplied by
S, and `sim.figures` draws it so. A mesh that is touched cannot be stretched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from trimix.core.errors import ConfigError
from trimix.sim.axes.bodies import follow_inertia
from trimix.sim.axes.contact import collides
from trimix.sim.axes.contract import Array, Axis, Cells, Change, RowView, geoms_of
from trimix.sim.axes.turning import between, matrix, quaternion, turned

_GEOM = mujoco.mjtGeom
_LONG = (int(_GEOM.mjGEOM_CAPSULE), int(_GEOM.mjGEOM_CYLINDER))
_BRICK = (int(_GEOM.mjGEOM_BOX), int(_GEOM.mjGEOM_ELLIPSOID))
_BALL, _MESH = int(_GEOM.mjGEOM_SPHERE), int(_GEOM.mjGEOM_MESH)
_PRIMITIVE = (*_LONG, *_BRICK, _BALL)


def unstretchable(model: mujoco.MjModel, body: int) -> str:
    """Why a body's size cannot vary, as one clause; empty where it can."""
    for g in geoms_of(model, [body]):
        seen_alone = int(model.geom_type[g]) == _MESH and not collides(model, g)
        if int(model.geom_type[g]) not in _PRIMITIVE and not seen_alone:
            shape = _GEOM(int(model.geom_type[g])).name.removeprefix("mjGEOM_").lower()
            return f"geom {model.geom(g).name or g!r} is a {shape}, whose size is compiled in"
    if (model.body_parentid[body + 1 :] == body).any():
        return "other bodies hang on it"
    return ""


@dataclass(frozen=True, kw_only=True)
class Stretch(Axis):
    """Three factors along the body's axes, or one for all.

    Args:
        uniform: one factor.
    """

    uniform: bool

    def cells(self, model: mujoco.MjModel, ids: Sequence[int]) -> Cells:
        geoms, sites = geoms_of(model, ids), _sites_of(model, ids)
        on_geoms = ("geom_size", "geom_pos", "geom_quat", "geom_rbound", "geom_aabb")
        on_bodies = ("body_ipos", "body_iquat", "body_inertia")
        return (
            dict.fromkeys(on_geoms, geoms)
            | dict.fromkeys(on_bodies, tuple(ids))
            | (dict.fromkeys(("site_pos", "site_size"), sites) if sites else {})
        )

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        self.check(row.model, ids, change.target)
        factor = self.result(change, 1.0 if self.uniform else np.ones(3))
        stretch = np.broadcast_to(factor, (3,)).astype(float)
        for body in ids:
            for g in geoms_of(row.model, [body]):
                _stretch_geom(row, g, stretch)
            for s in _sites_of(row.model, [body]):
                row["site_pos"][s] = row.before("site_pos")[s] * stretch
                local = _local(stretch, matrix(row.model.site_quat[s]))
                row["site_size"][s] = row.before("site_size")[s] * local
            row["body_ipos"][body] = row.before("body_ipos")[body] * stretch
            _stretch_inertia(row, body, stretch)

    def check(self, model: mujoco.MjModel, ids: Sequence[int], target: str) -> None:
        for body in ids:
            reason = unstretchable(model, body)
            if reason:
                raise ConfigError(f"body {model.body(body).name!r}: {reason}", where=target)


def _stretch_geom(row: RowView, g: int, stretch: Array) -> None:
    kind = int(row.model.geom_type[g])
    size, quat = row.before("geom_size")[g], row.before("geom_quat")[g]
    row["geom_pos"][g] = row.before("geom_pos")[g] * stretch
    rotation = matrix(quat)
    if kind in _LONG:
        axis = rotation[:, 2]
        drawn = stretch * axis
        longer = float(np.linalg.norm(drawn))
        thicker = float(np.sqrt(stretch.prod() / longer))
        row["geom_size"][g] = [size[0] * thicker, size[1] * longer, size[2]]
        vector = between(axis, drawn / longer)
        if vector.any():
            row["geom_quat"][g] = turned(quat, vector, local=False)
    elif kind == _MESH:
        row["geom_size"][g] = size * stretch
    elif kind in _BRICK:
        row["geom_size"][g] = size * _local(stretch, rotation)
    else:
        row["geom_size"][g] = size * float(np.cbrt(stretch.prod()))
    # mj_setConst makes the bounds anew; until then they must not be smaller than the geom.
    most = float(stretch.max())
    row["geom_rbound"][g] = row.before("geom_rbound")[g] * most
    row["geom_aabb"][g] = row.before("geom_aabb")[g] * most


def _stretch_inertia(row: RowView, body: int, stretch: Array) -> None:
    """Moments of a mass distribution whose points all move from p to S p."""
    moments, quat = row.before("body_inertia")[body], row.before("body_iquat")[body]
    frame = matrix(quat)
    local = frame.T @ np.diag(stretch) @ frame
    second = local @ np.diag(moments.sum() / 2 - moments) @ local.T
    inertia = np.trace(second) * np.eye(3) - second
    aside = np.abs(inertia - np.diag(np.diag(inertia))).max()
    if aside < 1e-9 * np.abs(inertia).max():
        row["body_inertia"][body] = np.diag(inertia)
        return
    values, vectors = np.linalg.eigh(inertia)
    vectors[:, 2] *= np.sign(np.linalg.det(vectors))
    row["body_inertia"][body] = values
    row["body_iquat"][body] = quaternion(frame @ vectors)


def _local(stretch: Array, rotation: Array) -> Array:
    """(3,) factors of lengths along the columns of a rotation."""
    return np.asarray(np.linalg.norm(stretch[:, None] * rotation, axis=0))


def _sites_of(model: mujoco.MjModel, bodies: Sequence[int]) -> list[int]:
    return [int(s) for s in np.flatnonzero(np.isin(model.site_bodyid, bodies))]


@dataclass(frozen=True, kw_only=True)
class OldScale(Axis):
    """One factor for the geoms of a body; centre of mass and sites stay where they were.

    Kept as it is for draws that are stored, and for the sealed target: `body/size` is right.
    """

    _FIELDS = ("geom_size", "geom_pos", "geom_rbound", "geom_aabb")

    def cells(self, model: mujoco.MjModel, ids: Sequence[int]) -> Cells:
        geoms = geoms_of(model, ids)
        return dict.fromkeys(self._FIELDS, geoms) | {"body_inertia": list(ids)}

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        factor = float(self.result(change, 1.0))
        for body in ids:
            for g in geoms_of(row.model, [body]):
                for name in self._FIELDS:
                    row[name][g] = row.before(name)[g] * factor
            follow_inertia(row, body)


SCALE = OldScale(
    name="body/scale",
    label="scale",
    changes="physics",
    unit="",
    low=0.1,
    high=10.0,
    order=1,
)
SIZE = Stretch(
    name="body/size",
    label="factor of the size",
    changes="physics",
    unit="",
    low=0.1,
    high=10.0,
    uniform=True,
    order=2,
)
SHAPE = Stretch(
    name="body/shape",
    label="factor of the lengths",
    changes="physics",
    unit="",
    low=0.1,
    high=10.0,
    uniform=False,
    order=3,
)

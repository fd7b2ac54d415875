"""What follows the rows' bodies in their pictures: shadows, and meshes that stretch with a body.

The physics does not know of either. All rows that are drawn are computed at once: on small arrays
numpy's calls cost more than its arithmetic.
Axes: R rows that are drawn, L meshes that are looked at, K shadows.
"""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np
import numpy.typing as npt

from trimix.core.contracts import F64
from trimix.sim.axes.bodies import PARKED_M
from trimix.sim.looks import GROUND, HIDDEN, SEEN, SHADOW_GROUP, SHADOWS
from trimix.sim.physics import Physics

_RGB = int(mujoco.mjtTextureRole.mjTEXROLE_RGB)
# How deep shadows and their ground lie under the plane that they are seen through.
_DEEP_M, _GROUND_M = 0.0003, 0.0006
# Their height is pressed to this part: a mesh without any has no normals.
_FLAT = 1e-4
_AWAY_M = 100.0
_LOWEST_SUN = 0.1  # sine of the light's height, below which shadows have no end

Ids = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Figures:
    """Puts what is only drawn where it belongs, in the rows of one batch.

    Args:
        physics: whose rows are drawn.
    """

    def __init__(self, physics: Physics) -> None:
        self._physics, model = physics, physics.model
        mesh = model.geom_type == mujoco.mjtGeom.mjGEOM_MESH
        untouched = (model.geom_contype == 0) & (model.geom_conaffinity == 0)
        drawn = model.geom_group != SHADOW_GROUP
        self._looks: Ids = np.flatnonzero(mesh & untouched & drawn)
        self._nominal = np.array(model.geom_size[self._looks])
        self._turn = _matrices(model.geom_quat[self._looks])  # (L, 3, 3)
        self._frames = physics.batch.bind("geom_xmat")
        self._stretched: F64 | None = None
        self._white = _white(model)
        self._shadows = Shadows.of(physics, self._looks)
        below = model.body_pos[:, 2] < -PARKED_M / 2
        groups = model.geom_group
        self._parkable: Ids = np.flatnonzero(below[model.geom_bodyid] & (groups <= SEEN))
        self._parkable_in: Ids = np.array(model.geom_bodyid[self._parkable])
        self._parkable_group = np.array(groups[self._parkable])

    @property
    def planar_shadows(self) -> bool:
        """Whether the model brings its own shadows, so that MuJoCo's are not needed."""
        return self._shadows is not None

    @property
    def additive(self) -> bool:
        """Whether what is see-through adds to what is behind it: the tables over shadows alone."""
        return self._shadows is not None and self._shadows.additive

    def follow(self, rows: Sequence[int]) -> None:
        """Compute where all belongs in these rows as they are now, for `place`."""
        ids = np.asarray(rows, np.int64)
        ratio = self._ratio(ids)
        self._stretched = None
        if ratio is not None:
            frame = self._frames[ids][:, self._looks].reshape(len(ids), -1, 3, 3)
            frame = frame @ np.swapaxes(self._turn, -1, -2) @ (ratio[..., None] * self._turn)
            self._stretched = frame.reshape(len(ids), -1, 9)
        if self._shadows is not None:
            self._shadows.follow(ids, ratio)

    def place(
        self, k: int, model: mujoco.MjModel, data: mujoco.MjData, option: mujoco.MjvOption
    ) -> None:
        """Write the k-th of the followed rows into its data, after kinematics."""
        texture = model.mat_texid[:, _RGB]
        for white in self._white:
            # Sampling a texture that is white all over costs time and changes nothing.
            texture[texture == white] = -1
        if len(self._parkable):
            # What is parked is out of sight, and would be drawn all the same.
            parked = data.xpos[self._parkable_in, 2] < -PARKED_M / 2
            model.geom_group[self._parkable] = np.where(parked, HIDDEN, self._parkable_group)
        if self._stretched is not None:
            data.geom_xmat[self._looks] = self._stretched[k]
        if self._shadows is not None:
            self._shadows.place(k, model, data, option)

    def _ratio(self, ids: Ids) -> F64 | None:
        """(R, L, 3) factors by which bodies are stretched along their axes; None if none is.

        A mesh's size is not drawn. An axis that stretches a body multiplies it by the factors
        along the body's axes, and the mesh's position with it: here they come to be seen.
        """
        field = self._physics.parameters.fields.get("geom_size")
        if field is None or not len(self._looks):
            return None
        size = np.asarray(field.live).reshape(self._physics.n, -1, 3)[ids][:, self._looks]
        if (size == self._nominal).all():
            return None
        # A flat mesh has no size across.
        ratio: F64 = np.divide(size, self._nominal, out=np.ones_like(size), where=self._nominal > 0)
        return ratio


class Shadows:
    """Shadows of K bodies on one plane.

    Args:
        physics: whose rows are drawn.
        light, onto: ids of a directional light and of the plane that the shadows fall on.
        darkness: 1 is black.
        bodies: (K,) whose shadows they are.
        looks: (L,) geoms that tell how their bodies are stretched.
    """

    def __init__(
        self,
        physics: Physics,
        *,
        light: int,
        onto: int,
        darkness: float,
        bodies: Ids,
        looks: Ids,
    ) -> None:
        self._physics, model = physics, physics.model
        self._light, self._onto, self._bodies = light, onto, bodies
        self._ground = model.geom(GROUND).id
        first = self._ground + 1
        self._geoms = slice(first, first + len(bodies))
        # (K, 3, 4) of the meshes in their bodies.
        turn, pos = _matrices(model.geom_quat[self._geoms]), model.geom_pos[self._geoms]
        self._local = np.concatenate([turn, pos[:, :, None]], 2)
        of_body = {int(model.geom_bodyid[g]): i for i, g in enumerate(looks)}
        self._like = np.array([of_body.get(int(b), -1) for b in bodies])
        self._half = np.where(model.geom_size[onto, :2] > 0, model.geom_size[onto, :2], np.inf)
        self._materials = int(model.geom_matid[onto]), int(model.geom_matid[self._ground])
        self.additive = not _see_through(model)
        self._darkness = darkness
        # MuJoCo blends what is see-through twice, and what is additive once.
        self._clear = 1 - darkness if self.additive else 1 - np.sqrt(darkness)
        self._means = _means(model)
        bind = physics.batch.bind
        self._xpos, self._xmat = bind("xpos"), bind("xmat")
        self._geom_xpos, self._geom_xmat = bind("geom_xpos"), bind("geom_xmat")
        self._rays = bind("light_xdir")
        self._pos = self._mat = self._ground_pos = self._ground_mat = np.zeros(0)
        self._rows = np.zeros(0, np.int64)
        self._lit: Bools = np.zeros(0, bool)

    @classmethod
    def of(cls, physics: Physics, looks: Ids) -> Shadows | None:
        """The model's shadows, as `looks.add_shadows` wrote them; None if it has none."""
        model = physics.model
        index = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_TUPLE, SHADOWS)
        if index < 0:
            return None
        start, count = int(model.tuple_adr[index]), int(model.tuple_size[index])
        light, onto, *bodies = (int(i) for i in model.tuple_objid[start : start + count])
        darkness = float(model.tuple_objprm[start])
        return cls(
            physics,
            light=light,
            onto=onto,
            darkness=darkness,
            bodies=np.array(bodies),
            looks=looks,
        )

    def follow(self, ids: Ids, ratio: F64 | None) -> None:
        """Press the bodies of rows flat along their rays; ratio (R, L, 3) is how they stretch."""
        n = len(ids)
        ray = self._rays[ids].reshape(n, -1, 3)[:, self._light]
        frame = self._geom_xmat[ids].reshape(n, -1, 3, 3)[:, self._onto]
        normal = frame[:, :, 2]
        down = np.einsum("ri,ri->r", normal, ray)
        self._lit = (down < -_LOWEST_SUN) & self._on(ids)
        down = np.minimum(down, -_LOWEST_SUN)
        origin = self._geom_xpos[ids].reshape(n, -1, 3)[:, self._onto]
        press = np.eye(3) - ray[:, :, None] * (normal * ((1 - _FLAT) / down[:, None]))[:, None]
        local = self._local
        if ratio is not None:
            factor = np.where(self._like[:, None] >= 0, ratio[:, self._like], 1.0)
            local = factor[..., None] * local
        pose = self._xmat[ids].reshape(n, -1, 3, 3)[:, self._bodies] @ local
        pose[..., 3] += self._xpos[ids].reshape(n, -1, 3)[:, self._bodies] - origin[:, None]
        pose = press[:, None] @ pose
        pos = pose[..., 3]
        beyond = (np.abs(pos @ frame[:, :, :2]) > self._half).any(-1)
        deep = np.where(beyond[..., None], _AWAY_M, _DEEP_M)
        self._pos = pos + origin[:, None] - deep * normal[:, None]
        self._mat = pose[..., :3].reshape(n, -1, 9)
        self._ground_pos = origin - _GROUND_M * normal
        self._ground_mat = frame.reshape(n, 9)
        self._rows = ids

    def place(
        self, k: int, model: mujoco.MjModel, data: mujoco.MjData, option: mujoco.MjvOption
    ) -> None:
        """Write the k-th of the followed rows."""
        lit = bool(self._lit[k])
        option.geomgroup[SHADOW_GROUP] = lit
        onto, ground = self._materials
        row, field = int(self._rows[k]), self._physics.parameters.row_field
        colour, texture = field("mat_rgba", row)[onto], int(field("mat_texid", row)[onto, _RGB])
        model.mat_rgba[onto, 3] = colour[3] * (self._clear if lit else 1.0)
        if lit:
            share = self._darkness if self.additive else 1.0
            model.mat_rgba[ground, :3] = colour[:3] * self._means[texture] * share
            data.geom_xpos[self._geoms] = self._pos[k]
            data.geom_xmat[self._geoms] = self._mat[k]
            data.geom_xpos[self._ground] = self._ground_pos[k]
            data.geom_xmat[self._ground] = self._ground_mat[k]

    def _on(self, ids: Ids) -> Bools:
        """(R,) whether the light shines and casts shadows."""
        on = np.ones(len(ids), bool)
        for name in ("light_active", "light_castshadow"):
            field = self._physics.parameters.fields.get(name)
            if field is None:
                on &= bool(getattr(self._physics.model, name)[self._light])
            else:
                on &= np.asarray(field.live)[ids, self._light].astype(bool)
        return on


def _matrices(quat: F64) -> F64:
    """(n, 3, 3) of (n, 4)."""
    out = np.empty((len(quat), 9))
    for row, q in zip(out, quat, strict=True):
        mujoco.mju_quat2Mat(row, q)
    return out.reshape(-1, 3, 3)


def _see_through(model: mujoco.MjModel) -> bool:
    """Whether anything that is drawn lets light through."""
    alpha = np.where(
        (model.geom_matid >= 0) & (model.geom_rgba == [0.5, 0.5, 0.5, 1.0]).all(1),
        model.mat_rgba[model.geom_matid, 3] if model.nmat else 1.0,
        model.geom_rgba[:, 3],
    )
    return bool(((model.geom_group <= SEEN) & (alpha > 0) & (alpha < 1)).any())


def _white(model: mujoco.MjModel) -> list[int]:
    """Ids of the textures all of whose pixels are white."""
    return [k for k in range(model.ntex) if (_pixels(model, k) == 255).all()]


def _means(model: mujoco.MjModel) -> F64:
    """(textures + 1, 3) mean colours in 0..1; the last, at index -1, is white: no texture."""
    means = [_pixels(model, k)[:, :3].mean(0) / 255 for k in range(model.ntex)]
    return np.array([*means, np.ones(3)])


def _pixels(model: mujoco.MjModel, texture: int) -> npt.NDArray[np.uint8]:
    """(pixels, channels) of a texture."""
    start, channels = int(model.tex_adr[texture]), int(model.tex_nchannel[texture])
    size = int(model.tex_height[texture]) * int(model.tex_width[texture]) * channels
    return np.asarray(model.tex_data[start : start + size]).reshape(-1, channels)

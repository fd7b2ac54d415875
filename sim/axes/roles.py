"""The roles of a compiled scene: what its presets of randomization can vary.

A name gets a role only if an axis of that role can act on it: a prop whose friction never decides
in any contact is no contact body, a joint without damping has none to scale. Whether it does act
depends on what a task does: see effects.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import mujoco
import numpy as np

from trimix.core.errors import unknown
from trimix.randomization.roles import Roles
from trimix.randomization.vary import Vary
from trimix.sim.axes.bodies import PARKED_M, is_free
from trimix.sim.axes.contact import collides
from trimix.sim.axes.contract import geoms_of
from trimix.sim.axes.joints import WORLD
from trimix.sim.axes.shapes import unstretchable

_HEAVY = 0.05
"""Part of a robot's mass from which on a link's weight is worth a thought."""
_DIRECTIONAL = int(mujoco.mjtLightType.mjLIGHT_DIRECTIONAL)
_POINT = int(mujoco.mjtLightType.mjLIGHT_POINT)
_FREE = int(mujoco.mjtJoint.mjJNT_FREE)


def find_roles(
    model: mujoco.MjModel,
    *,
    props: Sequence[str],
    cameras: Sequence[str],
    joints: Sequence[str],
    tool: str = "",
    planar: bool = False,
    pads: Sequence[str] = (),
    fixtures: Sequence[str] = (),
    tables: Sequence[str] = (),
    level: Sequence[str] = (),
    own: Iterable[Vary] = (),
) -> Roles:
    """What a compiled scene has, by role.

    Args:
        model: compiled.
        props: bodies that the task is about.
        cameras: those that the policy sees.
        joints: the robot's arm joints; their actuators carry the same names.
        tool: the site between the robot's finger tips.
        planar: it cannot follow a table that is higher or lower than it was built for.
        pads: bodies of the robot that are made to touch things; the tool's own if there are none.
        fixtures: bodies that stand or slide on something, with all that hangs on them.
        tables: geoms that props stand on.
        level: tables whose height and tilt every start follows.
        own: axes of the task's own.

    Raises:
        ConfigError: a name that the model does not have.
    """
    scene = _Scene(model, props, fixtures, joints, tables)
    found: dict[str, list[str]] = (
        scene.things([_id(model, "body", p) for p in pads] or scene.tool(tool)[:1])
        | scene.place(level)
        | scene.robot(joints, tool)
        | scene.lights()
        | scene.materials()
    )
    found["cameras"] = list(cameras)
    if planar:
        found["base"] = []
    found["lensed"] = [c for c in cameras if model.cam_sensorsize[_id(model, "camera", c)].all()]
    return Roles({role: tuple(names) for role, names in found.items() if names}, tuple(own))


class _Scene:
    """A model, and which of its bodies are what."""

    def __init__(
        self,
        model: mujoco.MjModel,
        props: Sequence[str],
        fixtures: Sequence[str],
        joints: Sequence[str],
        tables: Sequence[str],
    ) -> None:
        self._model = model
        self._props = [_id(model, "body", p) for p in props]
        self._tables = [_id(model, "geom", t) for t in tables]
        roots = {int(model.body_rootid[model.jnt_bodyid[_id(model, "joint", j)]]) for j in joints}
        every = range(1, model.nbody)
        stands = {int(model.body_rootid[_id(model, "body", f)]) for f in fixtures}
        self._fixtures = [b for b in every if int(model.body_rootid[b]) in stands]
        self._robot = [b for b in every if int(model.body_rootid[b]) in roots]
        self._distractors = [b for b in every if model.body_pos[b, 2] < -PARKED_M / 2]
        self._things = [b for b in every if b not in self._robot]

    def tool(self, site: str) -> list[int]:
        """The tool's body and those that it hangs on, the next first."""
        model, out = self._model, list[int]()
        body = int(model.site_bodyid[_id(model, "site", site)]) if site else 0
        while body:
            out.append(body)
            body = int(model.body_parentid[body])
        return out

    def things(self, pads: Sequence[int]) -> dict[str, list[str]]:
        """Roles of props, mechanisms and distractors; and of the robot's pads, where they touch."""
        model, props = self._model, self._props
        sizable = [b for b in props if not unstretchable(model, b)]
        free = [b for b in props if is_free(model, b)]
        touched = [*pads, *props, *self._fixtures]
        touching = [b for b in touched if self._decides(geoms_of(model, [b]))]
        joints = [
            j
            for j in range(model.njnt)
            if int(model.jnt_bodyid[j]) in self._things and model.jnt_type[j] != _FREE
        ]
        dofs = {j: int(model.jnt_dofadr[j]) for j in joints}
        return {
            "props": self._names("body", props),
            "sizable": self._names("body", sizable),
            "loose": self._names("body", [b for b in sizable if b in free]),
            "lopsided": self._names("body", [b for b in free if not model.body_simple[b]]),
            "contact_bodies": self._names("body", touching),
            "twisting": self._names("body", self._of_dimension(touching, 4)),
            "rolling": self._names("body", self._of_dimension(touching, 6)),
            "distractors": self._names("body", self._distractors),
            "damped": self._names("joint", [j for j in joints if model.dof_damping[dofs[j]]]),
            "rubbing": self._names("joint", [j for j in joints if model.dof_frictionloss[dofs[j]]]),
            "springs": self._names("joint", [j for j in joints if model.jnt_stiffness[j]]),
        }

    def place(self, level: Sequence[str]) -> dict[str, list[str]]:
        """Roles of tables and gravity."""
        model = self._model
        all_free = bool(self._props) and all(is_free(model, b) for b in self._props)
        return {
            "tables": self._names("geom", self._tables),
            "contact_geoms": self._names(
                "geom", [g for g in self._tables if self._decides([g], self._things)]
            ),
            "level": self._names("geom", [_id(model, "geom", t) for t in level]),
            "ground": [WORLD] if all_free else [],
        }

    def robot(self, joints: Sequence[str], tool: str) -> dict[str, list[str]]:
        """Roles of the robot."""
        model = self._model
        dofs = [int(model.jnt_dofadr[_id(model, "joint", j)]) for j in joints]
        hand = [b for b in self.tool(tool) if model.body_mass[b]][:1]
        least = _HEAVY * float(model.body_mass[self._robot].sum())
        heavy = [b for b in self._lifted() if model.body_gravcomp[b] and model.body_mass[b] > least]
        limited = [i for i in range(model.nu) if model.actuator_forcelimited[i]]
        return {
            "joints": [j for j, d in zip(joints, dofs, strict=True) if model.dof_damping[d]],
            "geared": [j for j, d in zip(joints, dofs, strict=True) if model.dof_armature[d]],
            "servos": self._names("actuator", [_id(model, "actuator", j) for j in joints]),
            "limited": self._names("actuator", limited),
            "links": self._names("body", heavy),
            "hand": self._names("body", hand),
            "base": self._names("body", self._bases()),
        }

    def lights(self) -> dict[str, list[str]]:
        """Roles of lights."""
        model, every = self._model, range(self._model.nlight)
        kind = model.light_type
        return {
            "lights": self._names("light", every),
            "directed": self._names("light", [i for i in every if kind[i] != _POINT]),
            "lamps": self._names("light", [i for i in every if kind[i] != _DIRECTIONAL]),
            "spare_lights": self._names("light", every)[1:],
            "shadows": self._names("light", [i for i in every if model.light_castshadow[i]]),
        }

    def materials(self) -> dict[str, list[str]]:
        """Roles of materials; one that several things wear counts for the first of them."""
        model = self._model
        world = [g for g in geoms_of(model, [0]) if g not in self._tables]
        groups = {
            "prop_materials": geoms_of(model, self._props + self._fixtures),
            "table_materials": self._tables,
            "robot_materials": geoms_of(model, self._robot),
            "distractor_materials": geoms_of(model, self._distractors),
            "backdrop_materials": [g for g in world if not collides(model, g)],
        }
        found: dict[str, list[str]] = {}
        taken: set[int] = set()
        for role, geoms in groups.items():
            worn = {int(model.geom_matid[g]) for g in geoms} - {-1} - taken
            found[role] = self._names("material", sorted(worn))
            taken |= worn
        return found

    def _bases(self) -> list[int]:
        """Bodies of the robot that the world carries, without a joint between."""
        model = self._model
        return [b for b in self._robot if not model.body_parentid[b] and not model.body_weldid[b]]

    def _lifted(self) -> list[int]:
        """Bodies of the robot whose weight loads one of its joints, in a pose of no symmetry."""
        model, data = self._model, mujoco.MjData(self._model)
        data.qpos[:] = model.qpos0 + 0.3
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        out, moved = [], np.empty((3, model.nv))
        for b in self._robot:
            mujoco.mj_jacBodyCom(model, data, moved, None, b)
            if model.body_mass[b] and np.abs(moved[2]).max() > 1e-6:
                out.append(b)
        return out

    def _decides(self, geoms: Sequence[int], others: Sequence[int] | None = None) -> bool:
        """Whether the contact parameters of some of these geoms count against another body's."""
        model = self._model
        mine = [g for g in geoms if collides(model, g)]
        theirs = range(model.ngeom) if others is None else geoms_of(model, others)
        return any(self._counts(g, h) for g in mine for h in theirs)

    def _counts(self, g: int, h: int) -> bool:
        model = self._model
        a, b = int(model.geom_bodyid[g]), int(model.geom_bodyid[h])
        # Two things that stand still, or belong to one tree, do not touch.
        if model.body_rootid[a] == model.body_rootid[b] or not (
            model.body_weldid[a] or model.body_weldid[b]
        ):
            return False
        meet = (model.geom_contype[g] & model.geom_conaffinity[h]) or (
            model.geom_contype[h] & model.geom_conaffinity[g]
        )
        return bool(meet) and bool(model.geom_priority[g] >= model.geom_priority[h])

    def _of_dimension(self, bodies: Sequence[int], condim: int) -> list[int]:
        model = self._model
        return [b for b in bodies if (model.geom_condim[geoms_of(model, [b])] >= condim).any()]

    def _names(self, kind: str, ids: Iterable[int]) -> list[str]:
        """Names of those that have one: no target can refer to the others."""
        obj = getattr(mujoco.mjtObj, f"mjOBJ_{kind.upper()}")
        names = (mujoco.mj_id2name(self._model, obj, int(i)) for i in ids)
        return [n for n in names if n]


def _id(model: mujoco.MjModel, kind: str, name: str) -> int:
    obj = getattr(mujoco.mjtObj, f"mjOBJ_{kind.upper()}")
    found = int(mujoco.mj_name2id(model, obj, name))
    if found < 0:
        count = {"actuator": "nu", "camera": "ncam", "joint": "njnt"}.get(kind, f"n{kind}")
        names = [mujoco.mj_id2name(model, obj, i) for i in range(getattr(model, count))]
        raise unknown(kind, name, [n for n in names if n], where="scene")
    return found

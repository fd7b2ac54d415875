"""A scene under construction: a robot in its cell, a table, lights, cameras, the task's props.

One MjSpec, compiled once. Names are what randomization targets refer to: prop "plate" has body
"plate", geoms "plate", "plate_1", ... and material "plate". Frames: the workspace's (see sim.cell).
Lengths that a task gives are those of a cell of scale 1; `size` scales them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import mujoco
import numpy as np

from trimix.assets.props import Mesh, bowl, mug
from trimix.assets.textures import HELDOUT, NAMES, TRAIN, gradient, texture
from trimix.core.contracts import U8
from trimix.core.errors import ConfigError
from trimix.sim import looks
from trimix.sim.axes.bodies import PARKED_M
from trimix.sim.contacts import TABLE, watch
from trimix.sim.robots.robot import Robot

Vec3 = Sequence[float]
GEOM = mujoco.mjtGeom
FRICTION = (0.6, 0.005, 0.0001)
"""Of the table and of props among themselves; pads have their own."""
_SOLIMP = (0.6, 0.97, 0.0005, 0.5, 2.0)
"""Of the table: yields a little at first. With MuJoCo's own, what rests on a bouncy table buzzes
for ever, as one step of free fall is deeper than it sinks in."""
_FIRM, _FIRMNESS = 0.01, 0.97
"""s and impedance of contacts. With MuJoCo's own, 0.02 and 0.95, fingers sink 4 mm into a block of
wood that they grip; 0.01 is the least at steps of 5 ms."""


@dataclass(frozen=True)
class SceneConfig:
    """How fine physics and pictures are.

    Args:
        timestep_s: physics step.
        shadow: whether things cast shadows onto the table.
        visual: "low" draws the robot's primitives, "full" its meshes.
    """

    timestep_s: float = 0.005
    shadow: bool = True
    visual: str = "low"


@dataclass
class Inventory:
    """What a task put into a scene, by name.

    Args:
        props: free bodies.
        fixtures: bodies that stand or slide on something: drawers, buttons, trays, marks.
        tables: geoms.
        distractors: bodies that randomization puts beside the others.
    """

    props: list[str] = field(default_factory=list)
    fixtures: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    distractors: list[str] = field(default_factory=list)


class Scene:
    """Builds the MjSpec that one world compiles.

    Args:
        robot: stands in its cell.
        config: how fine.
    """

    def __init__(self, robot: Robot, config: SceneConfig) -> None:
        self.robot, self.config, self.scale = robot, config, robot.cell.scale
        self.inventory = Inventory()
        self.spec = robot.spec(config.visual)
        root = self.spec.body(robot.root)
        if root is None:
            names = [b.name for b in self.spec.bodies[1:] if b.name]
            raise ConfigError(
                f"there is no body {robot.root!r}",
                where=f"robot {robot.name!r}: {robot.xml}",
                do=f"bodies: {', '.join(names)}",
            )
        robot.cell.mount(root)
        self._options()
        for name in (*NAMES, *TRAIN, *HELDOUT):
            looks.add_texture(self.spec, name, texture(name))

    def size(self, *lengths: float) -> list[float]:
        """Lengths of a cell of scale 1, in m of this one."""
        return [self.scale * x for x in lengths]

    def add_material(
        self, name: str, rgba: Sequence[float], *, specular: float = 0.2, repeat: float = 1.0
    ) -> str:
        """A material that starts plain and can be given any texture of the pool per row."""
        material = self.spec.add_material(
            name=name, rgba=list(rgba), specular=specular, shininess=0.4, texrepeat=[repeat] * 2
        )
        material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "plain"
        return name

    def add_room(
        self,
        table: Sequence[float] = (0.62, 0.56, 0.48, 1.0),
        floor: Sequence[float] = (0.42, 0.40, 0.38, 1.0),
    ) -> None:
        """A table, a room around it, two lights, a front camera that sees all of the reach, and
        things beside it that stay out of sight unless randomization puts them there."""
        self.add_table(table)
        self.add_material("floor", floor, specular=0.1)
        self.add_material("wall", (1.0, 1.0, 1.0, 1.0), specular=0.0)
        wall = self.spec.material("wall")
        wall.emission = 0.6
        looks.add_texture(self.spec, "wall", gradient((0.80, 0.80, 0.78), (0.58, 0.57, 0.55)))
        wall.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "wall"
        looks.add_room(self.spec, "floor", "wall", center=(0.1, 0.0))
        looks.add_lights(self.spec, scale=self.scale)
        self.add_camera("front", (0.62, 0.0, 0.66), (0.02, 0.0, 0.02), (0, 0, 1), fovy=45.0)
        for name, mesh, radius, height, rgba, place in (
            ("mug", mug(), 0.040, 0.095, (0.25, 0.36, 0.50, 1.0), (0.28, 0.17)),
            ("bowl", bowl(), 0.080, 0.055, (0.74, 0.68, 0.55, 1.0), (0.30, -0.15)),
        ):
            self._add_distractor(name, mesh, radius, height, rgba, place)

    def add_table(self, rgba: Sequence[float]) -> None:
        """The table's top at z = 0: a plane to whatever touches it, seen to its edges."""
        x0, x1, y0, y1 = self.robot.cell.table
        self.add_material(TABLE, rgba, specular=0.1, repeat=2.0)
        self.inventory.tables.append(TABLE)
        self.spec.worldbody.add_geom(
            name=TABLE,
            type=GEOM.mjGEOM_PLANE,
            size=[(x1 - x0) / 2, (y1 - y0) / 2, 0.05],
            pos=[(x0 + x1) / 2, (y0 + y1) / 2, 0.0],
            material=TABLE,
            friction=list(FRICTION),
            solimp=list(_SOLIMP),
            priority=1,
            condim=4,
        )

    def add_camera(self, name: str, pos: Vec3, target: Vec3, up: Vec3, fovy: float) -> None:
        """A fixed camera at pos that looks at target, m at scale 1; fovy in degrees."""
        z = np.asarray(pos, float) - np.asarray(target, float)
        z /= np.linalg.norm(z)
        x = np.cross(np.asarray(up, float), z)
        x /= np.linalg.norm(x)
        y = np.cross(z, x)
        self.spec.worldbody.add_camera(name=name, pos=self.size(*pos), fovy=fovy, xyaxes=[*x, *y])

    def add_prop(self, name: str, rgba: Sequence[float]) -> mujoco.MjsBody:
        """A free body with a material of its own name."""
        body = self._body(name, rgba)
        self.inventory.props.append(name)
        # A little armature and damping: light bodies on several contacts ring without them.
        body.add_joint(
            name=name,
            type=mujoco.mjtJoint.mjJNT_FREE,
            armature=2e-5,
            damping=[1e-4, 1e-4, 1e-4],
        )
        return body

    def add_fixture(
        self, name: str, rgba: Sequence[float], parent: mujoco.MjsBody | None = None
    ) -> mujoco.MjsBody:
        """A body that does not fly: fixed, placed anew each episode (`place`), or on a joint that
        the task adds; with a material of its own name."""
        body = self._body(name, rgba, parent)
        self.inventory.fixtures.append(name)
        if parent is None:
            body.mocap = True
        return body

    def add_backdrop(self, name: str, pos: Vec3, half: Vec3, rgba: Sequence[float]) -> None:
        """A box that is seen and never touched."""
        self.add_material(name, rgba, specular=0.1)
        self.spec.worldbody.add_geom(
            name=name,
            type=GEOM.mjGEOM_BOX,
            pos=list(pos),
            size=list(half),
            material=name,
            contype=0,
            conaffinity=0,
        )

    def clothe(self, body: mujoco.MjsBody, mesh: Mesh, skin: U8 | None = None) -> None:
        """Show a mesh, in the body's frame, in place of the body's geoms so far.

        Args:
            mesh: at scale 1.
            skin: (H, W, 3) texture of the body's material; None leaves it plain.
        """
        looks.clothe(body, self.spec, mesh.scaled(self.scale), body.name)
        if skin is not None:
            material = self.spec.material(body.name)
            name = looks.add_texture(self.spec, f"skin_{body.name}", skin)
            material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name

    def compile(self) -> mujoco.MjModel:
        """The finished model; nothing can be added after.

        Raises:
            ConfigError: MuJoCo cannot compile it.
        """
        things = self.inventory
        bodies = [*things.props, *things.fixtures]
        watch(self.spec, self.robot, bodies, things.distractors)
        _firm(self.spec)
        try:
            if things.tables and "key" in [light.name for light in self.spec.lights]:
                if self.config.shadow:
                    looks.add_shadows(self.spec)
                else:
                    self.spec.light("key").castshadow = False
            looks.dress(self.spec)
            return self.spec.compile()
        except ValueError as error:
            raise ConfigError(
                f"the scene does not compile: {' '.join(str(error).split())}",
                where=f"robot {self.robot.name!r}: {self.robot.xml}",
            ) from error

    def _add_distractor(
        self,
        name: str,
        mesh: Mesh,
        radius: float,
        height: float,
        rgba: Sequence[float],
        place: Sequence[float],
    ) -> None:
        """A thing that stands fast, compiled out of sight (see sim.axes.bodies)."""
        self.add_material(name, rgba)
        self.inventory.distractors.append(name)
        x, y, r, half = self.size(*place, radius, height / 2)
        body = self.spec.worldbody.add_body(name=name, pos=[x, y, -PARKED_M])
        body.add_geom(
            name=name, type=GEOM.mjGEOM_CYLINDER, size=[r, half, 0], pos=[0, 0, half], material=name
        )
        self.clothe(body, mesh)

    def _body(
        self, name: str, rgba: Sequence[float], parent: mujoco.MjsBody | None = None
    ) -> mujoco.MjsBody:
        self.add_material(name, rgba)
        around: Any = self.spec.worldbody if parent is None else parent
        return around.add_body(name=name)

    def _options(self) -> None:
        option = self.spec.option
        option.timestep = self.config.timestep_s
        option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
        option.impratio = 100.0  # at 10 a banana held by an end slips through the fingers
        option.iterations, option.ls_iterations = 100, 50
        visual = self.spec.visual
        visual.quality.offsamples = 0
        visual.map.znear, visual.map.zfar = 0.005, 10.0
        self.spec.stat.extent, self.spec.stat.center = 1.0, [0.0, 0.0, 0.0]


def _firm(spec: mujoco.MjSpec) -> None:
    """Make contacts firm where nobody said how soft they are."""
    soft = mujoco.MjSpec().default.geom
    solref, solimp = list(soft.solref), list(soft.solimp)
    for geom in spec.geoms:
        if list(geom.solref) == solref:
            geom.solref[0] = _FIRM
        if list(geom.solimp) == solimp:
            geom.solimp[1] = _FIRMNESS

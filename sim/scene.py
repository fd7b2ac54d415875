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

from trimix.assets.textures import NAMES as TEXTURES
from trimix.assets.textures import SIZE, texture
from trimix.core.errors import ConfigError
from trimix.sim.contacts import TABLE, watch
from trimix.sim.robots.robot import Robot

Vec3 = Sequence[float]
GEOM = mujoco.mjtGeom
FRICTION = (0.6, 0.005, 0.0001)
"""Of the table and of props among themselves; pads have their own."""


@dataclass(frozen=True)
class SceneConfig:
    """How fine physics and pictures are.

    Args:
        timestep_s: physics step.
        shadow: whether the lights cast shadows (four times slower to draw on a CPU).
        visual: "low" draws the robot's primitives, "full" its meshes.
    """

    timestep_s: float = 0.005
    shadow: bool = False
    visual: str = "low"


@dataclass
class Roles:
    """Which names in a scene are what: what presets of randomization and queries go by.

    Args:
        props: free bodies.
        fixtures: bodies that stand or slide on something: drawers, buttons, trays, marks.
        tables, lights, backdrops: names of geoms, lights and geoms.
    """

    props: list[str] = field(default_factory=list)
    fixtures: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    lights: list[str] = field(default_factory=list)
    backdrops: list[str] = field(default_factory=list)


class Scene:
    """Builds the MjSpec that one world compiles.

    Args:
        robot: stands in its cell.
        config: how fine.
    """

    def __init__(self, robot: Robot, config: SceneConfig) -> None:
        self.robot, self.config, self.scale = robot, config, robot.cell.scale
        self.roles = Roles()
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
        for name in TEXTURES:
            self.spec.add_texture(
                name=name,
                type=mujoco.mjtTexture.mjTEXTURE_2D,
                width=SIZE,
                height=SIZE,
                nchannel=3,
                data=texture(name).reshape(-1).tolist(),
            )

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
        table: Sequence[float] = (0.50, 0.47, 0.43, 1.0),
        floor: Sequence[float] = (0.30, 0.30, 0.32, 1.0),
    ) -> None:
        """A table, a floor, two lights and a front camera that sees all of the reach."""
        self.add_table(table)
        self.add_backdrop("floor", (0.2, 0.0, -0.6), (3.0, 3.0, 0.01), floor)
        self.add_light("key", (0.9, -0.7, 2.0), 0.50)
        self.add_light("fill", (0.2, 1.1, 1.6), 0.25)
        self.add_camera("front", (0.62, 0.0, 0.66), (0.02, 0.0, 0.02), (0, 0, 1), fovy=45.0)

    def add_table(self, rgba: Sequence[float]) -> None:
        """The table's top at z = 0: a plane to whatever touches it, seen to its edges."""
        x0, x1, y0, y1 = self.robot.cell.table
        self.add_material(TABLE, rgba, specular=0.1, repeat=2.0)
        self.roles.tables.append(TABLE)
        self.spec.worldbody.add_geom(
            name=TABLE,
            type=GEOM.mjGEOM_PLANE,
            size=[(x1 - x0) / 2, (y1 - y0) / 2, 0.05],
            pos=[(x0 + x1) / 2, (y0 + y1) / 2, 0.0],
            material=TABLE,
            friction=list(FRICTION),
            priority=1,
            condim=4,
        )

    def add_light(self, name: str, pos: Vec3, diffuse: float, target: Vec3 = (0, 0, 0)) -> None:
        """A directional light from pos towards target."""
        direction = np.asarray(target, float) - np.asarray(pos, float)
        self.roles.lights.append(name)
        self.spec.worldbody.add_light(
            name=name,
            type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
            pos=list(pos),
            dir=list(direction / np.linalg.norm(direction)),
            diffuse=[diffuse] * 3,
            specular=[0.3 * diffuse] * 3,
            castshadow=self.config.shadow,
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
        self.roles.props.append(name)
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
        self.roles.fixtures.append(name)
        if parent is None:
            body.mocap = True
        return body

    def add_backdrop(self, name: str, pos: Vec3, half: Vec3, rgba: Sequence[float]) -> None:
        """A box that is seen and never touched."""
        self.add_material(name, rgba, specular=0.1)
        self.roles.backdrops.append(name)
        self.spec.worldbody.add_geom(
            name=name,
            type=GEOM.mjGEOM_BOX,
            pos=list(pos),
            size=list(half),
            material=name,
            contype=0,
            conaffinity=0,
        )

    def compile(self) -> mujoco.MjModel:
        """The finished model.

        Raises:
            ConfigError: MuJoCo cannot compile it.
        """
        watch(self.spec, self.robot, [*self.roles.props, *self.roles.fixtures])
        try:
            return self.spec.compile()
        except ValueError as error:
            raise ConfigError(
                f"the scene does not compile: {' '.join(str(error).split())}",
                where=f"robot {self.robot.name!r}: {self.robot.xml}",
            ) from error

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
        option.impratio = 10.0
        option.iterations, option.ls_iterations = 100, 50
        # Cheap pictures: at 64 px nobody sees the facets, and a CPU draws 3 times as many.
        visual = self.spec.visual
        visual.quality.numslices, visual.quality.numstacks = 12, 6
        visual.quality.numquads, visual.quality.offsamples = 1, 0
        visual.quality.shadowsize = 1024  # MuJoCo's own 4096 draws 14 frames/s on a CPU
        visual.headlight.ambient = [0.32, 0.32, 0.32]
        visual.headlight.diffuse = [0.12, 0.12, 0.12]
        visual.headlight.specular = [0.0, 0.0, 0.0]
        visual.map.znear, visual.map.zfar = 0.005, 10.0
        self.spec.stat.extent, self.spec.stat.center = 1.0, [0.0, 0.0, 0.0]

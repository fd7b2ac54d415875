"""A scene under construction: a robot, a table, lights, cameras, and the task's props.

One MjSpec, compiled once. Names are what randomization targets refer to: prop "plate" has body
"plate", geoms "plate", "plate_1", ... and material "plate".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from trimix.assets import path
from trimix.assets.textures import NAMES as TEXTURES
from trimix.assets.textures import SIZE, texture
from trimix.sim.robots import Robot

Vec3 = Sequence[float]


@dataclass(frozen=True)
class SceneConfig:
    """How fine physics and pictures are.

    Args:
        timestep_s: physics step.
        shadow: whether the lights cast shadows (four times slower to draw on a CPU).
    """

    timestep_s: float = 0.005
    shadow: bool = False


class Scene:
    """Builds the MjSpec that one world compiles."""

    def __init__(self, robot: Robot, config: SceneConfig) -> None:
        self.robot, self.config = robot, config
        self.props: list[str] = []
        self.spec = mujoco.MjSpec.from_file(str(path(robot.xml)))
        self.spec.body("base").pos = list(robot.mount)
        option = self.spec.option
        option.timestep = config.timestep_s
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
        for name in TEXTURES:
            self.spec.add_texture(
                name=name,
                type=mujoco.mjtTexture.mjTEXTURE_2D,
                width=SIZE,
                height=SIZE,
                nchannel=3,
                data=texture(name).reshape(-1).tolist(),
            )

    def add_material(
        self, name: str, rgba: Sequence[float], *, specular: float = 0.2, repeat: float = 1.0
    ) -> str:
        """A material that starts plain and can be given any texture of the pool per row."""
        material = self.spec.add_material(
            name=name, rgba=list(rgba), specular=specular, shininess=0.4, texrepeat=[repeat] * 2
        )
        material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "plain"
        return name

    def add_table(self, z: float, half: Vec3, center: Vec3, rgba: Sequence[float]) -> None:
        """A table top at height z; half extents in x, y and centre in x, y, all in m."""
        self.add_material("table", rgba, specular=0.3, repeat=2.0)
        self.spec.worldbody.add_geom(
            name="table",
            type=mujoco.mjtGeom.mjGEOM_BOX,
            size=[half[0], half[1], 0.02],
            pos=[center[0], center[1], z - 0.02],
            material="table",
            friction=[0.6, 0.005, 0.0001],
        )

    def add_light(self, name: str, pos: Vec3, diffuse: float, target: Vec3 = (0, 0, 0)) -> None:
        """A directional light from pos towards target."""
        direction = np.asarray(target, float) - np.asarray(pos, float)
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
        """A fixed camera at pos that looks at target; fovy in degrees."""
        z = np.asarray(pos, float) - np.asarray(target, float)
        z /= np.linalg.norm(z)
        x = np.cross(np.asarray(up, float), z)
        x /= np.linalg.norm(x)
        y = np.cross(z, x)
        self.spec.worldbody.add_camera(name=name, pos=list(pos), fovy=fovy, xyaxes=[*x, *y])

    def add_prop(self, name: str, rgba: Sequence[float], *, free: bool) -> mujoco.MjsBody:
        """A body with a material of its own name, free to move or fixed to the world."""
        self.props.append(name)
        self.add_material(name, rgba)
        body = self.spec.worldbody.add_body(name=name)
        if free:
            # A little armature and damping: light bodies on several contacts ring without them.
            body.add_joint(
                name=name,
                type=mujoco.mjtJoint.mjJNT_FREE,
                armature=2e-5,
                damping=[1e-4, 1e-4, 1e-4],
            )
        return body

    def add_backdrop(self, name: str, pos: Vec3, half: Vec3, rgba: Sequence[float]) -> None:
        """A box that is seen and never touched."""
        self.add_material(name, rgba, specular=0.1)
        self.spec.worldbody.add_geom(
            name=name,
            type=mujoco.mjtGeom.mjGEOM_BOX,
            pos=list(pos),
            size=list(half),
            material=name,
            contype=0,
            conaffinity=0,
        )

    def compile(self) -> mujoco.MjModel:
        """The finished model."""
        return self.spec.compile()

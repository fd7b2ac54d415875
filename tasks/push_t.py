"""Push the T onto its mark: planar pushing from pixels, after Push-T.

Push-T is of Florence et al. (Implicit Behavioral Cloning, CoRL 2021) and Chi et al. (Diffusion
Policy, RSS 2023). Frames: the world's, table top at z = 0. Axes: N rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from trimix.core.contracts import F32, F64, BoolArray, Policy, PolicyInterface
from trimix.randomization.vary import Vary
from trimix.sim.physics import Physics, Row
from trimix.sim.scene import Scene
from trimix.tasks.disturbance import DisturbanceConfig
from trimix.tasks.push_t_expert import PushExpert, planar_pose
from trimix.tasks.tee import BOXES, HEIGHT, SUPPORT_RADIUS, UNIT, clearance

# 3 cm is a sixth of the T's length and three pixels at 64 px; 15 degrees move its ends by as much.
NEAR_M, NEAR_RAD = 0.03, np.radians(15.0)
START_M, START_RAD = (0.06, 0.13), np.radians(90.0)
START_CLEAR_M = 0.035  # from the stick's axis to the T; its radius is 0.0125
STICK_REACH_M = 0.26
MASS_KG = 0.3
DAMPING = 30.0  # N s/m


@dataclass(frozen=True)
class PushT:
    """Push the T-block onto the T-shaped mark, position and rotation."""

    name: str = "push_t"
    robot: str = "gantry"
    instructions: tuple[str, ...] = ("push the T onto its mark",)
    time_limit_s: float = 40.0
    hold_s: float = 0.5
    cameras: tuple[str, ...] = ("front",)

    def compose(self, scene: Scene) -> None:
        """A light table, a green mark, a dark red T that slides and turns on it."""
        scene.add_table(0.0, (0.50, 0.50), (0.0, 0.0), (0.80, 0.78, 0.74, 1.0))
        scene.add_backdrop("floor", (0.0, 0.0, -0.50), (3.0, 3.0, 0.01), (0.30, 0.30, 0.32, 1))
        scene.add_light("key", (0.6, -0.9, 2.0), 0.50)
        scene.add_light("fill", (-0.8, 0.9, 1.6), 0.25)
        scene.add_camera("front", (0.0, -0.25, 0.95), (0.0, 0.0, 0.0), (0, 1, 0), fovy=36.0)
        self._mark(scene)
        self._tee(scene)

    def start(self, row: Row, rng: np.random.Generator) -> None:
        """The T 6 to 13 cm from the mark, turned by up to 90 degrees; the stick clear of it."""
        scale = row.geom_size("tee")[1] / (BOXES[0][1][1] * UNIT)
        distance, bearing = rng.uniform(*START_M), rng.uniform(-np.pi, np.pi)
        pose = np.array(
            [
                distance * np.cos(bearing),
                distance * np.sin(bearing),
                rng.uniform(-START_RAD, START_RAD),
            ]
        )
        for name, value in zip(("tee_x", "tee_y", "tee_yaw"), pose, strict=True):
            row.set_joint(name, float(value))
        c, s = np.cos(pose[2]), np.sin(pose[2])
        while True:
            stick = rng.uniform(-STICK_REACH_M, STICK_REACH_M, 2)
            x, y = stick - pose[:2]
            if clearance(np.array([c * x + s * y, c * y - s * x]), scale) > START_CLEAR_M:
                break
        row.set_joints(stick)

    def reward(self, physics: Physics) -> F32:
        """1 where success holds; else up to 0.9, less by a half every 7 cm or 40 degrees."""
        apart, turned = self._error(physics)
        near = 0.9 * np.exp(-(apart / 0.10 + turned / 1.0))
        return np.where(self.success(physics), 1.0, near).astype(np.float32)

    def success(self, physics: Physics) -> BoolArray:
        """Within 3 cm and 15 degrees of the mark."""
        apart, turned = self._error(physics)
        return np.asarray((apart < NEAR_M) & (turned < NEAR_RAD))

    def expert(self, physics: Physics, interface: PolicyInterface) -> Policy:
        """Looks two pushes ahead, walks around the T, pushes with feedback."""
        return PushExpert(physics, interface, DisturbanceConfig())

    def axes(self) -> tuple[Vary, ...]:
        return ()

    @staticmethod
    def _error(physics: Physics) -> tuple[F64, F64]:
        return pose_error(planar_pose(physics, "tee"), planar_pose(physics, "goal"))

    @staticmethod
    def _mark(scene: Scene) -> None:
        # Not a prop: presets give props another size and mass, and the mark has none of its own.
        scene.add_material("goal", (0.25, 0.70, 0.35, 1.0))
        body = scene.spec.worldbody.add_body(name="goal")
        for name, (center, half) in zip(("goal", "goal_1"), BOXES, strict=True):
            body.add_geom(
                name=name,
                type=mujoco.mjtGeom.mjGEOM_BOX,
                size=[half[0] * UNIT, half[1] * UNIT, 0.0005],
                pos=[center[0] * UNIT, center[1] * UNIT, 0.0005],
                contype=0,
                conaffinity=0,
                material="goal",
            )

    @staticmethod
    def _tee(scene: Scene) -> None:
        body = scene.add_prop("tee", (0.55, 0.10, 0.12, 1.0), free=False)
        # Slow pushing on a table follows an ellipsoidal limit surface: the velocity is a fixed
        # matrix times the force (Lynch and Mason, 1996). Viscous damping of a planar joint does
        # just that, cheaper and steadier than contacts of a free body: the time constant,
        # mass / damping = 10 ms, is too short for coasting.
        slide, hinge = mujoco.mjtJoint.mjJNT_SLIDE, mujoco.mjtJoint.mjJNT_HINGE
        radius = SUPPORT_RADIUS * UNIT
        for name, kind, axis, damping in (
            ("tee_x", slide, (1, 0, 0), DAMPING),
            ("tee_y", slide, (0, 1, 0), DAMPING),
            ("tee_yaw", hinge, (0, 0, 1), DAMPING * radius**2),
        ):
            body.add_joint(name=name, type=kind, axis=list(axis), damping=[damping, 0, 0])
        for name, (center, half) in zip(("tee", "tee_1"), BOXES, strict=True):
            body.add_geom(
                name=name,
                type=mujoco.mjtGeom.mjGEOM_BOX,
                size=[half[0] * UNIT, half[1] * UNIT, HEIGHT / 2],
                pos=[center[0] * UNIT, center[1] * UNIT, HEIGHT / 2],
                mass=MASS_KG * half[0] * half[1] / 1.75,
                contype=2,
                conaffinity=2,
                material="tee",
                friction=[0.3, 0.005, 0.0001],
            )


def pose_error(pose: F64, goal: F64) -> tuple[F64, F64]:
    """(...) m between planar poses (..., 3) of x, y, yaw, and (...) rad in [0, pi]."""
    turned = np.abs((pose[..., 2] - goal[..., 2] + np.pi) % (2 * np.pi) - np.pi)
    return np.linalg.norm(pose[..., :2] - goal[..., :2], axis=-1), turned

"""Put the banana on the plate: the digital cousin of 65 recorded CR5 episodes.

Instruction, workspace, start poses, camera and gripper timing follow the recordings
(docs/design.md, "Cousins"); positions are m in the robot's base frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from trimix.core.contracts import F32, F64, BoolArray, Policy, PolicyInterface
from trimix.randomization.vary import Vary
from trimix.sim.kinematics import Kinematics
from trimix.sim.physics import Physics, Row
from trimix.sim.scene import Scene
from trimix.tasks.disturbance import DisturbanceConfig
from trimix.tasks.waypoints import Waypoint, WaypointPolicy

TABLE_Z = 0.135
PLATE_RADIUS = 0.10
BANANA_RADIUS = 0.021
# Recorded grasp and release points: mean and spread of the tool's x, y.
BANANA_MEAN, BANANA_STD = (-0.597, 0.379), (0.060, 0.070)
PLATE_MEAN, PLATE_STD = (-0.727, 0.190), (0.045, 0.055)
APART = (0.20, 0.38)
# The banana's long axis lies across the gripper's closing axis at the recorded grasps.
BANANA_YAW, BANANA_YAW_SPREAD = 0.61 + np.pi / 2, 0.45


@dataclass(frozen=True)
class BananaOnPlate:
    """Pick up the banana and leave it lying on the plate."""

    name: str = "banana_on_plate"
    robot: str = "cr5"
    instructions: tuple[str, ...] = ("put the banana on the plate",)
    time_limit_s: float = 30.0
    hold_s: float = 0.5
    cameras: tuple[str, ...] = ("wrist", "front")

    def compose(self, scene: Scene) -> None:
        """A dark table, a white plate, a banana of capsules, and what stands behind the table."""
        scene.add_table(TABLE_Z, (0.55, 0.62), (-0.62, 0.30), (0.17, 0.19, 0.20, 1.0))
        scene.add_backdrop(
            "monitor", (-1.02, 0.80, 0.32), (0.28, 0.03, 0.20), (0.04, 0.04, 0.05, 1)
        )
        scene.add_backdrop("floor", (-0.62, 0.30, -0.50), (3.0, 3.0, 0.01), (0.16, 0.16, 0.17, 1))
        scene.add_light("key", (-0.2, -0.6, 2.0), 0.55, target=(-0.62, 0.30, TABLE_Z))
        scene.add_light("fill", (-1.4, 1.2, 1.6), 0.25, target=(-0.62, 0.30, TABLE_Z))
        scene.add_camera(
            "front", (-0.62, 1.25, 0.95), (-0.62, 0.30, 0.22), (0.0, 0.0, 1.0), fovy=48.0
        )
        self._plate(scene)
        self._banana(scene)

    def start(self, row: Row, rng: np.random.Generator) -> None:
        """Banana and plate where the recordings had them, apart; arm near the recorded starts."""
        row.set_home(rng)
        banana, plate = _places(rng)
        yaw = BANANA_YAW + rng.uniform(-BANANA_YAW_SPREAD, BANANA_YAW_SPREAD)
        radius = float(row.geom_size("banana")[0])
        row.set_pose("banana", (*banana, TABLE_Z + radius + 0.001), yaw)
        row.set_pose("plate", (*plate, TABLE_Z), 0.0)

    def reward(self, physics: Physics) -> F32:
        """1 where success holds; else up to 0.5 for a banana near the plate."""
        near = np.exp(-self._apart(physics) / 0.1) * 0.5
        return np.where(self.success(physics), 1.0, near).astype(np.float32)

    def success(self, physics: Physics) -> BoolArray:
        """The banana's middle is over the plate, low, at rest, and the gripper has let go."""
        banana = physics.body_pos("banana")
        low = banana[:, 2] < TABLE_Z + 0.065
        speed = np.linalg.norm(physics.body_velocity("banana"), axis=1)
        free = np.linalg.norm(physics.tool_pos() - banana, axis=1) > 0.07
        return np.asarray(
            (self._apart(physics) < 0.75 * PLATE_RADIUS) & low & free & (speed < 0.05)
        )

    def expert(self, physics: Physics, interface: PolicyInterface) -> Policy:
        """Waypoints by inverse kinematics, with noise, feedback and second tries."""
        return _Expert(physics, interface, DisturbanceConfig())

    def axes(self) -> tuple[Vary, ...]:
        return ()

    @staticmethod
    def _apart(physics: Physics) -> np.ndarray:
        """(N,) m between the middles of banana and plate, from above."""
        offset = physics.body_pos("banana") - physics.body_pos("plate")
        return np.asarray(np.linalg.norm(offset[:, :2], axis=1))

    @staticmethod
    def _plate(scene: Scene) -> None:
        body = scene.add_prop("plate", (0.80, 0.80, 0.79, 1.0), free=True)
        # A foot, and a rim that catches what slides: two discs are enough at 64 px.
        for k, (radius, low, high, mass) in enumerate(
            ((0.6 * PLATE_RADIUS, 0.0, 0.008, 0.35), (PLATE_RADIUS, 0.008, 0.014, 0.15))
        ):
            body.add_geom(
                name="plate" if k == 0 else f"plate_{k}",
                type=mujoco.mjtGeom.mjGEOM_CYLINDER,
                size=[radius, (high - low) / 2, 0],
                pos=[0, 0, (low + high) / 2],
                mass=mass,
                material="plate",
                friction=[0.8, 0.01, 0.0005],
            )
        scene.add_material("plate_well", (0.74, 0.74, 0.73, 1.0))
        body.add_geom(
            name="plate_well",
            type=mujoco.mjtGeom.mjGEOM_CYLINDER,
            size=[0.72 * PLATE_RADIUS, 0.0003, 0],
            pos=[0, 0, 0.0143],
            mass=0.0,
            contype=0,
            conaffinity=0,
            material="plate_well",
        )

    @staticmethod
    def _banana(scene: Scene) -> None:
        body = scene.add_prop("banana", (0.92, 0.72, 0.05, 1.0), free=True)
        scene.add_material("banana_tip", (0.35, 0.50, 0.10, 1.0))
        # An arc of 100 degrees, radius 0.10 m, in the horizontal plane, thick in the middle;
        # the body's origin is the middle of the arc, its x the long axis.
        bend, count = 0.10, 5
        angles = np.radians(np.linspace(-50, 50, count + 1))
        x, y = bend * np.sin(angles), bend * (1 - np.cos(angles))
        radii = BANANA_RADIUS * np.array([0.80, 0.95, 1.0, 0.95, 0.80])
        order = [2, 0, 1, 3, 4]  # the middle one carries the body's name
        for k in order:
            body.add_geom(
                name="banana" if k == 2 else f"banana_{k}",
                type=mujoco.mjtGeom.mjGEOM_CAPSULE,
                fromto=[x[k], y[k], 0, x[k + 1], y[k + 1], 0],
                size=[radii[k], 0, 0],
                mass=0.024,
                material="banana",
                condim=6,
                friction=[1.0, 0.01, 0.002],
            )
        body.add_geom(
            name="banana_tip",
            type=mujoco.mjtGeom.mjGEOM_SPHERE,
            pos=[x[0], y[0], 0],
            size=[1.02 * radii[0], 0, 0],
            mass=0.0,
            contype=0,
            conaffinity=0,
            material="banana_tip",
        )


def _places(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(2,), (2,) m: banana and plate, as far apart as in the recordings."""
    while True:
        banana = rng.normal(BANANA_MEAN, BANANA_STD)
        plate = rng.normal(PLATE_MEAN, PLATE_STD)
        apart = float(np.linalg.norm(banana - plate))
        reach = max(float(np.linalg.norm(banana)), float(np.linalg.norm(plate)))
        if APART[0] < apart < APART[1] and reach < 0.84:
            return banana, plate


_CARRY_LEGS = range(4, 7)
_HURRY = 0.7  # of a first try's time: a second one has to fit into the time limit
_AWAY = 0.09  # m from the banana that the gripper goes at least; success wants 0.07


class _Expert(WaypointPolicy):
    """wait, above the banana, down, close, lift, above the plate, down, open, up."""

    def __init__(
        self, physics: Physics, interface: PolicyInterface, noise: DisturbanceConfig | None
    ) -> None:
        super().__init__(physics, interface, noise)
        self._kinematics = Kinematics(physics.robot)

    def plan(self, row: int, rng: np.random.Generator) -> list[Waypoint]:
        physics = self.physics
        q = physics.joints()[row]
        banana, plate = physics.body_pos("banana")[row], physics.body_pos("plate")[row]
        if BananaOnPlate().success(physics)[row]:
            return []
        quat = physics.body_quat("banana")[row]
        long_axis = 2 * np.arctan2(quat[3], quat[0])
        yaw = float(long_axis - np.pi / 2 + rng.normal(0, 0.05))
        grasp = banana + np.array([*rng.normal(0, 0.003, 2), 0.0])
        grasp[2] = max(banana[2], TABLE_Z + 0.012)
        above, high = rng.uniform(0.10, 0.16), rng.uniform(0.14, 0.26)
        drop = np.array([*(plate[:2] + rng.normal(0, 0.012, 2)), TABLE_Z + 0.014 + 0.024])
        # Where the tool goes, how much higher if that can be reached, gripper, seconds.
        steps: list[tuple[np.ndarray, float, float, float]] = [
            (grasp, above, 0.0, 4.5),
            (grasp, 0.0, 0.0, 2.2),
            (grasp, 0.0, 1.0, 0.9),
            (grasp, high, 1.0, 2.6),
            (drop, 0.13, 1.0, 3.4),
            (drop, 0.0, 1.0, 1.8),
            (drop, 0.0, 0.0, 0.6),
            (drop, high, 0.0, 2.4),
        ]
        waypoints = [Waypoint(q, 0.0, rng.uniform(0.2, 0.8))]
        pace = rng.uniform(0.85, 1.2) * (1.0 if self.tries(row) == 1 else _HURRY)
        for pos, higher, gripper, duration in steps:
            solved = self._reach(pos, higher, yaw, waypoints[-1].q)
            if solved is None:
                return [Waypoint(q, 0.0, 1.0)]
            distance = float(np.abs(solved - waypoints[-1].q).max())
            waypoints.append(Waypoint(solved, gripper, max(duration * pace, distance / 0.5)))
        if self._kinematics.tool(waypoints[-1].q)[0][2] < drop[2] + _AWAY:
            # Stretched out, the arm cannot rise here: it draws back towards its base.
            inward = 1 - 0.12 / np.linalg.norm(drop[:2])
            back = np.array([*(drop[:2] * inward), drop[2] + _AWAY])
            solved = self._reach(back, 0.0, yaw, waypoints[-1].q)
            if solved is not None:
                waypoints.append(Waypoint(solved, 0.0, 1.5 * pace))
        return waypoints

    def _reach(self, pos: F64, higher: float, yaw: float, seed: F64) -> F64 | None:
        """Joints with the tool above pos, as high as the arm reaches there; None if nowhere."""
        for part in (1.0, 0.75, 0.5, 0.25) if higher else (0.0,):
            solved = self._kinematics.down(pos + np.array([0, 0, part * higher]), yaw, seed)
            if solved is not None:
                return solved
        return None

    def judge(self, row: int, leg: int) -> bool:
        apart = np.linalg.norm(self.physics.tool_pos()[row] - self.physics.body_pos("banana")[row])
        # Once closed, the banana has to be between the fingers.
        return bool(leg not in _CARRY_LEGS or apart < 0.06)

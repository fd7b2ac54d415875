"""A task of one's own, outside of trimix: put the stick's tip over a coin and keep it there.

    cd examples/own_task
    trimix collect task=reach:Reach episodes=20 out=datasets/reach
    trimix evaluate task=reach:Reach policies.expert=expert policies.chance=random scenes=20

trimix finds the class by its name, module:class. What it must have is sim.task.Task; what a row,
a scene or the physics offers is in trimix.sim. Frames: the world's, table top at z = 0.
Axes: N rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from trimix.core.contracts import F32, F64, I64, BoolArray, Obs, Policy, PolicyInterface
from trimix.randomization.vary import Vary
from trimix.sim.physics import Physics, Row
from trimix.sim.scene import Scene

NEAR_M = 0.02
AREA_M = 0.20
APART_M = 0.08  # at the start, so that no episode begins solved


@dataclass(frozen=True)
class Reach:
    """Move the gantry's stick over the coin."""

    name: str = "reach"
    robot: str = "gantry"
    instructions: tuple[str, ...] = ("go to the coin", "put the stick over the coin")
    time_limit_s: float = 6.0
    hold_s: float = 0.5
    cameras: tuple[str, ...] = ("front",)

    def compose(self, scene: Scene) -> None:
        """A light table with a yellow coin that nothing can touch.

        The randomization presets vary what bears these names: table, key, fill, every camera and
        every prop, whose geoms are called after it.
        """
        scene.add_table(0.0, (0.50, 0.50), (0.0, 0.0), (0.80, 0.78, 0.74, 1.0))
        scene.add_light("key", (0.6, -0.9, 2.0), 0.50)
        scene.add_light("fill", (-0.8, 0.9, 1.6), 0.25)
        scene.add_camera("front", (0.0, -0.25, 0.95), (0.0, 0.0, 0.0), (0, 1, 0), fovy=36.0)
        coin = scene.add_prop("coin", (0.95, 0.75, 0.10, 1.0), free=False)
        for joint, axis in (("coin_x", (1, 0, 0)), ("coin_y", (0, 1, 0))):
            kind = mujoco.mjtJoint.mjJNT_SLIDE
            coin.add_joint(name=joint, type=kind, axis=list(axis), damping=[1.0, 0, 0])
        coin.add_geom(
            name="coin",
            type=mujoco.mjtGeom.mjGEOM_CYLINDER,
            size=[0.03, 0.001, 0.0],
            pos=[0.0, 0.0, 0.001],
            mass=0.01,
            contype=0,
            conaffinity=0,
            material="coin",
        )

    def start(self, row: Row, rng: np.random.Generator) -> None:
        """Stick and coin anywhere in the middle of the table, apart."""
        while True:
            stick, coin = rng.uniform(-AREA_M, AREA_M, (2, 2))
            if np.linalg.norm(stick - coin) > APART_M:
                break
        row.set_joints(stick)
        row.set_joint("coin_x", float(coin[0]))
        row.set_joint("coin_y", float(coin[1]))

    def reward(self, physics: Physics) -> F32:
        """1 where success holds; else up to 0.9, less by a factor of e every 10 cm."""
        near = 0.9 * np.exp(-np.linalg.norm(_away(physics), axis=1) / 0.10)
        return np.where(self.success(physics), 1.0, near).astype(np.float32)

    def success(self, physics: Physics) -> BoolArray:
        """Within 2 cm of the coin's middle; the world adds that it must last."""
        return np.asarray(np.linalg.norm(_away(physics), axis=1) < NEAR_M)

    def expert(self, physics: Physics, interface: PolicyInterface) -> Policy:
        """Straight to the coin."""
        return _Straight(physics, interface)

    def axes(self) -> tuple[Vary, ...]:
        """None of its own: the presets vary colours, lights, camera and dynamics of every scene."""
        return ()


@dataclass
class _Straight:
    """A scripted policy: it sees the simulator's state, and has nothing to remember."""

    physics: Physics
    interface: PolicyInterface

    def reset(self, rows: BoolArray, seeds: I64) -> None:
        """Nothing."""

    def act(self, obs: Obs) -> F32:
        """(N, 2) m/s towards the coin, or the place to be, m, by what an action means."""
        away, fastest = _away(self.physics), np.array(self.physics.robot.speed_limit)
        velocity = np.clip(2.0 * away, -0.8 * fastest, 0.8 * fastest)
        if self.interface.control_mode == "joint_velocity":
            return velocity.astype(np.float32)
        step = velocity * self.interface.control_dt_s
        return (self.physics.joints() + step).astype(np.float32)


def _away(physics: Physics) -> F64:
    """(N, 2) m from the stick's tip to the coin."""
    return np.asarray(physics.body_pos("coin")[:, :2] - physics.tool_pos()[:, :2])

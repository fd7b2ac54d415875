"""Inverse kinematics of a robot standing alone, by mink (Zakka, 2024)."""

from __future__ import annotations

from collections.abc import Sequence

import daqp  # mink calls it by its name; here its version comes to count
import mink
import mujoco
import numpy as np

from trimix.assets import path
from trimix.core.contracts import F64
from trimix.sim.robots import Robot

_ITERATIONS = 60
_STEP_RAD = 0.3  # an unbounded step jumps to another branch, turns away from the seed
_TOLERANCE_M = 5e-4
_TOLERANCE_RAD = 5e-3


class Kinematics:
    """Joint positions that put the robot's tool somewhere, pointing straight down.

    Args:
        robot: its nominal model is used, whatever the randomization does to the simulated one.
    """

    def __init__(self, robot: Robot) -> None:
        spec = mujoco.MjSpec.from_file(str(path(robot.xml)))
        spec.body("base").pos = list(robot.mount)
        self._model = spec.compile()
        self._robot = robot
        self._configuration = mink.Configuration(self._model)
        ids = [self._model.joint(j) for j in robot.joints]
        self._qpos = np.array([j.qposadr[0] for j in ids])
        self._tool = mink.FrameTask(
            robot.tool, "site", position_cost=1.0, orientation_cost=[0.3, 0.3, 0.1], lm_damping=1e-4
        )
        self._posture = mink.PostureTask(self._model, cost=1e-4)
        self._low, self._high = (
            np.array([j.range[k] if j.range.any() else (-np.inf, np.inf)[k] for j in ids])
            for k in (0, 1)
        )

    def tool(self, q: Sequence[float] | F64) -> tuple[F64, F64]:
        """Forward kinematics: tool position (3,) m and rotation (3, 3) for joints (D,)."""
        pose = self._at(q).get_transform_frame_to_world(self._robot.tool, "site")
        return np.array(pose.translation()), np.array(pose.rotation().as_matrix())

    def down(
        self, pos: Sequence[float] | F64, yaw: float, seed: Sequence[float] | F64
    ) -> F64 | None:
        """Joints (D,) with the tool at pos (3,) m, its z down and its x at yaw rad.

        Args:
            pos: in the world frame.
            yaw: of the tool's x axis about the world's z; either end of the gripper will do, so
                the nearer of yaw and yaw + pi is taken.
            seed: joints to start from.

        Returns:
            None when it cannot be reached.
        """
        configuration = self._at(seed)
        start = configuration.get_transform_frame_to_world(self._robot.tool, "site")
        x = start.rotation().as_matrix()[:, 0]
        if np.cos(yaw) * x[0] + np.sin(yaw) * x[1] < 0:
            yaw += np.pi
        c, s = np.cos(yaw), np.sin(yaw)
        rotation = np.array([[c, s, 0.0], [s, -c, 0.0], [0.0, 0.0, -1.0]])
        target = mink.SE3.from_rotation_and_translation(
            mink.SO3.from_matrix(rotation), np.asarray(pos, float)
        )
        self._tool.set_target(target)
        self._posture.set_target_from_configuration(configuration)
        for _ in range(_ITERATIONS):
            velocity = mink.solve_ik(
                configuration, [self._tool, self._posture], 1.0, daqp.__name__, 1e-9, limits=[]
            )
            fastest = float(np.abs(velocity).max())
            configuration.integrate_inplace(velocity, min(1.0, _STEP_RAD / max(fastest, 1e-9)))
            error = self._tool.compute_error(configuration)
            if np.abs(error[:3]).max() < _TOLERANCE_M and np.abs(error[3:]).max() < _TOLERANCE_RAD:
                q = np.array(configuration.q[self._qpos])
                inside = (q >= self._low).all() and (q <= self._high).all()
                return q if inside else None
        return None

    def _at(self, q: Sequence[float] | F64) -> mink.Configuration:
        full = np.zeros(self._model.nq)
        full[self._qpos] = q
        self._configuration.update(full)
        return self._configuration

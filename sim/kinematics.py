"""Inverse kinematics of a robot standing alone in its cell, by mink (Zakka, 2024).

Axes: D moved joints. Frames: the workspace's (see sim.cell).
"""

from __future__ import annotations

from collections.abc import Sequence

import daqp  # mink calls it by its name; here its version comes to count
import mink
import numpy as np

from trimix.core.contracts import F64
from trimix.core.errors import unknown
from trimix.sim.names import Names
from trimix.sim.robots.robot import Robot

_ITERATIONS = 60
_STEP_RAD = 0.3  # an unbounded step jumps to another branch, turns away from the seed
_TOLERANCE_M = 5e-4
_TOLERANCE_RAD = 5e-3
_SIX = 6
# Tilt about the tool's x and y, and yaw about its z, against 1 of a metre. An arm of fewer than six
# joints cannot have them all: it must keep the place, and give way in the turn.
_TURN_COST, _FEW_TURN_COST = (0.3, 0.3, 0.1), (0.03, 0.03, 0.01)


class Kinematics:
    """Joint positions that put the robot's tool somewhere, pointing straight down.

    Args:
        robot: its nominal model is used, whatever the randomization does to the simulated one.

    Raises:
        ConfigError: a joint, site or body that the robot names is not in its model.
    """

    def __init__(self, robot: Robot) -> None:
        spec = robot.spec()
        where = f"robot {robot.name!r}: {robot.xml}"
        root = spec.body(robot.root)
        if root is None:
            raise unknown("body", robot.root, [b.name for b in spec.bodies[1:]], where=where)
        robot.cell.mount(root)
        self._model = spec.compile()
        self._robot = robot
        names = Names(self._model)
        names.find("site", robot.tool, where)
        self._rest = np.array(self._model.qpos0)
        if robot.gripper is not None:
            for finger, at in zip(robot.gripper.actuators, robot.gripper.open, strict=True):
                joint = names.find("joint", finger, where)
                self._rest[self._model.jnt_qposadr[joint]] = at
        self._configuration = mink.Configuration(self._model)
        ids = [names.find("joint", j, where) for j in robot.joints]
        self._qpos = self._model.jnt_qposadr[ids]
        limited = self._model.jnt_limited[ids].astype(bool)
        ends = self._model.jnt_range[ids]
        self._low = np.where(limited, ends[:, 0], -np.inf)
        self._high = np.where(limited, ends[:, 1], np.inf)
        self._limits = [mink.ConfigurationLimit(self._model)] if limited.any() else []
        self._cost = np.array(_TURN_COST if len(ids) >= _SIX else _FEW_TURN_COST)
        self._tool = mink.FrameTask(
            robot.tool, "site", position_cost=1.0, orientation_cost=self._cost, lm_damping=1e-4
        )
        self._posture = mink.PostureTask(self._model, cost=1e-4)

    def tool(self, q: Sequence[float] | F64) -> tuple[F64, F64]:
        """Forward kinematics: tool position (3,) m and rotation (3, 3) for joints (D,)."""
        pose = self._at(q).get_transform_frame_to_world(self._robot.tool, "site")
        return np.array(pose.translation()), np.array(pose.rotation().as_matrix())

    def down(
        self,
        pos: Sequence[float] | F64,
        yaw: float | None,
        seed: Sequence[float] | F64,
        *,
        within_m: float = _TOLERANCE_M,
        within_rad: float = _TOLERANCE_RAD,
    ) -> F64 | None:
        """Joints (D,) with the tool at pos (3,) m, its z down and its x at yaw rad.

        Args:
            pos: in the workspace frame.
            yaw: of the tool's x axis about z; either end of the gripper will do, so the nearer of
                yaw and yaw + pi is taken. None: any.
            seed: joints to start from.
            within_m, within_rad: how far from it, in place and in turn, will do.

        Returns:
            None when it cannot be reached.
        """
        q, off, tilt, turn = self.towards(pos, yaw, seed)
        inside = (q >= self._low - 1e-6).all() and (q <= self._high + 1e-6).all()
        reached = off < within_m and tilt < within_rad and turn < within_rad
        return np.clip(q, self._low, self._high) if inside and reached else None

    def towards(
        self, pos: Sequence[float] | F64, yaw: float | None, seed: Sequence[float] | F64
    ) -> tuple[F64, float, float, float]:
        """As near as `down` can get.

        Returns:
            Joints (D,), and what is missing: m of the way, rad of tilt, rad of yaw (0 for any).
        """
        configuration = self._at(seed)
        start = configuration.get_transform_frame_to_world(self._robot.tool, "site")
        rotation = _down(start.rotation().as_matrix()[:, 0], yaw)
        target = mink.SE3.from_rotation_and_translation(
            mink.SO3.from_matrix(rotation), np.asarray(pos, float)
        )
        free = yaw is None
        self._tool.set_orientation_cost([*self._cost[:2], 0.0 if free else self._cost[2]])
        self._tool.set_target(target)
        self._posture.set_target_from_configuration(configuration)
        error = self._tool.compute_error(configuration)
        for _ in range(_ITERATIONS):
            velocity = mink.solve_ik(
                configuration,
                [self._tool, self._posture],
                1.0,
                daqp.__name__,
                1e-9,
                limits=self._limits,
            )
            fastest = float(np.abs(velocity).max())
            configuration.integrate_inplace(velocity, min(1.0, _STEP_RAD / max(fastest, 1e-9)))
            error = self._tool.compute_error(configuration)
            turn = error[3:5] if free else error[3:]
            if np.abs(error[:3]).max() < _TOLERANCE_M and np.abs(turn).max() < _TOLERANCE_RAD:
                break
        q = np.array(configuration.q[self._qpos])
        off, tilt = (float(np.abs(error[k : k + n]).max()) for k, n in ((0, 3), (3, 2)))
        return q, off, tilt, 0.0 if free else float(abs(error[5]))

    def _at(self, q: Sequence[float] | F64) -> mink.Configuration:
        full = self._rest.copy()
        full[self._qpos] = q
        self._configuration.update(full)
        return self._configuration


def _down(x: F64, yaw: float | None) -> F64:
    """(3, 3) of a tool that points down, its x axis at yaw or yaw + pi, what is nearer to x."""
    if yaw is None:
        yaw = float(np.arctan2(x[1], x[0]))
    elif np.cos(yaw) * x[0] + np.sin(yaw) * x[1] < 0:
        yaw += np.pi
    c, s = np.cos(yaw), np.sin(yaw)
    return np.array([[c, s, 0.0], [s, -c, 0.0], [0.0, 0.0, -1.0]])

"""What an action means to the joint servos.

Axes: N rows, D joints, A action channels, K substeps, nu actuators.
"""

from __future__ import annotations

import numpy as np

from trimix.core.contracts import F32, F64, BoolArray
from trimix.sim.physics import Physics

# A target may lead its joint by this many control periods of full speed, no more: a blocked arm
# must not wind up.
_LEAD_PERIODS = 3.0
_FINGER_SPEED = 0.15  # m/s


class Control:
    """Turns one action a row into a ramp of servo targets.

    joint_velocity: the target moves at the given velocity. joint_position: the target moves to the
    given position, no faster than the speed limit. The gripper closes at a constant speed towards
    its command (0 open, 1 closed). Each ramp can arrive late (randomized latency).
    """

    def __init__(self, physics: Physics, mode: str, control_dt_s: float) -> None:
        self._physics, self._mode, self._dt = physics, mode, control_dt_s
        self._speed = np.array(physics.robot.speed_limit)
        self.substeps = max(1, round(control_dt_s / physics.model.opt.timestep))
        # What the previous action still has to play out when actions arrive late: (N, K, nu).
        self._previous = np.zeros((physics.n, self.substeps, physics.model.nu))
        self._target = np.zeros((physics.n, physics.model.nu))

    def reset(self, rows: BoolArray) -> None:
        """Targets are where the servos stand."""
        self._target[rows] = self._physics.ctrl[rows]
        self._previous[rows] = self._physics.ctrl[rows][:, None]

    def ramp(self, action: F32, rows: BoolArray) -> F64:
        """Servo targets of one control step.

        Args:
            action: (N, A), clipped to the interface's limits by the caller.
            rows: (N,) bool, the rows that are stepped.

        Returns:
            (rows.sum(), K, nu), in order of rows.
        """
        physics, d = self._physics, len(self._physics.servos)
        at = physics.joints()
        goal = self._target.copy()
        command = action[:, :d].astype(np.float64)
        servo = self._target[:, physics.servos]
        if self._mode == "joint_velocity":
            moved = servo + command * self._dt
        else:
            reach = self._speed * self._dt
            moved = servo + np.clip(command - servo, -reach, reach)
        lead = self._speed * self._dt * _LEAD_PERIODS
        low, high = physics.joint_limits.T
        goal[:, physics.servos] = np.clip(np.clip(moved, at - lead, at + lead), low, high)
        if len(physics.fingers):
            robot = physics.robot
            closed = np.clip(action[:, d].astype(np.float64), 0.0, 1.0)[:, None]
            finger = robot.finger_open + closed * (robot.finger_closed - robot.finger_open)
            step = _FINGER_SPEED * self._dt
            now = self._target[:, physics.fingers]
            goal[:, physics.fingers] = now + np.clip(finger - now, -step, step)
        part = (np.arange(self.substeps) + 1.0) / self.substeps
        ramp = self._target[:, None] + (goal - self._target)[:, None] * part[None, :, None]
        late = self._late(ramp)
        self._previous[rows], self._target[rows] = ramp[rows], goal[rows]
        return late[rows]

    def _late(self, ramp: F64) -> F64:
        """Each row's ramp, delayed by its latency; at most one control period."""
        latency = self._physics.parameters.signals["action/latency_s"]
        lag = np.clip(np.rint(latency / self._physics.model.opt.timestep), 0, self.substeps)
        if not lag.any():
            return ramp
        both = np.concatenate([self._previous, ramp], axis=1)
        index = np.arange(self.substeps)[None] + self.substeps - lag.astype(int)[:, None]
        return np.take_along_axis(both, index[:, :, None], axis=1)

"""What an action means to the joint servos.

Axes: N rows, D joints, A action channels, K substeps, nu actuators.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trimix.core.contracts import F64, BoolArray
from trimix.sim.differential import joint_velocity
from trimix.sim.physics import Physics

# A target may lead its joint by this many control periods of full speed, no more, and not by more
# than what its servo's whole force answers: a blocked arm must not wind up and then spring free.
_LEAD_PERIODS = 3.0


class Control:
    """Turns one action a row into a ramp of servo targets.

    joint_velocity: the target moves at the given velocity. joint_position: the target moves to the
    given position, no faster than the speed limit. ee_delta: the tool moves by the given step,
    given in its own frame, as far as the joints' speeds allow. The gripper closes at a constant
    speed towards its command (0 open, 1 closed). A ramp can arrive late (randomized latency), and
    joints can have play: they follow only once their gears have crossed it (backlash).

    Args:
        physics: whose servos.
        mode: joint_velocity | joint_position | ee_delta.
        control_dt_s: the control period.
    """

    def __init__(self, physics: Physics, mode: str, control_dt_s: float) -> None:
        self._physics, self._mode, self._dt = physics, mode, control_dt_s
        self._speed = np.array(physics.robot.speed_limit)
        self.substeps = max(1, round(control_dt_s / physics.model.opt.timestep))
        self._target = np.zeros((physics.n, physics.model.nu))
        # Where the previous ramp began: what of it is still to be played out when actions are late.
        self._before = np.zeros((physics.n, physics.model.nu))
        # What the joints' servos were told last: within the play of what they should have been.
        self._told = np.zeros((physics.n, len(physics.servos)))
        model, servos = physics.model, physics.servos
        stiffness, limited = model.actuator_gainprm[servos, 0], model.actuator_forcelimited[servos]
        force = np.where(limited, np.abs(model.actuator_forcerange[servos]).max(axis=1), np.inf)
        # rad, and s: how far a target leads a joint that is held fast with all force, and how far
        # more for each rad/s that the joint moves. As the robot's maker knows them: nominal.
        self._blocked: F64 = force / stiffness
        self._drag: F64 = -model.actuator_biasprm[servos, 2] / stiffness

    def reset(self, rows: BoolArray) -> None:
        """Targets are where the servos stand."""
        self._target[rows] = self._physics.ctrl[rows]
        self._before[rows] = self._physics.ctrl[rows]
        self._told[rows] = self._physics.ctrl[rows][:, self._physics.servos]

    def state(self) -> F64:
        """(N, 2 nu + D): the servos' targets now and a control period ago, and what they got."""
        return np.concatenate([self._target, self._before, self._told], axis=1)

    def set_state(self, rows: Sequence[int], state: F64) -> None:
        """Give rows back what `state` gave, (len(rows), 2 nu + D)."""
        ids, nu = list(rows), self._target.shape[1]
        parts = np.split(state, [nu, 2 * nu], axis=1)
        self._target[ids], self._before[ids], self._told[ids] = parts

    def ramp(self, command: F64, rows: BoolArray, lost: BoolArray | None = None) -> F64:
        """Servo targets of one control step.

        Args:
            command: (N, A) of joints or tool, then the gripper; see Robot.command_of.
            rows: (N,) bool, the rows that are stepped.
            lost: (N,) bool, the rows whose command does not arrive: their targets stay.

        Returns:
            (rows.sum(), K, nu), in order of rows.
        """
        physics = self._physics
        at = physics.joints()
        goal = self._target.copy()
        servo = self._target[:, physics.servos]
        coasting = at + self._drag * physics.joint_velocities()
        # What is on its way, where commands are late, does not lead anybody yet.
        late = (physics.parameters.signals["action/latency_s"] / self._dt).clip(0.0, 1.0)[:, None]
        pending = (servo - self._before[:, physics.servos]) * late
        least = coasting - self._blocked + np.minimum(pending, 0.0)
        servo = np.clip(servo, least, coasting + self._blocked + np.maximum(pending, 0.0))
        moved = servo + self._step(command, servo)
        lead = self._speed * self._dt * _LEAD_PERIODS
        low, high = physics.joint_limits.T
        goal[:, physics.servos] = np.clip(np.clip(moved, at - lead, at + lead), low, high)
        gripper = physics.robot.gripper
        if gripper is not None:
            opened, closed = np.array(gripper.open), np.array(gripper.closed)
            finger = opened + np.clip(command[:, -1:], 0.0, 1.0) * (closed - opened)
            step = np.abs(closed - opened) * self._dt / gripper.seconds
            now = self._target[:, physics.fingers]
            goal[:, physics.fingers] = now + np.clip(finger - now, -step, step)
        if lost is not None:
            goal[lost] = self._target[lost]
        ramp = _line(self._target, goal, self.substeps)
        late = self._played(self._late(ramp), rows)
        self._before[rows] = self._target[rows]
        self._target[rows] = goal[rows]
        return late[rows]

    def _step(self, command: F64, servo: F64) -> F64:
        """(N, D) how far each servo's target moves."""
        d = servo.shape[1]
        if self._mode == "joint_velocity":
            return command[:, :d] * self._dt
        if self._mode == "joint_position":
            reach = self._speed * self._dt
            return np.clip(command[:, :d] - servo, -reach, reach)
        turn = self._physics.tool_mat()
        twist = np.concatenate(
            [
                np.einsum("nij,nj->ni", turn, command[:, :3]),
                np.einsum("nij,nj->ni", turn, command[:, 3:6]),
            ],
            axis=1,
        )
        jacobian = self._physics.tool_jacobian()
        return joint_velocity(jacobian, twist / self._dt, self._speed) * self._dt

    def _late(self, ramp: F64) -> F64:
        """Each row's ramp, delayed by its latency; at most one control period."""
        latency = self._physics.parameters.signals["action/latency_s"]
        lag = np.clip(np.rint(latency / self._physics.model.opt.timestep), 0, self.substeps)
        if not lag.any():
            return ramp
        before = _line(self._before, self._target, self.substeps)
        both = np.concatenate([before, ramp], axis=1)
        index = np.arange(self.substeps)[None] + self.substeps - lag.astype(int)[:, None]
        return np.take_along_axis(both, index[:, :, None], axis=1)

    def _played(self, ramp: F64, rows: BoolArray) -> F64:
        """Each row's ramp as it comes through gears with play."""
        physics = self._physics
        half = physics.parameters.signals["action/backlash"][:, None] / 2
        if not half.any():
            self._told[rows] = ramp[rows, -1][:, physics.servos]
            return ramp
        told = self._told.copy()
        for k in range(self.substeps):
            servo = ramp[:, k, physics.servos]
            told = np.clip(told, servo - half, servo + half)
            ramp[:, k, physics.servos] = told
        self._told[rows] = told[rows]
        return ramp


def _line(begin: F64, end: F64, substeps: int) -> F64:
    """(N, K, nu) from begin to end (N, nu), which is reached in the last substep."""
    part = (np.arange(substeps) + 1.0) / substeps
    return np.asarray(begin[:, None] + (end - begin)[:, None] * part[None, :, None])

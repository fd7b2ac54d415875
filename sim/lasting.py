"""Whether success lasts: a look into a future that nobody trains on.

The rows that just succeeded are forked: the gripper opens, the tool rises and draws back, two
seconds run, the goal is asked for again, and the fork is thrown away. Where letting go would end
the task (reach, lift), the robot holds still instead and is pushed.

Axes: N rows, nu actuators, K substeps.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trimix.core.contracts import BoolArray
from trimix.sim.differential import joint_velocity
from trimix.sim.physics import Physics
from trimix.sim.task import Goals, Task

SECONDS = 2.0
OPEN_S, RISE_S = 0.5, 1.0
RISE_M, BACK_M = 0.10, 0.02
PUSH_N, PUSH_S = 2.0, 0.3
"""On what the robot's tool is on: a nudge of a finger."""
_PERIOD_S = 0.1


def lasting(task: Task, physics: Physics, goals: Goals, rows: Sequence[int]) -> BoolArray:
    """(N,) where success outlasts letting go, or a push; False in rows that were not asked for.

    The rows' state is the same afterwards.
    """
    ids = list(rows)
    before = physics.state()[ids]
    targets = np.array(physics.ctrl[ids])
    substeps = max(1, round(_PERIOD_S / physics.model.opt.timestep))
    alive = np.zeros(physics.n, bool)
    alive[ids] = True
    speed = np.array(physics.robot.speed_limit)
    gripper = physics.robot.gripper
    for step in range(round(SECONDS / _PERIOD_S)):
        now = step * _PERIOD_S
        goal = targets.copy()
        if task.lets_go:
            if gripper is not None:
                opened, closed = np.array(gripper.open), np.array(gripper.closed)
                reach = np.abs(closed - opened) * _PERIOD_S / gripper.seconds
                fingers = targets[:, physics.fingers]
                goal[:, physics.fingers] = fingers + np.clip(opened - fingers, -reach, reach)
            if OPEN_S <= now < OPEN_S + RISE_S:
                twist = np.zeros((physics.n, 6))
                twist[:, 2] = physics.scale * RISE_M / RISE_S
                twist[:, 0] = -physics.scale * BACK_M / RISE_S
                moved = joint_velocity(physics.tool_jacobian(), twist, speed)[ids] * _PERIOD_S
                low, high = physics.joint_limits.T
                goal[:, physics.servos] = np.clip(targets[:, physics.servos] + moved, low, high)
        else:
            _push(physics, ids, now)
        part = (np.arange(substeps) + 1.0) / substeps
        ramp = targets[:, None] + (goal - targets)[:, None] * part[None, :, None]
        alive &= ~physics.step(ids, ramp)
        targets = goal
    kept = task.success(physics, goals) & alive
    physics.set_state(ids, before)
    return np.asarray(kept)


def _push(physics: Physics, ids: Sequence[int], now: float) -> None:
    """Pushes on the tool's body, sideways, each way once."""
    force = np.zeros(3)
    if now < PUSH_S:
        force[0] = PUSH_N
    elif 0.8 <= now < 0.8 + PUSH_S:
        force[1] = PUSH_N
    physics.force[ids, physics.tool_body, :3] = force

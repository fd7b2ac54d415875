"""Scripted policies that move the tool: plans of straight moves, followed with feedback.

Axes: N rows, D joints, A action channels. Frames: the workspace's; m, rad, s.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from trimix.core.contracts import F32, F64, I64, BoolArray, Obs, PolicyInterface
from trimix.core.seeds import stream
from trimix.sim.contacts import TABLE
from trimix.sim.differential import down, joint_velocity, rotation_vector
from trimix.sim.physics import Physics
from trimix.sim.task import Goals

_FEEDBACK = 5.0  # 1/s, how hard the reference pulls the tool back
_LAG_S = 0.2  # servos and links are late by about this; feedback on it would only overshoot
_SETTLED_M, _SETTLED_RAD, _SETTLE_S = 0.004, 0.06, 0.7
_LOST_M = 0.06  # farther from the reference than this, somebody else moved the arm: plan anew
_PEAK = 1.875  # of a minimum-jerk path's speed, over its mean


@dataclass(frozen=True, eq=False)
class Move:
    """The tool goes straight to a pose, pointing down.

    Args:
        pos: (3,) m in this cell.
        yaw: rad of the tool's x axis, along which the fingers close.
        grip: 0 open, 1 closed, from its first moment.
        seconds: at least; longer where the way would be faster than `speed`.
        speed: m/s in this cell; 0 for the policy's own.
        check: asked all along; where it fails the row plans anew.
        name: for cheaters and people.
    """

    pos: F64
    yaw: float
    grip: float
    seconds: float = 0.3
    speed: float = 0.0
    check: Callable[[], bool] | None = None
    name: str = ""


@dataclass
class _Track:
    """One row's plan and where it stands in it."""

    rng: np.random.Generator
    plan: list[Move] = field(default_factory=list)
    leg: int = 0
    time_s: float = 0.0
    seconds: float = 0.0
    waited_s: float = 0.0
    begin: F64 = field(default_factory=lambda: np.zeros(3))
    turn: F64 = field(default_factory=lambda: np.zeros(3))
    begin_mat: F64 = field(default_factory=lambda: np.eye(3))
    tries: int = 0
    grip: float = 0.0


Change = Callable[[list[Move], "ToolPolicy", int, np.random.Generator], list[Move]]
"""(moves, the policy that planned them, the row, a stream) -> other moves."""


class ToolPolicy:
    """Follows plans; a task's expert subclasses it and gives `plan`.

    Args:
        physics: the rows it sees and acts in.
        goals: the world's own list.
        interface: joint_velocity, joint_position or ee_delta.
        solved: (N,) whether there is nothing left to do.
    """

    speed_m_s = 0.30

    def __init__(
        self,
        physics: Physics,
        goals: Goals,
        interface: PolicyInterface,
        solved: Callable[[], BoolArray],
    ) -> None:
        self.interface, self.physics, self.goals = interface, physics, goals
        self.scale = physics.scale
        self._solved = solved
        self.amend: Change | None = None  # what becomes of a plan: cheaters are experts with one
        self._joint_speed = np.array(physics.robot.speed_limit)
        self._tracks = [_Track(stream(0, i, "expert")) for i in range(physics.n)]
        self._low = np.array([-np.inf if c.low is None else c.low for c in interface.action])
        self._high = np.array([np.inf if c.high is None else c.high for c in interface.action])

    def plan(self, row: int, rng: np.random.Generator) -> list[Move]:
        """Moves from where the row is now; empty when there is nothing to do."""
        raise NotImplementedError

    def tries(self, row: int) -> int:
        """How often the row has been planned for in this episode, the plan being made included."""
        return self._tracks[row].tries

    def reset(self, rows: BoolArray, seeds: I64) -> None:
        """Plan anew for these rows; the plan is made at the next `act`."""
        for i in np.flatnonzero(rows):
            self._tracks[i] = _Track(stream(int(seeds[i]), 0, "expert"))

    def act(self, obs: Obs) -> F32:
        """(N, A) float32."""
        pos, mat = self.physics.tool_pos(), self.physics.tool_mat()
        solved = self._solved()
        twist, want = np.zeros((self.physics.n, 6)), np.zeros((self.physics.n, 3, 3))
        for i, track in enumerate(self._tracks):
            twist[i, :3], twist[i, 3:], want[i] = self._follow(
                i, track, pos[i], mat[i], bool(solved[i])
            )
        away = rotation_vector(want @ mat.transpose(0, 2, 1))
        twist[:, 3:] += _FEEDBACK * away
        return self._command(twist, mat)

    # Skills: lists of moves that plans are made of.

    def pick(
        self, row: int, name: str, at: F64, yaw: float, *, hover: float, lift: float
    ) -> list[Move]:
        """Above a prop, down, close, up; `at` is where the fingers meet, m in this cell."""
        s = self.scale
        up = np.array([0.0, 0.0, 1.0])
        there = np.array([at[0], at[1], max(at[2], 0.011 * s)])
        return [
            Move(there + up * hover * s, yaw, 0.0, name="above"),
            Move(there, yaw, 0.0, 0.4, 0.15 * s, name="down"),
            Move(there, yaw, 1.0, self._close_s(), name="close"),
            Move(there + up * lift * s, yaw, 1.0, 0.4, 0.2 * s, self.keeps(row, name), name="lift"),
        ]

    def place(
        self, row: int, name: str, at: F64, yaw: float, *, hover: float, up: float | None = None
    ) -> list[Move]:
        """Above a place, down, open, up; `at` is where the tool lets go."""
        s, keeps = self.scale, self.keeps(row, name)
        rise = np.array([0.0, 0.0, s])
        high = hover if up is None else up
        return [
            Move(at + rise * hover, yaw, 1.0, 0.4, check=keeps, name="carry"),
            Move(at, yaw, 1.0, 0.5, 0.10 * s, check=keeps, name="lower"),
            Move(at, yaw, 0.0, self._close_s(), name="open"),
            Move(at + rise * high, yaw, 0.0, 0.4, 0.15 * s, name="away"),
        ]

    def keeps(self, row: int, name: str) -> Callable[[], bool]:
        """A check that the row's gripper still has the prop."""
        return lambda: bool(self.physics.gripped(name)[row])

    def holds(self, row: int, name: str) -> bool:
        """Whether the row's gripper has the prop now."""
        return bool(self.physics.held(name)[row] and self.physics.finger_opening()[row] < 0.98)

    def grasp_yaw(self, row: int, yaw: float, period: float) -> float:
        """The angle nearest to the tool's own among yaw + k period."""
        mat = self.physics.tool_mat()[row]
        own = float(np.arctan2(mat[1, 0], mat[0, 0]))
        return own + float((yaw - own + period / 2) % period - period / 2)

    def tool_yaw(self, row: int) -> float:
        """rad of the tool's x axis, seen from above."""
        mat = self.physics.tool_mat()[row]
        return float(np.arctan2(mat[1, 0], mat[0, 0]))

    def rise(self, row: int, height: float) -> list[Move]:
        """Straight up to a height, with the gripper as it is; nothing if it is there."""
        at = self.physics.tool_pos()[row]
        if at[2] >= height * self.scale - 0.01:
            return []
        to = np.array([at[0], at[1], height * self.scale])
        return [Move(to, self.tool_yaw(row), self._tracks[row].grip, name="rise")]

    def on_table(self, name: str, row: int) -> bool:
        """Whether the prop touches the table."""
        return bool(self.physics.touching(name, TABLE)[row])

    def _close_s(self) -> float:
        gripper = self.physics.robot.gripper
        return 0.3 if gripper is None else gripper.seconds + 0.3

    def _follow(
        self, row: int, track: _Track, pos: F64, mat: F64, solved: bool
    ) -> tuple[F64, F64, F64]:
        """(3,) m/s, (3,) rad/s and (3, 3): velocities, and the orientation wanted now."""
        still = np.zeros(3)
        if not self._ready(row, track, pos, mat, solved):
            return still, still, mat
        move, dt = track.plan[track.leg], self.interface.control_dt_s
        track.grip = move.grip
        track.time_s += dt
        part, rate = _minimum_jerk(track.time_s, track.seconds)
        late, _ = _minimum_jerk(max(track.time_s - _LAG_S, 0.0), track.seconds)
        reference = track.begin + late * (move.pos - track.begin)
        wanted = _rotation(part * track.turn) @ track.begin_mat
        velocity = rate * (move.pos - track.begin) + _FEEDBACK * (reference - pos)
        turning = rate * track.turn
        if track.time_s >= track.seconds - 1e-9:
            off = float(np.abs(move.pos - pos)[: 2 if self.physics.robot.planar else 3].max())
            track.waited_s += dt
            if off < _SETTLED_M * self.scale or track.waited_s > _SETTLE_S:
                self._enter(track, track.leg + 1, pos, mat)
        return velocity, turning, wanted

    def _ready(self, row: int, track: _Track, pos: F64, mat: F64, solved: bool) -> bool:
        """Whether the row has a move to make; plans where it must."""
        if track.leg < len(track.plan):
            move = track.plan[track.leg]
            part, _ = _minimum_jerk(track.time_s, track.seconds)
            off = track.begin + part * (move.pos - track.begin) - pos
            if self.physics.robot.planar:
                off = off[:2]
            lost = float(off @ off) > (_LOST_M * self.scale) ** 2
            if not lost and (move.check is None or move.check()):
                return True
        elif solved:
            return False
        track.tries += 1
        track.plan = self.plan(row, track.rng)
        if self.amend is not None:
            track.plan = self.amend(track.plan, self, row, track.rng)
        self._enter(track, 0, pos, mat)
        return bool(track.plan)

    def _enter(self, track: _Track, leg: int, pos: F64, mat: F64) -> None:
        """Begin a move from where the last one should have ended, or from here."""
        before = track.plan[leg - 1] if 0 < leg <= len(track.plan) else None
        track.leg, track.time_s, track.waited_s = leg, 0.0, 0.0
        track.begin = pos.copy() if before is None else before.pos
        track.begin_mat = mat.copy() if before is None else down(np.asarray(before.yaw))
        if leg >= len(track.plan):
            return
        move = track.plan[leg]
        track.turn = rotation_vector(down(np.asarray(move.yaw)) @ track.begin_mat.T)
        speed = move.speed or self.speed_m_s * self.scale
        way = float(np.linalg.norm(move.pos - track.begin))
        turn = float(np.linalg.norm(track.turn))
        fastest = self.physics.robot.tool_speed[1]
        track.seconds = max(move.seconds, _PEAK * way / (1.4 * speed), _PEAK * turn / fastest)

    def _command(self, twist: F64, mat: F64) -> F32:
        """The action of this interface that moves the tool with a twist (N, 6)."""
        dt, mode = self.interface.control_dt_s, self.interface.control_mode
        if mode == "ee_delta":
            inverse = mat.transpose(0, 2, 1)
            parts = [np.einsum("nij,nj->ni", inverse, twist[:, k : k + 3]) for k in (0, 3)]
            moved = np.concatenate(parts, axis=1) * dt
        else:
            velocity = joint_velocity(self.physics.tool_jacobian(), twist, self._joint_speed)
            moved = velocity
            if mode == "joint_position":
                moved = self.physics.joints() + velocity * dt
        if self.physics.robot.gripper is not None:
            moved = np.column_stack([moved, [track.grip for track in self._tracks]])
        action = self.physics.robot.action_of(moved, mode)
        return np.clip(action, self._low, self._high).astype(np.float32)


def _minimum_jerk(time_s: float, duration_s: float) -> tuple[float, float]:
    """How much of a minimum-jerk path is behind, and its rate in 1/s (Flash and Hogan, 1985)."""
    s = min(1.0, time_s / max(duration_s, 1e-6))
    s2 = s * s
    rate = 30 * s2 * (1 - s) * (1 - s) / max(duration_s, 1e-6)
    return s2 * s * (10 - 15 * s + 6 * s2), rate


def _rotation(vector: Sequence[float] | F64) -> F64:
    """(3, 3) of a rotation vector (Rodrigues)."""
    x, y, z = (float(v) for v in vector)
    angle = math.sqrt(x * x + y * y + z * z)
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = x / angle, y / angle, z / angle
    c, s = math.cos(angle), math.sin(angle)
    d = 1 - c
    return np.array(
        [
            [c + d * x * x, d * x * y - s * z, d * x * z + s * y],
            [d * x * y + s * z, c + d * y * y, d * y * z - s * x],
            [d * x * z - s * y, d * y * z + s * x, c + d * z * z],
        ]
    )

"""A scripted policy that follows joint-space waypoints, with feedback, noise and second tries.

Axes: N rows, D joints, A action channels.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from trimix.core.contracts import F32, F64, I64, BoolArray, Obs, PolicyInterface
from trimix.core.seeds import stream
from trimix.sim.physics import Physics
from trimix.tasks.disturbance import Disturbance, DisturbanceConfig

_FEEDBACK = 4.0  # 1/s, how hard the reference pulls the joints back


@dataclass(frozen=True)
class Waypoint:
    """Reach joints q (D,) in duration_s, then hold the gripper at `gripper` (0 open, 1 closed)."""

    q: F64
    gripper: float
    duration_s: float


@dataclass
class _Track:
    """One row's plan and where it stands in it."""

    rng: np.random.Generator
    disturb: Disturbance
    plan: list[Waypoint] = field(default_factory=list)
    leg: int = 0
    time_s: float = 0.0
    begin: F64 = field(default_factory=lambda: np.zeros(0))
    tries: int = 0


class WaypointPolicy:
    """Follows plans; a task's expert subclasses it and gives `plan` and `judge`.

    Args:
        physics: the rows it sees and acts in.
        interface: joint_velocity or joint_position.
        noise: how the velocities are disturbed; None for none.
    """

    def __init__(
        self, physics: Physics, interface: PolicyInterface, noise: DisturbanceConfig | None
    ) -> None:
        self.interface, self.physics, self.noise = interface, physics, noise
        self._speed = np.array(physics.robot.speed_limit)
        self._tracks = [self._fresh(stream(0, i, "expert")) for i in range(physics.n)]

    def plan(self, row: int, rng: np.random.Generator) -> list[Waypoint]:
        """Waypoints from where the row is now; empty when there is nothing to do."""
        raise NotImplementedError

    def tries(self, row: int) -> int:
        """How often the row has been planned for in this episode, the plan being made included."""
        return self._tracks[row].tries

    def judge(self, row: int, leg: int) -> bool:
        """Whether the row's plan still makes sense while its waypoint `leg` is next."""
        raise NotImplementedError

    def reset(self, rows: BoolArray, seeds: I64) -> None:
        """Plan anew for these rows; the plan is made at the next `act`."""
        for i in np.flatnonzero(rows):
            self._tracks[i] = self._fresh(stream(int(seeds[i]), 0, "expert"))

    def act(self, obs: Obs) -> F32:
        """(N, A) float32."""
        q = self.physics.joints()
        return np.stack([self._act(i, q[i]) for i in range(self.physics.n)]).astype(np.float32)

    def _act(self, row: int, q: F64) -> F64:
        dt, track = self.interface.control_dt_s, self._tracks[row]
        if track.leg >= len(track.plan) or not self.judge(row, track.leg):
            self._replan(row, q)
        if track.leg >= len(track.plan):
            return self._command(q, np.zeros_like(q), 0.0)
        target = track.plan[track.leg]
        track.time_s += dt
        at, speed = _minimum_jerk(track.begin, target.q, track.time_s, target.duration_s)
        velocity = speed + _FEEDBACK * (at - q)
        command = self._command(q, track.disturb(velocity, dt), target.gripper)
        if track.time_s >= target.duration_s - 1e-9:
            track.leg, track.time_s, track.begin = track.leg + 1, 0.0, target.q
        return command

    def _fresh(self, rng: np.random.Generator) -> _Track:
        return _Track(rng, Disturbance(self.noise, self._speed, rng))

    def _replan(self, row: int, q: F64) -> None:
        track = self._tracks[row]
        track.tries += 1
        track.plan, track.leg, track.time_s = self.plan(row, track.rng), 0, 0.0
        track.begin = q.copy()

    def _command(self, q: F64, velocity: F64, gripper: float) -> F64:
        velocity = np.clip(velocity, -self._speed, self._speed)
        if self.interface.control_mode == "joint_velocity":
            moved = velocity
        else:
            moved = q + velocity * self.interface.control_dt_s
        return np.append(moved, gripper) if len(self.physics.fingers) else moved


def _minimum_jerk(begin: F64, end: F64, time_s: float, duration_s: float) -> tuple[F64, F64]:
    """Position and velocity (D,) on the minimum-jerk path (Flash and Hogan, 1985)."""
    s = min(1.0, time_s / max(duration_s, 1e-6))
    position = begin + (end - begin) * (10 * s**3 - 15 * s**4 + 6 * s**5)
    velocity = (end - begin) * (30 * s**2 - 60 * s**3 + 30 * s**4) / max(duration_s, 1e-6)
    return position, velocity

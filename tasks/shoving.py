"""Pushing small things to places, one after the other, with feedback on where they are.

Axes: N rows, K other things. Frames: the workspace's; m, rad, s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from trimix.core.contracts import F64, I64, BoolArray, PolicyInterface
from trimix.sim.cell import REACH_M
from trimix.sim.physics import Physics
from trimix.sim.scene import GEOM
from trimix.sim.task import Goals
from trimix.tasks.detour import detour
from trimix.tasks.pushing import End, Steer, StickPolicy

_SLOWEST = 0.02  # m/s
_STOP = 2.5  # 1/s, of the speed near the end
_CENTRE = 3.5  # 1/s, back behind the middle
_ENTER, _KEEP = 0.35, 0.85  # of the thing's half width: how far aside pushing begins and ends
_STAND_M = 0.012  # from the surface, where a stick that flies comes down
_OVER_M = 0.025  # the lower end over everything on the way
_AWAY_M = 0.05  # from everything, when there is nothing left to do
_AIR_M = 0.004
_INSIDE_M = 0.006
_TURNS = np.radians([0, 20, -20, 40, -40, 65, -65, 90, -90, 120, -120, 150, -150, 180])
_TURN_COST_M = 0.004  # of clearance, a radian that a push is off the way
_LUCK_M, _MOST_LUCK = 0.0015, 3
_ASIDE_M = 0.035  # how far a thing goes off the way before the way is looked for anew
_BENT = 0.5  # cos: a way that turns by more than this needs another place to push from


@dataclass(frozen=True, eq=False)
class Job:
    """Push one thing to a place.

    Args:
        name: the thing.
        to: (2,) m.
        around: things that it must not be pushed into.
    """

    name: str
    to: F64
    around: Sequence[str] = ()


@dataclass
class _Mind:
    """What a row is about.

    Args:
        name: of the thing.
        pushing: whether the stick is behind it.
        heading: (2,) the way that it is to be pushed.
        turn: rad that the heading is off the shortest way, for want of room.
        turned: how many headings in a row were so: more of them make the next one more random.
        begin: (2,) m, where the thing was when that was settled.
    """

    name: str = ""
    pushing: bool = False
    heading: F64 | None = None
    turn: float = 0.0
    turned: int = 0
    begin: F64 = field(default_factory=lambda: np.zeros(2))


class ShovePolicy(StickPolicy):
    """Pushes things; subclasses say which and where to.

    Attributes:
        things: all that may be touched, names of props with one geom each.
        push_m_s: how fast things are pushed, at scale 1.
    """

    things: Sequence[str] = ()
    push_m_s = 0.07

    def __init__(
        self,
        physics: Physics,
        goals: Goals,
        interface: PolicyInterface,
        solved: Callable[[], BoolArray],
    ) -> None:
        super().__init__(physics, goals, interface, solved)
        self._minds = [_Mind() for _ in range(physics.n)]

    def job(self, row: int) -> Job | None:
        """What the row should do now; None when all is done."""
        raise NotImplementedError

    def reset(self, rows: BoolArray, seeds: I64) -> None:
        """Forget these rows."""
        super().reset(rows, seeds)
        for i in np.flatnonzero(rows):
            self._minds[i] = _Mind()

    def busy(self, row: int) -> str:
        """The thing that the row is about; "" before the first."""
        return self._minds[row].name

    def at(self, row: int, name: str) -> F64:
        """(2,) m."""
        return np.asarray(self.physics.body_pos(name)[row, :2])

    def half(self, row: int, name: str, direction: F64) -> float:
        """m from a thing's middle to its farthest point in a direction, seen from above."""
        physics = self.physics
        size = physics.geom_size(name, row)
        if int(physics.model.geom_type[physics.names.find("geom", name)]) != int(GEOM.mjGEOM_BOX):
            return float(size[0])
        local = physics.body_mat(name)[row].T @ np.append(direction, 0.0)
        return float(np.abs(local) @ size)

    def round(self, row: int, name: str) -> float:
        """m, a radius that holds a thing, but for its corners' tips."""
        return 1.25 * float(self.physics.geom_size(name, row)[0])

    def top(self, row: int) -> float:
        """m, height of the highest thing."""
        heights = [2 * float(self.physics.geom_size(t, row).max()) for t in self.things]
        return max(heights)

    def target(self, row: int) -> F64:
        job = self.job(row)
        return self.physics.tool_pos()[row, :2] if job is None else self.at(row, job.name)

    def beside(self, row: int, name: str, zone: F64, half: float) -> F64:
        """(2,) m, the best place for a thing that is in the way: near, free, within reach.

        Args:
            zone: (2,) m, the middle of a square that the thing shall leave.
            half: m, how far from there its middle must be, in x or y.
        """
        s, turn = self.scale, np.linspace(0, 2 * np.pi, 16, endpoint=False)
        way = np.stack([np.cos(turn), np.sin(turn)], -1)
        spots = zone + way * half / np.abs(way).max(1, keepdims=True)
        cost = np.linalg.norm(spots - self.at(row, name), axis=1)
        own = self.round(row, name)
        for other in self.things:
            if other != name:
                apart = np.linalg.norm(spots - self.at(row, other), axis=1)
                cost += 5 * np.maximum(own + self.round(row, other) + 0.02 * s - apart, 0.0)
        cost += 5 * np.maximum(np.abs(spots) - np.array(REACH_M) * s, 0.0).sum(1)
        return np.asarray(spots[int(cost.argmin())])

    def steer(self, row: int, tip: F64, end: End, solved: bool) -> Steer:
        mind, job = self._minds[row], None if solved else self.job(row)
        height = self.height(row, tip, end)
        if job is None:
            mind.pushing = False
            return self._leave(row, tip, end, height)
        at = self.at(row, job.name)
        d = self._heading(row, mind, job, end, at)
        side = np.array([-d[1], d[0]])
        half = self.half(row, job.name, d)
        contact = end.reach(d) + half
        behind, aside = float((at - tip[:2]) @ d), float((tip[:2] - at) @ side)
        low = not self.flies or height < 0.012 * self.scale
        within = (_KEEP if mind.pushing else _ENTER) * half
        if low and abs(aside) < within and 0.5 * contact < behind < contact + 0.03:
            mind.pushing = True
            left = float(np.linalg.norm(job.to - at))
            gap = behind - contact
            speed = float(np.clip(_STOP * left, _SLOWEST, self.push_m_s)) + max(0.0, 2.0 * gap)
            return Steer(speed * d - _CENTRE * aside * side)
        if mind.pushing:
            mind.pushing, mind.heading = False, None
            d = self._heading(row, mind, job, end, at)
        if self.flies:
            return self._fly(row, job, tip, end, height, at, d)
        return self._walk(row, job, tip, end, at, d)

    def _heading(self, row: int, mind: _Mind, job: Job, end: End, at: F64) -> F64:
        """(2,) which way to push the thing; kept until it is done with."""
        others = [n for n in job.around if n != job.name]
        centers = np.array([self.at(row, n) for n in others]).reshape(-1, 2)
        room = self.round(row, job.name) + 0.006 * self.scale
        radii = np.array([self.round(row, n) + room for n in others])
        way = detour(at, job.to, centers, radii) - at
        d = np.asarray(way / max(float(np.linalg.norm(way)), 1e-9))
        kept, moved = mind.heading, float(np.linalg.norm(at - mind.begin))
        if kept is not None and mind.name == job.name:
            if mind.turn and moved < _ASIDE_M * self.scale:
                return kept
            if not mind.turn and (not mind.pushing or kept @ d > _BENT):
                mind.heading = d if mind.pushing else kept
                return mind.heading
        mind.name, mind.pushing, mind.begin = job.name, False, at
        mind.turn, mind.heading = self._open_way(row, job, end, at, d, mind.turned)
        mind.turned = mind.turned + 1 if mind.turn else 0
        return mind.heading

    def _open_way(
        self, row: int, job: Job, end: End, at: F64, d: F64, turned: int
    ) -> tuple[float, F64]:
        """(rad, (2,)): the heading nearest to d that leaves room behind the thing and before it."""
        best, most, air = (0.0, d), -np.inf, _AIR_M * self.scale
        edge = np.array(REACH_M) * self.scale
        luck = self._tracks[row].rng.normal(0.0, _LUCK_M * self.scale, len(_TURNS))
        luck *= np.minimum(turned, _MOST_LUCK) * (_TURNS != 0)
        for turn, more in zip(_TURNS, luck, strict=True):
            c, s = np.cos(turn), np.sin(turn)
            heading = np.array([c * d[0] - s * d[1], s * d[0] + c * d[1]])
            spot = self._stand(row, job, end, at, heading)
            gaps = [air]
            far = np.abs(at + _ASIDE_M * self.scale * heading)
            beyond = float(np.maximum(far - np.maximum(edge, np.abs(at)), 0.0).max())
            for name in self.things:
                if name == job.name:
                    continue
                other = self.at(row, name)
                size = self.round(row, name)
                gaps.append(float(np.linalg.norm(spot - other)) - size - end.radius)
                along = float(np.clip((other - at) @ heading, 0.0, _ASIDE_M * self.scale))
                apart = float(np.linalg.norm(at + along * heading - other))
                now = float(np.linalg.norm(at - other))
                gaps.append(max(apart - size - self.round(row, job.name), apart - now))
            cost = _TURN_COST_M * self.scale * abs(float(turn)) + beyond
            value = min(gaps) + float(more) - cost
            if value > most:
                best, most = (float(turn), heading), value
        return best

    def _leave(self, row: int, tip: F64, end: End, height: float) -> Steer:
        """Away from everything, and up where that is possible."""
        away, gap = self._nearest(row, tip, end)
        over = self.top(row) + _OVER_M * self.scale
        if self.flies:
            if gap > _AIR_M or height > 0.5 * over:
                return Steer(np.zeros(2), over + 0.02)
            return Steer(0.10 * away)
        return Steer(np.zeros(2) if gap > _AWAY_M * self.scale else 0.15 * away)

    def _nearest(self, row: int, tip: F64, end: End) -> tuple[F64, float]:
        """(2,) the way away from the nearest thing, and m of air to it."""
        best, gap = np.array([1.0, 0.0]), np.inf
        for name in self.things:
            off = tip[:2] - self.at(row, name)
            far = float(np.linalg.norm(off))
            out = off / max(far, 1e-9)
            air = far - self.half(row, name, out) - end.reach(-out)
            if air < gap:
                best, gap = out, air
        return best, gap

    def _stand(self, row: int, job: Job, end: End, at: F64, d: F64) -> F64:
        """(2,) m, behind a thing that is to be pushed along d."""
        return at - d * (self.half(row, job.name, d) + end.reach(d) + _STAND_M * self.scale)

    def _fly(self, row: int, job: Job, tip: F64, end: End, height: float, at: F64, d: F64) -> Steer:
        """Over everything to behind the thing."""
        over = self.top(row) + _OVER_M * self.scale
        away, gap = self._nearest(row, tip, end)
        if height < 0.5 * over and gap < _AIR_M / 2:
            # What is under the stick, or between its fingers, would come along.
            inside = gap < -_INSIDE_M * self.scale
            return Steer(np.zeros(2), over) if inside else Steer(0.08 * away)
        yaw = self.grasp_yaw(row, float(np.arctan2(d[1], d[0])), np.pi / 2)
        to = self._stand(row, job, end, at, d)
        if height < 0.012 * self.scale and np.linalg.norm(to - tip[:2]) < 0.02:
            return self.go(tip, to, 0.0, yaw)
        return self.fly(tip, to, height, over, yaw)

    def _walk(self, row: int, job: Job, tip: F64, end: End, at: F64, d: F64) -> Steer:
        """Around everything to behind the thing."""
        to = self._stand(row, job, end, at, d)
        centers = np.array([self.at(row, n) for n in self.things])
        radii = np.array([self.round(row, n) + end.radius + 0.006 for n in self.things])
        return self.go(tip, detour(tip[:2], to, centers, radii), 0.0)

"""The scripted expert of push_t: line up with a contact, touch, push, step back, look again.

Frames: the workspace's, and the T's body frame, where it plans. Axes: N rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trimix.core.contracts import F64, I64, BoolArray, PolicyInterface
from trimix.sim.physics import Physics
from trimix.sim.task import Goals
from trimix.tasks.push_planner import Planner
from trimix.tasks.pushing import End, Steer, StickPolicy
from trimix.tasks.tee import BOXES, HEIGHT, TEE, UNIT, Tee, clearance, lost

_MARGIN = 0.018  # m, between stick and T on the way
_WALK, _FLY, _PUSH, _SLOWEST = 0.22, 0.30, 0.10, 0.02  # m/s
_FEEDBACK = 3.0  # 1/s
_LANE = 0.006  # m, sideways from a contact's lane, within which the stick may go on to touch
_BEHIND = 0.008  # m past the surface: it gives a little; much more is the other side of the T
_DONE = 0.06  # part of the mark that may stay uncovered: 0.10 is the limit
_AWAY_M = 0.05  # from the T, when there is nothing left to do
_OVER_M = 0.02  # the lower end over the T on the way
_STAND_M = 0.012  # from the surface, where a stick that flies comes down


@dataclass
class _Mind:
    """What one row remembers: its T, the contact it is after, and where the T was then."""

    planner: Planner | None = None
    contact: int = -1
    pose: F64 | None = None
    pushing: bool = False


class PushExpert(StickPolicy):
    """Privileged, closed-loop pushing.

    Args:
        physics, goals, interface, solved: as of a ToolPolicy.
    """

    def __init__(
        self,
        physics: Physics,
        goals: Goals,
        interface: PolicyInterface,
        solved: Callable[[], BoolArray],
    ) -> None:
        super().__init__(physics, goals, interface, solved)
        self._minds = [_Mind() for _ in range(physics.n)]
        s = self.scale
        self._edge = np.array([0.065, 0.135] if self.flies else [0.15, 0.15]) * s
        self._bounds = np.array([0.16, 0.25] if self.flies else [0.31, 0.31]) * s

    def reset(self, rows: BoolArray, seeds: I64) -> None:
        """Forget these rows."""
        super().reset(rows, seeds)
        for i in np.flatnonzero(rows):
            self._minds[i] = _Mind()

    def goal(self, row: int) -> F64:
        """(3,) x, y, yaw of where the T should be."""
        mark = self.goals[row].text("mark")
        physics = self.physics
        return np.append(physics.body_pos(mark)[row, :2], physics.yaw(mark)[row])

    def floor(self, row: int) -> float:
        return float(self.physics.body_pos(TEE)[row, 2])

    def target(self, row: int) -> F64:
        return np.clip(self.physics.body_pos(TEE)[row, :2], -self._bounds, self._bounds)

    def steer(self, row: int, tip: F64, end: End, solved: bool) -> Steer:
        physics, mind, s = self.physics, self._minds[row], self.scale
        tee = np.append(physics.body_pos(TEE)[row, :2], physics.yaw(TEE)[row])
        goal = self.goal(row)
        pose = np.append(_turned(tee[:2] - goal[:2], -goal[2]), tee[2] - goal[2])
        pose[2] = (pose[2] + np.pi) % (2 * np.pi) - np.pi
        stick = _turned(tip[:2] - tee[:2], -tee[2])
        closed = physics.finger_opening()[row] < 0.1 or physics.robot.gripper is None
        if mind.planner is None or not closed:
            unit = UNIT * float(physics.geom_size(TEE, row)[1] / (BOXES[0][1][1] * UNIT))
            mind.planner = Planner(Tee(unit, end.radius if closed else 0.01, _MARGIN))
        model = mind.planner.tee
        height = self.height(row, tip, end)
        low = not self.flies or height < 0.8 * HEIGHT * s
        if solved or lost(pose[0], pose[1], pose[2], model.unit) < _DONE:
            mind.contact = -1
            return self._leave(model, tee, stick, low)
        if mind.contact >= 0 and low:
            normal = model.normal[mind.contact]
            gap, side = _lane(model, mind.contact, stick, self._reach(end, normal, tee))
            if -_BEHIND < gap < 0.003 and abs(side) < 2.5 * _LANE:
                left = mind.planner.remaining(
                    pose,
                    mind.contact,
                    goal,
                    self._edge,
                    begun=_drifted(pose, mind.pose, 0.05 * model.unit),
                )
                if left > 0:
                    mind.pushing = True
                    return self._world(self._push(model, mind.contact, side, left), tee)
                mind.contact = -1
        if mind.contact < 0 or _drifted(pose, mind.pose, 0.17 * model.unit):
            if low and self.flies and clearance(stick, model.unit) < model.radius + 0.003:
                return self._leave(model, tee, stick, low)
            lines_up = model.contact - (model.radius + _STAND_M) * model.normal
            at = tee[:2] + _turned((lines_up if self.flies else model.ahead).T, tee[2]).T
            beyond = np.maximum(np.abs(at) - self._bounds, 0.0).sum(1)
            mind.contact = mind.planner.choose(pose, stick, goal, self._edge, beyond, self.flies)
            mind.pose, mind.pushing = pose, False
        if self.flies:
            return self._fly(model, mind.contact, tee, stick, end, height)
        return self._world(self._walk(model, mind.contact, tee, stick, end), tee)

    def _world(self, velocity: F64, tee: F64, height: float = 0.0) -> Steer:
        return Steer(_turned(velocity, tee[2]), height)

    def _reach(self, end: End, normal: F64, tee: F64) -> float:
        return end.reach(_turned(normal, tee[2]))

    def _leave(self, model: Tee, tee: F64, stick: F64, low: bool) -> Steer:
        """Away from the T, and up where that is possible."""
        room = float(clearance(stick, model.unit))
        over = (HEIGHT + _OVER_M) * self.scale
        if self.flies and (room > model.radius + 0.004 or not low):
            return self._world(np.zeros(2), tee, over + 0.02)
        if room > model.radius + _AWAY_M * self.scale:
            return self._world(np.zeros(2), tee)
        return self._world(_WALK * self.scale * model.outward(stick), tee)

    def _push(self, model: Tee, contact: int, side: float, left: float) -> F64:
        direction = model.push_velocity(contact)
        pace = float(np.linalg.norm(direction))
        speed = float(np.clip(_FEEDBACK * left * pace, _SLOWEST, _PUSH * self.scale))
        return direction / pace * speed - _FEEDBACK * 0.5 * side * _tangent(model.normal[contact])

    def _fly(
        self, model: Tee, contact: int, tee: F64, stick: F64, end: End, height: float
    ) -> Steer:
        """Over the T to where the contact's lane begins, down, and along the lane."""
        s = self.scale
        normal = model.normal[contact]
        gap, side = _lane(model, contact, stick, self._reach(end, normal, tee))
        stand = _STAND_M * max(s, 0.6)
        over = (HEIGHT + _OVER_M) * s
        if abs(side) < _LANE and -0.002 < gap < 2 * stand:
            # Down before it goes on to touch.
            if height > 0.3 * HEIGHT * s:
                back = _FEEDBACK * (gap - stand) * normal
                return self._world(back - _FEEDBACK * side * _tangent(normal), tee)
            speed = np.clip(_FEEDBACK * gap, _SLOWEST, _PUSH * s)
            return self._world(normal * speed - _FEEDBACK * side * _tangent(normal), tee)
        away = (gap - stand) * normal - side * _tangent(normal)
        distance = float(np.linalg.norm(away))
        if height < 0.8 * over:
            room = float(clearance(stick, model.unit)) - model.radius
            if room < 0.002:  # off the T before it rises
                return self._world(0.06 * model.outward(stick), tee, 0.0)
            return self._world(np.zeros(2), tee, over)
        speed = min(_FLY * s, _FEEDBACK * distance)
        return self._world(away / max(distance, 1e-9) * speed, tee, over)

    def _walk(self, model: Tee, contact: int, tee: F64, stick: F64, end: End) -> F64:
        """Towards the contact: along its lane if in it, else around the T to where it begins."""
        normal = model.normal[contact]
        gap, side = _lane(model, contact, stick, self._reach(end, normal, tee))
        if abs(side) < _LANE and -_BEHIND < gap < model.reach[contact] + 0.012:
            speed = np.clip(_FEEDBACK * gap, _SLOWEST, _WALK)
            return np.asarray(normal * speed - _FEEDBACK * side * _tangent(normal))
        if model.inside(stick):
            return np.asarray(_WALK * model.outward(stick))
        length, target = model.route(stick, np.array([contact]))
        away = target[0] - stick
        speed = min(_WALK, _FEEDBACK * float(length[0]) + 0.02)
        return np.asarray(away / max(float(np.linalg.norm(away)), 1e-9) * speed)


def _lane(tee: Tee, contact: int, stick: F64, reach: float) -> tuple[float, float]:
    """m from stick to surface along a contact's normal, and sideways from it."""
    offset = stick - tee.contact[contact]
    normal = tee.normal[contact]
    return float(-offset @ normal) - reach, float(offset @ _tangent(normal))


def _tangent(normal: F64) -> F64:
    return np.array([-normal[1], normal[0]])


def _turned(vector: F64, angle: float) -> F64:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([c * vector[0] - s * vector[1], s * vector[0] + c * vector[1]])


def _drifted(pose: F64, before: F64 | None, by: float) -> bool:
    """Whether the T moved by `by` (m, and a third of that in units of 1 rad a m) since then."""
    if before is None:
        return True
    return bool(np.hypot(*(pose - before)[:2]) > by or abs(pose[2] - before[2]) > 10 * by)


def pose_error(pose: F64, goal: F64) -> tuple[F64, F64]:
    """(...) m between planar poses (..., 3) of x, y, yaw, and (...) rad in [0, pi]."""
    turned = np.abs((pose[..., 2] - goal[..., 2] + np.pi) % (2 * np.pi) - np.pi)
    return np.linalg.norm(pose[..., :2] - goal[..., :2], axis=-1), turned

"""Which push next: looks two pushes ahead with the quasi-static model of tasks.tee.

Frames: poses (x, y, yaw) of the T relative to its goal; points of the body frame.
Axes: K contacts, L push lengths, M motions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trimix.core.contracts import F64
from trimix.tasks.tee import Tee, lost

_LENGTHS = np.array([0.08, 0.17, 0.3, 0.5, 0.8, 1.2, 1.7, 2.3, 3.0, 3.8, 4.8])  # units
_REMAINING = np.array(
    [0.0, 0.05, 0.1, 0.17, 0.25, 0.35, 0.5, 0.7, 1.0, 1.3, 1.7, 2.3, 3.0, 3.8, 4.8]
)


@dataclass(frozen=True)
class Costs:
    """What a plan costs, in seconds.

    Args:
        change_s: lifting off, lining up and touching again, beyond the way there.
        walk: units/s on the way.
        way: units, to a contact that is not known yet.
        push: units/s of the contact point.
        off: seconds a unit that the T is away.
        off_rad: and a radian.
        near: part of the mark that may stay uncovered without a further push.
        more_s: for further pushes where more than twice of that is uncovered: must outweigh the
            change and the way of the one that would mend it.
        outside: a unit beyond where the T, or the stick, should stay.
    """

    change_s: float = 1.8
    walk: float = 5.0
    way: float = 4.0
    push: float = 2.5
    off: float = 1.1
    off_rad: float = 4.0
    near: float = 0.04
    more_s: float = 5.0
    outside: float = 20.0


class Planner:
    """Plans pushes of one T.

    Args:
        tee: and the stick.
        costs: None for the default.
    """

    def __init__(self, tee: Tee, costs: Costs | None = None) -> None:
        self.tee, self.costs = tee, costs or Costs()
        unit = tee.unit
        self._moves = tee.moved(_LENGTHS * unit)
        self._rest = tee.moved(_REMAINING * unit)
        pace = np.array([np.linalg.norm(tee.push_velocity(k)) for k in range(len(tee.contact))])
        self._seconds = pace[:, None] * _LENGTHS / self.costs.push
        self._rest_seconds = pace[:, None] * _REMAINING / self.costs.push
        self._flat = self._moves.reshape(-1, 3)
        self._once = (
            self.costs.change_s + self.costs.way / self.costs.walk + self._seconds.reshape(-1)
        )
        self._all = np.arange(len(tee.contact))

    def choose(
        self, pose: F64, stick: F64, goal: F64, edge: F64, beyond: F64, straight: bool
    ) -> int:
        """The contact of the best first push.

        Args:
            pose: (3,) of the T.
            stick: (2,) body frame.
            goal: (3,) of the mark in the workspace.
            edge: (2,) m, half extents of where the T should stay.
            beyond: (K,) m, how far out of the stick's reach the contacts are.
            straight: whether it flies there.
        """
        unit = self.tee.unit
        if straight:
            way = np.linalg.norm(self.tee.contact - stick, axis=1)
        else:
            way, _ = self.tee.route(stick, self._all)
        first = (way / unit / self.costs.walk + self.costs.change_s)[:, None] + self._seconds
        first = first + self.costs.outside * beyond[:, None] / unit
        total = first.reshape(-1) + self._to_go(pose, self._flat, goal, edge)
        return int(total.argmin()) // len(_LENGTHS)

    def remaining(self, pose: F64, contact: int, goal: F64, edge: F64, begun: bool) -> float:
        """m that the centroid should still be pushed from this contact; 0 to stop.

        Args:
            begun: whether some of the push is done; else it is worth the change of contact that
                it took, and is not given up for another.
        """
        total = self._rest_seconds[contact] + self._to_go(pose, self._rest[contact], goal, edge)
        first = 0 if begun else 1
        return float(_REMAINING[first + total[first:].argmin()] * self.tee.unit)

    def _to_go(self, pose: F64, motion: F64, goal: F64, edge: F64) -> F64:
        """(M,) s after each of these motions (M, 3), with at most one more push."""
        x, y, yaw = _moved(pose, motion)
        after = _moved(np.stack([x, y, yaw], -1)[:, None], self._flat)
        once = (self._once + self._left(*after)).min(1)
        least = np.minimum(once, self._left(x, y, yaw))
        return np.asarray(least + self._outside(x, y, goal, edge))

    def _left(self, x: F64, y: F64, yaw: F64) -> F64:
        """(...) s, an estimate for the error that is left."""
        costs, unit = self.costs, self.tee.unit
        apart = np.sqrt(x * x + y * y) / unit
        turned = np.abs(yaw - 2 * np.pi * np.rint(yaw * (0.5 / np.pi)))
        more = np.clip(lost(x, y, yaw, unit) / costs.near, 1.0, 2.0) - 1.0
        return np.asarray(costs.off * apart + costs.off_rad * turned + costs.more_s * more)

    def _outside(self, x: F64, y: F64, goal: F64, edge: F64) -> F64:
        """(...) s, for a T that the stick cannot go around any more."""
        c, s = np.cos(goal[2]), np.sin(goal[2])
        over_x = np.maximum(np.abs(goal[0] + c * x - s * y) - edge[0], 0.0)
        over_y = np.maximum(np.abs(goal[1] + s * x + c * y) - edge[1], 0.0)
        return np.asarray(self.costs.outside * (over_x + over_y) / self.tee.unit)


def _moved(pose: F64, motion: F64) -> tuple[F64, F64, F64]:
    """x, y, yaw (...) of poses (..., 3) after motions (..., 3) in the body frame."""
    c, s = np.cos(pose[..., 2]), np.sin(pose[..., 2])
    x, y, turn = motion[..., 0], motion[..., 1], motion[..., 2]
    return pose[..., 0] + c * x - s * y, pose[..., 1] + s * x + c * y, pose[..., 2] + turn

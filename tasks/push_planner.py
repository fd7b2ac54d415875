"""Which push next: looks two pushes ahead with the quasi-static model of tasks.tee.

Frames: poses (x, y, yaw) of the T relative to its goal; points of the body frame.
Axes: K contacts, L push lengths.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trimix.core.contracts import F64
from trimix.tasks.tee import Tee

_LENGTHS = np.array([0.015, 0.03, 0.05, 0.07, 0.09, 0.115, 0.145, 0.18])
_REMAINING = np.array(
    [0.0, 0.004, 0.008, 0.012, 0.018, 0.025, 0.035, 0.05, 0.07, 0.09, 0.12, 0.15, 0.18]
)


@dataclass(frozen=True)
class Costs:
    """What a plan costs, in seconds.

    Args:
        change_s: lifting off, lining up and touching again, beyond the way there.
        walk: m/s on the way.
        push: m/s of the contact point.
        off_m, off_rad: seconds a metre and a radian that are left over.
        near_m, near_rad: an error below these needs no further push.
        edge_m: how far from the goal the T may be pushed.
    """

    change_s: float = 1.8
    walk: float = 0.18
    push: float = 0.09
    off_m: float = 30.0
    off_rad: float = 4.0
    near_m: float = 0.015
    near_rad: float = 0.12
    edge_m: float = 0.17


class Planner:
    """Plans pushes of one T."""

    def __init__(self, tee: Tee, costs: Costs | None = None) -> None:
        self.tee, self.costs = tee, costs or Costs()
        self._moves = tee.moved(_LENGTHS)
        self._rest = tee.moved(_REMAINING)
        pace = np.array([np.linalg.norm(tee.push_velocity(k)) for k in range(len(tee.contact))])
        self._seconds = pace[:, None] * _LENGTHS / self.costs.push
        self._rest_seconds = pace[:, None] * _REMAINING / self.costs.push
        self._flat = self._moves.reshape(-1, 3)
        self._once = self.costs.change_s + self._seconds.reshape(-1)
        self._all = np.arange(len(tee.contact))

    def choose(self, pose: F64, stick: F64) -> int:
        """The contact of the best first push.

        Args:
            pose: (3,) of the T.
            stick: (2,) body frame.
        """
        way, _ = self.tee.route(stick, self._all)
        first = (way / self.costs.walk + self.costs.change_s)[:, None] + self._seconds
        total = first.reshape(-1) + self._to_go(pose, self._flat)
        return int(total.argmin()) // len(_LENGTHS)

    def remaining(self, pose: F64, contact: int) -> float:
        """m that the centroid should still be pushed from this contact; 0 to stop."""
        total = self._rest_seconds[contact] + self._to_go(pose, self._rest[contact])
        return float(_REMAINING[total.argmin()])

    def _to_go(self, pose: F64, motion: F64) -> F64:
        """(M,) s after each of these motions (M, 3), with at most one more push."""
        x, y, yaw = _moved(pose, motion)
        after = _moved(np.stack([x, y, yaw], -1)[:, None], self._flat)
        once = (self._once + self._left(*after)).min(1)
        return np.asarray(np.minimum(once, self._left(x, y, yaw)))

    def _left(self, x: F64, y: F64, yaw: F64) -> F64:
        """(...) s, an estimate for the error that is left."""
        costs = self.costs
        apart = np.sqrt(x * x + y * y)
        turned = np.abs(yaw - 2 * np.pi * np.rint(yaw * (0.5 / np.pi)))
        off = np.maximum(apart * (1 / costs.near_m), turned * (1 / costs.near_rad))
        more = np.clip(off, 1.0, 2.0) - 1.0
        outside = np.maximum(apart - costs.edge_m, 0.0)
        left = costs.off_m * apart + costs.off_rad * turned + costs.change_s * more
        return np.asarray(left + 1e3 * outside)


def _moved(pose: F64, motion: F64) -> tuple[F64, F64, F64]:
    """x, y, yaw (...) of poses (..., 3) after motions (..., 3) in the body frame."""
    c, s = np.cos(pose[..., 2]), np.sin(pose[..., 2])
    x, y, turn = motion[..., 0], motion[..., 1], motion[..., 2]
    return pose[..., 0] + c * x - s * y, pose[..., 1] + s * x + c * y, pose[..., 2] + turn

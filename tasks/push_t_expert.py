"""The scripted expert of push_t: line up with a contact, touch, push, step back, look again.

Frames: the world's (joints of the gantry), and the T's body frame, where it plans.
Axes: N rows, A = 2 action channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trimix.core.contracts import F32, F64, I64, BoolArray, Obs, PolicyInterface
from trimix.core.seeds import stream
from trimix.sim.physics import Physics

from trimix.tasks.push_planner import Planner
from trimix.tasks.tee import BOXES, UNIT, Tee

_MARGIN = 0.018  # m, between stick and T on the way
_WALK, _PUSH, _SLOWEST = 0.20, 0.10, 0.035  # m/s
_FEEDBACK = 4.0  # 1/s
_LANE = 0.008  # m, sideways from a contact's lane, within which the stick may go on to touch
_BEHIND = 0.01  # m past the surface: it gives a little; much more is the other side of the T
_DONE_M, _DONE_RAD = 0.018, 0.14  # well inside success


@dataclass
class _Mind:
    """What one row remembers: its T, the contact it is after, and where the T was then."""

    disturb: object
    planner: Planner | None = None
    contact: int = -1
    pose: F64 | None = None


class PushExpert:
    """Privileged, closed-loop pushing.

    Args:
        physics: the rows it sees.
        interface: joint_velocity or joint_position.
        noise: how the velocities are disturbed; None for none.
    """

    def __init__(
        self, physics: Physics, interface: PolicyInterface, noise: object
    ) -> None:
        self.interface, self.physics, self.noise = interface, physics, noise
        self._speed = np.array(physics.robot.speed_limit)
        self._minds = [self._fresh(i) for i in range(physics.n)]

    def reset(self, rows: BoolArray, seeds: I64) -> None:
        """Forget these rows."""
        for i in np.flatnonzero(rows):
            self._minds[i] = self._fresh(int(seeds[i]))

    def act(self, obs: Obs) -> F32:
        """(N, 2) float32."""
        physics, dt = self.physics, self.interface.control_dt_s
        tee, goal = planar_pose(physics, "tee"), planar_pose(physics, "goal")
        q = physics.joints()
        out = np.empty_like(q)
        for i, mind in enumerate(self._minds):
            pose = np.append(_turned(tee[i, :2] - goal[i, :2], -goal[i, 2]), tee[i, 2] - goal[i, 2])
            pose[2] = (pose[2] + np.pi) % (2 * np.pi) - np.pi
            stick = _turned(q[i] - tee[i, :2], -tee[i, 2])
            velocity = _turned(self._decide(i, mind, pose, stick), tee[i, 2])
            velocity = np.clip(mind.disturb(velocity, dt), -self._speed, self._speed)
            moved = self.interface.control_mode == "joint_velocity"
            out[i] = velocity if moved else q[i] + velocity * dt
        return out.astype(np.float32)

    def _fresh(self, seed: int) -> _Mind:
        return _Mind(None)

    def _decide(self, row: int, mind: _Mind, pose: F64, stick: F64) -> F64:
        """(2,) m/s in the body frame."""
        if mind.planner is None:
            size = self.physics.geom_size
            scale = float(size("tee", row)[1] / (BOXES[0][1][1] * UNIT))
            mind.planner = Planner(Tee(scale, float(size("stick", row)[0]), _MARGIN))
        planner, tee = mind.planner, mind.planner.tee
        if np.hypot(*pose[:2]) < _DONE_M and abs(pose[2]) < _DONE_RAD:
            mind.contact = -1
            return np.zeros(2)
        if mind.contact >= 0 and self._touching(tee, mind.contact, stick):
            left = planner.remaining(pose, mind.contact)
            if left > 0:
                return self._push(tee, mind.contact, stick, left)
            mind.contact = -1
        if mind.contact < 0 or _drifted(pose, mind.pose):
            mind.contact, mind.pose = planner.choose(pose, stick), pose
        return self._walk(tee, mind.contact, stick)

    @staticmethod
    def _touching(tee: Tee, contact: int, stick: F64) -> bool:
        gap, side = _lane(tee, contact, stick)
        return -_BEHIND < gap < 0.003 and abs(side) < 2 * _LANE

    @staticmethod
    def _push(tee: Tee, contact: int, stick: F64, left: float) -> F64:
        direction = tee.push_velocity(contact)
        pace = float(np.linalg.norm(direction))
        speed = float(np.clip(_FEEDBACK * left * pace, _SLOWEST, _PUSH))
        _, side = _lane(tee, contact, stick)
        return direction / pace * speed - _FEEDBACK * side * _tangent(tee.normal[contact])

    @staticmethod
    def _walk(tee: Tee, contact: int, stick: F64) -> F64:
        """Towards the contact: along its lane if in it, else around the T to where it begins."""
        gap, side = _lane(tee, contact, stick)
        normal = tee.normal[contact]
        if abs(side) < _LANE and -_BEHIND < gap < tee.reach[contact] + 0.012:
            speed = np.clip(_FEEDBACK * gap, _SLOWEST, _WALK)
            return np.asarray(normal * speed - _FEEDBACK * side * _tangent(normal))
        if tee.inside(stick):
            nearest = np.linalg.norm(stick - tee.contact + tee.normal * tee.radius, axis=1).argmin()
            return np.asarray(-_WALK * tee.normal[nearest])
        length, target = tee.route(stick, np.array([contact]))
        away = target[0] - stick
        speed = min(_WALK, _FEEDBACK * float(length[0]) + 0.02)
        return np.asarray(away / max(float(np.linalg.norm(away)), 1e-9) * speed)


def planar_pose(physics: Physics, body: str) -> F64:
    """(N, 3) x, y in m and yaw in rad of a body that lies flat."""
    quat = physics.body_quat(body)
    yaw = 2 * np.arctan2(quat[:, 3], quat[:, 0])
    return np.column_stack([physics.body_pos(body)[:, :2], yaw])


def _lane(tee: Tee, contact: int, stick: F64) -> tuple[float, float]:
    """m from stick to surface along a contact's normal, and sideways from it."""
    offset = stick - tee.contact[contact]
    normal = tee.normal[contact]
    return float(-offset @ normal) - tee.radius, float(offset @ _tangent(normal))


def _tangent(normal: F64) -> F64:
    return np.array([-normal[1], normal[0]])


def _turned(vector: F64, angle: float) -> F64:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([c * vector[0] - s * vector[1], s * vector[0] + c * vector[1]])


def _drifted(pose: F64, before: F64 | None) -> bool:
    """Whether the T moved since the contact was chosen."""
    if before is None:
        return True
    return bool(np.hypot(*(pose - before)[:2]) > 0.006 or abs(pose[2] - before[2]) > 0.06)


def pose_error(pose: F64, goal: F64) -> tuple[F64, F64]:
    """(...) m between planar poses (..., 3) of x, y, yaw, and (...) rad in [0, pi]."""
    turned = np.abs((pose[..., 2] - goal[..., 2] + np.pi) % (2 * np.pi) - np.pi)
    return np.linalg.norm(pose[..., :2] - goal[..., :2], axis=-1), turned

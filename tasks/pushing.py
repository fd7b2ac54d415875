"""Pushing with the robot's lower end: what it looks like from above, and how it is steered.

Axes: N rows, P points. Frames: the workspace's; m, rad, s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import mujoco
import numpy as np

from trimix.core.contracts import F64, I64, BoolArray, PolicyInterface
from trimix.sim.differential import down
from trimix.sim.physics import Physics
from trimix.sim.task import Goals
from trimix.tasks.skills import Move, ToolPolicy, _Track

_FEEDBACK = 4.0  # 1/s, of the height
_WALK, _FLY, _CLIMB = 0.22, 0.35, 0.30  # m/s
_ARRIVE = 3.0  # 1/s
_ARRIVED_M = 0.006
_TURN = 0.6  # of the fastest
_END_M = 0.02  # how much of the lower end counts as what pushes
_FAR_M, _LEANS = 0.14, 0.35  # higher above the table or more aslant than this: go by a plan
_UNSTICK = 3.0  # times the feedback
_ABOVE_M = 0.004  # the lower end over what its height is measured from
_ROUND = (
    int(mujoco.mjtGeom.mjGEOM_SPHERE),
    int(mujoco.mjtGeom.mjGEOM_CAPSULE),
    int(mujoco.mjtGeom.mjGEOM_CYLINDER),
)
_BALL = int(mujoco.mjtGeom.mjGEOM_SPHERE)
_CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)


@dataclass(frozen=True, eq=False)
class Steer:
    """Where the tool goes now.

    Args:
        velocity: (2,) m/s in the table's plane.
        height: m of the lower end above the floor; 0 to push.
        yaw: rad of the tool's x axis; None to keep it.
    """

    velocity: F64
    height: float = 0.0
    yaw: float | None = None


@dataclass(frozen=True, eq=False)
class End:
    """A robot's lower end from above: the hull of round points.

    Args:
        points: (P, 2) m from the tool's place.
        round_m: (P,) m, radii of the points.
        below: m of the lowest part under the tool's place.
    """

    points: F64
    round_m: F64
    below: float

    def reach(self, direction: F64) -> float:
        """m from the tool's place to the farthest part in a direction (2,) of length 1."""
        return float((self.points @ direction + self.round_m).max())

    @property
    def radius(self) -> float:
        """m, the mean of `reach` over all directions."""
        turn = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        ways = np.stack([np.cos(turn), np.sin(turn)])
        return float((self.points @ ways + self.round_m[:, None]).max(0).mean())


class Ends:
    """Looks up what the lower ends are like: closed fingers, or a stick.

    Args:
        physics: of which robot.
    """

    def __init__(self, physics: Physics) -> None:
        model, gripper = physics.model, physics.robot.gripper
        names = [part for parts in gripper.fingers for part in parts] if gripper else []
        bodies = [physics.names.find("body", name) for name in names] or [physics.tool_body]
        solid = (model.geom_contype | model.geom_conaffinity).astype(bool)
        self._geoms = np.flatnonzero(np.isin(model.geom_bodyid, bodies) & solid)
        self._physics = physics
        self._pos = physics.batch.bind("geom_xpos")
        self._mat = physics.batch.bind("geom_xmat")

    def __call__(self, row: int) -> End:
        """The row's, as it is now."""
        physics, model = self._physics, self._physics.model
        tool = physics.tool_pos()[row]
        points, radii, lowest = [], [], []
        for g in self._geoms:
            pos = np.asarray(self._pos[row, g]) - tool
            mat = np.asarray(self._mat[row, g]).reshape(3, 3)
            size = physics.parameters.row_field("geom_size", row)[g]
            kind = int(model.geom_type[g])
            if kind in _ROUND:
                half = 0.0 if kind == _BALL else float(size[1])
                found = pos + np.array([[-half], [half]]) * mat[:, 2]
                radius, sink = float(size[0]), 0.0 if kind == _ROUND[2] else float(size[0])
            else:
                box = np.asarray(model.geom_aabb[g])
                found = pos + (box[:3] + _CORNERS * box[3:]) @ mat.T
                radius = sink = 0.0
            points.append(found)
            radii.append(np.full(len(found), radius))
            lowest.append(found[:, 2] - sink)
        if not points:
            return End(np.zeros((1, 2)), np.full(1, 0.01), 0.0)
        at, low = np.concatenate(points), np.concatenate(lowest)
        near = low < low.min() + _END_M
        return End(at[near, :2], np.concatenate(radii)[near], -float(low.min()))


class StickPolicy(ToolPolicy):
    """Steers the tool's end with feedback at every step, gripper closed; it makes no plans.

    Subclasses give `steer`. An arm holds its height, points down and keeps its yaw; a robot that
    moves in the plane alone does what it can of that.

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
        self.ends = Ends(physics)
        self.flies = not physics.robot.planar
        self._yaw = np.full(physics.n, np.nan)

    def steer(self, row: int, tip: F64, end: End, solved: bool) -> Steer:
        """Where the row's tool goes now.

        Args:
            tip: (3,) m, the tool's place.
            end: what pushes.
            solved: whether success holds now.
        """
        raise NotImplementedError

    def floor(self, row: int) -> float:
        """m, height of what the lower end glides over."""
        return 0.0

    def reset(self, rows: BoolArray, seeds: I64) -> None:
        """Plan anew for these rows."""
        super().reset(rows, seeds)
        self._yaw[rows] = np.nan

    def height(self, row: int, tip: F64, end: End) -> float:
        """m, of the lower end over the table."""
        return float(tip[2] - end.below - self.floor(row))

    def closed(self, row: int) -> bool:
        """Whether there are no fingers, or they are closed."""
        gripper = self.physics.robot.gripper
        return gripper is None or bool(self.physics.finger_opening()[row] < 0.1)

    def go(self, tip: F64, to: F64, height: float, yaw: float | None = None) -> Steer:
        """Straight to a place (2,), fast."""
        away = to - tip[:2]
        far = float(np.linalg.norm(away))
        fastest = (_FLY if self.flies else _WALK) * self.scale
        speed = min(fastest, _ARRIVE * far)
        return Steer(away / max(far, 1e-9) * speed, height, yaw)

    def fly(self, tip: F64, to: F64, height: float, over: float, yaw: float | None = None) -> Steer:
        """Up, over to a place (2,), and down there.

        Args:
            height: m, of the lower end now.
            over: m, of the lower end on the way.
        """
        far = float(np.linalg.norm(to - tip[:2]))
        if far < _ARRIVED_M:
            return self.go(tip, to, 0.0, yaw)
        if height < 0.8 * over:
            return Steer(np.zeros(2), over, yaw)
        return self.go(tip, to, over, yaw)

    def target(self, row: int) -> F64:
        """(2,) m, about where the row's work begins."""
        raise NotImplementedError

    def plan(self, row: int, rng: np.random.Generator) -> list[Move]:
        """From wherever the tool is to a hand's breadth above the place, pointing down."""
        height = self.floor(row) + self.ends(row).below + 0.7 * _FAR_M * self.scale
        at = np.append(self.target(row), height)
        return [Move(at, self.tool_yaw(row), 1.0, name="approach")]

    def _far(self, row: int, track: _Track, pos: F64, mat: F64, end: End) -> bool:
        """Whether the row has a plan to follow, or needs one."""
        if track.leg < len(track.plan):
            return True
        track.plan = []
        return self.height(row, pos, end) > _FAR_M * self.scale or mat[2, 2] > -np.cos(_LEANS)

    def _follow(
        self, row: int, track: _Track, pos: F64, mat: F64, solved: bool
    ) -> tuple[F64, F64, F64]:
        track.grip = 1.0
        end = self.ends(row)
        if self.flies and self._far(row, track, pos, mat, end):
            self._yaw[row] = np.nan
            return super()._follow(row, track, pos, mat, solved)
        if np.isnan(self._yaw[row]):
            self._yaw[row] = np.arctan2(mat[1, 0], mat[0, 0])
        steer = self.steer(row, pos, end, solved)
        if steer.yaw is not None:
            turn = (steer.yaw - self._yaw[row] + np.pi) % (2 * np.pi) - np.pi
            most = _TURN * self.physics.robot.tool_speed[1] * self.interface.control_dt_s
            self._yaw[row] += np.clip(turn, -most, most)
        height = self.height(row, pos, end)
        # An arm that presses on the table sticks to it.
        pull = _FEEDBACK * (_UNSTICK if height < 0.0 else 1.0)
        climb = float(np.clip(pull * (steer.height + _ABOVE_M - height), -_CLIMB, _CLIMB))
        still = np.zeros(3)
        return np.append(steer.velocity, climb), still, down(np.asarray(self._yaw[row]))

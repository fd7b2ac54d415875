"""What rows look like: poses, contacts, coverage; all that tasks judge by.

Axes: N rows, D robot joints, P points of an outline. A name may be one string for all rows, or N
of them, one a row: goals differ between rows. Frames: the workspace's; m, rad, s.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mujoco
import mujoco.batch
import numpy as np

from trimix.core.contracts import F64, I64, BoolArray
from trimix.sim.contacts import ROBOT, TABLE, finger, sensor
from trimix.sim.names import Names
from trimix.sim.parameters import Parameters
from trimix.sim.robots.robot import Robot

Names_ = str | Sequence[str]
Boxes = Sequence[tuple[Sequence[float], Sequence[float]]]
"""An outline seen from above: (centre, half extents) of boxes in the body's frame, in m."""
STILL_M_S, STILL_RAD_S = 0.03, 0.4
"""Below these a prop is at rest: what a hand's tremor would give it."""
_GRID = 48


class Queries:
    """Reads of a batch; nothing here changes it."""

    model: mujoco.MjModel
    parameters: Parameters
    n: int

    def __init__(self, names: Names, batch: mujoco.batch.Batch, robot: Robot) -> None:
        self.names, self.robot, self.scale = names, robot, robot.cell.scale
        self.qpos: Any = batch.bind("qpos")
        self.qvel: Any = batch.bind("qvel")
        self._batch = batch
        self._xpos, self._xmat = batch.bind("xpos"), batch.bind("xmat")
        self._site_xpos, self._site_xmat = batch.bind("site_xpos"), batch.bind("site_xmat")
        self._sensordata = batch.bind("sensordata")
        self._every = np.arange(batch.nsim)
        self._addresses: dict[tuple[str, str], list[int]] = {}
        where = f"robot {robot.name!r}: {robot.xml}"
        joints = [names.find("joint", j, where) for j in robot.joints]
        self.joint_qpos = self.model.jnt_qposadr[joints]
        self.joint_dof = self.model.jnt_dofadr[joints]
        self._tool = names.find("site", robot.tool, where)
        self.tool_body = int(self.model.site_bodyid[self._tool])
        fingers = robot.gripper.actuators if robot.gripper else ()
        self.finger_qpos = np.array([self.joint_address(f) for f in fingers], int)
        for parts in robot.gripper.fingers if robot.gripper else ():
            for part in parts:
                names.find("body", part, where)

    # The robot.

    def joints(self) -> F64:
        """(N, D) robot joint positions in rad or m."""
        return np.array(self.qpos[:, self.joint_qpos])

    def joint_velocities(self) -> F64:
        """(N, D) in rad/s or m/s."""
        return np.array(self.qvel[:, self.joint_dof])

    def tool_pos(self) -> F64:
        """(N, 3) m: between the finger tips, or the tip of the stick."""
        return np.array(self._site_xpos[:, self._tool])

    def tool_mat(self) -> F64:
        """(N, 3, 3) rotation of the tool; columns are its axes."""
        return np.array(self._site_xmat[:, self._tool]).reshape(-1, 3, 3)

    def tool_jacobian(self) -> F64:
        """(N, 6, D): m/s and rad/s of the tool in the workspace frame for each joint's velocity."""
        jacp, jacr = self._batch.jac(self.tool_body, self.tool_pos())
        return np.concatenate([jacp, jacr], axis=1)[:, :, self.joint_dof]

    def finger_opening(self) -> F64:
        """(N,) in [0, 1]: 1 fully open; 1 for a robot without fingers."""
        gripper = self.robot.gripper
        if gripper is None:
            return np.ones(self.n)
        opened, closed = np.array(gripper.open), np.array(gripper.closed)
        part = (self.qpos[:, self.finger_qpos] - opened) / (closed - opened)
        return np.asarray(1 - part.mean(1))

    # Bodies.

    def body_pos(self, name: Names_) -> F64:
        """(N, 3) m."""
        return np.array(self._xpos[self._every, self._ids("body", name)])

    def body_mat(self, name: Names_) -> F64:
        """(N, 3, 3) rotation; columns are the body's axes."""
        return np.array(self._xmat[self._every, self._ids("body", name)]).reshape(-1, 3, 3)

    def yaw(self, name: Names_) -> F64:
        """(N,) rad, of the body's x axis seen from above."""
        mat = self.body_mat(name)
        return np.arctan2(mat[:, 1, 0], mat[:, 0, 0])

    def upright(self, name: Names_, within_rad: float = 0.26) -> BoolArray:
        """(N,) whether the body's z axis points up."""
        return np.asarray(self.body_mat(name)[:, 2, 2] > np.cos(within_rad))

    def speed(self, name: Names_) -> tuple[F64, F64]:
        """(N,) m/s and (N,) rad/s of a free body."""
        at = self._dofs(name)
        rows = self._every[:, None]
        linear = np.asarray(self.qvel)[rows, at[:, None] + np.arange(3)]
        angular = np.asarray(self.qvel)[rows, at[:, None] + np.arange(3, 6)]
        return np.linalg.norm(linear, axis=1), np.linalg.norm(angular, axis=1)

    def site(self, name: Names_) -> F64:
        """(N, 3) m."""
        return np.array(self._site_xpos[self._every, self._ids("site", name)])

    def joint(self, name: Names_) -> F64:
        """(N,) m or rad of a fixture's slide or hinge."""
        ids = self._ids("joint", name)
        return np.array(np.asarray(self.qpos)[self._every, self.model.jnt_qposadr[ids]])

    def geom_size(self, name: str, row: int) -> F64:
        """(3,) m, size of a geom in a row, randomization included."""
        sizes = self.parameters.row_field("geom_size", row)
        return np.array(sizes[self.names.find("geom", name)])

    # Relations.

    def touching(self, a: Names_, b: Names_) -> BoolArray:
        """(N,) whether two of props, fixtures, "table", "robot", "finger_0", ... touch."""
        if isinstance(a, str) and isinstance(b, str):
            return np.asarray(self._sensordata[:, self._contact(a, b)].any(axis=1))
        left = [a] * self.n if isinstance(a, str) else a
        right = [b] * self.n if isinstance(b, str) else b
        return np.array(
            [
                bool(self._sensordata[i, self._contact(x, y)].any())
                for i, (x, y) in enumerate(zip(left, right, strict=True))
            ]
        )

    def gripped(self, name: Names_) -> BoolArray:
        """(N,) whether at least two fingers touch a prop."""
        fingers = len(self.robot.gripper.fingers) if self.robot.gripper else 0
        touching = [self.touching(name, finger(k)) for k in range(fingers)]
        return np.asarray(np.sum(touching, axis=0) >= 2) if fingers else np.zeros(self.n, bool)

    def held(self, name: Names_) -> BoolArray:
        """(N,) whether the gripper bears a prop: at least two fingers touch it, the table not."""
        return np.asarray(self.gripped(name) & ~self.touching(name, TABLE))

    def free(self, name: Names_) -> BoolArray:
        """(N,) whether no part of the robot touches a prop."""
        return ~self.touching(name, ROBOT)

    def resting(self, name: Names_) -> BoolArray:
        """(N,) whether a prop is still, and no part of the robot touches it."""
        linear, angular = self.speed(name)
        return np.asarray((linear < STILL_M_S) & (angular < STILL_RAD_S) & self.free(name))

    def on(self, name: Names_, support: Names_) -> BoolArray:
        """(N,) whether a prop rests, and touches a support below its middle."""
        above = self.body_pos(name)[:, 2] > self.body_pos(support)[:, 2]
        return np.asarray(self.resting(name) & self.touching(name, support) & above)

    def inside(self, name: Names_, zone: Names_, margin_m: float = 0.0) -> BoolArray:
        """(N,) whether a body's middle lies in the box of a site.

        Args:
            zone: a site of type box.
            margin_m: by which it must lie inside, in x and y.
        """
        ids = self._ids("site", zone)
        at = self._site_xpos[self._every, ids]
        mat = np.asarray(self._site_xmat[self._every, ids]).reshape(-1, 3, 3)
        local = np.einsum("nji,nj->ni", mat, self.body_pos(name) - at)
        half = self.model.site_size[ids] - np.array([margin_m, margin_m, 0.0])
        return np.asarray((np.abs(local) < half).all(axis=-1))

    def coverage(self, name: str, outline: Boxes, goal: F64) -> F64:
        """(N,) part of a goal's outline that a flat-lying body covers, seen from above.

        Args:
            outline: the body's and the goal's, at the size that the model has without
                randomization.
            goal: (N, 3) x, y in m and yaw in rad of the goal.

        As in Push-T (Chi et al., RSS 2023): intersection area over the goal's area, here by a
        lattice of points.
        """
        points = _filled(outline)
        pose = np.column_stack([self.body_pos(name)[:, :2], self.yaw(name)])
        there = _placed(points, goal)
        away = there - pose[:, None, :2]
        c, s = np.cos(pose[:, 2])[:, None], np.sin(pose[:, 2])[:, None]
        local = np.stack(
            [c * away[..., 0] + s * away[..., 1], c * away[..., 1] - s * away[..., 0]], -1
        )
        return np.asarray(_within(local, outline).mean(axis=1))

    def joint_address(self, name: str) -> int:
        """Where a joint's position begins in qpos."""
        return int(self.model.jnt_qposadr[self.names.find("joint", name)])

    def _dofs(self, name: Names_) -> I64:
        ids = self._ids("joint", name)
        return np.broadcast_to(self.model.jnt_dofadr[ids], (self.n,)).astype(np.int64)

    def _ids(self, kind: str, name: Names_) -> Any:
        if isinstance(name, str):
            return self.names.find(kind, name)
        return np.array([self.names.find(kind, each) for each in name])

    def _contact(self, a: str, b: str) -> list[int]:
        """Addresses of a pair's sensors: several where a finger has several bodies."""
        if (a, b) not in self._addresses:
            self._addresses[a, b] = self._find_contact(a, b)
        return self._addresses[a, b]

    def _find_contact(self, a: str, b: str) -> list[int]:
        found = []
        for x in self._parts(a):
            for y in self._parts(b):
                at = self.names.find("sensor", sensor(x, y), f"contact of {a!r} and {b!r}")
                found.append(int(self.model.sensor_adr[at]))
        return found

    def _parts(self, name: str) -> list[str]:
        gripper = self.robot.gripper
        for k, parts in enumerate(gripper.fingers if gripper else ()):
            if name == finger(k):
                return [f"{name}.{i}" for i in range(len(parts))]
        return [name]


def _filled(outline: Boxes) -> F64:
    """(P, 2) points spread evenly over an outline."""
    centers = np.array([c[:2] for c, _ in outline])
    halves = np.array([h[:2] for _, h in outline])
    low, high = (centers - halves).min(0), (centers + halves).max(0)
    # A golden-ratio lattice: no shift along an edge moves a whole column of points out at once.
    k = np.arange(_GRID**2)
    part = np.column_stack([(k + 0.5) / len(k), (k * 0.5 * (5**0.5 - 1) + 0.5) % 1.0])
    points = low + part * (high - low)
    return np.asarray(points[_within(points, outline)])


def _within(points: F64, outline: Boxes) -> BoolArray:
    """(...) whether points (..., 2) lie in any box."""
    inside = [(np.abs(points - np.asarray(c[:2])) <= np.asarray(h[:2])).all(-1) for c, h in outline]
    return np.asarray(np.any(inside, axis=0))


def _placed(points: F64, pose: F64) -> F64:
    """(N, P, 2) points (P, 2) of a frame at poses (N, 3)."""
    c, s = np.cos(pose[:, 2])[:, None], np.sin(pose[:, 2])[:, None]
    x, y = points[:, 0], points[:, 1]
    return np.stack([c * x - s * y, s * x + c * y], -1) + pose[:, None, :2]

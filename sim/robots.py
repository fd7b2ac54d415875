"""Robots a scene can be built around, a file each: joints, limits, what they may be told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trimix.core.contracts import F64, Channel
from trimix.core.errors import unknown
from trimix.core.registry import Registry

MODES = ("joint_velocity", "joint_position")


@dataclass(frozen=True)
class Robot:
    """One robot; tasks ask it for a gripper or a tool, never for a joint's number.

    Args:
        name, xml: registered name, asset file.
        joints: the D moved joints; their position actuators carry the same names.
        unit: "rad" or "m", of the joints.
        speed_limit: (D,) unit/s.
        home: (D,) mean start pose, in unit.
        home_spread: (D, D) lower factor L of its covariance L L^T.
        mount: (3,) m, where the base stands.
        tool: site between the finger tips, or at the tip of the stick.
        fingers: actuators of the gripper; empty when the robot has none.
        finger_open, finger_closed: their commands in m.
    """

    name: str
    xml: str
    joints: tuple[str, ...]
    unit: str
    speed_limit: tuple[float, ...]
    home: tuple[float, ...]
    home_spread: tuple[tuple[float, ...], ...]
    mount: tuple[float, float, float] = (0.0, 0.0, 0.0)
    tool: str = "tool"
    fingers: tuple[str, ...] = ()
    finger_open: float = 0.0
    finger_closed: float = 0.0

    def state_channels(self) -> tuple[Channel, ...]:
        """Joint positions, (D,)."""
        return tuple(Channel(j, self.unit) for j in self.joints)

    def action_channels(self, control_mode: str, joint_limits: F64) -> tuple[Channel, ...]:
        """One command a joint, then the gripper's (0 open, 1 closed) if there is one, (A,).

        Args:
            control_mode: joint_velocity | joint_position.
            joint_limits: (D, 2) in unit, infinite where there is none.

        Raises:
            ConfigError: another control mode.
        """
        if control_mode not in MODES:
            raise unknown("control mode", control_mode, MODES, where=f"robot {self.name!r}")
        if control_mode == "joint_velocity":
            moved = tuple(
                Channel(f"{j}_vel", f"{self.unit}/s", -v, v)
                for j, v in zip(self.joints, self.speed_limit, strict=True)
            )
        else:
            ends = [[float(x) if np.isfinite(x) else None for x in row] for row in joint_limits]
            moved = tuple(
                Channel(f"{j}_pos", self.unit, low, high)
                for j, (low, high) in zip(self.joints, ends, strict=True)
            )
        gripper = (Channel("gripper", "", 0.0, 1.0),) if self.fingers else ()
        return moved + gripper


ROBOTS = Registry(
    "robot",
    {"cr5": "trimix.sim.robot_cr5:CR5", "gantry": "trimix.sim.robot_gantry:GANTRY"},
)

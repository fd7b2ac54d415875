"""A robot's place of work: where its base stands beside the table, and what it reaches there.

Frames: the workspace's has its origin on the table's top in the middle of what the robot reaches,
x away from the robot, y to its left, z up. It is the world frame of every scene.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

REACH_M = (0.13, 0.21)
"""Half of the nominal area, in x and y, that tasks lay their props out in."""


@dataclass(frozen=True)
class Cell:
    """Where a robot stands in the workspace.

    Args:
        base: (3,) m, the base in the workspace frame.
        yaw: rad, of the base about z.
        scale: of everything that tasks put on the table: 1 is an arm that reaches all of REACH_M
            (and 0.25 m above it) with a gripper that takes 6 cm.
        table: (x, x, y, y) m, the table's edges.
    """

    base: tuple[float, float, float]
    yaw: float = 0.0
    scale: float = 1.0
    table: tuple[float, float, float, float] = (-0.35, 0.55, -0.60, 0.60)

    def mount(self, root: mujoco.MjsBody) -> None:
        """Put a robot's base body where it stands."""
        root.pos = list(self.base)
        root.quat = [np.cos(self.yaw / 2), 0.0, 0.0, np.sin(self.yaw / 2)]

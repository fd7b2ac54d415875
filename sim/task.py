"""What a task must give; one file a task in trimix.tasks."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from trimix.core.contracts import F32, BoolArray, Policy, PolicyInterface
from trimix.randomization.vary import Vary
from trimix.sim.physics import Physics, Row
from trimix.sim.scene import Scene


class Task(Protocol):
    """Scene, start, reward, success and expert; it asks for a gripper, not for a joint number.

    Attributes:
        name: registered name.
        robot: registered name of the robot it is set up for.
        instructions: what the robot is asked to do, in words; an episode draws one of them.
        time_limit_s: after this long without success the episode is cut.
        hold_s: success must hold for this long; never one lucky frame.
        cameras: the cameras that make sense for it; the first is the default.
    """

    name: str
    robot: str
    instructions: tuple[str, ...]
    time_limit_s: float
    hold_s: float
    cameras: tuple[str, ...]

    def compose(self, scene: Scene) -> None:
        """Table, props, lights and fixed cameras into the scene."""

    def start(self, row: Row, rng: np.random.Generator) -> None:
        """The initial state of one row, whose randomization is already applied."""

    def reward(self, physics: Physics) -> F32:
        """(N,) reward of the state just reached, in [0, 1]."""

    def success(self, physics: Physics) -> BoolArray:
        """(N,) whether the goal holds in this state; the world adds the hold time."""

    def expert(self, physics: Physics, interface: PolicyInterface) -> Policy:
        """A scripted policy that sees the simulator's state."""

    def axes(self) -> tuple[Vary, ...]:
        """Axes of this task's own that mild and strong vary as well; usually none."""

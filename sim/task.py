"""What a task must give; one file a task in trimix.tasks.

Axes: N rows. Frames: the workspace's (see sim.cell).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from trimix.core.contracts import F32, BoolArray, Goal, Policy, PolicyInterface
from trimix.randomization.vary import Vary
from trimix.sim.physics import Physics, Row
from trimix.sim.scene import Scene

Goals = Sequence[Goal]
"""N goals, one a row; the world's own list, which changes as rows begin anew."""


@dataclass(frozen=True)
class Cheater:
    """A scripted way to look successful without being it: none may score.

    Args:
        name: what it does, e.g. "hover".
        policy: makes it, from the physics, the live goals and the interface.
    """

    name: str
    policy: Callable[[Physics, Goals, PolicyInterface], Policy]


class Task(Protocol):
    """Scene, start, reward, success, expert and cheaters; asks for a gripper, not a joint number.

    Attributes:
        name: registered name.
        robot: registered name of the robot that it is shown with unless one is asked for.
        gripper: whether it needs one.
        time_limit_s: after this long without success the episode is cut.
        hold_s: success must hold for this long; never one lucky frame.
        lets_go: success must outlast that the gripper opens and withdraws; else that the robot
            holds still and is pushed.
        cameras: the cameras that make sense for it; the first is the default.
    """

    name: str
    robot: str
    gripper: bool
    time_limit_s: float
    hold_s: float
    lets_go: bool
    cameras: tuple[str, ...]

    @property
    def cheaters(self) -> tuple[Cheater, ...]:
        """At least five."""

    def compose(self, scene: Scene) -> None:
        """Table, props, lights and fixed cameras into the scene."""

    def start(self, row: Row, rng: np.random.Generator) -> Goal:
        """The initial state of one row, whose randomization is already applied, and its goal.

        A start that is solved already is drawn again by the world.
        """

    def reward(self, physics: Physics, goals: Goals) -> F32:
        """(N,) reward of the state just reached, in [0, 1]: 1 where success holds."""

    def success(self, physics: Physics, goals: Goals) -> BoolArray:
        """(N,) whether the goal holds in this state; the world adds the hold time."""

    def subgoals(self, physics: Physics, goals: Goals) -> Mapping[str, BoolArray]:
        """name -> (N,) whether that part of the way is behind, in the order they are reached."""

    def expert(self, physics: Physics, goals: Goals, interface: PolicyInterface) -> Policy:
        """A scripted policy that sees the simulator's state."""

    def axes(self) -> tuple[Vary, ...]:
        """Axes of this task's own that mild and strong vary as well; usually none."""

"""Where policies act, as frozen dataclasses that can be sent to any process."""

from __future__ import annotations

from typing import Protocol

from trimix.core.contracts import Json, World
from trimix.core.registry import Registry


class WorldSpec(Protocol):
    """A world that is not made yet: a frozen, picklable dataclass."""

    @property
    def name(self) -> str:
        """What episodes and suites call it, e.g. "mujoco:mild"."""

    @property
    def task(self) -> str:
        """What is done in it; "" where that hangs on the data that it begins at."""

    @property
    def robot_type(self) -> str:
        """What data sets that are collected in it call their robot."""

    def make(self, rows: int) -> World:
        """The world with so many rows.

        Raises:
            TrimixError: something that it names does not exist, or cannot be used.
        """

    def reads(self) -> Json:
        """What decides the world besides code: settings, and content digests of what it opens."""

    def code(self) -> tuple[str, ...]:
        """The modules from which the code of the world is reached."""


WORLDS = Registry(
    "world",
    {
        "mujoco": "trimix.rollout.mujoco:MujocoSpec",
        "dream": "trimix.rollout.dream:DreamSpec",
        "gym": "trimix.rollout.foreign:GymSpec",
        "dm_control": "trimix.rollout.foreign:DmControlSpec",
    },
    needs=("make", "reads", "code"),
)
"""name -> WorldSpec class; a world of your own is named as "module:class"."""

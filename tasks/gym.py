"""Gymnasium ids: gymnasium.make("trimix.tasks.gym:trimix/BananaOnPlate-v0").

The one module whose import does something: Gymnasium's "module:id" imports it to register the ids.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym

from trimix.sim.adapters import GymEnv
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS


def gym_id(task: str) -> str:
    """The Gymnasium id of a registered task, e.g. "trimix/PushT-v0"."""
    return "trimix/" + "".join(word.capitalize() for word in task.split("_")) + "-v0"


def register() -> None:
    """Register an id for every task."""
    for task in TASKS:
        # The world truncates and checks by itself, and an instruction is not an array.
        gym.register(
            id=gym_id(task),
            entry_point="trimix.tasks.gym:make",
            kwargs={"task": task},
            disable_env_checker=True,
        )


def make(
    task: str,
    randomization: str = "none",
    cameras: tuple[str, ...] = (),
    image_hw: tuple[int, int] = (64, 64),
    control_mode: str = "joint_velocity",
    control_dt_s: float = 0.1,
    render_mode: str | None = None,
) -> gym.Env[Any, Any]:
    """One row of a task in MuJoCo."""
    config = MujocoConfig(cameras, image_hw, control_mode, control_dt_s)
    world = MujocoWorld(TASKS[task](), 1, randomization=randomization, config=config)
    return GymEnv(world, render_mode)


register()

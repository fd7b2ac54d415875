"""Worlds of other libraries: any Gymnasium environment, any task of dm_control.

Axes: H x W pixels, D state channels, A action channels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, TypeVar

import numpy as np

from trimix.core.contracts import Channel, Json, PolicyInterface
from trimix.core.errors import ConfigError, TrimixError
from trimix.core.plain import plain
from trimix.data.files import compact_json, text_digest
from trimix.rollout.foreign_dm_control import (
    MANIPULATION,
    ManipulationEnvironment,
    SuiteEnvironment,
)
from trimix.rollout.foreign_gym import GymEnvironment, entry_module
from trimix.rollout.foreign_row import Diverged, Environment, Seen, fault_text, require_finite
from trimix.rollout.foreign_world import ForeignWorld
from trimix.sim.cameras import name_renderer

CONTROL_MODE = "undeclared"
UNLIMITED_STEPS = 1000
"""Longest episode of an environment without a time limit of its own."""

_E = TypeVar("_E", bound=Environment)


@dataclass(frozen=True)
class GymSpec:
    """A Gymnasium environment.

    Its cameras are the pictures (H, W, 3) uint8 in its observation, and "view", which is its
    render(); its state is all else in its observation, in order: channel "goal_2" is number 2 of
    the entry "goal".

    Args:
        id: e.g. "InvertedPendulum-v5", or "module:id" for a module that registers it.
        kwargs: of its constructor.
        cameras: which of its cameras are seen; () is those of its observation, else "view".
        image_hw: what every picture is scaled to.
        control_dt_s: its control period; 0: its `dt`, else the frame rate that it declares.
        seconds: time limit; 0: the environment's own.
        success: the entry of its info that says success; "" is "success" or "is_success", if a
            first step's info has one.
        success_reward: a step with this reward or more is a success; 0: no reward is.
        instruction: what policies are told.
    """

    id: str = ""
    kwargs: dict[str, Any] = field(default_factory=dict)
    cameras: tuple[str, ...] = ()
    image_hw: tuple[int, int] = (64, 64)
    control_dt_s: float = 0.0
    seconds: float = 0.0
    success: str = ""
    success_reward: float = 0.0
    instruction: str = "do the task"

    @property
    def name(self) -> str:
        """With the environment's id."""
        return f"gym:{self.id}"

    @property
    def task(self) -> str:
        """The environment's id."""
        return self.id

    @property
    def robot_type(self) -> str:
        """The environment's id."""
        return self.id

    def make(self, rows: int) -> ForeignWorld:
        """The world.

        Raises:
            ConfigError: no such environment, its actions are no vector with limits, it has no
                picture, or its first steps fail; the error says what does not fit.
        """
        _check(self.name, self.image_hw, self.control_dt_s, self.seconds, self.success_reward)
        with ExitStack() as stack:
            made = _rows(rows, self._environment, stack)
            first = made[0]
            # In every row: a viewer of Gymnasium's looks at where things were at its first picture.
            seen, *_ = [_first_step(row, self.name) for row in made]
            dt = self.control_dt_s or first.period()
            versions, source = first.made_by()
            world = ForeignWorld(
                made,
                _interface(first, self.image_hw, dt),
                name=self.name,
                task=self.task,
                instruction=self.instruction,
                seconds=self.seconds or (first.limit() or UNLIMITED_STEPS) * dt,
                model_hash=_hash(self.reads(), versions, source),
                versions=versions,
                tells_success=bool(self.success) or seen.success is not None,
                success_reward=self.success_reward,
            )
            stack.pop_all()
        return world

    def reads(self) -> Json:
        """Its settings."""
        return ["gym", plain(self)]

    def code(self) -> tuple[str, ...]:
        """This module, the one that is named before the environment's id, "module:id", and the
        environment's own; Gymnasium's are known by its version."""
        module, named, _ = self.id.rpartition(":")
        entry = entry_module(self.id)
        theirs = [module] if named else []
        return (__name__, *dict.fromkeys([*theirs, *([entry] if entry else [])]))

    def _environment(self) -> GymEnvironment:
        return GymEnvironment(
            self.id,
            self.kwargs,
            name=self.name,
            cameras=self.cameras,
            image_hw=self.image_hw,
            success=self.success,
        )


@dataclass(frozen=True)
class DmControlSpec:
    """A task of dm_control's suite, or one of its manipulation tasks.

    Its cameras are the pictures in its observation (manipulation's "vision" tasks), and those of
    its model; its state is all else in its observation. It says how well by its reward, and never
    when it is done.

    Args:
        domain, task_name: e.g. "reacher", "easy", or "manipulation", "stack_2_bricks_vision".
        cameras: which of its cameras are seen; () is those of its observation, else the model's
            first.
        image_hw: of every picture; those in its observation are scaled to it.
        control_dt_s: control period; 0 is the task's own, and manipulation has no other.
        seconds: time limit; 0 is the task's own, and manipulation takes no longer one.
        success_reward: a step with this reward or more is a success; 0: no reward is.
        instruction: what policies are told.
    """

    domain: str = "reacher"
    task_name: str = "easy"
    cameras: tuple[str, ...] = ()
    image_hw: tuple[int, int] = (64, 64)
    control_dt_s: float = 0.0
    seconds: float = 0.0
    success_reward: float = 0.0
    instruction: str = "do the task"

    @property
    def name(self) -> str:
        """With the domain and task."""
        return f"dm_control:{self.task}"

    @property
    def task(self) -> str:
        """The domain and task."""
        return f"{self.domain}/{self.task_name}"

    @property
    def robot_type(self) -> str:
        """The suite's domain; manipulation's arm."""
        return "jaco_arm" if self.domain == MANIPULATION else self.domain

    def make(self, rows: int) -> ForeignWorld:
        """The world.

        Raises:
            MissingError: dm_control is not installed.
            ConfigError: no such task or camera, a setting that it does not take, or actions that
                are no vector with limits.
        """
        _check(self.name, self.image_hw, self.control_dt_s, self.seconds, self.success_reward)
        with ExitStack() as stack:
            made = _rows(rows, self._environment, stack)
            first = made[0]
            _first_step(first, self.name)
            dt, limit = first.period(), first.limit_s()
            if self.domain == MANIPULATION and self.seconds > limit:
                raise ConfigError(
                    f"seconds is {self.seconds:g}; its episodes end after {limit:g}",
                    where=self.name,
                    do=f"at most {limit:g}",
                )
            versions = {name: version(name) for name in ("dm_control", "mujoco", "numpy")}
            world = ForeignWorld(
                made,
                _interface(first, self.image_hw, dt),
                name=self.name,
                task=self.task,
                instruction=self.instruction,
                seconds=self.seconds or (limit if math.isfinite(limit) else UNLIMITED_STEPS * dt),
                model_hash=_hash(self.reads(), versions),
                versions=versions,
                tells_success=False,
                success_reward=self.success_reward,
            )
            stack.pop_all()
        return world

    def reads(self) -> Json:
        """Its settings."""
        return ["dm_control", plain(self)]

    def code(self) -> tuple[str, ...]:
        """This module; the task is known by its library's version."""
        return (__name__,)

    def _environment(self) -> ManipulationEnvironment | SuiteEnvironment:
        kind = ManipulationEnvironment if self.domain == MANIPULATION else SuiteEnvironment
        return kind(
            self.domain,
            self.task_name,
            cameras=self.cameras,
            image_hw=self.image_hw,
            control_dt_s=self.control_dt_s,
        )


def _check(name: str, image_hw: Sequence[int], dt: float, seconds: float, reward: float) -> None:
    if len(image_hw) != 2 or min(image_hw) < 1:
        raise ConfigError(f"image_hw is {list(image_hw)}", where=name, do="height, width in pixels")
    for key, value in (("control_dt_s", dt), ("seconds", seconds), ("success_reward", reward)):
        if not 0 <= value < math.inf:
            raise ConfigError(f"{key} is {value:g}", where=name, do="0 or more")


def _rows(count: int, make: Callable[[], _E], stack: ExitStack) -> list[_E]:
    """The environments; the stack closes them if anything fails later."""
    name_renderer()
    made = []
    for _ in range(count):
        made.append(make())
        stack.callback(made[-1].close)
    return made


def _first_step(environment: Environment, where: str) -> Seen:
    """What one step from a reset shows: what cannot work fails here, and not in an episode.

    Raises:
        ConfigError: it failed, or what it gave cannot be used.
    """
    try:
        middle = np.asarray((environment.low + environment.high) / 2, np.float32)
        require_finite(environment.reset(0), environment.state)
        seen = environment.step(middle)
        require_finite(seen, environment.state)
    except TrimixError:
        raise
    except Diverged as fault:
        raise ConfigError(f"its first step: {fault}", where=where) from fault
    except Exception as fault:
        raise ConfigError(
            fault_text(fault),
            where=f"{where}, first step",
            do="its reset, step and picture must work",
        ) from fault
    return seen


def _interface(
    first: Environment, image_hw: tuple[int, int], control_dt_s: float
) -> PolicyInterface:
    limits = enumerate(zip(first.low, first.high, strict=True))
    return PolicyInterface(
        cameras=dict.fromkeys(first.cameras, image_hw),
        state=tuple(Channel(name) for name in first.state),
        action=tuple(Channel(f"action_{i}", low=float(a), high=float(b)) for i, (a, b) in limits),
        control_mode=CONTROL_MODE,
        control_dt_s=control_dt_s,
    )


def _hash(reads: Json, versions: dict[str, str], source: str = "") -> str:
    return text_digest(compact_json([reads, plain(versions), text_digest(source)]))

"""Worlds of other libraries: any Gymnasium environment, any task of dm_control's suite.

Axes: H x W pixels, D state channels, A action channels.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import gymnasium as gym
import numpy as np

from trimix.core.contracts import F32, U8, Channel, Json, PolicyInterface
from trimix.core.errors import ConfigError, MissingError
from trimix.core.plain import plain
from trimix.data.files import compact_json, text_digest
from trimix.data.images import resize
from trimix.rollout.foreign_world import ForeignWorld, Seen

SUCCESS = ("success", "is_success")
"""What environments call success in their info."""
CAMERA = "view"
CONTROL_MODE = "undeclared"


@dataclass(frozen=True)
class GymSpec:
    """A Gymnasium environment: rendered pictures, its flattened observation as the state.

    Args:
        id: e.g. "InvertedPendulum-v5", or "module:id" for a module that registers it.
        kwargs: of its constructor.
        image_hw: what its picture is scaled to.
        control_dt_s: its control period; 0: by the frame rate that it declares.
        seconds: time limit; 0: the environment's own.
        instruction: what policies are told.
    """

    id: str = ""
    kwargs: dict[str, Any] = field(default_factory=dict)
    image_hw: tuple[int, int] = (64, 64)
    control_dt_s: float = 0.0
    seconds: float = 0.0
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
            ConfigError: no such environment, or its actions are no vector with limits.
        """
        _require_offscreen()
        made = [self._environment() for _ in range(rows)]
        first = made[0]
        probe, tells = first.probe()
        dt = self.control_dt_s or first.period()
        limit = first.limit() * dt
        return ForeignWorld(
            made,
            _interface(probe, first.low, first.high, dt),
            name=self.name,
            task=self.task,
            instruction=self.instruction,
            seconds=self.seconds or limit,
            model_hash=text_digest(compact_json([self.reads(), version("gymnasium")])),
            versions={"gymnasium": version("gymnasium"), "numpy": version("numpy")},
            tells_success=tells,
        )

    def reads(self) -> Json:
        """Its settings."""
        return ["gym", plain(self)]

    def code(self) -> tuple[str, ...]:
        """This module, and the one that is named before the environment's id, "module:id".

        Any other environment is known by its library's version.
        """
        module, named, _ = self.id.rpartition(":")
        return (__name__, module) if named else (__name__,)

    def _environment(self) -> _Gym:
        if not self.id:
            raise ConfigError("no environment is named", do="e.g. settings.id=InvertedPendulum-v5")
        try:
            env = gym.make(
                self.id,
                render_mode="rgb_array",
                max_episode_steps=-1,  # this world has a time limit of its own
                disable_env_checker=True,
                **self.kwargs,
            )
        except (gym.error.Error, ImportError, TypeError) as fault:
            raise ConfigError(
                " ".join(str(fault).split()) or type(fault).__name__, where=f"gym id {self.id!r}"
            ) from fault
        return _Gym(env, self.image_hw, self.name)


class _Gym:
    """One Gymnasium environment."""

    def __init__(self, env: gym.Env[Any, Any], image_hw: tuple[int, int], name: str) -> None:
        space = env.action_space
        if not isinstance(space, gym.spaces.Box) or not np.isfinite([space.low, space.high]).all():
            raise ConfigError(
                f"its actions are {space}, not a vector with limits",
                where=name,
                do="wrap it in an environment whose actions are",
            )
        self._env, self._space, self._image_hw = env, space, image_hw
        self.low = space.low.reshape(-1).astype(np.float32)
        self.high = space.high.reshape(-1).astype(np.float32)

    def probe(self) -> tuple[Seen, bool]:
        """What it shows, and whether it tells success: by one step from a reset."""
        self.reset(0)
        seen = self.step(np.asarray((self.low + self.high) / 2, np.float32))
        return seen, seen.success is not None

    def period(self) -> float:
        rate = self._env.metadata.get("render_fps")
        if not rate:
            raise ConfigError("it does not say its rate", do="set control_dt_s")
        return 1.0 / float(rate)

    def limit(self) -> int:
        spec = gym.spec(self._env.spec.id) if self._env.spec else None
        return (spec.max_episode_steps if spec else None) or 1000

    def reset(self, seed: int) -> Seen:
        observation, info = self._env.reset(seed=seed)
        return self._seen(observation, info)

    def step(self, action: F32) -> Seen:
        shaped = action.reshape(self._space.shape).astype(self._space.dtype)
        observation, reward, terminated, truncated, info = self._env.step(shaped)
        return self._seen(observation, info, float(reward), bool(terminated), bool(truncated))

    def close(self) -> None:
        self._env.close()

    def _seen(self, observation: Any, info: Mapping[str, Any], *rest: Any) -> Seen:
        state = gym.spaces.flatten(self._env.observation_space, observation)
        told = [bool(info[key]) for key in SUCCESS if key in info]
        picture = np.asarray(self._env.render(), np.uint8)
        seen = Seen(np.asarray(state, np.float32), _scaled(picture, self._image_hw), *rest)
        return Seen(**{**vars(seen), "success": told[0] if told else None})


@dataclass(frozen=True)
class DmControlSpec:
    """A task of dm_control's suite: its own pictures, its flattened observation as the state.

    Args:
        domain, task_name: e.g. "reacher", "easy".
        camera: number of the model's camera.
        image_hw: of the picture.
        control_dt_s: control period; 0 is the task's own.
        seconds: time limit.
        instruction: what policies are told.
    """

    domain: str = "reacher"
    task_name: str = "easy"
    camera: int = 0
    image_hw: tuple[int, int] = (64, 64)
    control_dt_s: float = 0.0
    seconds: float = 20.0
    instruction: str = "do the task"

    @property
    def name(self) -> str:
        """With the suite's domain and task."""
        return f"dm_control:{self.domain}/{self.task_name}"

    @property
    def task(self) -> str:
        """The suite's domain and task."""
        return f"{self.domain}/{self.task_name}"

    @property
    def robot_type(self) -> str:
        """The suite's domain."""
        return self.domain

    def make(self, rows: int) -> ForeignWorld:
        """The world.

        Raises:
            MissingError: dm_control is not installed.
            ConfigError: no such task.
        """
        _require_offscreen()
        made = [_DmControl(self) for _ in range(rows)]
        first = made[0]
        libraries = {name: version(name) for name in ("dm_control", "mujoco", "numpy")}
        return ForeignWorld(
            made,
            _interface(first.reset(0), first.low, first.high, first.period()),
            name=self.name,
            task=self.task,
            instruction=self.instruction,
            seconds=self.seconds,
            model_hash=text_digest(compact_json([self.reads(), plain(libraries)])),
            versions=libraries,
            tells_success=False,
        )

    def reads(self) -> Json:
        """Its settings."""
        return ["dm_control", plain(self)]

    def code(self) -> tuple[str, ...]:
        """This module; the task is known by its library's version."""
        return (__name__,)


class _DmControl:
    """One environment of the suite; its rewards say how well, and nothing says when it is done."""

    def __init__(self, spec: DmControlSpec) -> None:
        try:
            from dm_control import suite
        except ImportError as fault:
            raise MissingError(
                "dm_control is not installed: a library that it needs has no build for Python 3.13",
                do="use Python 3.11 or 3.12",
            ) from fault
        if (spec.domain, spec.task_name) not in suite.ALL_TASKS:
            known = ", ".join("/".join(names) for names in suite.ALL_TASKS)
            raise ConfigError(f"there is no task {spec.task!r}", do=f"available: {known}")
        period = {"control_timestep": spec.control_dt_s} if spec.control_dt_s else {}
        # The suite's own stream is seeded anew at every reset; the world has its own time limit.
        self._env = suite.load(
            spec.domain,
            spec.task_name,
            task_kwargs={"random": 0, "time_limit": float("inf")},
            environment_kwargs=period,
        )
        self._spec, limits = spec, self._env.action_spec()
        self.low = np.broadcast_to(limits.minimum, limits.shape).astype(np.float32)
        self.high = np.broadcast_to(limits.maximum, limits.shape).astype(np.float32)

    def period(self) -> float:
        return float(self._env.control_timestep())

    def reset(self, seed: int) -> Seen:
        self._env.task.random.seed(seed)
        return self._seen(self._env.reset())

    def step(self, action: F32) -> Seen:
        return self._seen(self._env.step(action.astype(np.float64)))

    def close(self) -> None:
        self._env.close()

    def _seen(self, step: Any) -> Seen:
        parts = [np.asarray(v, np.float64).reshape(-1) for v in step.observation.values()]
        picture = self._env.physics.render(*self._spec.image_hw, camera_id=self._spec.camera)
        return Seen(
            np.concatenate(parts).astype(np.float32),
            np.asarray(picture, np.uint8),
            float(step.reward or 0.0),
            # A discount of 0 says that nothing follows; else the suite only stops counting.
            terminated=bool(step.last() and step.discount == 0),
            truncated=bool(step.last() and step.discount != 0),
        )


def _interface(seen: Seen, low: F32, high: F32, control_dt_s: float) -> PolicyInterface:
    height, width = seen.image.shape[:2]
    limits = zip(low, high, strict=True)
    return PolicyInterface(
        cameras={CAMERA: (height, width)},
        state=tuple(Channel(f"state_{i}") for i in range(len(seen.state))),
        action=tuple(
            Channel(f"action_{i}", low=float(a), high=float(b)) for i, (a, b) in enumerate(limits)
        ),
        control_mode=CONTROL_MODE,
        control_dt_s=control_dt_s,
    )


def _scaled(picture: U8, image_hw: tuple[int, int]) -> U8:
    return np.asarray(resize(picture[None], image_hw)[0], np.uint8)


def _require_offscreen() -> None:
    """Let libraries that draw with MuJoCo do so where there is no display; they read this once."""
    if platform.system() == "Linux" and not os.environ.get("DISPLAY"):
        os.environ.setdefault("MUJOCO_GL", "egl")

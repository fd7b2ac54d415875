"""dm_control's environments, one by one: the suite's tasks and the manipulation tasks.

Axes: H x W pixels, D state channels, A action channels.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from trimix.core.contracts import F32
from trimix.core.errors import ConfigError, MissingError
from trimix.rollout.foreign_row import (
    Diverged,
    Seen,
    camera_name,
    chosen_cameras,
    flat_state,
    picture,
    unlimited,
)

MANIPULATION = "manipulation"
"""The domain that stands for dm_control.manipulation."""
_FREE = "free"
"""The camera of a model that has none: MuJoCo's own, which sees the whole of it."""
_CARRIES_OVER = "reassemble_5_bricks_random_order_"
"""Tasks whose episodes begin from the order of bricks that the episode before them had."""
_ATTEMPTS = 10
"""Draws of a start before props that found no place are an error."""


class _DmControlEnvironment:
    """One environment; see DmControlSpec for its settings.

    Its rewards say how well, and nothing says when it is done. Pictures in its observation are
    cameras, and so is every camera of its model, drawn in the asked-for size.

    Raises:
        MissingError: dm_control is not installed.
        ConfigError: no such task or camera, a setting that it does not take, or actions that are
            no vector with limits.
    """

    def __init__(
        self,
        domain: str,
        task: str,
        *,
        cameras: Sequence[str],
        image_hw: tuple[int, int],
        control_dt_s: float,
    ) -> None:
        self._domain, self._task, self._control_dt_s = domain, task, control_dt_s
        self._where, self._image_hw = f"dm_control:{domain}/{task}", image_hw
        self._env = self._load()
        try:
            self._minimum, self._maximum = _limits(self._env.action_spec(), self._where)
            spec = self._env.observation_spec()
            self._pictures = {camera_name(k): k for k, v in spec.items() if _is_picture(v)}
            self._parts = [k for k, v in spec.items() if not _is_picture(v)]
            self._drawn = _model_cameras(self._env.physics)
            there = list({**self._pictures, **self._drawn})
            usual = list(self._pictures) or there[:1]
            self.cameras = chosen_cameras(cameras, there, usual, self._where)
        except ConfigError:
            self.close()
            raise
        self.low, self.high = self._minimum.astype(np.float32), self._maximum.astype(np.float32)
        self.state = tuple(
            f"{part}_{i}" for part in self._parts for i in range(math.prod(spec[part].shape))
        )

    def period(self) -> float:
        """Its control period, s."""
        return float(self._env.control_timestep())

    def limit_s(self) -> float:
        """Its own time limit, s; infinite if it has none."""
        raise NotImplementedError

    def reset(self, seed: int) -> Seen:
        """Begin an episode."""
        raise NotImplementedError

    def step(self, action: F32) -> Seen:
        """One control period."""
        from dm_control.rl.control import PhysicsError

        # A limit that float32 rounds up is a step outside in float64.
        within = np.clip(action.astype(np.float64), self._minimum, self._maximum)
        _draw_anew()
        try:
            return self._seen(self._env.step(within))
        except PhysicsError as fault:
            raise Diverged(" ".join(str(fault).split())) from fault

    def close(self) -> None:
        """Free what it holds."""
        raise NotImplementedError

    def _load(self) -> Any:
        raise NotImplementedError

    def _seen(self, step: Any) -> Seen:
        images = {}
        for camera in self.cameras:
            if camera in self._pictures:
                key = self._pictures[camera]
                drawn = step.observation[key]
                drawn = drawn[-1] if drawn.ndim == 4 else drawn  # the newest of those it keeps
                images[camera] = picture(drawn, self._image_hw, f"observation {key!r}")
            else:
                number = self._drawn[camera]
                drawn = self._env.physics.render(*self._image_hw, camera_id=number)
                images[camera] = picture(drawn, self._image_hw, f"camera {camera!r}")
        return Seen(
            flat_state([step.observation[part] for part in self._parts]),
            images,
            float(step.reward or 0.0),
            # A discount of 0 says that nothing follows; else the episode only stops counting.
            terminated=bool(step.last() and step.discount == 0),
            truncated=bool(step.last() and step.discount != 0),
        )


class SuiteEnvironment(_DmControlEnvironment):
    """A task of dm_control.suite; the world's time limit counts alone."""

    def limit_s(self) -> float:
        """The default of the task's own loader, s; infinite if it has none."""
        load = import_module(f"dm_control.suite.{self._domain}").SUITE[self._task]
        limit = inspect.signature(load).parameters.get("time_limit")
        return math.inf if limit is None else float(limit.default)

    def reset(self, seed: int) -> Seen:
        """Begin an episode; the task's own stream is seeded anew."""
        self._env.task.random.seed(seed)
        _draw_anew()
        return self._seen(self._env.reset())

    def close(self) -> None:
        """Free the contexts that it drew with."""
        _draw_anew()
        self._env.close()
        self._env.physics.free()

    def _load(self) -> Any:
        suite = _library("dm_control.suite")
        tasks = suite.TASKS_BY_DOMAIN
        if self._domain not in tasks:
            known = [*tasks, MANIPULATION]
            raise _unknown(f"domain {self._domain!r}", known)
        if self._task not in tasks[self._domain]:
            raise _unknown(f"task {f'{self._domain}/{self._task}'!r}", tasks[self._domain])
        period = {"control_timestep": self._control_dt_s} if self._control_dt_s else {}
        try:
            return suite.load(
                self._domain,
                self._task,
                task_kwargs={"random": 0, "time_limit": math.inf},
                environment_kwargs=period,
            )
        except ValueError as fault:  # a period that its steps do not divide
            raise ConfigError(" ".join(str(fault).split()), where=self._where) from fault


class ManipulationEnvironment(_DmControlEnvironment):
    """A task of dm_control.manipulation; its own time limit and control period stand."""

    def limit_s(self) -> float:
        """What dm_control.manipulation.load gives, s."""
        return 10.0

    def reset(self, seed: int) -> Seen:
        """Begin an episode; its stream is seeded anew."""
        from dm_control.composer import EpisodeInitializationError

        if self._task.startswith(_CARRIES_OVER):
            self.close()
            self._env = self._load()
        self._env.random_state.seed(seed)
        _draw_anew()
        for _ in range(_ATTEMPTS - 1):
            try:
                return self._seen(self._env.reset())
            except EpisodeInitializationError:
                continue  # its stream goes on: equal seeds draw equal starts again
        return self._seen(self._env.reset())

    def close(self) -> None:
        """Free what it holds."""
        _draw_anew()
        self._env.close()

    def _load(self) -> Any:
        manipulation = _library("dm_control.manipulation")
        if self._task not in manipulation.ALL:
            raise _unknown(f"task {f'{self._domain}/{self._task}'!r}", manipulation.ALL)
        if self._control_dt_s:
            raise ConfigError(
                f"control_dt_s is {self._control_dt_s:g}; manipulation tasks have a period of "
                "their own",
                where=self._where,
                do="leave it at 0",
            )
        return manipulation.load(self._task, seed=0)


def _draw_anew() -> None:
    """Forget which OpenGL context dm_control made current last: others that draw change it."""
    from dm_control._render import base

    base._CURRENT_CONTEXT_FOR_THREAD.clear()
    base._CURRENT_THREAD_FOR_CONTEXT.clear()


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as fault:
        raise MissingError(
            "dm_control is not installed: a library that it needs has no build for Python 3.13",
            do="use Python 3.11 or 3.12",
        ) from fault


def _unknown(what: str, known: Iterable[str]) -> ConfigError:
    return ConfigError(f"dm_control has no {what}", do=f"available: {', '.join(sorted(known))}")


def _limits(spec: Any, where: str) -> tuple[np.ndarray, np.ndarray]:
    """(A,) float64 lowest and highest action."""
    floating = np.issubdtype(spec.dtype, np.floating)
    if not floating or len(spec.shape) != 1 or not hasattr(spec, "minimum"):
        raise ConfigError(f"its actions are {spec}, not a vector with limits", where=where)
    low = np.broadcast_to(spec.minimum, spec.shape).astype(np.float64)
    high = np.broadcast_to(spec.maximum, spec.shape).astype(np.float64)
    for i in np.flatnonzero(unlimited(low, high))[:1]:
        raise ConfigError(
            f"its actions are not a vector with limits: number {i} of {low.size} lies in "
            f"[{low[i]:g}, {high[i]:g}]",
            where=where,
        )
    return low, high


def _is_picture(spec: Any) -> bool:
    """Whether it is RGB pictures: (H, W, 3) uint8, or a few of them, (B, H, W, 3)."""
    return bool(spec.dtype == np.uint8 and len(spec.shape) in (3, 4) and spec.shape[-1] == 3)


def _model_cameras(physics: Any) -> dict[str, int]:
    """Name -> number of the model's cameras; MuJoCo's free one where it has none."""
    count = int(physics.model.ncam)
    names = [physics.model.id2name(i, "camera") or f"camera_{i}" for i in range(count)]
    return {camera_name(name): i for i, name in enumerate(names)} or {_FREE: -1}

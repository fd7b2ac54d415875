"""Gymnasium's environments, one by one.

Axes: H x W pixels, D state channels, A action channels.
"""

from __future__ import annotations

import importlib
import inspect
import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stderr
from functools import reduce
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
from gymnasium.envs.registration import EnvSpec

from trimix.core.contracts import F32
from trimix.core.errors import ConfigError
from trimix.rollout.foreign_row import (
    Seen,
    Unfit,
    camera_name,
    chosen_cameras,
    fault_text,
    flat_state,
    picture,
    unlimited,
)

VIEW = "view"
"""The camera that is an environment's render()."""
SUCCESS = ("success", "is_success")
"""What environments call success in their info."""
REGISTER = ("gymnasium_robotics",)
"""Packages whose environments are known once they are imported."""

_UNKNOWN = (
    "give its whole id, e.g. Reacher-v5, and the module that registers it, as module:id, or a "
    "class of your own, as module:class"
)
_ROBOTICS = (
    "; Fetch, Adroit, the kitchen and the mazes are in gymnasium-robotics, which is not installed: "
    "pip install 'trimix[robotics]'"
)
_TELLING = (gym.error.VersionNotFound, gym.error.DeprecatedEnv, ImportError)
"""Faults whose text says what to do."""
_Leaf = tuple[tuple[Any, ...], gym.Space[Any]]
"""Where in an observation, and what is there."""


class GymEnvironment:
    """One Gymnasium environment; see GymSpec for its settings.

    Pictures (H, W, 3) uint8 in its observation are cameras; all else in it is the state.

    Raises:
        ConfigError: it cannot be made, its actions are no vector with limits, or its observation
            cannot be told in numbers and pictures.
    """

    def __init__(
        self,
        named: str,
        kwargs: Mapping[str, Any],
        *,
        name: str,
        cameras: Sequence[str],
        image_hw: tuple[int, int],
        success: str,
    ) -> None:
        self._name, self._image_hw = name, image_hw
        self._success = (success,) if success else SUCCESS
        self._env, self._limit = _made(named, kwargs)
        try:
            self._space = _limited(self._env.action_space, name)
            leaves = list(_leaves(self._env.observation_space))
            self._pictures = {
                camera_name(_label(path, "observation")): path
                for path, space in leaves
                if _is_picture(space)
            }
            self._parts = [leaf for leaf in leaves if not _is_picture(leaf[1])]
            self.state = tuple(_channels(self._parts))
        except Unfit as fault:
            self._env.close()
            raise ConfigError(
                str(fault), where=name, do="wrap it in one whose observation does, as module:id"
            ) from fault
        except ConfigError:
            self._env.close()
            raise
        there = [*self._pictures, *([] if VIEW in self._pictures else [VIEW])]
        self.cameras = chosen_cameras(cameras, there, list(self._pictures) or [VIEW], name)
        self.low = self._space.low.reshape(-1).astype(np.float32)
        self.high = self._space.high.reshape(-1).astype(np.float32)

    def period(self) -> float:
        """Its control period, s: its `dt`, as MuJoCo's environments have one, else by the rate
        of its pictures.

        Raises:
            ConfigError: it says neither.
        """
        dt = getattr(self._env.unwrapped, "dt", None)
        if isinstance(dt, (int, float)) and 0 < dt < np.inf:
            return float(dt)
        rate = self._env.metadata.get("render_fps")
        if not rate:
            raise ConfigError("it does not say its rate", where=self._name, do="set control_dt_s")
        return 1.0 / float(rate)

    def limit(self) -> int | None:
        """Steps of its own time limit, which was left out when it was made."""
        return self._limit

    def made_by(self) -> tuple[dict[str, str], str]:
        """Versions of the libraries that it is of, and its source where it is of none."""
        inner = self._env.unwrapped
        module = type(inner).__module__
        found = packages_distributions().get(module.partition(".")[0], [])
        libraries = {"gymnasium", "numpy", *found}
        if isinstance(getattr(inner, "model", None), mujoco.MjModel):
            libraries.add("mujoco")
        file = inspect.getsourcefile(type(inner)) if not found and module in sys.modules else None
        source = Path(file).read_text(encoding="utf-8") if file and Path(file).is_file() else ""
        return {name: version(name) for name in sorted(libraries)}, source

    def reset(self, seed: int) -> Seen:
        """Begin an episode."""
        self._draw_here()
        observation, info = self._env.reset(seed=seed)
        return self._seen(observation, info)

    def step(self, action: F32) -> Seen:
        """One control period."""
        shaped = action.reshape(self._space.shape).astype(self._space.dtype)
        # A limit that float32 rounds up is a step outside in float64.
        within = np.clip(shaped, self._space.low, self._space.high)
        self._draw_here()
        observation, reward, terminated, truncated, info = self._env.step(within)
        return self._seen(observation, info, float(reward), bool(terminated), bool(truncated))

    def close(self) -> None:
        """Free what it holds."""
        self._draw_here()
        for viewer in _viewers(self._env):
            viewer.con.free()  # else it takes what has the same numbers in whatever is drawn later
        self._env.close()

    def _draw_here(self) -> None:
        """Draw in its own OpenGL context: its viewer makes it current once, others do so after."""
        for viewer in _viewers(self._env):
            viewer.make_context_current()

    def _seen(
        self,
        observation: Any,
        info: Mapping[str, Any],
        reward: float = 0.0,
        terminated: bool = False,
        truncated: bool = False,
    ) -> Seen:
        parts = [gym.spaces.flatten(space, _at(observation, path)) for path, space in self._parts]
        images = {}
        for camera in self.cameras:
            path = self._pictures.get(camera)
            drawn = self._env.render() if path is None else _at(observation, path)
            of = "render()" if path is None else f"observation {camera!r}"
            images[camera] = picture(drawn, self._image_hw, of)
        told = [bool(info[key]) for key in self._success if key in info]
        state = flat_state(parts)
        return Seen(state, images, reward, terminated, truncated, told[0] if told else None)


def entry_module(named: str) -> str | None:
    """The module of an environment; None of Gymnasium's own, and where nobody knows the id."""
    try:
        entry = _registered(named).entry_point
    except (gym.error.Error, ImportError):
        return None
    module = entry.partition(":")[0] if isinstance(entry, str) else entry.__module__
    return None if module.partition(".")[0] == "gymnasium" else module


def _made(named: str, kwargs: Mapping[str, Any]) -> tuple[gym.Env[Any, Any], int | None]:
    """The environment of this id, and the steps of its time limit.

    It is made without that limit: worlds have one of their own.
    """
    if not named:
        raise ConfigError("no environment is named", do="e.g. world=gym:InvertedPendulum-v5")
    where = f"gym id {named!r}"
    given = {"max_episode_steps": -1, "disable_env_checker": True, **kwargs}
    do = _UNKNOWN if all(map(find_spec, REGISTER)) else _UNKNOWN + _ROBOTICS
    try:
        spec = _registered(named)
        do = ""
        try:
            made = gym.make(spec, **{"render_mode": "rgb_array", **given})
        except TypeError as fault:
            if "render_mode" not in str(fault):
                raise
            made = gym.make(spec, **given)  # it draws nothing; its observation may have pictures
    except (gym.error.Error, ImportError) as fault:
        said = " ".join(str(fault).split()).rstrip(".") or type(fault).__name__
        telling = isinstance(fault, _TELLING)
        raise ConfigError(said, where=where, do="" if telling else do) from fault
    except Exception as fault:
        raise ConfigError(fault_text(fault), where=where) from fault
    return made, spec.max_episode_steps


def _registered(named: str) -> EnvSpec:
    """What an id or a module's class stands for, after what makes it known was imported."""
    module, own, known = named.rpartition(":")
    if own:
        loaded = importlib.import_module(module)
        if known not in gym.registry and callable(getattr(loaded, known, None)):
            return EnvSpec(known, entry_point=f"{module}:{known}")
    elif named not in gym.registry:
        for package in REGISTER:
            if find_spec(package):
                # It prints how its past versions differ, which each episode's provenance records.
                with redirect_stderr(io.StringIO()):
                    importlib.import_module(package)
    if "gymnasium_robotics" in sys.modules:
        _compare_joint_types()
    return gym.spec(known)


def _compare_joint_types() -> None:
    """Let Fetch, hands and the kitchen of gymnasium-robotics (1.4.2) be made with today's MuJoCo.

    They assert `jnt_type in (mjJNT_HINGE, mjJNT_SLIDE)`. MuJoCo's enumerations (3.17) equal
    Python's integers and not numpy's, so that the assertion fails for every joint. The module that
    asserts it gets these numbers as integers; nothing else of it changes, and nothing at all
    once the two can be compared.
    """
    if np.int32(mujoco.mjtJoint.mjJNT_HINGE) in (mujoco.mjtJoint.mjJNT_HINGE,):
        return
    asserting = importlib.import_module("gymnasium_robotics.utils.mujoco_utils")
    if not isinstance(asserting.mujoco, _IntegerJoints):
        vars(asserting)["mujoco"] = _IntegerJoints()


class _IntegerJoints:
    """MuJoCo's module with the types of joints as integers."""

    def __init__(self) -> None:
        types = mujoco.mjtJoint.__members__
        self.mjtJoint = SimpleNamespace(**{name: int(value) for name, value in types.items()})

    def __getattr__(self, name: str) -> Any:
        return getattr(mujoco, name)


def _viewers(env: gym.Env[Any, Any]) -> Iterator[Any]:
    """What draws a MuJoCo environment of Gymnasium's, or the one that it is built around."""
    inner = env.unwrapped
    parts = [part.unwrapped for part in vars(inner).values() if isinstance(part, gym.Env)]
    for part in (inner, *parts):
        viewer = getattr(getattr(part, "mujoco_renderer", None), "viewer", None)
        if viewer is not None:
            yield viewer


def _limited(space: gym.Space[Any], name: str) -> gym.spaces.Box:
    """The space of actions, if it is a vector with limits."""
    if not isinstance(space, gym.spaces.Box) or not np.issubdtype(space.dtype, np.floating):
        raise ConfigError(
            f"its actions are {space}, not a vector with limits",
            where=name,
            do="policies give vectors: wrap it in one whose actions are a Box, as module:id",
        )
    low, high = space.low.reshape(-1), space.high.reshape(-1)
    open_ended = np.flatnonzero(unlimited(low, high))
    if open_ended.size:
        i = int(open_ended[0])
        raise ConfigError(
            f"its actions are not a vector with limits: number {i} of {low.size} lies in "
            f"[{low[i]:g}, {high[i]:g}]",
            where=name,
            do="wrap it in one whose action_space has limits (gymnasium.wrappers."
            "TransformAction), as module:id",
        )
    if not low.size:
        raise ConfigError("its actions have no numbers", where=name)
    return space


def _leaves(space: gym.Space[Any], path: tuple[Any, ...] = ()) -> Iterator[_Leaf]:
    """What an observation is made of, mappings and tuples opened."""
    if isinstance(space, gym.spaces.Dict):
        for key, inner in space.spaces.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(space, gym.spaces.Tuple):
        for index, inner in enumerate(space.spaces):
            yield from _leaves(inner, (*path, index))
    else:
        yield path, space


def _is_picture(space: gym.Space[Any]) -> bool:
    """Whether it holds RGB pictures.

    Raises:
        Unfit: it holds pictures of another kind, which are no state either.
    """
    if not isinstance(space, gym.spaces.Box) or space.dtype != np.uint8 or len(space.shape) != 3:
        return False
    if space.shape[2] != 3:
        raise Unfit(f"its observation holds pictures {space.shape} uint8, not (H, W, 3)")
    return True


def _channels(parts: Sequence[_Leaf]) -> Iterator[str]:
    """Names of the state's numbers."""
    for path, space in parts:
        if isinstance(space, gym.spaces.Text) or not space.is_np_flattenable:
            raise Unfit(f"its observation holds {space}, which is no fixed count of numbers")
        for i in range(gym.spaces.flatdim(space)):
            yield f"{_label(path, 'state')}_{i}"


def _label(path: tuple[Any, ...], whole: str) -> str:
    return "/".join(map(str, path)) or whole


def _at(observation: Any, path: tuple[Any, ...]) -> Any:
    return reduce(lambda part, key: part[key], path, observation)

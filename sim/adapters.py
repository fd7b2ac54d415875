"""A world's first row as a gymnasium.Env or a dm_env.Environment.

Axes: H x W pixels, D state channels, A action channels; no row axis.
"""

from __future__ import annotations

from typing import Any

import dm_env
import gymnasium as gym
import numpy as np
from dm_env import specs

from trimix.core.contracts import F32, World
from trimix.core.errors import ConfigError


class GymEnv(gym.Env[Any, F32]):
    """One row of a world behind the Gymnasium interface.

    Observations are {"images": {camera: (H, W, 3) uint8}, "state": (D,) float32, "instruction"}.
    """

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(self, world: World, render_mode: str | None = None) -> None:
        if world.num_envs != 1:
            raise ConfigError(f"a GymEnv wraps a world of one row, not {world.num_envs}")
        self.world, self.render_mode = world, render_mode
        self.observation_space = world.single_observation_space
        self.action_space = world.single_action_space
        self.metadata = {**self.metadata, "render_fps": round(1 / world.interface.control_dt_s)}
        self._images: dict[str, np.ndarray] = {}

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        super().reset(seed=seed)
        episode_seed = int(self.np_random.integers(2**31)) if seed is None else seed
        obs, info = self.world.reset(seed=episode_seed, options=options)
        return self._first(obs), _first_info(info)

    def step(self, action: F32) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        obs, reward, terminated, truncated, info = self.world.step(np.asarray(action)[None])
        return (
            self._first(obs),
            float(reward[0]),
            bool(terminated[0]),
            bool(truncated[0]),
            _first_info(info),
        )

    def render(self) -> np.ndarray | None:
        """(H, W, 3) uint8 of the first camera, as last seen."""
        return next(iter(self._images.values()), None) if self.render_mode else None

    def close(self) -> None:
        self.world.close()

    def _first(self, obs: Any) -> dict[str, Any]:
        self._images = {name: image[0] for name, image in obs["images"].items()}
        return {
            "images": self._images,
            "state": obs["state"][0],
            "instruction": obs["instruction"][0],
        }


class DmEnv(dm_env.Environment):  # type: ignore[misc]
    """One row of a world behind DeepMind's environment interface (dm_env).

    Observations are {"images/<camera>": (H, W, 3) uint8, "state": (D,) float32}; the instruction is
    not an array and stays out.
    """

    def __init__(self, env: GymEnv, seed: int = 0) -> None:
        self._env, self._seed, self._over = env, seed, True

    def reset(self) -> dm_env.TimeStep:
        """The first step of a new episode; each has a seed of its own."""
        obs, _ = self._env.reset(seed=self._seed)
        self._seed, self._over = self._seed + 1, False
        return dm_env.restart(_flat(obs))

    def step(self, action: F32) -> dm_env.TimeStep:
        """One control period; begins a new episode after the last step."""
        if self._over:
            return self.reset()
        obs, reward, terminated, truncated, _ = self._env.step(action)
        self._over = terminated or truncated
        if terminated:
            return dm_env.termination(reward, _flat(obs))
        if truncated:
            return dm_env.truncation(reward, _flat(obs))
        return dm_env.transition(reward, _flat(obs))

    def observation_spec(self) -> dict[str, specs.Array]:
        interface = self._env.world.interface
        images = {
            f"images/{name}": specs.BoundedArray((h, w, 3), np.uint8, 0, 255, f"images/{name}")
            for name, (h, w) in interface.cameras.items()
        }
        return {**images, "state": specs.Array((len(interface.state),), np.float32, "state")}

    def action_spec(self) -> specs.BoundedArray:
        box = self._env.world.single_action_space
        assert isinstance(box, gym.spaces.Box)
        return specs.BoundedArray(box.shape, np.float32, box.low, box.high, "action")

    def close(self) -> None:
        self._env.close()


def _first_info(info: dict[str, Any]) -> dict[str, Any]:
    return {key: value[0] for key, value in info.items()}


def _flat(obs: dict[str, Any]) -> dict[str, np.ndarray]:
    return {**{f"images/{k}": v for k, v in obs["images"].items()}, "state": obs["state"]}

"""A world's first row as a gymnasium.Env.

Axes: H x W pixels, D state channels, A action channels; no row axis.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

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


def _first_info(info: dict[str, Any]) -> dict[str, Any]:
    return {key: value[0] for key, value in info.items()}

"""A Gymnasium environment of somebody else's: a point that is pushed and drawn."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np


class Push(gym.Env[dict[str, Any], np.ndarray]):
    """A point on a line; its observation is a mapping, its picture is drawn by hand."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012

    def __init__(self, render_mode: str = "rgb_array", goal: float = 100.0) -> None:
        self.render_mode, self.goal = render_mode, goal
        self.observation_space = gym.spaces.Dict(
            {
                "x": gym.spaces.Box(-np.inf, np.inf, (1,)),
                "speed": gym.spaces.Box(-np.inf, np.inf, (2,)),
            }
        )
        self.action_space = gym.spaces.Box(-1.0, 1.0, (2,))
        self.x, self.speed = 0.0, np.zeros(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.x, self.speed = float(self.np_random.uniform(-1, 1)), np.zeros(2)
        return self._seen(), self._info()

    def step(self, action: np.ndarray) -> Any:
        self.speed = np.asarray(action, np.float64)
        self.x += float(self.speed.sum()) * 0.1
        return self._seen(), -abs(self.x), False, False, self._info()

    def render(self) -> Any:
        picture = np.zeros((20, 30, 3), np.uint8)
        picture[:, :, 0] = int(np.clip(100 + 40 * self.x, 0, 255))
        picture[:, :, 1] = np.arange(30)
        return picture

    def _seen(self) -> dict[str, Any]:
        return {
            "x": np.array([self.x], np.float32),
            "speed": self.speed.astype(np.float32),
        }

    def _info(self) -> dict[str, Any]:
        return {"success": self.x > self.goal}


class Buttons(Push):
    """The same with two buttons in place of a push."""

    def __init__(self, render_mode: str = "rgb_array") -> None:
        super().__init__(render_mode)
        self.action_space = gym.spaces.Discrete(2)


gym.register("toy/Push-v0", Push, max_episode_steps=50)
gym.register("toy/Buttons-v0", Buttons)

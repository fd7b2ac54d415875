"""Gymnasium environments of somebody else's: a point that is pushed and drawn, and odd ones."""

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


class Seeing(Push):
    """The same with a picture in its observation, nested parts, and nothing that it draws."""

    metadata = {"render_fps": 10}  # noqa: RUF012

    def __init__(self, whole: bool = False) -> None:
        super().__init__()
        wrist = gym.spaces.Box(0, 255, (12, 16, 3), np.uint8)
        goal = gym.spaces.Dict({"at": gym.spaces.Box(-1, 1, (2,)), "kind": gym.spaces.Discrete(3)})
        parts = {"goal": goal, "speed": gym.spaces.Box(-9, 9, (2,)), "wrist/left": wrist}
        self.whole, self.observation_space = whole, wrist if whole else gym.spaces.Dict(parts)

    def _seen(self) -> Any:
        wrist = np.full((12, 16, 3), np.clip(100 + 40 * self.x, 0, 255), np.uint8)
        if self.whole:
            return wrist
        goal = {"at": np.array([0.25, -0.5], np.float32), "kind": 2}
        return {"goal": goal, "speed": self.speed.astype(np.float32), "wrist/left": wrist}


class Odd(Push):
    """The same, and one thing about it is odd.

    Args:
        odd: which one.
        after: steps of an episode before it shows.
        beyond: it shows in episodes that begin to the right of this.
    """

    mended = False
    """Whether somebody has mended it since."""

    def __init__(
        self,
        render_mode: str = "rgb_array",
        odd: str = "",
        after: int = 2,
        beyond: float = -9.0,
    ) -> None:
        super().__init__(render_mode)
        self.odd, self.after, self.beyond = odd, after, beyond
        self.steps, self.began = 0, 0.0
        actions: dict[str, gym.Space[Any]] = {
            "limitless": gym.spaces.Box(-np.inf, np.inf, (2,)),
            "huge": gym.spaces.Box(-1e10, 1e10, (2,), np.float64),
            "whole": gym.spaces.Box(-3, 3, (2,), np.int64),
            "none": gym.spaces.Box(-1, 1, (0,)),
            "strict": gym.spaces.Box(-0.62831853, 0.62831853, (2,), np.float64),
        }
        self.action_space = actions.get(odd, self.action_space)
        if odd == "strip":
            self.observation_space = gym.spaces.Box(0, 255, (3, 8, 8), np.uint8)
        if odd == "words":
            self.observation_space = gym.spaces.Dict({"said": gym.spaces.Text(9)})
        if odd == "rateless":
            self.metadata = {"render_modes": ["rgb_array"]}
        if odd == "dt":
            self.dt = 0.25

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        self.steps = 0
        seen = super().reset(seed=seed)
        self.began = self.x
        return seen

    def step(self, action: np.ndarray) -> Any:
        self.steps += 1
        if self.odd == "strict" and not self.action_space.contains(action):
            raise ValueError(f"{action} lies outside of the limits")
        if self._shows("raises") and not self.mended:
            raise RuntimeError("the motor\nis hot")
        observation, reward, *_, info = super().step(action)
        if self._shows("reward"):
            reward = np.nan
        return observation, reward, self._shows("ends"), self._shows("short"), info

    def render(self) -> Any:
        if self.odd == "blind":
            return None
        if self.odd == "hidden":
            raise RuntimeError("no window")
        return super().render()[..., 0] if self._shows("grey") else super().render()

    def _shows(self, odd: str) -> bool:
        return self.odd == odd and self.steps > self.after and self.began > self.beyond

    def _seen(self) -> dict[str, Any]:
        seen = super()._seen()
        if self._shows("nan"):
            seen["x"] = np.array([np.nan], np.float32)
        if self._shows("longer"):
            seen["speed"] = np.zeros(5, np.float32)
        if self.odd == "unborn":
            seen["speed"] = np.full(2, np.inf, np.float32)
        return seen


gym.register("toy/Push-v0", Push, max_episode_steps=50)
gym.register("toy/Buttons-v0", Buttons)
gym.register("toy/Seeing-v0", Seeing, max_episode_steps=50)
gym.register("toy/Odd-v0", Odd)

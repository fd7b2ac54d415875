"""Environments of others as a World: N of them side by side.

Axes: N rows, H x W pixels, D state channels, A action channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from trimix.core.contracts import F32, U8, BoolArray, Info, Obs, PolicyInterface, Start, World
from trimix.core.errors import ConfigError
from trimix.core.seeds import stream
from trimix.core.spaces import observation_space


@dataclass(frozen=True)
class Seen:
    """What one environment shows after a reset or a step.

    Args:
        state: (D,) float32.
        image: (H, W, 3) uint8.
        success: None where the environment does not tell.
    """

    state: F32
    image: U8
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False
    success: bool | None = None


class Environment(Protocol):
    """One environment of another library."""

    def reset(self, seed: int) -> Seen:
        """Begin an episode: equal seeds, equal episodes."""

    def step(self, action: F32) -> Seen:
        """One control period; action: (A,) within its limits."""

    def close(self) -> None:
        """Free what it holds."""


class ForeignWorld(World):
    """N environments behind the one interface of policies.

    Their own time limits count as well as this world's. Where they do not tell success, nobody
    knows it: info["success_known"] is False.

    Args:
        rows: the environments, alike.
        interface: what policies see and give; one camera.
        name, task: recorded as the episodes' world and task.
        instruction: what policies are told.
        seconds: time limit.
        model_hash: of what the environments are made from.
        versions: library -> version.
        tells_success: whether they tell success.
    """

    metadata = {"autoreset_mode": AutoresetMode.DISABLED, "render_modes": []}  # noqa: RUF012
    origin = "sim"

    def __init__(
        self,
        rows: Sequence[Environment],
        interface: PolicyInterface,
        *,
        name: str,
        task: str,
        instruction: str,
        seconds: float,
        model_hash: str,
        versions: Mapping[str, str],
        tells_success: bool,
    ) -> None:
        n = len(rows)
        self.num_envs, self.interface, self.name = n, interface, name
        self.time_limit_s, self.model_hash = seconds, model_hash
        self._rows, self._task, self._instruction = rows, task, instruction
        self._versions, self._tells_success = dict(versions), tells_success
        self._max_steps = max(1, round(seconds / interface.control_dt_s))
        self._low = np.array([c.low for c in interface.action], np.float32)
        self._high = np.array([c.high for c in interface.action], np.float32)
        self.single_action_space = gym.spaces.Box(self._low, self._high, dtype=np.float32)
        self.single_observation_space = observation_space(interface)
        self.action_space = gym.vector.utils.batch_space(self.single_action_space, n)
        self.observation_space = gym.vector.utils.batch_space(self.single_observation_space, n)
        (self._camera,) = interface.cameras
        self._images = np.zeros((n, *interface.cameras[self._camera], 3), np.uint8)
        self._state = np.zeros((n, len(interface.state)), np.float32)
        self._starts = [Start(0, i) for i in range(n)]
        self._steps = np.zeros(n, np.int64)
        self._success, self._finished = np.zeros(n, bool), np.ones(n, bool)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Obs, Info]:
        """Begin episodes in the rows of options["reset_mask"], at options["starts"].

        Raises:
            ConfigError: a start asks for a randomization draw or a frame to begin at.
        """
        options = options or {}
        n = self.num_envs
        mask = np.asarray(options.get("reset_mask", np.ones(n, bool)), bool)
        starts = options.get("starts") or [None] * n
        for i in map(int, np.flatnonzero(mask)):
            start = starts[i] or Start(0 if seed is None else seed, i)
            if start.draw or start.parent:
                raise ConfigError(f"{self.name} begins by its own seeds alone")
            self._starts[i] = start
            drawn = int(stream(start.seed, start.episode, "start").integers(2**31))
            self._see(i, self._rows[i].reset(drawn))
            self._steps[i], self._success[i], self._finished[i] = 0, False, False
        return self._obs(), self._info()

    def step(self, action: F32) -> tuple[Obs, F32, BoolArray, BoolArray, Info]:
        """One control period; finished rows stay frozen.

        Raises:
            ConfigError: the action has another shape or is not finite.
        """
        given, n = np.asarray(action, np.float32), self.num_envs
        if given.shape != (n, len(self._low)):
            raise ConfigError(f"action is {given.shape}, expected {(n, len(self._low))}")
        live = np.flatnonzero(~self._finished)
        if not np.isfinite(given[live]).all():
            bad = next(int(i) for i in live if not np.isfinite(given[i]).all())
            raise ConfigError(f"action of row {bad} is not finite: {given[bad].tolist()}")
        executed = np.clip(given, self._low, self._high)
        reward = np.zeros(n, np.float32)
        terminated, truncated = np.zeros(n, bool), np.zeros(n, bool)
        for i in map(int, live):
            seen = self._rows[i].step(executed[i].copy())
            self._see(i, seen)
            self._steps[i] += 1
            self._success[i] |= bool(seen.success)
            reward[i], terminated[i] = seen.reward, seen.terminated
            late = self._steps[i] >= self._max_steps
            truncated[i] = (seen.truncated or late) and not seen.terminated
        self._finished |= terminated | truncated
        info = self._info()
        info["action"] = executed
        return self._obs(), reward, terminated, truncated, info

    def provenance(self, row: int) -> Mapping[str, Any]:
        """Task, start, world and versions of the row's episode."""
        start = self._starts[row]
        return {
            "origin": self.origin,
            "task": self._task,
            "seed": start.seed,
            "episode": start.episode,
            "world": self.name,
            "model_hash": self.model_hash,
            "versions": self._versions,
        }

    def close(self, **kwargs: Any) -> None:
        """Close every environment."""
        for row in self._rows:
            row.close()

    def _see(self, row: int, seen: Seen) -> None:
        self._state[row], self._images[row] = seen.state, seen.image

    def _obs(self) -> Obs:
        return {
            "images": {self._camera: self._images.copy()},
            "state": self._state.copy(),
            "instruction": [self._instruction] * self.num_envs,
        }

    def _info(self) -> Info:
        n = self.num_envs
        return {
            "success": self._success.astype(np.float32),
            "success_known": np.full(n, self._tells_success),
            "trust": np.ones(n, np.float32),
            "abstained": np.zeros(n, bool),
        }

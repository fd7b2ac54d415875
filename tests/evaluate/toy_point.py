"""A point on a line that must reach 0 and stay there, seen through 4x4 pixels.

Axes: N rows, 1 state channel, 1 action channel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimix.core.contracts import (
    F32,
    I64,
    BoolArray,
    Channel,
    Draw,
    Obs,
    Origin,
    PolicyInterface,
    Start,
    World,
)
from trimix.core.seeds import stream

INTERFACE = PolicyInterface(
    cameras={"front": (4, 4)},
    state=(Channel("x", "m"),),
    action=(Channel("dx", "m/s", -1.0, 1.0),),
    control_mode="joint_velocity",
    control_dt_s=0.1,
)
STEPS = 12


def draw_for(seed: int, episode: int) -> Draw:
    return {"drag": float(stream(seed, episode, "drag").uniform(0.2, 1.0))}


class PointWorld(World):
    """x moves by action * drag; success is |x| < 0.2; below x = -3 the world abstains."""

    def __init__(self, rows: int, *, abstain_below: float = -3.0, origin: Origin = "sim") -> None:
        self.num_envs = rows
        self.interface = INTERFACE
        self.origin = origin
        self.time_limit_s = STEPS * 0.1
        self._abstain_below = abstain_below
        self._x = np.zeros(rows)
        self._drag = np.ones(rows)
        self._t = np.zeros(rows, int)
        self._done = np.ones(rows, bool)
        self._starts: list[Start | None] = [None] * rows

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        options = options or {}
        starts = options.get("starts") or [Start(seed or 0, i) for i in range(self.num_envs)]
        mask = options.get("reset_mask", np.ones(self.num_envs, bool))
        for i in np.flatnonzero(mask):
            start = starts[i]
            draw = start.draw if start.draw is not None else draw_for(start.seed, start.episode)
            self._x[i] = stream(start.seed, start.episode, "x").uniform(-2.0, 2.0)
            self._drag[i], self._t[i], self._done[i] = draw["drag"], 0, False
            self._starts[i] = start
        return self._obs(), self._info()

    def step(self, action: F32) -> Any:
        live = ~self._done
        self._x = np.where(live, self._x + action[:, 0] * self._drag, self._x)
        self._t += live
        info = self._info()
        terminated = live & ((info["success"] > 0) | info["abstained"])
        truncated = live & (self._t >= STEPS) & ~terminated
        self._done |= terminated | truncated
        reward = np.where(live, -np.abs(self._x), 0.0).astype(np.float32)
        return self._obs(), reward, terminated, truncated, info

    def provenance(self, row: int) -> Mapping[str, Any]:
        start = self._starts[row]
        assert start is not None
        return {"origin": self.origin, "seed": start.seed, "episode": start.episode, "world": "toy"}

    def _obs(self) -> Obs:
        level = np.clip((self._x + 3) * 40, 0, 255).astype(np.uint8)
        images = np.broadcast_to(level[:, None, None, None], (self.num_envs, 4, 4, 3)).copy()
        state = self._x[:, None].astype(np.float32)
        return {"images": {"front": images}, "state": state, "instruction": ["go"] * self.num_envs}

    def _info(self) -> dict[str, Any]:
        return {
            "success": (np.abs(self._x) < 0.2).astype(np.float32),
            "trust": np.exp(-np.abs(self._x)).astype(np.float32),
            "abstained": self._x < self._abstain_below,
        }


class PointPolicy:
    """Moves towards 0 with a gain and noise from each row's own stream."""

    interface = INTERFACE

    def __init__(self, gain: float, noise: float) -> None:
        self._gain, self._noise = gain, noise
        self._streams: dict[int, np.random.Generator] = {}

    def reset(self, rows: BoolArray, seeds: I64) -> None:
        for i in np.flatnonzero(rows):
            self._streams[int(i)] = stream(int(seeds[i]), "toy policy")

    def act(self, obs: Obs) -> F32:
        noise = np.zeros(len(obs["state"]))
        for i, rng in self._streams.items():
            noise[i] = rng.normal(0.0, self._noise)
        return (-self._gain * obs["state"] + noise[:, None]).astype(np.float32)


@dataclass(frozen=True)
class PointSpec:
    """The toy world, for any process."""

    abstain_below: float = -3.0
    origin: Origin = "sim"
    name: str = "toy"
    task: str = "point"
    robot_type: str = "point"

    def make(self, rows: int) -> PointWorld:
        return PointWorld(rows, abstain_below=self.abstain_below, origin=self.origin)

    def reads(self) -> Any:
        return [self.name, self.abstain_below, self.origin]

    def code(self) -> tuple[str, ...]:
        return (__name__,)


@dataclass(frozen=True)
class PointPolicySpec:
    """The toy policy, the same in any world."""

    gain: float = 0.5
    noise: float = 0.3
    name: str = "point"

    def load(self, world: World) -> PointPolicy:
        policy = PointPolicy(self.gain, self.noise)
        policy.interface = world.interface
        return policy

    def reads(self) -> Any:
        return [self.name, self.gain, self.noise]

    def code(self) -> tuple[str, ...]:
        return (__name__,)

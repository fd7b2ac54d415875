"""What drives a dream besides a policy: the recorded actions, perturbed.

Axes: N rows, A action channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trimix.core.contracts import F32, I64, BoolArray, Obs, PolicyInterface
from trimix.core.errors import ConfigError
from trimix.core.seeds import stream
from trimix.worldmodel.world import DreamWorld


@dataclass(frozen=True)
class PerturbConfig:
    """How far from the recorded actions.

    Args:
        scale: standard deviation of the noise, in standard deviations of the training data's
            action channel; 0 replays exactly.
        correlation: of the noise from one step to the next, in [0, 1).
    """

    scale: float = 0.3
    correlation: float = 0.9

    def __post_init__(self) -> None:
        if not self.scale >= 0:
            raise ConfigError(f"scale is {self.scale}", do="give 0 or more")
        if not 0 <= self.correlation < 1:
            raise ConfigError(f"correlation is {self.correlation}", do="give 0 <= correlation < 1")


class PerturbedReplay:
    """Replays the actions recorded after each dream's start frame, with smooth noise (AR(1)).

    A channel that takes only two values (a gripper that opens and closes) is replayed as it is.
    After the last recorded action that one goes on. A privileged policy: it asks the world where
    its dreams began, so it must be reset after the world, as core.rollout does.

    Args:
        world: the dream world that it acts in.
    """

    def __init__(self, world: DreamWorld, config: PerturbConfig | None = None) -> None:
        self.world, self.config = world, config or PerturbConfig()
        n, width = world.num_envs, len(world.interface.action)
        self._recorded: list[F32] = [np.zeros((1, width), np.float32)] * n
        self._seeds = np.zeros(n, np.int64)
        self._steps = np.zeros(n, np.int64)
        self._noise = np.zeros((n, width), np.float32)
        std = world.pipeline.normalizer.action_std.cpu().numpy()
        self._scale = np.float32(self.config.scale) * std * ~_binary(world)

    @property
    def interface(self) -> PolicyInterface:
        return self.world.interface

    def reset(self, rows: BoolArray, seeds: I64) -> None:
        """Take up the actions recorded where these rows' dreams begin; see Policy."""
        for i in np.flatnonzero(rows):
            parent = self.world.parent(int(i))
            if parent is None:
                raise ValueError(f"row {i} of the dream world was never reset")
            self._recorded[i] = self.world.starts.actions(parent)
        self._seeds[rows] = seeds[rows]
        self._steps[rows] = 0
        self._noise[rows] = 0

    def act(self, obs: Obs) -> F32:
        """(N, A); see Policy. Row i's noise depends on its seed and step alone."""
        rho = self.config.correlation
        out = np.empty_like(self._noise)
        for i, recorded in enumerate(self._recorded):
            step = int(self._steps[i])
            rng = stream(int(self._seeds[i]), step, "perturbed replay")
            fresh = rng.standard_normal(out.shape[1], dtype=np.float32)
            self._noise[i] = (
                fresh if step == 0 else (rho * self._noise[i] + np.sqrt(1 - rho**2) * fresh)
            )
            out[i] = recorded[min(step, len(recorded) - 1)] + self._scale * self._noise[i]
        self._steps += 1
        return out


def _binary(world: DreamWorld) -> BoolArray:
    """(A,) whether no data set of the world has more than two values in this channel."""
    actions = [clips.action for clips in world.starts.clips.values()]
    width = len(world.interface.action)
    return np.array([all(len(np.unique(a[:, k])) <= 2 for a in actions) for k in range(width)])

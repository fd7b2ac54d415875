"""A learned policy at work: it plans chunks of actions and plays them out, row by row.

Axes: N rows of a world, B rows that plan, h frames of history, c steps of a chunk, D state
channels, A action channels, R draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from trimix.core.contracts import F32, I64, U8, BoolArray, Obs, PolicyInterface
from trimix.core.errors import ConfigError
from trimix.core.seeds import stream
from trimix.policy.inputs import domain_index, make_inputs
from trimix.policy.model import ChunkModel
from trimix.policy.normalization import Normalization

TILE = 16
"""Rows that the network sees at once. The tile is always full, padded if need be: matrix products
of other sizes round otherwise, and a row's action would hang on how many rows plan with it."""


@dataclass(frozen=True)
class ActConfig:
    """How a chunk policy acts.

    Args:
        execute: steps of each chunk that are played before planning anew.
        domain: which origin it is told to be in: none, real, sim or dream.
    """

    execute: int = 2
    domain: str = "none"

    def __post_init__(self) -> None:
        domain_index(self.domain)
        if self.execute < 1:
            raise ConfigError(f"execute is {self.execute}", do="give 1 or more")


@dataclass
class _Memory:
    """What N rows remember."""

    images: dict[str, U8]  # camera -> (N, h, H, W, 3)
    state: F32  # (N, h, D)
    fresh: BoolArray  # (N,) no observation yet
    plan: F32  # (N, c, A) physical
    played: I64  # (N,) steps of the plan that are played
    seeds: I64  # (N,)
    plans: I64  # (N,) plans made in this episode


class ChunkPolicy:
    """A policy that plans c steps, plays some of them, and plans again.

    A row's actions follow from its own observations and seed alone: not from N, nor from what the
    other rows do. Every plan's noise is keyed by (row's seed, plans made so far).

    Args:
        model: the network; moved to the device.
        interface: what it was trained on. Actions are clipped to its declared limits.
        normalization: of its training data.
        config: see ActConfig.
        device: where to compute.

    Raises:
        ConfigError: config.execute is longer than the chunk.
    """

    def __init__(
        self,
        model: ChunkModel,
        interface: PolicyInterface,
        normalization: Normalization,
        config: ActConfig | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.config = config or ActConfig()
        if self.config.execute > model.chunk:
            raise ConfigError(
                f"execute is {self.config.execute}, the policy's chunk has {model.chunk} steps",
                do=f"give at most {model.chunk}",
            )
        self.device = torch.device(device)
        self.model = model
        torch.nn.Module.to(model, self.device)  # diffusers' own `to` is untyped
        model.eval()
        self.normalization = normalization
        self._interface = interface
        self._low = np.array([-np.inf if c.low is None else c.low for c in interface.action])
        self._high = np.array([np.inf if c.high is None else c.high for c in interface.action])
        self._memory: _Memory | None = None

    @property
    def interface(self) -> PolicyInterface:
        return self._interface

    @property
    def history(self) -> int:
        """Frames that it looks at."""
        return self.model.history

    def acting(self, *, execute: int | None = None, domain: str | None = None) -> ChunkPolicy:
        """The same network, acting otherwise, with a memory of its own."""
        config = replace(
            self.config, execute=execute or self.config.execute, domain=domain or self.config.domain
        )
        return ChunkPolicy(self.model, self._interface, self.normalization, config, self.device)

    def reset(self, rows: BoolArray, seeds: I64) -> None:
        """Forget these rows and seed them. rows: (N,) bool; seeds: (N,) int64."""
        n, h = len(rows), self.history
        if self._memory is None or len(self._memory.fresh) != n:
            self._memory = _Memory(
                images={
                    k: np.zeros((n, h, *hw, 3), np.uint8)
                    for k, hw in self._interface.cameras.items()
                },
                state=np.zeros((n, h, len(self._interface.state)), np.float32),
                fresh=np.ones(n, bool),
                plan=np.zeros((n, self.model.chunk, self.model.action_dim), np.float32),
                played=np.zeros(n, np.int64),
                seeds=np.zeros(n, np.int64),
                plans=np.zeros(n, np.int64),
            )
        memory = self._memory
        memory.fresh[rows] = True
        memory.seeds[rows] = seeds[rows]
        memory.plans[rows] = 0

    def act(self, obs: Obs) -> F32:
        """(N, A) float32 in physical units.

        Raises:
            ValueError: `reset` was not called for this number of rows.
        """
        memory, n = self._memory, len(obs["state"])
        if memory is None or len(memory.fresh) != n:
            raise ValueError(f"reset the policy for {n} rows before it acts on them")
        self._remember(memory, obs)
        planning = np.flatnonzero(memory.fresh | (memory.played >= self.config.execute))
        if len(planning):
            noise = np.stack([self._noise(memory, int(row)) for row in planning])
            chunks = self.sample_chunks(
                {k: v[planning] for k, v in memory.images.items()},
                memory.state[planning],
                [obs["instruction"][row] for row in planning],
                noise[:, None],
            )
            memory.plan[planning] = self.physical(chunks[:, 0])
            memory.played[planning] = 0
            memory.plans[planning] += 1
            memory.fresh[planning] = False
        action = memory.plan[np.arange(n), memory.played]
        memory.played += 1
        return action

    def sample_chunks(
        self, images: Mapping[str, U8], state: F32, instruction: list[str], noise: F32
    ) -> F32:
        """Run the network over a batch, a tile at a time.

        Args:
            images: camera -> (B, h, H, W, 3); state: (B, h, D) physical.
            noise: (B, R, c, A) standard normal.

        Returns:
            (B, R, c, A) chunks in unit scale.
        """
        out = np.empty_like(noise)
        for begin in range(0, len(noise), TILE):
            end = min(begin + TILE, len(noise))
            rows = np.minimum(np.arange(begin, begin + TILE), end - 1)
            inputs = make_inputs(
                {k: v[rows] for k, v in images.items()},
                state[rows],
                [instruction[row] for row in rows],
                [self.config.domain] * TILE,
                self.normalization,
                self.device,
            )
            with torch.inference_mode():
                chunks = self.model.sample(inputs, torch.from_numpy(noise[rows]).to(self.device))
            out[begin:end] = chunks.float().cpu().numpy()[: end - begin]
        return out

    def physical(self, chunks: F32) -> F32:
        """(..., A) unit scale -> physical units within the declared limits."""
        action = self.normalization.to_action(chunks)
        return np.clip(action, self._low, self._high).astype(np.float32)

    def _remember(self, memory: _Memory, obs: Obs) -> None:
        fresh = memory.fresh
        for name, seen in memory.images.items():
            image = obs["images"][name]
            seen[:, :-1] = seen[:, 1:]
            seen[:, -1] = image
            seen[fresh] = image[fresh, None]
        memory.state[:, :-1] = memory.state[:, 1:]
        memory.state[:, -1] = obs["state"]
        memory.state[fresh] = obs["state"][fresh, None]

    def _noise(self, memory: _Memory, row: int) -> F32:
        rng = stream(int(memory.seeds[row]), int(memory.plans[row]), "plan")
        return rng.standard_normal(memory.plan.shape[1:], np.float32)

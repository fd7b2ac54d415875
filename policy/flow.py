"""A policy that denoises chunks of actions: conditional flow matching.

Lipman et al., "Flow matching for generative modeling", ICLR 2023, on chunks of actions as in
Black et al., "pi0", 2024. The path is straight, x = (1 - s) action + s noise, and the network
gives its velocity, noise - action, as diffusers' FlowMatchEulerDiscreteScheduler has it.

Axes: B rows, R draws, c steps of a chunk, A action channels, W width.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from diffusers.configuration_utils import register_to_config
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from torch import Tensor, nn

from trimix.policy.encoder import ObservationEncoder
from trimix.policy.inputs import Inputs
from trimix.policy.model import ChunkModel, masked_mean

_TIMES = 64


class _Block(nn.Module):
    """A residual layer, modulated by the observation and the noise level."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.film = nn.Linear(width, 2 * width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        nn.init.zeros_(self.down.weight)
        nn.init.zeros_(self.down.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.film(condition).chunk(2, dim=-1)
        out: Tensor = x + self.down(F.silu(self.up(self.norm(x) * (1 + scale) + shift)))
        return out


class FlowModel(ChunkModel):
    """Chunked flow-matching policy network.

    Args:
        cameras: name -> (height, width).
        state_dim, action_dim: D, A.
        history, chunk: frames seen, steps given.
        width: of the hidden layers.
        depth: residual layers of the denoiser.
        draws: noise draws per training row. They share the encoding, which is most of the cost.
        sampler_steps: Euler steps of sampling.
    """

    stochastic = True

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        cameras: Mapping[str, tuple[int, int]],
        state_dim: int,
        action_dim: int,
        history: int = 2,
        chunk: int = 8,
        width: int = 256,
        depth: int = 3,
        draws: int = 4,
        sampler_steps: int = 6,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.history, self.chunk, self.action_dim = history, chunk, action_dim
        self.draws, self.sampler_steps = draws, sampler_steps
        self.encoder = ObservationEncoder(cameras, state_dim, history, width)
        self.time = nn.Sequential(nn.Linear(_TIMES, width), nn.SiLU(), nn.Linear(width, width))
        self.enter = nn.Linear(chunk * action_dim, width)
        self.blocks = nn.ModuleList(_Block(width) for _ in range(depth))
        self.leave = nn.Linear(width, chunk * action_dim)

    def velocity(self, x: Tensor, level: Tensor, condition: Tensor) -> Tensor:
        """(..., c, A) at noise levels (..., 1) in [0, 1], (..., W) -> (..., c, A)."""
        half = _TIMES // 2
        rates = torch.exp(torch.linspace(0, math.log(1000), half, device=x.device))
        angles = level * rates
        given = F.silu(condition + self.time(torch.cat([angles.sin(), angles.cos()], dim=-1)))
        hidden = self.enter(x.flatten(-2))
        for block in self.blocks:
            hidden = block(hidden, given)
        out: Tensor = self.leave(hidden).unflatten(-1, (self.chunk, self.action_dim))
        return out

    def loss(self, inputs: Inputs, action: Tensor, valid: Tensor, weight: Tensor) -> Tensor:
        condition = self.encoder(inputs)[:, None]
        # The network sees all steps of x, so that what pads a chunk would leak in otherwise.
        action = torch.where(valid[..., None], action, 0.0)
        target = action[:, None].expand(-1, self.draws, -1, -1)
        noise = torch.randn_like(target)
        # Stratified levels: the draws of one row cover [0, 1] evenly.
        level = torch.rand(*target.shape[:2], 1, device=action.device)
        level = (level + torch.arange(self.draws, device=action.device)[:, None]) / self.draws
        x = target + level[..., None] * (noise - target)
        error = (self.velocity(x, level, condition) - (noise - target)).square()
        return masked_mean(error, valid, weight)

    def sample(self, inputs: Inputs, noise: Tensor) -> Tensor:
        condition = self.encoder(inputs)[:, None]
        scheduler = FlowMatchEulerDiscreteScheduler()
        # Levels 1 .. 1/n: the default ends with a step of almost no length.
        n = self.sampler_steps
        scheduler.set_timesteps(sigmas=np.linspace(1, 1 / n, n).tolist(), device=noise.device)
        x = noise
        for time, level in zip(scheduler.timesteps, scheduler.sigmas[:-1], strict=True):
            velocity = self.velocity(x, level.expand(*x.shape[:2], 1), condition)
            x = scheduler.step(velocity, time, x, return_dict=False)[0]
        return x

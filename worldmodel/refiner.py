"""What the warp cannot know: a flow-matching model of the residual, in the codec's latents.

The target is the difference between the latents of the true next frame and of the motion model's
frame. Only decoded differences are added to that frame, so the codec never touches what the warp
already explains. One sampler step gives the residual's conditional mean, more give a sample
(Lipman et al., "Flow matching for generative modeling", ICLR 2023).

Axes: B samples, C cameras, L latent channels, h x w latent cells, M = 2D + A.
"""

from __future__ import annotations

import numpy as np
import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from torch import Tensor, nn

from trimix.worldmodel.motion import coordinates, run_unet, silence, unet

TRAIN_TIMESTEPS = 1000
_LEAST_CHANGE = 0.02


class Refiner(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """The residual that a noisy one comes from, given the frames it belongs to.

    Args:
        cameras: C.
        latent_channels: L.
        condition_dim: M.
        channels: of each UNet level.
    """

    scale: Tensor

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        cameras: int,
        latent_channels: int,
        condition_dim: int,
        channels: tuple[int, ...] = (48, 64, 96),
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        channels = tuple(channels)
        width = cameras * latent_channels
        self.condition = nn.Sequential(
            nn.Linear(condition_dim, 256), nn.SiLU(), nn.Linear(256, 4 * channels[0])
        )
        self.unet = unet(3 * width + 2, width, channels)
        silence(self.unet.conv_out)
        self.register_buffer("scale", torch.ones(()))

    def forward(
        self, noisy: Tensor, sigma: Tensor, mean: Tensor, last: Tensor, condition: Tensor
    ) -> Tensor:
        """The expected residual, in its unit.

        The residual itself and not the velocity: a velocity holds the noise, which a small
        network would have to pass on without loss. Untrained, it predicts none.

        Args:
            noisy: (B, CL, h, w) sigma x noise + (1 - sigma) x residual / unit.
            sigma: (B,) in (0, 1].
            mean, last: (B, CL, h, w) latents of the motion model's frame and of the last frame.
            condition: (B, M).
        """
        change = (last - mean) / size_of_change(mean, last)
        cells = torch.cat([noisy, mean, change, coordinates(noisy)], 1)
        return run_unet(self.unet, cells, sigma * TRAIN_TIMESTEPS, self.condition(condition))

    def unit(self, given: Given) -> Tensor:
        """(B, 1, 1, 1): the size that a residual is expected to have.

        It goes with how much the frame changed, so that a frame that hardly moved is neither
        disturbed by noise nor drowned in the loss by those that moved far.
        """
        mean, last, _ = given
        return self.scale * size_of_change(mean, last)

    def loss(self, residual: Tensor, sigma: Tensor, noise: Tensor, given: Given) -> Tensor:
        """Mean squared error of the expected residual.

        Args:
            residual, noise: (B, CL, h, w); sigma: (B,).
        """
        target = residual / self.unit(given)
        level = sigma[:, None, None, None]
        noisy = level * noise + (1 - level) * target
        error: Tensor = (self(noisy, sigma, *given) - target).square().mean()
        return error

    def sample(
        self, scheduler: FlowMatchEulerDiscreteScheduler, noise: Tensor, steps: int, given: Given
    ) -> Tensor:
        """(B, CL, h, w): a residual drawn from this noise in so many steps."""
        # A copy: set_timesteps changes the scheduler, which others may be using.
        scheduler = FlowMatchEulerDiscreteScheduler.from_config(scheduler.config)
        # Even levels from 1: the default ends with a step from 0.001, which does nothing.
        levels = np.linspace(1.0, 1.0 / steps, steps).tolist()
        scheduler.set_timesteps(sigmas=levels, device=noise.device)
        value = noise
        for timestep, level in zip(scheduler.timesteps, levels, strict=True):
            expected = self(value, noise.new_full((len(noise),), level), *given)
            velocity = (value - expected) / level
            (value,) = scheduler.step(velocity, timestep, value, return_dict=False)  # type: ignore[arg-type]
        return value * self.unit(given)


def size_of_change(mean: Tensor, last: Tensor) -> Tensor:
    """(B, 1, 1, 1): root mean square of what the warp changed in the latents, never zero."""
    return (last - mean).square().mean((1, 2, 3), keepdim=True).sqrt() + _LEAST_CHANGE


Given = tuple[Tensor, Tensor, Tensor]
"""(mean latents, last latents, condition) as in Refiner.forward."""

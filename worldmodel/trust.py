"""How right a dreamed frame is likely to be: a first estimate, from predicted error.

The head predicts the PSNR that a frame would have against the true one, as a normal distribution
whose mean and width it learned on self-rollouts over episodes that the dynamics never trained on.
Trust is the probability that this PSNR is above a threshold.

Axes: B samples, M = 2D + A.
"""

from __future__ import annotations

import math

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

PEAK_DB = 10 * math.log10(255**2 * 12)
"""The PSNR of a frame that differs by rounding to bytes alone: what a recorded frame has."""
_UNIT_DB = 10.0


class Trust(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Predicts the error of the next frame from what is known before it is shown.

    Args:
        condition_dim: M.
        feature_dim: of the motion model's features.
        right_psnr_db: a frame counts as right from this PSNR up.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(self, condition_dim: int, feature_dim: int, right_psnr_db: float = 18.0) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.right_psnr_db = right_psnr_db
        last = nn.Linear(64, 2)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.net = nn.Sequential(
            nn.LayerNorm(condition_dim + feature_dim + 3, elementwise_affine=False),
            nn.Linear(condition_dim + feature_dim + 3, 64),
            nn.SiLU(),
            nn.Linear(64, 64),
            nn.SiLU(),
            last,
        )

    def forward(
        self, condition: Tensor, features: Tensor, psnr: Tensor, age: Tensor, change: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the next frame's PSNR in dB, (B,) each.

        Args:
            condition: (B, M); features: (B, feature_dim).
            psnr: (B,) dB, what this head said of the last frame; PEAK_DB for a recorded one.
            age: (B,) dreamed frames so far.
            change: (B,) dB, PSNR of the next frame against the last one.
        """
        extra = torch.stack(
            [(psnr - 25) / _UNIT_DB, torch.log1p(age) - 1, (change - 25) / _UNIT_DB], 1
        )
        mean, width = self.net(torch.cat([condition, features, extra], 1)).unbind(1)
        # The frame drifts from where it was and by about as much as it changed.
        return 20 + _UNIT_DB * mean, 3 * torch.exp(width.clamp(-2, 2))

    def probability(self, mean: Tensor, std: Tensor) -> Tensor:
        """(B,) in [0, 1]: that the PSNR is above right_psnr_db."""
        above: Tensor = torch.special.ndtr((mean - self.right_psnr_db) / std)
        return above


def psnr_db(images: Tensor, truth: Tensor) -> Tensor:
    """(B,) PSNR of each sample's frames as bytes: 10 log10(255^2 / mean squared error).

    The error is over all pixels, channels and cameras of a sample, and at least that of rounding
    (1/12), so that two equal frames have PEAK_DB and not infinity.

    Args:
        images, truth: (B, channels, H, W) in [-1, 1].
    """
    difference = to_levels(images) - to_levels(truth)
    error = difference.square().flatten(1).mean(1).clamp_min(1 / 12)
    return 10 * torch.log10(255**2 / error)


def to_levels(images: Tensor) -> Tensor:
    """Images in [-1, 1] as whole levels 0..255, float."""
    return ((images.clamp(-1, 1) + 1) * 127.5).round()

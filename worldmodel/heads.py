"""What follows from an action besides the picture: state, reward, success, the end.

Axes: B samples, D state channels, M = 2D + A.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

_RARE = 0.02
"""How likely success and the end are in a frame, before anything is learned."""


@dataclass(frozen=True)
class Outcome:
    """state_step: (B, D) in Normalizer.step_std; reward: (B,) normalised; logits: (B,) each."""

    state_step: Tensor
    reward: Tensor
    success_logit: Tensor
    end_logit: Tensor


class Heads(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Small networks on the motion model's features and the condition.

    The state's step is a linear map of state, last step and action (velocity x period, learned)
    plus what a hidden layer adds to it. `labels` says which of reward and success any training
    data labelled: the others are never trained, and whoever asks must look there first.

    Args:
        state_dim: D.
        condition_dim: M.
        feature_dim: of the motion model's features.
    """

    labels: Tensor

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(self, state_dim: int, condition_dim: int, feature_dim: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.linear = nn.Linear(condition_dim, state_dim)
        self.bend = nn.Sequential(
            nn.Linear(condition_dim, 128), nn.SiLU(), nn.Linear(128, state_dim)
        )
        self.outcome = nn.Sequential(
            nn.Linear(condition_dim + feature_dim, 128), nn.SiLU(), nn.Linear(128, 3)
        )
        # Success and the end are rare. Without this the first guess is a half, at which dreams end
        # (Lin et al. 2017, Focal Loss for Dense Object Detection, section 3.3).
        last = cast(nn.Linear, self.outcome[-1])
        nn.init.constant_(last.bias[1:], math.log(_RARE / (1 - _RARE)))
        self.register_buffer("labels", torch.zeros(2, dtype=torch.bool))

    @property
    def knows_reward(self) -> bool:
        """Whether any training data had rewards."""
        return bool(self.labels[0])

    @property
    def knows_success(self) -> bool:
        """Whether any training data had success labels."""
        return bool(self.labels[1])

    def forward(self, condition: Tensor, features: Tensor) -> Outcome:
        """condition: (B, M); features: (B, feature_dim)."""
        step = self.linear(condition) + self.bend(condition)
        reward, success, end = self.outcome(torch.cat([condition, features], 1)).unbind(1)
        return Outcome(step, reward, success, end)

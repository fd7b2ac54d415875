"""What the learned policies share: a network from an observation to a chunk of actions.

Axes: B rows, c steps of a chunk, A action channels, R draws.
"""

from __future__ import annotations

from abc import abstractmethod

from diffusers.configuration_utils import ConfigMixin
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor

from trimix.policy.encoder import ObservationEncoder
from trimix.policy.inputs import Inputs


class ChunkModel(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """An encoder and a head; all in unit scale. Saved by diffusers as JSON and safetensors."""

    encoder: ObservationEncoder
    history: int
    chunk: int
    action_dim: int
    stochastic: bool
    """Whether `sample` depends on its noise."""

    @abstractmethod
    def loss(self, inputs: Inputs, action: Tensor, valid: Tensor, weight: Tensor) -> Tensor:
        """The training loss, a scalar.

        Args:
            action: (B, c, A) target.
            valid: (B, c) bool; padded steps do not count.
            weight: (B,) weight of each row.
        """

    @abstractmethod
    def sample(self, inputs: Inputs, noise: Tensor) -> Tensor:
        """(B, R, c, A) standard normal noise -> as many chunks; encodes each row once."""


def masked_mean(error: Tensor, valid: Tensor, weight: Tensor) -> Tensor:
    """Mean of (B, ..., c, A) over valid steps, rows counting by weight."""
    mask = (valid * weight[:, None]).to(error.dtype)
    mask = mask.view(mask.shape[0], *[1] * (error.ndim - 3), mask.shape[1], 1).expand_as(error)
    return (error * mask).sum() / mask.sum().clamp_min(1e-6)

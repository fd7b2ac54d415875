"""What the world model's parts are told about the robot: states and actions, put to one scale.

Axes: B samples, D state channels, A action channels.
"""

from __future__ import annotations

import numpy as np
import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor

from trimix.core.contracts import F32, BoolArray

# Below this a channel is taken as constant: joints that hardly move would otherwise shout.
_FLOOR = 0.02
_STEP_FLOOR = 1e-3
_LIMIT = 8.0


class Normalizer(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Means and scales of the training data.

    Args:
        state_dim: D; may be 0.
        action_dim: A.

    Attributes:
        width: 2D + A, the length of a condition.
    """

    state_mean: Tensor
    state_std: Tensor
    step_std: Tensor
    action_mean: Tensor
    action_std: Tensor
    reward_mean: Tensor
    reward_std: Tensor

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(self, state_dim: int, action_dim: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.width = 2 * state_dim + action_dim
        for name, width in (("state", state_dim), ("action", action_dim), ("reward", 1)):
            self.register_buffer(f"{name}_mean", torch.zeros(width))
            self.register_buffer(f"{name}_std", torch.ones(width))
        self.register_buffer("step_std", torch.ones(state_dim))

    def fit(self, state: F32, action: F32, reward: F32 | None, follows: BoolArray) -> None:
        """Take means and scales from recorded rows.

        Args:
            state: (F, D), action: (F, A), reward: (F,) or None if unlabelled.
            follows: (F,) whether row i + 1 goes on from row i; the last is False.
        """
        self._set("state", state)
        self._set("action", action)
        if reward is not None:
            self._set("reward", reward[:, None])
        step = np.diff(state, axis=0)[follows[:-1]]
        if len(step):
            self.step_std.copy_(torch.from_numpy(step.std(0).clip(_STEP_FLOOR)))

    def _set(self, name: str, rows: F32) -> None:
        getattr(self, f"{name}_mean").copy_(torch.from_numpy(rows.mean(0)))
        getattr(self, f"{name}_std").copy_(torch.from_numpy(rows.std(0).clip(_FLOOR)))

    def condition(self, previous: Tensor, state: Tensor, action: Tensor) -> Tensor:
        """(B, 2D + A): the state, the last step of it, and the action, each near unit scale.

        Args:
            previous, state: (B, D) one control period apart; action: (B, A) taken on `state`.
        """
        parts = (
            (state - self.state_mean) / self.state_std,
            (state - previous) / self.step_std,
            (action - self.action_mean) / self.action_std,
        )
        return torch.cat(parts, 1).clamp(-_LIMIT, _LIMIT)

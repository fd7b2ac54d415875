"""Plain behaviour cloning: the chunk is regressed from the observation. The baseline.

Axes: B rows, R draws, c steps of a chunk, A action channels.
"""

from __future__ import annotations

from collections.abc import Mapping

from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from trimix.policy.encoder import ObservationEncoder
from trimix.policy.inputs import Inputs
from trimix.policy.model import ChunkModel, masked_mean


class BcModel(ChunkModel):
    """Behaviour cloning by squared error, with the encoder of the flow policy.

    Args:
        cameras: name -> (height, width).
        state_dim, action_dim: D, A.
        history, chunk: frames seen, steps given.
        width: of the hidden layers.
    """

    stochastic = False

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        cameras: Mapping[str, tuple[int, int]],
        state_dim: int,
        action_dim: int,
        history: int = 2,
        chunk: int = 8,
        width: int = 256,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.history, self.chunk, self.action_dim = history, chunk, action_dim
        self.encoder = ObservationEncoder(cameras, state_dim, history, width)
        self.head = nn.Sequential(
            nn.SiLU(),
            nn.Linear(width, 2 * width),
            nn.SiLU(),
            nn.Linear(2 * width, chunk * action_dim),
        )

    def loss(self, inputs: Inputs, action: Tensor, valid: Tensor, weight: Tensor) -> Tensor:
        error = (self._chunk(inputs) - action).square()
        return masked_mean(error, valid, weight)

    def sample(self, inputs: Inputs, noise: Tensor) -> Tensor:
        """The regressed chunk, repeated over the draws: the noise does not count."""
        return self._chunk(inputs)[:, None].expand_as(noise)

    def _chunk(self, inputs: Inputs) -> Tensor:
        out: Tensor = self.head(self.encoder(inputs)).unflatten(-1, (self.chunk, self.action_dim))
        return out

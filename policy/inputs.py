"""What a policy's network is fed.

Axes: B rows, h frames of history, H x W pixels, D state channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trimix.core.contracts import F32, ORIGINS, U8
from trimix.core.errors import unknown
from trimix.policy import text
from trimix.policy.normalization import Normalization

DOMAINS = ("none", *ORIGINS)
"""Domain tags; "none" stands for any origin and is what an unspecified world is asked as."""


@dataclass(frozen=True)
class Inputs:
    """A batch of observations, on one device.

    Args:
        images: camera -> (B, h, H, W, 3) uint8.
        state: (B, h, D) unit scale.
        delta: (B, h - 1, D) change of state from frame to frame, unit scale: the velocity.
        text: (B, text.BUCKETS).
        domain: (B,) int64 index into DOMAINS.
        colour: (B, 3, 4) colour maps to apply to the images; None for none.
    """

    images: Mapping[str, Tensor]
    state: Tensor
    delta: Tensor
    text: Tensor
    domain: Tensor
    colour: Tensor | None = None


def make_inputs(
    images: Mapping[str, U8],
    state: F32,
    instruction: Sequence[str],
    domain: Sequence[str],
    normalization: Normalization,
    device: torch.device,
    colour: F32 | None = None,
) -> Inputs:
    """Normalize a batch of physical observations and move it to the device.

    Args:
        images: camera -> (B, h, H, W, 3) uint8.
        state: (B, h, D) in physical units.
        instruction, domain: B of each.
        colour: (B, 3, 4) or None.

    Raises:
        ConfigError: a domain that is not in DOMAINS.
    """
    return Inputs(
        images={k: _tensor(v, device) for k, v in images.items()},
        state=_tensor(normalization.state(state), device),
        delta=_tensor(normalization.delta(state), device),
        text=_tensor(text.embed(instruction), device),
        domain=_tensor(np.array([domain_index(d) for d in domain], np.int64), device),
        colour=None if colour is None else _tensor(colour, device),
    )


def domain_index(name: str) -> int:
    """The domain tag's number; ConfigError for a name that is not a domain."""
    if name not in DOMAINS:
        raise unknown("domain", name, DOMAINS)
    return DOMAINS.index(name)


def _tensor(array: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).to(device)

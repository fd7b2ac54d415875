"""Observations to one feature vector.

Axes: B rows, h frames of history, H x W pixels, K keypoints, D state channels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trimix.policy import text
from trimix.policy.inputs import DOMAINS, Inputs

KEYPOINTS = 32
_POOL = 8
_LOW = 128


class CameraEncoder(nn.Module):
    """The frames of one camera to keypoints and a low-resolution feature.

    A spatial softmax (Levine et al., 2016) gives each of K maps' expected image position, which
    is finer than a pixel of the map; the flattened low-resolution map keeps what has no one
    position. The frames enter together, so that the first layer sees motion, beside two channels
    of coordinates. Strides bring any size to about 16 x 16.

    Args:
        frames: h.
        image_hw: height and width in pixels.
        context: length of the vector that modulates the last map (FiLM, Perez et al., 2018).
    """

    def __init__(self, frames: int, image_hw: tuple[int, int], context: int) -> None:
        super().__init__()
        height, width = image_hw
        halvings = max(1, round(math.log2(max(2.0, min(height, width) / 16))))
        sizes = [24, *[40] * (halvings - 1)]
        layers: list[nn.Module] = []
        into = 3 * frames + 2
        for i, out in enumerate(sizes):
            kernel = 5 if i == 0 else 3
            layers += [
                nn.Conv2d(into, out, kernel, 2, kernel // 2),
                nn.GroupNorm(8, out),
                nn.SiLU(),
            ]
            into = out
        self.stem = nn.Sequential(*layers)
        self.body = nn.Conv2d(into, 64, 3, 1, 1)
        self.norm = nn.GroupNorm(8, 64)
        self.film = nn.Linear(context, 128)
        self.keys = nn.Conv2d(64, KEYPOINTS, 1)
        self.low = nn.Conv2d(64, 32, 3, 2, 1)
        self.flat = nn.Linear(32 * _POOL * _POOL, _LOW)
        self.size = 2 * KEYPOINTS + _LOW

    def forward(self, x_BhHWC: Tensor, colour: Tensor | None, context: Tensor) -> Tensor:
        """(B, h, H, W, 3) uint8, (B, 3, 4) or None, (B, context) -> (B, size)."""
        b, frames, height, width, _ = x_BhHWC.shape
        x = x_BhHWC.float() / 255
        if colour is not None:
            matrix, offset = colour[:, :, :3].mT, colour[:, None, :, 3]
            x = torch.baddbmm(offset, x.reshape(b, -1, 3), matrix).clamp(0, 1).view_as(x)
        x = x.permute(0, 2, 3, 1, 4).reshape(b, height, width, 3 * frames) * 2 - 1
        x = torch.cat([x, _grid(height, width, x).expand(b, -1, -1, -1)], dim=3)
        x = self.stem(x.permute(0, 3, 1, 2))  # NHWC in memory, as convolutions here like it
        scale, shift = self.film(context)[:, :, None, None].chunk(2, dim=1)
        x = F.silu(self.norm(self.body(x)) * (1 + scale) + shift)
        low = F.adaptive_avg_pool2d(F.silu(self.low(x)), _POOL).flatten(1)
        return torch.cat([self._keypoints(x), F.silu(self.flat(low))], dim=1)

    def _keypoints(self, x: Tensor) -> Tensor:
        """(B, 64, H', W') -> (B, 2 K): all y, then all x."""
        maps = self.keys(x).float()
        weights = maps.flatten(2).softmax(dim=2)
        y, x = _grid(maps.shape[2], maps.shape[3], weights).view(-1, 2).unbind(1)
        # Sums and not a matrix product, which mixed precision would round to 8 bits.
        return torch.cat([(weights * y).sum(2), (weights * x).sum(2)], dim=1)


def _grid(height: int, width: int, like: Tensor) -> Tensor:
    """(H, W, 2) coordinates in [-1, 1]: y, x."""
    y = torch.linspace(-1, 1, height, device=like.device, dtype=like.dtype)
    x = torch.linspace(-1, 1, width, device=like.device, dtype=like.dtype)
    return torch.stack(torch.meshgrid(y, x, indexing="ij"), dim=2)


class ObservationEncoder(nn.Module):
    """Inputs to (B, width): cameras, state and its changes (if it has any), instruction, tag."""

    def __init__(
        self, cameras: Mapping[str, tuple[int, int]], state_dim: int, history: int, width: int
    ) -> None:
        super().__init__()
        motion = state_dim * (2 * history - 1)
        self.state = nn.Linear(motion, 128) if motion else None
        self.text = nn.Linear(text.BUCKETS, 32)
        self.domain = nn.Embedding(len(DOMAINS), 16)
        low = (128 if motion else 0) + 32 + 16
        self.order = sorted(cameras)
        # Indexed by place, because a camera's name need not be a valid module name.
        self.cameras = nn.ModuleList(
            CameraEncoder(history, cameras[name], low) for name in self.order
        )
        seen = sum(2 * KEYPOINTS + _LOW for _ in self.order)
        self.trunk = nn.Sequential(
            nn.Linear(low + seen, width), nn.LayerNorm(width), nn.SiLU(), nn.Linear(width, width)
        )

    def forward(self, inputs: Inputs) -> Tensor:
        told = [self.text(inputs.text), self.domain(inputs.domain)]
        if self.state is not None:
            motion = torch.cat([inputs.state.flatten(1), inputs.delta.flatten(1)], dim=1)
            told.append(F.silu(self.state(motion)))
        low = torch.cat(told, dim=1)
        seen = [
            encoder(inputs.images[name], inputs.colour, low)
            for name, encoder in zip(self.order, self.cameras, strict=True)
        ]
        out: Tensor = self.trunk(torch.cat([low, *seen], dim=1))
        return out

"""What moves the pixels: a smooth flow field warps the last frames, and a residual adds the rest.

A camera on a moving arm changes every pixel at every step, and nearly all of that change is a
warp. Predicting the warp instead of the pixels is what makes a small model beat repeating the
last frame (compare Finn et al., "Unsupervised learning for physical interaction through video
prediction", NeurIPS 2016).

Axes: B samples, C cameras, K flow fields, H x W pixels, h x w = H/p x W/p cells, M = 2D + A.
Images are (B, 3C, H, W) in [-1, 1].
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.models.unets.unet_2d import UNet2DModel
from torch import Tensor, nn

# Flow is in units of a quarter of half an image, so that the network's output is near one.
_FLOW_UNIT = 0.25
# At the start the first field has nearly all the weight, so that training begins at "repeat".
_SECOND_FIELD_LOGIT, _PREVIOUS_FRAME_LOGIT = -1.0, -3.0


@dataclass(frozen=True)
class Motion:
    """image: (B, 3C, H, W), not clipped; features: (B, 2 x features) for the heads."""

    image: Tensor
    features: Tensor


def unet(
    in_channels: int, out_channels: int, channels: tuple[int, ...], layers: int = 1
) -> UNet2DModel:
    """A UNet2DModel with attention at its lowest level alone, led by a continuous condition.

    Args:
        channels: of each level, multiples of 16; the condition has 4 x channels[0] numbers.
    """
    below = len(channels) - 1
    net: UNet2DModel = UNet2DModel(
        in_channels=in_channels,
        out_channels=out_channels,
        block_out_channels=channels,
        layers_per_block=layers,
        down_block_types=("DownBlock2D",) * below + ("AttnDownBlock2D",),
        up_block_types=("AttnUpBlock2D",) + ("UpBlock2D",) * below,
        norm_num_groups=16,
        attention_head_dim=16,
        class_embed_type="identity",
        resnet_time_scale_shift="scale_shift",
    )
    return net


def run_unet(net: UNet2DModel, cells: Tensor, timestep: Tensor | int, condition: Tensor) -> Tensor:
    """The UNet on cells of any size: UNet2DModel itself halves and doubles exactly.

    Args:
        cells: (B, channels, h, w); condition: (B, 4 x first block channels).
    """
    h, w = cells.shape[-2:]
    multiple = 2 ** (len(net.down_blocks) - 1)
    pad = (0, -w % multiple, 0, -h % multiple)
    if any(pad):
        cells = F.pad(cells, pad, mode="replicate")
    out: Tensor = net(cells, timestep, class_labels=condition).sample
    return out[..., :h, :w]


def silence(layer: nn.Conv2d) -> None:
    """Make the layer give zeros until it is trained."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


def coordinates(like: Tensor) -> Tensor:
    """(B, 2, h, w): where each cell is, from -1 to 1; what a warp depends on besides motion."""
    b, _, h, w = like.shape
    ys = torch.linspace(-1, 1, h, device=like.device, dtype=like.dtype)
    xs = torch.linspace(-1, 1, w, device=like.device, dtype=like.dtype)
    return torch.stack(torch.meshgrid(ys, xs, indexing="ij")).expand(b, -1, -1, -1)


class MotionModel(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Predicts the next frame's mean from two frames and a condition.

    Every pixel is a mixture of K warped sources (two fields on the last frame, so that the
    gripper can stand still while the table moves under it, and one on the frame before, which
    may know what the last one hid), plus a residual.

    Args:
        cameras: C.
        condition_dim: M.
        channels: of each UNet level.
        patch: p, pixels a cell.
        fields: K - 1 flow fields on the last frame; one more is on the frame before.
        features: what the heads are told, averaged and maximised over the image.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        cameras: int,
        condition_dim: int,
        channels: tuple[int, ...] = (64, 96, 128),
        patch: int = 4,
        fields: int = 2,
        features: int = 32,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        channels = tuple(channels)  # a list when it comes from a stored config
        self.cameras, self.patch, self.features = cameras, patch, features
        self.sources = fields + 1
        self.flows = cameras * self.sources * 2
        self.pixels = cameras * (self.sources + 3)
        self.condition = nn.Sequential(
            nn.Linear(condition_dim, 256), nn.SiLU(), nn.Linear(256, 4 * channels[0])
        )
        self.unet = unet(
            6 * cameras * patch**2 + 2, self.flows + self.pixels * patch**2 + features, channels
        )
        # Begin at "repeat the last frame", with flows just off zero so that they can part.
        silence(self.unet.conv_out)
        nn.init.normal_(self.unet.conv_out.weight[: self.flows], std=1e-3)
        nn.init.normal_(self.unet.conv_out.weight[-features:], std=0.02)

    def forward(self, previous: Tensor, last: Tensor, condition: Tensor) -> Motion:
        """previous, last: (B, 3C, H, W) in [-1, 1]; condition: (B, M)."""
        patch, cameras, k = self.patch, self.cameras, self.sources
        b, _, height, width = last.shape
        cells = F.pixel_unshuffle(torch.cat([last, last - previous], 1), patch)
        cells = torch.cat([cells, coordinates(cells)], 1)
        out = run_unet(self.unet, cells, 0, self.condition(condition))
        flow, pixels, features = torch.split(
            out, [self.flows, self.pixels * patch**2, self.features], dim=1
        )
        flow = F.interpolate(flow, (height, width), mode="bilinear", align_corners=False)
        flow = _FLOW_UNIT * flow.reshape(b * cameras, k, 2, height, width)
        pixels = F.pixel_shuffle(pixels, patch).reshape(b * cameras, k + 3, height, width)
        frames = [last.reshape(b * cameras, 3, height, width)] * (k - 1)
        frames.append(previous.reshape(b * cameras, 3, height, width))
        prior = [0.0, *([_SECOND_FIELD_LOGIT] * (k - 2)), _PREVIOUS_FRAME_LOGIT]
        logits = pixels[:, :k] + pixels.new_tensor(prior)[:, None, None]
        weight = logits.softmax(1)
        image = pixels[:, k:]
        for i, frame in enumerate(frames):
            image = image + weight[:, i : i + 1] * warp(frame, flow[:, i])
        pooled = torch.cat([features.mean((2, 3)), features.amax((2, 3))], 1)
        return Motion(image.reshape(b, 3 * cameras, height, width), pooled)


def warp(image: Tensor, flow: Tensor) -> Tensor:
    """Sample the image where the flow points; beyond the border the border repeats.

    Args:
        image: (B, channels, H, W).
        flow: (B, 2, H, W), (x, y) in half images: zero gives the image itself.
    """
    b, _, h, w = image.shape
    theta = torch.eye(2, 3, device=image.device, dtype=image.dtype).expand(b, -1, -1)
    grid = F.affine_grid(theta, [b, 1, h, w], align_corners=False)
    return F.grid_sample(
        image, grid + flow.permute(0, 2, 3, 1), padding_mode="border", align_corners=False
    )

"""The codec: frames to latents a quarter of their width and height, and back.

Axes: B samples, C cameras, H x W pixels, L latent channels, h x w = H/p x W/p latent cells.
Images are (B, 3C, H, W) in [-1, 1], latents (B, CL, h, w); cameras share the codec.
"""

from __future__ import annotations

from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from torch import Tensor

from trimix.core.errors import ConfigError


def build_codec(channels: int, latent_channels: int, patch: int) -> AutoencoderTiny:
    """An untrained AutoencoderTiny that shrinks images by `patch`.

    Blocks stand at the reduced resolutions only: at full resolution each would cost as much as
    all others together.

    Raises:
        ConfigError: patch is not a power of two of at least 2.
    """
    stages = patch.bit_length()
    if patch < 2 or 2 ** (stages - 1) != patch:
        raise ConfigError(f"patch is {patch}", do="give 2, 4, 8 or 16")
    width = (channels,) * stages
    blocks = (0, *([1] * (stages - 1)))
    codec: AutoencoderTiny = AutoencoderTiny(
        encoder_block_out_channels=width,
        decoder_block_out_channels=width,
        num_encoder_blocks=blocks,
        num_decoder_blocks=blocks[::-1],
        latent_channels=latent_channels,
    )
    return codec


def latent_channels(codec: AutoencoderTiny) -> int:
    """L."""
    return int(codec.config["latent_channels"])


def encode(codec: AutoencoderTiny, images: Tensor) -> Tensor:
    """(B, 3C, H, W) in [-1, 1] to (B, CL, h, w)."""
    b, c3, h, w = images.shape
    # Through .encode: AutoencoderTiny.forward() rounds the latents to bytes, without a gradient.
    latents: Tensor = codec.encode(images.reshape(-1, 3, h, w)).latents
    return latents.reshape(b, c3 // 3 * latents.shape[1], *latents.shape[2:])


def decode(codec: AutoencoderTiny, latents: Tensor) -> Tensor:
    """(B, CL, h, w) to (B, 3C, H, W), about [-1, 1] but not clipped to it."""
    b, cl, h, w = latents.shape
    width = latent_channels(codec)
    images: Tensor = codec.decode(latents.reshape(-1, width, h, w)).sample
    return images.reshape(b, cl // width * 3, *images.shape[2:])

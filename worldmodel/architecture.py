"""Building an untrained world model for an interface, and fitting its scales to data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)

from trimix.core.contracts import PolicyInterface
from trimix.core.errors import ConfigError
from trimix.worldmodel.clips import Clips
from trimix.worldmodel.codec import build_codec
from trimix.worldmodel.heads import Heads
from trimix.worldmodel.motion import MotionModel
from trimix.worldmodel.normalizer import Normalizer
from trimix.worldmodel.pipeline import TrainedOn, WorldModelPipeline, image_layout
from trimix.worldmodel.refiner import Refiner
from trimix.worldmodel.trust import Trust


@dataclass(frozen=True)
class ArchitectureConfig:
    """The size of a world model. The defaults are for 64 px on two CPU cores.

    Args:
        channels, patch, fields, features: see MotionModel. Larger images want a larger patch.
        codec_channels, latent_channels: see build_codec.
        refiner_channels: see Refiner.
        right_psnr_db: see Trust.
        sampler_steps: default of the pipeline, see WorldModelPipeline.
    """

    channels: tuple[int, ...] = (64, 96, 128)
    patch: int = 4
    fields: int = 2
    features: int = 32
    codec_channels: int = 16
    latent_channels: int = 8
    refiner_channels: tuple[int, ...] = (48, 64, 96)
    right_psnr_db: float = 18.0
    sampler_steps: int = 1

    def __post_init__(self) -> None:
        for name in ("features", "fields", "codec_channels", "latent_channels"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}", do="give 1 or more")
        if self.patch not in (2, 4, 8):
            raise ConfigError(f"patch is {self.patch}", do="give 2, 4 or 8")
        if self.sampler_steps < 0:
            raise ConfigError(f"sampler_steps is {self.sampler_steps}", do="give 0 or more")
        for name in ("channels", "refiner_channels"):
            widths = getattr(self, name)
            if not widths or any(c % 16 or c < 16 for c in widths):
                raise ConfigError(f"{name} are {list(widths)}", do="give multiples of 16")


def build_pipeline(
    interface: PolicyInterface,
    config: ArchitectureConfig | None = None,
    training: Sequence[TrainedOn] = (),
    seed: int = 0,
) -> WorldModelPipeline:
    """An untrained world model; its weights follow from the seed.

    Raises:
        InterfaceError: the cameras do not suit, see image_layout.
    """
    config = config or ArchitectureConfig()
    cameras = len(image_layout(interface)[0])
    normalizer = Normalizer(len(interface.state), len(interface.action))
    width, features = normalizer.width, 2 * config.features
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return WorldModelPipeline(
            codec=build_codec(config.codec_channels, config.latent_channels, config.patch),
            motion=MotionModel(
                cameras, width, config.channels, config.patch, config.fields, config.features
            ),
            refiner=Refiner(cameras, config.latent_channels, width, config.refiner_channels),
            heads=Heads(len(interface.state), width, features),
            trust=Trust(width, features, config.right_psnr_db),
            normalizer=normalizer,
            scheduler=FlowMatchEulerDiscreteScheduler(),
            card={
                "interface": interface.to_json(),
                "training": list(training),
                "sampler_steps": config.sampler_steps,
            },
        )


def fit_scales(pipeline: WorldModelPipeline, clips: Sequence[Clips]) -> None:
    """Means and scales over the chosen episodes of all data sets, and what they label."""
    rows = [c.starts(0) for c in clips]
    rewards = [c.labels.reward[r] for c, r in zip(clips, rows, strict=True) if c.labels.has_reward]
    pipeline.normalizer.fit(
        np.concatenate([c.state[r] for c, r in zip(clips, rows, strict=True)]),
        np.concatenate([c.action[r] for c, r in zip(clips, rows, strict=True)]),
        np.concatenate(rewards) if rewards else None,
        np.concatenate([c.follows()[r] for c, r in zip(clips, rows, strict=True)]),
    )
    labels = [bool(rewards), any(c.labels.has_success for c in clips)]
    pipeline.heads.labels.copy_(torch.tensor(labels))

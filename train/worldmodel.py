"""Training of the world model, part by part: codec, motion and heads, refiner, trust.

Axes: B samples, T steps of a self-rollout.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from torch import nn

from trimix.core.errors import ConfigError, DataError
from trimix.core.seeds import stream
from trimix.data.dataset import Dataset
from trimix.train.device import pick_device
from trimix.train.loop import FitResult, LoopConfig, fit
from trimix.worldmodel.clips import Clip, Clips
from trimix.worldmodel.codec import build_codec
from trimix.worldmodel.heads import Heads
from trimix.worldmodel.motion import MotionModel
from trimix.worldmodel.normalizer import Normalizer
from trimix.worldmodel.objectives import (
    Loss,
    Residuals,
    TrustLoss,
    codec_loss,
    draw_clip,
    missed,
    motion_loss,
    refiner_loss,
)
from trimix.worldmodel.pipeline import WorldModelPipeline
from trimix.worldmodel.refiner import Refiner
from trimix.worldmodel.trust import Trust

STAGES = ("codec", "motion", "refiner", "trust")


@dataclass(frozen=True)
class WorldModelConfig:
    """What to build and how long to train it. The defaults are for 64 px on two CPU cores.

    Args:
        channels, patch, fields, features: see MotionModel.
        codec_channels, latent_channels: see build_codec.
        refiner_channels: see Refiner.
        right_psnr_db: see Trust.
        sampler_steps: default of the pipeline, see WorldModelPipeline.
        batch_size: B.
        rollout_from: the part of motion training after which it trains on self-rollouts.
        longest_rollout: T of the last of them.
        trust_fraction: of the training episodes, kept from the dynamics to learn trust from.
        trust_horizon, trust_rollouts: T and number of the rollouts that trust learns from.
        codec, motion, refiner, trust: the loops.
        seed: of every draw of data and of the weights.
        device, precision, threads: of all loops.
    """

    channels: tuple[int, ...] = (64, 96, 128)
    patch: int = 4
    fields: int = 2
    features: int = 32
    codec_channels: int = 32
    latent_channels: int = 8
    refiner_channels: tuple[int, ...] = (48, 64, 96)
    right_psnr_db: float = 18.0
    sampler_steps: int = 1
    batch_size: int = 16
    rollout_from: float = 0.5
    longest_rollout: int = 3
    trust_fraction: float = 0.1
    trust_horizon: int = 15
    trust_rollouts: int = 128
    codec: LoopConfig = field(
        default_factory=lambda: LoopConfig(steps=300, learning_rate=2e-3, warmup_steps=20)
    )
    motion: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            steps=1500, learning_rate=1e-3, weight_decay=1e-2, warmup_steps=50, checkpoint_every=200
        )
    )
    refiner: LoopConfig = field(
        default_factory=lambda: LoopConfig(steps=300, learning_rate=1e-3, warmup_steps=30)
    )
    trust: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            steps=600, learning_rate=2e-3, warmup_steps=20, ema_decay=0.98
        )
    )
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        for name in (
            "batch_size",
            "longest_rollout",
            "trust_horizon",
            "trust_rollouts",
            "features",
            "fields",
        ):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}", do="give 1 or more")
        if self.sampler_steps < 0:
            raise ConfigError(f"sampler_steps is {self.sampler_steps}", do="give 0 or more")
        for name in ("channels", "refiner_channels"):
            widths = getattr(self, name)
            if not widths or any(c % 16 or c < 16 for c in widths):
                raise ConfigError(f"{name} are {widths}", do="give multiples of 16")
        for name in ("rollout_from", "trust_fraction"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} is {getattr(self, name)}", do="give 0 to 1")

    def loop(self, stage: str) -> LoopConfig:
        """The loop of this stage, on the device of all."""
        loop: LoopConfig = getattr(self, stage)
        return replace(
            loop,
            seed=self.seed,
            device=self.device,
            precision=self.precision,
            threads=self.threads,
        )


@dataclass(frozen=True)
class WorldModelTraining:
    """A trained world model and what its training took.

    Args:
        stages: FitResult of codec, motion, refiner and trust.
        frames: predicted frames that the motion model was trained on.
    """

    pipeline: WorldModelPipeline
    stages: dict[str, FitResult]
    frames: int

    @property
    def seconds(self) -> float:
        """Of all stages."""
        return sum(s.seconds for s in self.stages.values())

    @property
    def frames_per_s(self) -> float:
        """Of motion training, backward pass included."""
        return self.frames / max(self.stages["motion"].seconds, 1e-9)


def train_worldmodel(
    datasets: Sequence[Dataset],
    config: WorldModelConfig | None = None,
    run_dir: Path | str = "worldmodel",
    progress: bool | None = None,
    cache_dir: Path | None = None,
) -> WorldModelPipeline:
    """Train on the "train" split of these data sets and save to run_dir/pipeline.

    Each data set is drawn equally often. A run that was stopped goes on where it was.

    Args:
        progress: show bars; None shows them on a terminal only.
        cache_dir: of decoded frames, see open_cache.

    Raises:
        ConfigError: no data set, or run_dir holds a run with other settings.
        InterfaceError: the data sets differ, or their cameras do not suit the model.
        DataError: a data set has no training episode that is long enough.
    """
    return run_worldmodel(datasets, config, run_dir, progress, cache_dir).pipeline


def run_worldmodel(
    datasets: Sequence[Dataset],
    config: WorldModelConfig | None = None,
    run_dir: Path | str = "worldmodel",
    progress: bool | None = None,
    cache_dir: Path | None = None,
) -> WorldModelTraining:
    """`train_worldmodel`, with the record of what it took."""
    config = config or WorldModelConfig()
    if not datasets:
        raise ConfigError("no data set to train the world model on")
    for other in datasets[1:]:
        datasets[0].interface.require_same(other.interface, where=str(other.root))
    return _Training(datasets, config, Path(run_dir), progress, cache_dir).run()


class _Training:
    """The parts under training and the data they are trained on."""

    def __init__(
        self,
        datasets: Sequence[Dataset],
        config: WorldModelConfig,
        run_dir: Path,
        progress: bool | None,
        cache_dir: Path | None,
    ) -> None:
        self.config, self.run_dir, self.progress = config, run_dir, progress
        self.device = pick_device(config.device)
        splits = [split_episodes(d, config) for d in datasets]
        self.clips = [
            Clips(d, s.dynamics, cache_dir) for d, s in zip(datasets, splits, strict=True)
        ]
        self.kept = [Clips(d, s.trust, cache_dir) for d, s in zip(datasets, splits, strict=True)]
        self.training = [
            {"dataset": d.content_hash, "split": "train", "episodes": s.dynamics + s.trust}
            for d, s in zip(datasets, splits, strict=True)
        ]
        self.interface = datasets[0].interface
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self._build()
        self._fit_scales()

    def _build(self) -> None:
        config, cameras = self.config, len(self.clips[0].cameras)
        normalizer = Normalizer(len(self.interface.state), len(self.interface.action))
        width = normalizer.width
        self.normalizer = normalizer.to(self.device)
        self.codec = build_codec(config.codec_channels, config.latent_channels, config.patch)
        self.motion = MotionModel(
            cameras, width, config.channels, config.patch, config.fields, config.features
        )
        self.heads = Heads(len(self.interface.state), width, 2 * config.features)
        self.refiner = Refiner(cameras, config.latent_channels, width, config.refiner_channels)
        self.trust = Trust(width, 2 * config.features, config.right_psnr_db)

    def _fit_scales(self) -> None:
        """Means and scales over the training episodes of all data sets, and what is labelled."""
        rows = [c.starts(0) for c in self.clips]
        rewards = [
            c.labels.reward[r] for c, r in zip(self.clips, rows, strict=True) if c.labels.has_reward
        ]
        self.normalizer.fit(
            np.concatenate([c.state[r] for c, r in zip(self.clips, rows, strict=True)]),
            np.concatenate([c.action[r] for c, r in zip(self.clips, rows, strict=True)]),
            np.concatenate(rewards) if rewards else None,
            np.concatenate([c.follows()[r] for c, r in zip(self.clips, rows, strict=True)]),
        )
        labels = [bool(rewards), any(c.labels.has_success for c in self.clips)]
        self.heads.labels.copy_(torch.tensor(labels))

    def run(self) -> WorldModelTraining:
        dynamics = nn.ModuleDict({"motion": self.motion, "heads": self.heads})
        stages = {
            "codec": self._fit("codec", self.codec, self._codec_loss),
            "motion": self._fit("motion", dynamics, self._motion_loss),
        }
        residual = self._missed(0, "residual scale").residual
        self.refiner.to(self.device).scale.copy_(residual.std().clamp_min(1e-3))
        stages["refiner"] = self._fit("refiner", self.refiner, self._refiner_loss)
        pipeline = self._assemble()
        stages["trust"] = self._fit("trust", self.trust, self._trust_loss(pipeline))
        pipeline.save_pretrained(self.run_dir / "pipeline")
        steps = range(self.config.motion.steps)
        frames = sum(self._horizon(k) for k in steps) * self.config.batch_size
        return WorldModelTraining(pipeline, stages, frames)

    def _fit(self, stage: str, module: nn.Module, loss: Callable[[int], Loss]) -> FitResult:
        return fit(
            module,
            loss,
            self.config.loop(stage),
            self.run_dir / stage,
            progress=self.progress,
            fingerprint=self._fingerprint(),
            label=f"world model: {stage}",
        )

    def _fingerprint(self) -> str:
        machine = ("device", "precision", "threads", "checkpoint_every")
        settings = {k: v for k, v in asdict(self.config).items() if k not in machine}
        for stage in STAGES:
            settings[stage] = getattr(self.config, stage).identity()
        text = json.dumps([settings, self.training, self.interface.to_json()], sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def _assemble(self) -> WorldModelPipeline:
        card = {
            "interface": self.interface.to_json(),
            "training": self.training,
            "sampler_steps": self.config.sampler_steps,
        }
        return WorldModelPipeline(
            self.codec,
            self.motion,
            self.refiner,
            self.heads,
            self.trust.to(self.device),
            self.normalizer,
            FlowMatchEulerDiscreteScheduler(),
            card,
        )

    def _draw(self, purpose: str, step: int, horizon: int) -> Clip:
        config = self.config
        clip = draw_clip(self.clips, (config.seed, step, purpose), config.batch_size, horizon)
        return clip.to(self.device)

    def _codec_loss(self, step: int) -> Loss:
        return codec_loss(self.codec, self._draw("codec", step, 0).previous)

    def _horizon(self, step: int) -> int:
        """Steps of self-rollout at this step of training: 1, then rising to the longest."""
        begin = self.config.rollout_from * self.config.motion.steps
        longest = self.config.longest_rollout
        if step < begin or longest == 1:
            return 1
        progress = (step - begin) / max(1.0, self.config.motion.steps - begin)
        return 2 + int(progress * (longest - 1))

    def _motion_loss(self, step: int) -> Loss:
        clip = self._draw("motion", step, self._horizon(step))
        return motion_loss(self.motion, self.heads, self.normalizer, clip)

    def _missed(self, step: int, purpose: str) -> Residuals:
        clip = self._draw(purpose, step, 1 + step % self.config.longest_rollout)
        return missed(self.codec, self.motion, self.heads, self.normalizer, clip)

    def _refiner_loss(self, step: int) -> Loss:
        return refiner_loss(self.refiner, self._missed(step, "refiner"))

    def _trust_loss(self, pipeline: WorldModelPipeline) -> TrustLoss:
        longest = min(max(clips.lengths()) for clips in self.kept) - 1
        horizon = max(1, min(self.config.trust_horizon, longest))
        return TrustLoss(pipeline, self.kept, horizon, self.config.trust_rollouts, self.config.seed)


@dataclass(frozen=True)
class EpisodeSplit:
    """Indices of the training episodes: for the dynamics, and kept from them for trust."""

    dynamics: list[int]
    trust: list[int]


def split_episodes(dataset: Dataset, config: WorldModelConfig) -> EpisodeSplit:
    """Keep some training episodes apart; held-out episodes are in neither part.

    With fewer than five training episodes trust learns from what the dynamics trained on, and
    is then too high.

    Raises:
        DataError: there is no training episode.
    """
    train = [e.index for e in dataset.episodes if e.provenance.split == "train"]
    if not train:
        raise DataError("it has no episode of split 'train'", where=str(dataset.root))
    kept = max(1, round(config.trust_fraction * len(train))) if config.trust_fraction else 0
    if len(train) < 5 or not kept or kept == len(train):
        return EpisodeSplit(train, train)
    order = stream(config.seed, 0, "trust episodes").permutation(train)
    return EpisodeSplit(sorted(map(int, order[kept:])), sorted(map(int, order[:kept])))

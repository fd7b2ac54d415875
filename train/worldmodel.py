"""Training of the world model, part by part: codec, motion and heads, refiner, trust.

Axes: B samples, T steps of a self-rollout.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from torch import nn

from trimix.core.errors import ConfigError, DataError
from trimix.data.dataset import Dataset
from trimix.mix.heldout import UNKNOWN, HeldOut
from trimix.train.device import pick_device
from trimix.train.loop import FitResult, LoopConfig, fit
from trimix.worldmodel.architecture import ArchitectureConfig, build_pipeline, fit_scales
from trimix.worldmodel.clips import Clip, Clips, EpisodeSplit, split_episodes
from trimix.worldmodel.lineage import trained_on
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

STAGES = ("codec", "motion", "refiner", "trust")


@dataclass(frozen=True)
class WorldModelConfig:
    """How to train a world model. The defaults are for two idle CPU cores, 64 px, 10 minutes.

    Args:
        parts: what to build.
        batch_size: B.
        draws: how often each data set is drawn against the others, e.g. (2, 1); None: equally.
        rollout_from: the part of motion training after which it trains on self-rollouts.
        longest_rollout: T of the last of them.
        trust_fraction: of the training episodes, kept from the dynamics to learn trust from.
        trust_horizon, trust_rollouts: T and number of the rollouts that trust learns from.
        codec, motion, refiner, trust: the loops; their seed, device, precision and threads are
            those below.
        seed: of every draw of data and of the weights.
    """

    architecture: ArchitectureConfig = field(default_factory=ArchitectureConfig)
    batch_size: int = 16
    draws: tuple[int, ...] | None = None
    rollout_from: float = 0.5
    longest_rollout: int = 3
    trust_fraction: float = 0.1
    trust_horizon: int = 15
    trust_rollouts: int = 128
    codec: LoopConfig = field(
        default_factory=lambda: LoopConfig(steps=250, learning_rate=2e-3, warmup_steps=20)
    )
    motion: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            steps=1500, learning_rate=1e-3, weight_decay=1e-2, warmup_steps=50, checkpoint_every=200
        )
    )
    refiner: LoopConfig = field(
        default_factory=lambda: LoopConfig(steps=200, learning_rate=1e-3, warmup_steps=30)
    )
    trust: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            steps=200, learning_rate=2e-3, warmup_steps=20, ema_decay=0.98
        )
    )
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        for name in ("batch_size", "longest_rollout", "trust_horizon", "trust_rollouts"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}", do="give 1 or more")
        if self.draws is not None and min(self.draws, default=0) < 1:
            raise ConfigError(f"draws are {list(self.draws)}", do="give 1 or more for each")
        for name in ("rollout_from", "trust_fraction"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} is {getattr(self, name)}", do="give 0 to 1")

    def loop(self, stage: str) -> LoopConfig:
        """The loop of this stage, with the seed and the machine of all."""
        loop: LoopConfig = getattr(self, stage)
        return replace(
            loop,
            seed=self.seed,
            device=self.device,
            precision=self.precision,
            threads=self.threads,
        )

    def horizon(self, step: int) -> int:
        """Steps of self-rollout at this step of motion training: 1, then 2 up to the longest."""
        begin = self.rollout_from * self.motion.steps
        if step < begin or self.longest_rollout == 1:
            return 1
        progress = (step - begin) / max(1.0, self.motion.steps - begin)
        return 2 + int(progress * (self.longest_rollout - 1))


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
    lineage: Sequence[Dataset] = (),
) -> WorldModelPipeline:
    """Train on the "train" split of these data sets and save to run_dir/pipeline.

    A run that was stopped goes on where it was. Episodes that are held out in another of the data
    sets, and dreams that go back to one, are left out.

    Args:
        progress: show bars; None shows them on a terminal only.
        cache_dir: of decoded frames, see open_cache.
        lineage: data sets that are looked at only to know what is held out, and where dreams
            go back to.

    Raises:
        ConfigError: no data set, or run_dir holds a run with other settings.
        InterfaceError: the data sets differ, or their cameras do not suit the model.
        DataError: a data set has no training episode that is long enough, or none that may be
            learned from.
    """
    return run_worldmodel(datasets, config, run_dir, progress, cache_dir, lineage).pipeline


def run_worldmodel(
    datasets: Sequence[Dataset],
    config: WorldModelConfig | None = None,
    run_dir: Path | str = "worldmodel",
    progress: bool | None = None,
    cache_dir: Path | None = None,
    lineage: Sequence[Dataset] = (),
) -> WorldModelTraining:
    """`train_worldmodel`, with the record of what it took."""
    config = config or WorldModelConfig()
    if not datasets:
        raise ConfigError("no data set to train the world model on")
    for other in datasets[1:]:
        datasets[0].interface.require_same(other.interface, where=str(other.root))
    if config.draws is not None and len(config.draws) != len(datasets):
        raise ConfigError(
            f"draws are {list(config.draws)} for {len(datasets)} data sets", do="give one for each"
        )
    held = HeldOut([*datasets, *lineage])
    splits = [_split(dataset, config, held) for dataset in datasets]
    return _Training(datasets, splits, config, Path(run_dir), progress, cache_dir).run()


def _split(dataset: Dataset, config: WorldModelConfig, held: HeldOut) -> EpisodeSplit:
    """The episodes of a data set that may be learned from."""
    reasons = dict(enumerate(held.refusals(dataset)))
    refused = {i: why for i, why in reasons.items() if why is not None}
    if len(refused) == len(reasons):
        counted = Counter(refused.values())
        raise DataError(
            "it has no episode to learn from "
            f"({', '.join(f'{n} {why}' for why, n in counted.items())})",
            where=str(dataset.root),
            do="name the data sets that its dreams go back to as lineage"
            if UNKNOWN in counted
            else "give it episodes of split 'train'",
        )
    return split_episodes(dataset, config.trust_fraction, config.seed, refused)


class _Training:
    """The pipeline under training and the data that it is trained on."""

    def __init__(
        self,
        datasets: Sequence[Dataset],
        splits: Sequence[EpisodeSplit],
        config: WorldModelConfig,
        run_dir: Path,
        progress: bool | None,
        cache_dir: Path | None,
    ) -> None:
        self.config, self.run_dir, self.progress = config, run_dir, progress
        self.device = pick_device(config.device)
        pairs = list(zip(datasets, splits, strict=True))
        self.clips = [Clips(d, s.dynamics, cache_dir) for d, s in pairs]
        self.kept = [Clips(d, s.trust, cache_dir) for d, s in pairs]
        training = [part for d, s in pairs for part in trained_on(d, s)]
        self.pipeline = build_pipeline(
            datasets[0].interface, config.architecture, training, config.seed
        ).to(self.device)
        fit_scales(self.pipeline, self.clips)

    def run(self) -> WorldModelTraining:
        parts = self.pipeline
        dynamics = nn.ModuleDict({"motion": parts.motion, "heads": parts.heads})
        stages = {
            "codec": self._fit("codec", parts.codec, self._codec_loss),
            "motion": self._fit("motion", dynamics, self._motion_loss),
        }
        parts.refiner.scale.copy_(self._missed(0, "residual scale").relative_size())
        stages["refiner"] = self._fit("refiner", parts.refiner, self._refiner_loss)
        stages["trust"] = self._fit("trust", parts.trust, self._trust_loss())
        parts.save_pretrained(self.run_dir / "pipeline")
        horizons = map(self.config.horizon, range(self.config.motion.steps))
        return WorldModelTraining(parts, stages, sum(horizons) * self.config.batch_size)

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
        """Names all that the weights of any stage depend on."""
        machine = ("device", "precision", "threads")
        settings = {k: v for k, v in asdict(self.config).items() if k not in machine}
        for stage in STAGES:
            settings[stage] = getattr(self.config, stage).identity()
        text = json.dumps([settings, self.pipeline.card], sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def _draw(self, purpose: str, step: int, horizon: int) -> Clip:
        config = self.config
        key = (config.seed, step, purpose)
        clip = draw_clip(self.clips, key, config.batch_size, horizon, config.draws)
        return clip.to(self.device)

    def _codec_loss(self, step: int) -> Loss:
        return codec_loss(self.pipeline.codec, self._draw("codec", step, 0).previous)

    def _motion_loss(self, step: int) -> Loss:
        clip = self._draw("motion", step, self.config.horizon(step))
        return motion_loss(self.pipeline, clip)

    def _missed(self, step: int, purpose: str) -> Residuals:
        clip = self._draw(purpose, step, 1 + step % self.config.longest_rollout)
        return missed(self.pipeline, clip)

    def _refiner_loss(self, step: int) -> Loss:
        return refiner_loss(self.pipeline.refiner, self._missed(step, "refiner"))

    def _trust_loss(self) -> TrustLoss:
        config = self.config
        longest = min(max(clips.lengths()) for clips in self.kept) - 1
        horizon = max(1, min(config.trust_horizon, longest))
        return TrustLoss(self.pipeline, self.kept, horizon, config.trust_rollouts, config.seed)

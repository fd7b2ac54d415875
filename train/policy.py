"""Training a policy on a mix.

Axes: B windows of a batch, h frames of history, c steps of a chunk, D state, A action channels.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import torch
from torch import Tensor

from trimix.core.contracts import F32, U8, BoolArray, PolicyInterface
from trimix.core.episode import Fingerprint
from trimix.core.errors import ConfigError, unknown
from trimix.core.seeds import seed63
from trimix.data.dataset import Dataset
from trimix.mix import ledger as ledgers
from trimix.mix.batch import MixBatch
from trimix.mix.heldout import learned_from
from trimix.mix.ledger import Ledger
from trimix.mix.loader import MixLoader
from trimix.mix.lock import Lock
from trimix.mix.prefetch import Prefetcher
from trimix.policy import augment, store
from trimix.policy.augment import U64
from trimix.policy.chunk import ActConfig, ChunkPolicy
from trimix.policy.inputs import Inputs, make_inputs
from trimix.policy.normalization import Normalization, SourceRows
from trimix.train.device import pick_device
from trimix.train.loop import FitResult, LoopConfig, fit


class Batch(Protocol):
    """The fields of a mix's batch that training reads."""

    @property
    def images(self) -> Mapping[str, U8]: ...  # camera -> (B, h, H, W, 3)
    @property
    def state(self) -> F32: ...  # (B, h, D)
    @property
    def action(self) -> F32: ...  # (B, c, A)
    @property
    def action_valid(self) -> BoolArray: ...  # (B, c)
    @property
    def instruction(self) -> Sequence[str]: ...
    @property
    def trust(self) -> F32: ...  # (B,)
    @property
    def domain(self) -> Sequence[str]: ...
    @property
    def domain_shown(self) -> BoolArray: ...  # (B,) whether the policy may be told the domain
    @property
    def augment_seed(self) -> U64: ...  # (B,)


class Loader(Protocol):
    """Gives batch k, as a pure function of k."""

    def load(self, k: int) -> Batch: ...


@dataclass(frozen=True)
class PolicyTrainConfig:
    """What is trained, and how.

    Args:
        kind: flow or bc.
        loop: the optimizer's settings. Its seed also draws the initial weights.
        history, chunk: frames seen, steps given; the loader's windows have these lengths.
        width: of the network's hidden layers.
        augment: off, shift, colour or shift+colour.
        state_noise: deviation of the noise on the state, in unit scale. It keeps the policy from
            reading the answer off a state that it knows by heart.
        tag_dropout: fraction of windows that are not told their origin, so that the policy can be
            asked with no tag.
        use_trust: weigh each window by its trust.
        prefetch: processes that read batches ahead; 0 reads them in between the steps. The weights
            are the same. It pays off for large images and slow disks, not for 64 px.
        act: how the trained policy acts.
    """

    kind: str = "flow"
    loop: LoopConfig = field(default_factory=LoopConfig)
    history: int = 2
    chunk: int = 8
    width: int = 256
    augment: str = "shift"
    state_noise: float = 0.05
    tag_dropout: float = 0.3
    use_trust: bool = True
    prefetch: int = 0
    act: ActConfig = field(default_factory=ActConfig)

    def __post_init__(self) -> None:
        if self.kind not in store.MODELS:
            raise unknown("policy", self.kind, store.MODELS)
        augment.check_mode(self.augment)
        for name in ("history", "chunk", "width"):
            if getattr(self, name) < 1:
                raise ConfigError(f"policy.{name} is {getattr(self, name)}", do="at least 1")
        if not 0 <= self.tag_dropout <= 1 or self.state_noise < 0:
            raise ConfigError("tag_dropout is in [0, 1], state_noise at least 0")
        if self.prefetch < 0:
            raise ConfigError(f"prefetch is {self.prefetch}", do="give 0 or more processes")


@dataclass(frozen=True)
class TrainedPolicy:
    """A training's outcome.

    Args:
        policy: ready to act, and saved in run_dir/policy.
        result: how the training went.
        ledger: what was drawn, also in run_dir/ledger.json; None if nothing was to be counted.
    """

    policy: ChunkPolicy
    result: FitResult
    ledger: Ledger | None = None


def mix_normalization(
    sources: Sequence[tuple[Dataset, Iterable[int], float]],
) -> Normalization:
    """The normalization of a mix: of (data set, training episodes, share) each.

    Raises:
        DataError: no rows in any source with a share above zero.
    """
    rows = []
    for dataset, episodes, share in sources:
        state, action = dataset.state(), dataset.action()
        chosen = [dataset.episodes[e] for e in episodes]
        flat = np.concatenate(
            [np.arange(e.start, e.start + e.length) for e in chosen] or [np.zeros(0, np.int64)]
        )
        number = np.repeat([e.index for e in chosen], [e.length for e in chosen])
        rows.append(SourceRows(state[flat], action[flat], number.astype(np.int64), share))
    return Normalization.fit(rows)


def lock_normalization(lock: Lock) -> Normalization:
    """The normalization of a compiled mix: of its chosen episodes, by its planned shares.

    Raises:
        TrimixError: a source cannot be opened.
    """
    return mix_normalization([(Dataset.open(s.path), s.episodes, s.share) for s in lock.sources])


def train_from_lock(
    lock: Lock, config: PolicyTrainConfig, run_dir: Path, *, progress: bool | None = None
) -> TrainedPolicy:
    """Train a policy on a compiled mix, going on from run_dir if a run was stopped there.

    The order of the data, its augmentation and which windows are told their origin come from the
    lock's seed; initial weights and the noise on states from config.loop.seed.

    Raises:
        ConfigError: the lock plans another number of steps; run_dir holds a run of other data or
            settings.
        DataError: a source is not what the lock was compiled from.
        TrainingError: the loss is not finite.
    """
    if lock.steps != config.loop.steps:
        raise ConfigError(
            f"the lock plans {lock.steps} steps, training is set to {config.loop.steps}",
            do="set policy.loop.steps, or compile the recipe with other steps",
        )
    loader = MixLoader(lock)
    loader.prepare()
    with Prefetcher(loader, config.prefetch) as batches:
        return train_policy(
            batches,
            lock.interface,
            lock_normalization(lock),
            config,
            run_dir,
            progress=progress,
            fingerprint=lock.hash,
            ledger=Ledger(lock),
            learned=learned_from(lock, loader.store),
        )


def train_policy(
    loader: Loader,
    interface: PolicyInterface,
    stats: Normalization,
    config: PolicyTrainConfig,
    run_dir: Path,
    *,
    progress: bool | None = None,
    fingerprint: str = "",
    ledger: Ledger | None = None,
    learned: Sequence[Fingerprint] | None = None,
) -> TrainedPolicy:
    """Train a policy, going on from run_dir if a run was stopped there.

    Args:
        loader: batch k feeds step k; its windows have config.history and config.chunk.
        interface: of the mix.
        stats: of the mix's training sources (see `lock_normalization`).
        run_dir: checkpoint, log, and at the end the policy in run_dir/policy.
        fingerprint: names the data, e.g. the hash of the mix's lock.
        ledger: counts what is drawn, each step once however often the run is stopped, and is
            saved as run_dir/ledger.json. The loader's batches are then a mix's.
        learned: the recordings that the data goes back to, kept with the policy; None if nobody
            knows.

    Raises:
        ConfigError: run_dir holds a run of other data or settings; windows of other lengths.
        TrainingError: the loss is not finite.
    """
    device = pick_device(config.loop.device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed63(config.loop.seed, "policy weights"))
        model = store.build_model(
            config.kind, interface, history=config.history, chunk=config.chunk, width=config.width
        )

    def loss(step: int) -> tuple[Tensor, dict[str, float]]:
        batch = loader.load(step)
        if ledger is not None:
            ledger.record(cast("MixBatch", batch))
        _require_lengths(batch, config)
        action = torch.from_numpy(stats.action(batch.action)).to(device)
        valid = torch.from_numpy(np.ascontiguousarray(batch.action_valid)).to(device)
        weight = batch.trust if config.use_trust else np.ones_like(batch.trust)
        inputs = training_inputs(batch, stats, config, device)
        return model.loss(inputs, action, valid, torch.from_numpy(weight).to(device)), {}

    identity = json.dumps(
        [
            {k: v for k, v in asdict(config).items() if k not in ("loop", "act", "prefetch")},
            interface.to_json(),
            stats.to_json(),
            fingerprint,
        ],
        sort_keys=True,
    )
    result = fit(
        model,
        loss,
        config.loop,
        run_dir,
        progress=progress,
        fingerprint=hashlib.sha256(identity.encode()).hexdigest(),
        label=f"train {config.kind} policy",
        account=ledger,
    )
    if ledger is not None:
        ledger.save(run_dir / ledgers.NAME)
    policy = ChunkPolicy(model, interface, stats, config.act, device)
    store.save_pretrained(policy, run_dir / "policy", learned)
    return TrainedPolicy(policy, result, ledger)


def training_inputs(
    batch: Batch, stats: Normalization, config: PolicyTrainConfig, device: torch.device
) -> Inputs:
    """A batch as the network is fed in training: augmented, its tags dropped in part.

    What a window gets hangs on its augmentation seed; the noise on the state comes from torch's
    default generator.
    """
    kept = augment.uniforms(batch.augment_seed, "domain tag", 1)[:, 0] >= config.tag_dropout
    kept &= batch.domain_shown
    inputs = make_inputs(
        augment.shift(batch.images, batch.augment_seed, config.augment),
        batch.state,
        batch.instruction,
        [tag if keep else "none" for tag, keep in zip(batch.domain, kept, strict=True)],
        stats,
        device,
        augment.colour(batch.augment_seed, config.augment),
    )
    inputs.state.add_(torch.randn_like(inputs.state), alpha=config.state_noise)
    inputs.delta.add_(torch.randn_like(inputs.delta), alpha=config.state_noise)
    return inputs


def _require_lengths(batch: Batch, config: PolicyTrainConfig) -> None:
    got = (batch.state.shape[1], batch.action.shape[1])
    if got != (config.history, config.chunk):
        raise ConfigError(
            f"windows have {got[0]} frames and {got[1]} actions, the policy takes "
            f"{config.history} and {config.chunk}",
            do="give both the same history and chunk",
        )

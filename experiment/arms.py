"""An arm, under one training seed: its recipe, the lock of its batches, its policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, cast

from trimix.core.contracts import Json
from trimix.core.episode import Fingerprint
from trimix.core.errors import DataError
from trimix.core.plain import plain
from trimix.core.seeds import seed63
from trimix.core.workers import Tick
from trimix.data.files import read_json
from trimix.data.windows import WindowSpec
from trimix.experiment.config import Arm, Experiment
from trimix.experiment.source_kinds import Dream, Sim, Source
from trimix.experiment.sources import thinned
from trimix.experiment.store import Entry
from trimix.experiment.work import Work
from trimix.mix.compile import compile_recipe
from trimix.mix.ledger import NAME as LEDGER
from trimix.mix.lock import Lock
from trimix.mix.recipe import Filter, Recipe
from trimix.mix.recipe import Source as MixSource
from trimix.policy.store import MODELS, learned_from
from trimix.rollout.learned import LearnedSpec
from trimix.train.device import torch_threads
from trimix.train.policy import PolicyTrainConfig, train_from_lock

POLICY, CHECKPOINT = "policy", "checkpoint.safetensors"
CURVE_POINTS = 400


@dataclass(frozen=True)
class PolicyUnit:
    """One policy, trained on a lock under one training seed.

    Args:
        label: for people.
        lock: the lock, as JSON.
        config: of the training: its loop has the training seed and the threads.
    """

    kind: ClassVar[str] = "policy"

    label: str
    lock: str
    config: PolicyTrainConfig

    @cached_property
    def _lock(self) -> Lock:
        return Lock.from_json(self.lock, where=self.label)

    def reads(self) -> Json:
        """What the lock draws, wherever its data lies, and how it is trained on."""
        settings = asdict(self.config)
        del settings["loop"]["checkpoint_every"], settings["prefetch"]  # they change no byte
        network = MODELS.where(self.config.kind)
        return {"lock": self._lock.hash, "config": plain(settings), "network": network}

    def code(self) -> tuple[str, ...]:
        """Of the network that is trained."""
        return (MODELS.where(self.config.kind).partition(":")[0],)

    def make(self, folder: Path, tick: Tick) -> Json:
        """Train, or go on with a training that was stopped."""
        with torch_threads(self.config.loop.threads):
            trained = train_from_lock(self._lock, self.config, folder, progress=False)
        (folder / CHECKPOINT).unlink(missing_ok=True)
        tick()
        history = thinned(trained.result.history, CURVE_POINTS)
        return {
            "seconds": trained.result.seconds,
            "history": [{"step": h["step"], "loss": h["loss"]} for h in history],
        }


@dataclass(frozen=True)
class Trained:
    """A policy of an arm.

    Args:
        arm, seed: which.
        entry: of the store: the policy, and the ledger of what was drawn.
        seconds, history: of its training.
    """

    arm: str
    seed: int
    entry: Entry
    seconds: float
    history: Sequence[Mapping[str, float]]

    @property
    def policy(self) -> Path:
        """The policy's folder."""
        return self.entry.folder / POLICY

    def spec(self, device: str) -> LearnedSpec:
        """The policy, for whatever process it acts in."""
        return LearnedSpec(str(self.policy), device=device)

    def learned_from(self) -> tuple[Fingerprint, ...]:
        """The recordings that the policy depends on.

        Raises:
            DataError: nobody knows them.
        """
        found = learned_from(self.policy)
        if found is None:
            raise DataError("nobody knows what it learned from", where=str(self.policy))
        return found

    def ledger(self) -> Mapping[str, Any]:
        """What was really drawn; see mix.ledger."""
        raw: dict[str, Any] = read_json(self.entry.folder / LEDGER)
        return raw


def recipe_of(
    experiment: Experiment,
    arm: Arm,
    data: Mapping[str, Path],
    *,
    cameras: Sequence[str],
    purpose: str,
    seed: int,
) -> Recipe:
    """The recipe of an arm under one training seed.

    Args:
        data: source -> its data set; those that are not there have no share.
        cameras: what policies see.
        purpose, seed: key the recipe's random streams, with the experiment's seed: "choose" and
            "confirm" share none, nor do two training seeds.
    """
    sources = {
        name: MixSource(
            str(path),
            arm.filters.get(name) or _filter(experiment.sources[name]),
            max_repeats=arm.max_repeats.get(name),
        )
        for name, path in data.items()
    }
    phases = tuple(
        replace(phase, shares={k: v for k, v in phase.shares.items() if k in data})
        for phase in arm.phases
    )
    return Recipe(
        sources=sources,
        shares={k: v for k, v in arm.shares.items() if k in data},
        phases=phases,
        ramp=arm.ramp,
        batch_size=experiment.batch_size,
        steps=experiment.policy.loop.steps,
        seed=training_seed(experiment, purpose, seed),
        window=WindowSpec(experiment.policy.history, experiment.policy.chunk),
        cameras=tuple(cameras),
        lineage=tuple(str(path) for path in data.values()),
    )


def _filter(source: Source) -> Filter:
    """Failed sim episodes and untrusted dreams are not drawn."""
    draw = Filter(sample=source.episodes_per_seed)
    if isinstance(source, Sim) and source.only_successes:
        return replace(draw, success=True)
    if isinstance(source, Dream):
        return replace(draw, min_trust=source.min_trust)
    return draw


def training_seed(experiment: Experiment, purpose: str, seed: int) -> int:
    """The root of all that is random in one training: order, augmentation, weights, draws."""
    return seed63(experiment.seed, "training", purpose, seed)


def locks_of(
    experiment: Experiment,
    arms: Mapping[str, Arm],
    data: Mapping[str, Path],
    seeds: Sequence[int],
    *,
    cameras: Sequence[str],
    purpose: str = "confirm",
) -> tuple[dict[str, list[Lock]], dict[str, str]]:
    """The locks of every arm, one for each training seed.

    Returns:
        (arm -> a lock for each seed, arm -> why it cannot be mixed)
    """
    locks: dict[str, list[Lock]] = {}
    reasons: dict[str, str] = {}
    for name, arm in arms.items():
        missing = sorted(set(arm.uses()) - set(data))
        if missing:
            reasons[name] = f"there are no {' and no '.join(missing)} episodes to mix"
            continue
        try:
            locks[name] = [
                compile_recipe(
                    recipe_of(experiment, arm, data, cameras=cameras, purpose=purpose, seed=seed),
                    where=f"arm {name!r}",
                )
                for seed in seeds
            ]
        except DataError as fault:
            reasons[name] = str(fault)
    return locks, reasons


def policy_unit(
    experiment: Experiment, name: str, arm: Arm, lock: Lock, seed: int, *, purpose: str = "confirm"
) -> PolicyUnit:
    """The training of an arm's policy."""
    config = experiment.policy
    loop = replace(
        config.loop,
        seed=training_seed(experiment, purpose, seed),
        threads=config.loop.threads or 1,
    )
    config = replace(config, loop=loop, augment=arm.augment or config.augment)
    return PolicyUnit(f"policy {name} seed {seed}", lock.to_json(), config)


def train(
    experiment: Experiment,
    work: Work,
    stage: str,
    arms: Mapping[str, Arm],
    locks: Mapping[str, Sequence[Lock]],
    seeds: Sequence[int],
    *,
    purpose: str = "confirm",
) -> list[Trained]:
    """A policy for every arm that has locks, and every training seed.

    Returns:
        those of the first seed in the order of arms, then those of the next.
    """
    asked = [(name, i, seed) for i, seed in enumerate(seeds) for name in locks]
    units = [
        policy_unit(experiment, name, arms[name], locks[name][i], seed, purpose=purpose)
        for name, i, seed in asked
    ]
    entries = work.many(stage, units, [1] * len(units), "policy")
    found = []
    for (name, _, seed), entry in zip(asked, entries, strict=True):
        about = cast(dict[str, Any], entry.result)
        found.append(Trained(name, seed, entry, float(about["seconds"]), about["history"]))
    return found

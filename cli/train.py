"""trimix train: a policy from a compiled mix, or a world model from data sets."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from trimix.cli.verb import Verb
from trimix.core.errors import ConfigError, unknown
from trimix.data.dataset import Dataset
from trimix.mix.lock import Lock
from trimix.train.policy import PolicyTrainConfig, train_from_lock
from trimix.train.worldmodel import WorldModelConfig, run_worldmodel


@dataclass(frozen=True)
class TrainSettings:
    """What to train.

    Args:
        what: policy or worldmodel.
        out: folder of the run; a run that was stopped there goes on.
        lock: of the mix (policy).
        data: folders of data sets (worldmodel).
        lineage: folders of data sets that are looked at only to know what is held out, and where
            dreams go back to (worldmodel).
        policy, worldmodel: how.
    """

    what: str = "policy"
    out: str = "runs/train"
    lock: str = "recipe.lock"
    data: tuple[str, ...] = ()
    lineage: tuple[str, ...] = ()
    policy: PolicyTrainConfig = field(default_factory=PolicyTrainConfig)
    worldmodel: WorldModelConfig = field(default_factory=WorldModelConfig)


def _command(settings: TrainSettings) -> None:
    out = Path(settings.out)
    if settings.what == "policy":
        trained = train_from_lock(Lock.load(settings.lock), settings.policy, out)
        print(f"{out / 'policy'}: trained in {trained.result.seconds:.0f} s")
    elif settings.what == "worldmodel":
        if not settings.data:
            raise ConfigError("there is nothing to train on", do="set data=[folder, ...]")
        datasets = [Dataset.open(path) for path in settings.data]
        known = [Dataset.open(path) for path in settings.lineage]
        model = run_worldmodel(datasets, settings.worldmodel, out, lineage=known)
        print(f"{out / 'pipeline'}: trained in {model.seconds:.0f} s")
    else:
        raise unknown("what", settings.what, ("policy", "worldmodel"))


VERB = Verb("train", TrainSettings, _command)

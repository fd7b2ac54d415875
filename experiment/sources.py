"""Where an experiment's episodes come from: units that import, collect, learn a world and dream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from trimix.core.contracts import Json
from trimix.core.errors import DataError
from trimix.core.plain import plain
from trimix.core.workers import Executor, Local, Tick
from trimix.data.dataset import Dataset
from trimix.data.files import remove_tree
from trimix.data.importing.importer import import_dataset
from trimix.data.importing.plan import ImportConfig
from trimix.data.lerobot.folder import LeRobotFolder
from trimix.experiment.work import counted
from trimix.rollout.collect import collect
from trimix.rollout.policies import PolicySpec
from trimix.rollout.worlds import WorldSpec
from trimix.train.device import torch_threads
from trimix.train.worldmodel import STAGES, WorldModelConfig, run_worldmodel
from trimix.worldmodel.metrics import evaluate_worldmodel

DATA = "data"
"""Where in an entry's folder a data set is."""
PIPELINE = "pipeline"
"""Where in an entry's folder a world model is."""
CURVE_POINTS = 200


@dataclass(frozen=True)
class CollectUnit:
    """A policy's episodes in a world, as a data set.

    Args:
        label: for people.
        world, policy: who acts where.
        episodes, seed, rows: as in rollout.collect.
        executor: where the episodes are made; it changes no byte.
    """

    kind: ClassVar[str] = "dataset"

    label: str
    world: WorldSpec
    policy: PolicySpec
    episodes: int
    seed: int
    rows: int = 16
    executor: Executor = field(default=Local(1), compare=False, repr=False)

    def reads(self) -> Json:
        """Who acts where, and what is drawn."""
        return {
            "world": self.world.reads(),
            "policy": self.policy.reads(),
            "episodes": self.episodes,
            "seed": self.seed,
            "threads": 1,
        }

    def code(self) -> tuple[str, ...]:
        """Of the world and the policy."""
        return (*self.world.code(), *self.policy.code())

    def make(self, folder: Path, tick: Tick) -> Json:
        """Collect, or go on with a collection that was stopped."""
        dataset = collect(
            self.world,
            self.policy,
            folder / DATA,
            episodes=self.episodes,
            seed=self.seed,
            rows=self.rows,
            executor=self.executor,
            progress=counted(tick),
        )
        return {"episodes": len(dataset.episodes), "frames": dataset.n_frames}


@dataclass(frozen=True)
class ImportUnit:
    """A LeRobot directory of any robot, as a data set.

    Args:
        label: for people.
        config: of the import; its `out` is not used, its `workers` decide nothing.
        source: digest of the directory's contents.
        executor: where it is decoded; it changes no byte.
    """

    kind: ClassVar[str] = "dataset"

    label: str
    config: ImportConfig
    source: str
    executor: Executor = field(default=Local(1), compare=False, repr=False)

    def reads(self) -> Json:
        """The settings that decide the result, and what the source holds."""
        settings = asdict(self.config)
        for name in ("path", "out", "workers"):
            del settings[name]
        return {"import": plain(settings), "source": self.source}

    def code(self) -> tuple[str, ...]:
        """The importer chooses nothing by name."""
        return ()

    def make(self, folder: Path, tick: Tick) -> Json:
        """Import, or go on with an import that was stopped."""
        config = replace(self.config, out=str(folder / DATA))
        dataset = import_dataset(config, counted(tick), self.executor)
        if LeRobotFolder.open(config.path).contents.hash() != self.source:
            remove_tree(folder / DATA)
            raise DataError(
                "was edited while it was imported",
                where=config.path,
                do="run the same command again",
            )
        return {
            "episodes": len(dataset.episodes),
            "frames": dataset.n_frames,
            "skipped": list(dataset.skipped.values()),
        }


@dataclass(frozen=True)
class WorldModelUnit:
    """A world model, trained on some data sets and scored on what it did not see.

    Args:
        label: for people.
        data: name -> data set that it is trained on.
        scored: name -> (data set, split) that it is scored on.
        starts: frames from which it is scored.
        config: of the training.
        threads: of torch.
    """

    kind: ClassVar[str] = "worldmodel"

    label: str
    data: tuple[tuple[str, str], ...]
    scored: tuple[tuple[str, str, str], ...]
    starts: int
    config: WorldModelConfig
    threads: int

    def reads(self) -> Json:
        """The settings, and what the data sets hold."""
        settings = asdict(self.config)
        del settings["threads"]
        return {
            "config": plain(settings),
            "data": [[name, Dataset.open(path).content_hash] for name, path in self.data],
            "scored": [
                [name, Dataset.open(path).content_hash, split] for name, path, split in self.scored
            ],
            "starts": self.starts,
            "threads": self.threads,
        }

    def code(self) -> tuple[str, ...]:
        """Training chooses nothing by name."""
        return ()

    def make(self, folder: Path, tick: Tick) -> Json:
        """Train, or go on with a training that was stopped; then score it."""
        config = replace(self.config, threads=self.threads)
        datasets = [Dataset.open(path) for _, path in self.data]
        with torch_threads(self.threads):
            trained = run_worldmodel(datasets, config, folder)
            heldout = {
                name: evaluate_worldmodel(
                    trained.pipeline, Dataset.open(path), split=split, n_starts=self.starts
                )
                for name, path, split in self.scored
            }
        for stage in STAGES:  # checkpoints: what a stopped training goes on from
            remove_tree(folder / stage)
        tick()
        return plain(
            {
                "params": trained.pipeline.n_parameters,
                "train_s": trained.seconds,
                "frames_per_s": trained.frames_per_s,
                "heldout": heldout,
                "curves": {k: thinned(v.history, CURVE_POINTS) for k, v in trained.stages.items()},
            }
        )


def thinned(history: Sequence[Mapping[str, Any]], most: int) -> list[Mapping[str, Any]]:
    """Some of a loss curve's points, evenly: about so many."""
    return list(history[:: max(1, len(history) // most)])

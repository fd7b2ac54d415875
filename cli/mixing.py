"""The mixes of a run: compiled, chosen among, and trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path
from typing import Any

from trimix.cli import evidence
from trimix.cli.arms import Training, compile_arm, train_all, uses
from trimix.cli.pipeline_config import PipelineConfig
from trimix.cli.progress import bar
from trimix.cli.stage import Stages
from trimix.core.contracts import Origin
from trimix.core.errors import ConfigError, DataError
from trimix.core.seeds import key
from trimix.evaluate.compare import closed_loop_summary
from trimix.evaluate.parts import shares_of
from trimix.evaluate.schema import Candidate, Choice, Skipped
from trimix.mix.lock import Lock

Arms = Mapping[str, Mapping[str, float]]


class Mixing:
    """What the arms of one run share.

    Args:
        config: of the run.
        stages: of the run.
        data: origin -> its data set.
        cameras: what policies see.
        skipped: gets a line for each arm that cannot be mixed.
    """

    def __init__(
        self,
        config: PipelineConfig,
        stages: Stages,
        data: Mapping[Origin, Path],
        cameras: Sequence[str],
        skipped: list[Skipped],
    ) -> None:
        self.config, self.stages, self.data = config, stages, data
        self.cameras, self.skipped = cameras, skipped
        self.out = Path(config.out)

    def locks(self, arms: Arms) -> dict[str, Lock]:
        """A lock for every arm that can be mixed, in the run's folder of locks.

        Raises:
            ConfigError: none can.
        """
        config, locks = self.config, {}
        folder = self.out / "locks"
        folder.mkdir(exist_ok=True)
        for name, shares in arms.items():
            missing = sorted(uses(shares) - set(self.data))
            if missing:
                reason = f"there are no {' and no '.join(missing)} episodes to mix"
                self.skipped.append({"name": name, "reason": reason})
                continue
            try:
                lock = compile_arm(
                    name,
                    shares,
                    self.data,
                    cameras=self.cameras,
                    policy=config.policy,
                    batch_size=config.batch_size,
                    seed=config.seed,
                    min_trust=config.dream.min_trust,
                )
            except DataError as fault:
                self.skipped.append({"name": name, "reason": str(fault)})
                continue
            lock.save(folder / f"{name}.lock")
            locks[name] = lock
        if not locks:
            raise ConfigError("no arm can be mixed from this data", do="set other arms")
        return locks

    def train(
        self, stage: str, locks: Mapping[str, Lock], seeds: Sequence[int]
    ) -> list[dict[str, Any]]:
        """A policy for every lock and training seed; see `train_all` for what is known of each."""
        config = self.config
        trainings = []
        for seed, name in product(seeds, locks):
            how = replace(config.policy, augment=config.augment.get(name, config.policy.augment))
            # Named by what it reads, so that more seeds or arms train only what is new.
            what = key(locks[name].hash, repr(how)) & 0xFFFFFFFF
            folder = str(self.out / stage / f"{name}-{seed}-{what:08x}")
            lock = str(self.out / "locks" / f"{name}.lock")
            trainings.append(Training(name, seed, lock, folder, how))
        reads = {
            "locks": {k: v.hash for k, v in locks.items()},
            "trainings": [asdict(t.config) for t in trainings],
            "seeds": list(seeds),
        }

        def work(place: Path) -> list[dict[str, Any]]:
            with bar(stage, "policy") as report:
                return train_all(trainings, config.workers, report)

        trained: list[dict[str, Any]] = self.stages.run(stage, reads, work, keep=True)
        return trained

    def choose(self) -> Choice:
        """The shares of an arm: of the candidates', those with the most success.

        Candidates are scored on scenes and training seeds that nothing else is scored on, so the
        comparison that follows is not flattered by the choice. Of equals the first is taken.
        """
        part = self.config.choose
        locks = self.locks(part.candidates)
        seeds = range(self.config.seeds, self.config.seeds + part.seeds)
        trained = self.train("choose-train", locks, seeds)
        scored = evidence.closed_loop(
            self.config,
            self.stages,
            trained,
            stage="choose-closed-loop",
            purpose="choose",
            scenes=part.scenes,
        )
        candidates: list[Candidate] = [
            {
                "name": name,
                "shares": shares_of(lock),
                "train_seeds": list(seeds),
                "closed_loop": closed_loop_summary(scored, name),
            }
            for name, lock in locks.items()
        ]
        best = max(candidates, key=lambda c: c["closed_loop"]["success"])
        return {"arm": part.arm, "chosen": best["name"], "candidates": candidates}

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
from trimix.cli.stage import Stages, code_digest
from trimix.core.contracts import Origin
from trimix.core.errors import ConfigError, DataError
from trimix.core.seeds import key
from trimix.evaluate.compare import closed_loop_summary
from trimix.evaluate.report_rows import shares_of
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

    def locks(self, arms: Arms, folder: str = "locks") -> dict[str, Lock]:
        """A lock for every arm that can be mixed, in this folder of the run.

        Raises:
            ConfigError: none can.
        """
        config, locks = self.config, {}
        (self.out / folder).mkdir(exist_ok=True)
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
            lock.save(self.out / folder / f"{name}.lock")
            locks[name] = lock
        if not locks:
            raise ConfigError(f"none of {', '.join(arms)} can be mixed from this data")
        return locks

    def train(
        self,
        stage: str,
        locks: Mapping[str, Lock],
        seeds: Sequence[int],
        *,
        folder: str = "locks",
        trained_as: str = "",
    ) -> list[dict[str, Any]]:
        """A policy for every lock and training seed; see `train_all` for what is known of each.

        Args:
            stage: name of the stage and of the folder that it writes.
            locks: name -> lock, each in a file of this folder of the run.
            trained_as: the arm whose augmentation all get; empty: each has its own.
        """
        config = self.config
        trainings = []
        for seed, name in product(seeds, locks):
            own = config.augment.get(trained_as or name, config.policy.augment)
            how = replace(config.policy, augment=own)
            # Named by what it reads, so that more seeds or arms train only what is new.
            what = key(code_digest(), locks[name].hash, repr(how)) & 0xFFFFFFFF
            run_dir = str(self.out / stage / f"{name}-{seed}-{what:08x}")
            lock = str(self.out / folder / f"{name}.lock")
            trainings.append(Training(name, seed, lock, run_dir, how))
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

    def choose(self, arm: str, candidates: Arms) -> Choice:
        """The shares of an arm: of the candidates', those with the most success.

        Candidates are scored on scenes and training seeds that nothing else is scored on, so the
        comparison that follows is not flattered by the choice. Of equals the first is taken.
        """
        part = self.config.choose
        locks = self.locks(candidates, "choose-locks")
        seeds = range(self.config.seeds, self.config.seeds + part.seeds)
        trained = self.train("choose-train", locks, seeds, folder="choose-locks", trained_as=arm)
        scored = evidence.closed_loop(
            self.config,
            self.stages,
            trained,
            stage="choose-closed-loop",
            purpose="choose",
            scenes=part.scenes,
        )
        found: list[Candidate] = [
            {
                "name": name,
                "shares": shares_of(lock),
                "train_seeds": list(seeds),
                "closed_loop": closed_loop_summary(scored, name),
            }
            for name, lock in locks.items()
        ]
        best = max(found, key=lambda c: c["closed_loop"]["success"])
        return {"arm": arm, "chosen": best["name"], "candidates": found}

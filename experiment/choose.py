"""The shares of an arm, found on scenes and training seeds that nothing else is scored on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from trimix.core.errors import ConfigError
from trimix.evaluate.compare import closed_loop_summary
from trimix.evaluate.report_rows import shares_of
from trimix.evaluate.schema import Candidate, Choice
from trimix.evaluate.suites import draw_suite
from trimix.experiment.arms import locks_of, train
from trimix.experiment.config import MAX_SEEDS, Arm, Experiment
from trimix.experiment.prepare import Prepared
from trimix.experiment.scores import closed_loop
from trimix.experiment.work import Work


def choose(
    experiment: Experiment, work: Work, prepared: Prepared, cameras: Sequence[str]
) -> tuple[Choice, Arm]:
    """The arm that `experiment.choose` asks for: of the candidates, the one with the most success.

    Candidates are trained with other seeds, and scored on other scenes, than arms are compared
    with, so the comparison that follows is not flattered by the choice. Of equals the first is
    taken.

    Returns:
        (what the report says of it, what the arm becomes)

    Raises:
        ConfigError: no candidate can be mixed.
    """
    asked, scoring = experiment.choose, experiment.scoring
    candidates = _with_augment(asked.all_candidates(), experiment.arms[asked.arm].augment)
    # Beyond all training seeds that a comparison may have, however it grows.
    seeds = range(MAX_SEEDS, MAX_SEEDS + asked.seeds)
    locks, reasons = locks_of(
        experiment, candidates, prepared.data, seeds, cameras=cameras, purpose="choose"
    )
    prepared.skipped += [{"name": name, "reason": why} for name, why in reasons.items()]
    if not locks:
        raise ConfigError(f"none of {', '.join(candidates)} can be mixed from this data")
    trained = train(experiment, work, "choose-train", candidates, locks, seeds, purpose="choose")
    world = prepared.world(scoring.world)
    suite = draw_suite(world, asked.scenes, experiment.seed, "choose")
    prepared.folder.save_suite("choose", suite)
    scored = closed_loop(
        work,
        "choose-closed-loop",
        world,
        suite,
        [(t.arm, t.seed, t.spec(scoring.device)) for t in trained],
        rows=scoring.rows,
    )
    found: list[Candidate] = [
        {
            "name": name,
            "shares": shares_of(locks[name][0]),
            "train_seeds": list(seeds),
            "closed_loop": closed_loop_summary(scored, name),
        }
        for name in locks
    ]
    best = max(found, key=lambda c: c["closed_loop"]["success"])
    choice: Choice = {"arm": asked.arm, "chosen": best["name"], "candidates": found}
    return choice, candidates[best["name"]]


def _with_augment(candidates: Mapping[str, Arm], augment: str | None) -> dict[str, Arm]:
    """Candidates are trained as the arm that they may become."""
    return {
        name: arm if arm.augment else replace(arm, augment=augment)
        for name, arm in candidates.items()
    }

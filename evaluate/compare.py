"""Arms against each other on the same scenes.

Axes: S training seeds, N scenes of the suite.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from trimix.core.contracts import BoolArray
from trimix.core.errors import ConfigError
from trimix.evaluate.evaluation import Evaluation
from trimix.evaluate.schema import ClosedLoop, Comparison
from trimix.evaluate.statistics import holm, mcnemar, paired_difference, wilson


def arm_names(evaluations: Sequence[Evaluation]) -> list[str]:
    """The arms in the order in which they first appear."""
    return list(dict.fromkeys(e.arm for e in evaluations))


def table(evaluations: Sequence[Evaluation], arm: str) -> tuple[list[int], BoolArray]:
    """(training seeds, (S, N) success) of one arm.

    Raises:
        ConfigError: the arm has no evaluation, two of one seed, or they are of different suites.
    """
    chosen = sorted((e for e in evaluations if e.arm == arm), key=lambda e: e.train_seed)
    seeds = [e.train_seed for e in chosen]
    if not chosen:
        raise ConfigError(
            f"arm {arm!r} has no evaluation",
            do=f"available: {', '.join(arm_names(evaluations)) or 'none'}",
        )
    if len(set(seeds)) < len(seeds):
        raise ConfigError(f"arm {arm!r} has two evaluations of one training seed")
    _require_one_suite(chosen)
    return seeds, np.stack([e.success for e in chosen])


def closed_loop_summary(evaluations: Sequence[Evaluation], arm: str) -> ClosedLoop:
    """An arm's `closed_loop` in the report: all its training seeds pooled, and each apart."""
    _, success = table(evaluations, arm)
    chosen = [e for e in evaluations if e.arm == arm]
    outcomes = [o for e in chosen for o in e.outcomes]
    low, high = wilson(int(success.sum()), success.size)
    return {
        "world": chosen[0].world,
        "suite": chosen[0].suite,
        "suite_hash": chosen[0].suite_hash,
        "n": success.size,
        "success": float(success.mean()),
        "wilson95": (low, high),
        "abstained": sum(o.abstained for o in outcomes),
        "per_seed": [float(rate) for rate in success.mean(1)],
        "trust": float(np.mean([o.trust for o in outcomes])),
    }


def compare(evaluations: Sequence[Evaluation], a: str, b: str) -> Comparison:
    """Success of arm a minus success of arm b, paired by training seed and scene.

    Only the training seeds that both arms have are compared. Swapping a and b negates the
    difference and its interval exactly.

    Raises:
        ConfigError: the arms share no training seed, or met different scenes.
    """
    if b < a:
        mirrored = compare(evaluations, b, a)
        low, high = mirrored["ci95"]
        return {**mirrored, "a": a, "b": b, "delta": -mirrored["delta"], "ci95": (-high, -low)}
    (seeds_a, success_a), (seeds_b, success_b) = (table(evaluations, arm) for arm in (a, b))
    both = [e for e in evaluations if e.arm in (a, b)]
    _require_one_suite(both)
    shared = sorted(set(seeds_a) & set(seeds_b))
    if not shared:
        raise ConfigError(f"arms {a!r} and {b!r} share no training seed")
    ours = success_a[[seeds_a.index(s) for s in shared]]
    theirs = success_b[[seeds_b.index(s) for s in shared]]
    estimate = paired_difference(ours, theirs)
    low, high = estimate.interval
    return {
        "a": a,
        "b": b,
        "n": ours.size,
        "delta": estimate.value,
        # One outcome says nothing: the interval is then all that a difference of rates can be.
        "ci95": (-1.0, 1.0) if math.isnan(low) else (low, high),
        "mcnemar_p": mcnemar(ours, theirs).p,
        "scenes": estimate.scenes,
        "seeds": estimate.seeds,
        "world": both[0].world,
        "suite": both[0].suite,
    }


def compare_all(
    evaluations: Sequence[Evaluation], pairs: Sequence[tuple[str, str]] | None = None
) -> list[Comparison]:
    """The comparisons asked for; without pairs, every later arm against every earlier one.

    Each also has its p-value adjusted for their number.
    """
    if pairs is None:
        pairs = [(b, a) for a, b in combinations(arm_names(evaluations), 2)]
    found = [compare(evaluations, a, b) for a, b in pairs]
    for comparison, p in zip(found, holm([c["mcnemar_p"] for c in found]), strict=True):
        comparison["mcnemar_p_holm"] = p
    return found


def _require_one_suite(evaluations: Sequence[Evaluation]) -> None:
    suites = {e.suite_hash: e.suite for e in evaluations}
    if len(suites) > 1:
        listed = ", ".join(f"{name} ({digest[:8]})" for digest, name in suites.items())
        raise ConfigError(
            f"the evaluations are of different suites: {listed}",
            do="compare arms on one suite",
        )

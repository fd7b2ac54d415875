"""Arms against each other on the same scenes: from evaluations to what the report holds.

Axes: S training seeds, N scenes of the suite.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trimix.core.contracts import BoolArray
from trimix.core.errors import ConfigError
from trimix.evaluate.evaluation import Evaluation
from trimix.evaluate.inference import METHODS, Contrast, Inference, infer
from trimix.evaluate.planned import ComparisonPlan
from trimix.evaluate.schema import ClosedLoop, Comparison, InferencePart
from trimix.evaluate.statistics import clustered_wilson, mcnemar
from trimix.evaluate.verdict import headline, open_questions, statement


@dataclass(frozen=True)
class Compared:
    """Parts of report.json.

    Args:
        closed_loop: by arm.
        comparisons: in the plan's order.
        inference: None where there is nothing to compare.
    """

    closed_loop: Mapping[str, ClosedLoop]
    comparisons: list[Comparison]
    inference: InferencePart | None


def arm_names(evaluations: Sequence[Evaluation]) -> list[str]:
    """The arms in the order in which they first appear."""
    return list(dict.fromkeys(e.arm for e in evaluations))


def success_table(evaluations: Sequence[Evaluation], arm: str) -> tuple[list[int], BoolArray]:
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
    """An arm's `closed_loop` in the report: its policies together, and each apart."""
    _, success = success_table(evaluations, arm)
    chosen = [e for e in evaluations if e.arm == arm]
    outcomes = [o for e in chosen for o in e.outcomes]
    return {
        "world": chosen[0].world,
        "suite": chosen[0].suite,
        "suite_hash": chosen[0].suite_hash,
        "n": success.size,
        "success": float(success.mean()),
        "wilson95": clustered_wilson(success),
        "scope": "these policies",
        "abstained": sum(o.abstained for o in outcomes),
        "per_seed": [float(rate) for rate in success.mean(1)],
        "trust": float(np.mean([o.trust for o in outcomes])),
    }


def compare_arms(
    evaluations: Sequence[Evaluation], plan: ComparisonPlan | None = None, *, others: int = 0
) -> Compared:
    """All arms, the planned comparisons of them, and what these show together.

    Args:
        evaluations: of any arms and training seeds, all on one suite.
        plan: what was written down before the first scene was seen; without it every pair is
            compared, and all of it is exploratory.
        others: further plans that were kept; each may err.

    Raises:
        ConfigError: two evaluations of one policy, or evaluations of different suites.
    """
    _require_one_suite(evaluations)
    names = arm_names(evaluations)
    tables = {arm: success_table(evaluations, arm)[1] for arm in names}
    promised = plan is not None
    if plan is None and len(names) > 1:
        plan = ComparisonPlan.all_pairs(names, {len(table) for table in tables.values()})
    found = infer(tables, plan, registered=promised)
    closed_loop = {arm: closed_loop_summary(evaluations, arm) for arm in names}
    for arm, rate in found.rates.items():
        closed_loop[arm] |= {"ci95": (rate.low, rate.high), "ci95_scope": rate.scope}
    comparisons = comparison_rows(found, tables)
    for row in comparisons:
        row |= {"world": evaluations[0].world, "suite": evaluations[0].suite}
    return Compared(closed_loop, comparisons, _inference(found, comparisons, promised, others))


def comparison_rows(found: Inference, tables: Mapping[str, BoolArray]) -> list[Comparison]:
    """The report's `comparisons`.

    Args:
        tables: arm -> (S, N) success.
    """
    return [_row(contrast, tables) for contrast in found.contrasts]


def _row(contrast: Contrast, tables: Mapping[str, BoolArray]) -> Comparison:
    row: Comparison = {
        "a": contrast.a,
        "b": contrast.b,
        "n": contrast.seeds * contrast.scenes,
        "delta": contrast.delta,
        "ci95": (contrast.low, contrast.high),
        "scope": contrast.scope,
        "status": contrast.status,
        "verdict": contrast.verdict,
        "scenes": contrast.scenes,
        "seeds": contrast.seeds,
    }
    ours, theirs = tables[contrast.a], tables[contrast.b]
    if len(ours) == len(theirs) == 1:
        row["mcnemar_p"] = mcnemar(ours, theirs).p
    return row


def _inference(
    found: Inference, comparisons: Sequence[Comparison], registered: bool, others: int
) -> InferencePart | None:
    """The comparisons in sentences; None if nothing was compared."""
    plan = found.plan
    if plan is None or not comparisons:
        return None
    rates = {arm: rate.mean for arm, rate in found.rates.items()}
    needed = {(c.a, c.b): c.seeds_needed(plan) for c in found.contrasts}
    return {
        "scope": found.scope,
        "method": METHODS[found.scope],
        "level": plan.level,
        "plan": {
            "contrasts": list(plan.contrasts),
            "looks": list(plan.looks),
            "level": plan.level,
            "scenes": plan.scenes,
            "hash": plan.hash,
            "registered": registered,
            "others": others,
        },
        "status": found.status,
        "look": found.look,
        "spent": 0.0 if found.look is None else plan.spent(found.look),
        "headline": headline(comparisons, rates),
        "statements": [statement(c, plan.level) for c in comparisons],
        "open": open_questions(comparisons, needed),
    }


def _require_one_suite(evaluations: Sequence[Evaluation]) -> None:
    suites = {e.suite_hash: e.suite for e in evaluations}
    if len(suites) > 1:
        listed = ", ".join(f"{name} ({digest[:8]})" for digest, name in suites.items())
        raise ConfigError(
            f"the evaluations are of different suites: {listed}",
            do="compare arms on one suite",
        )

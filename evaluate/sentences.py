"""What an evaluation of some policies shows, in plain sentences."""

from __future__ import annotations

from collections.abc import Sequence

from trimix.evaluate.compare import arm_names, compare_arms
from trimix.evaluate.evaluation import Evaluation
from trimix.evaluate.head_to_head import head_to_head
from trimix.evaluate.planned import ComparisonPlan
from trimix.evaluate.statistics import wilson
from trimix.evaluate.verdict import statement


def sentences(evaluations: Sequence[Evaluation]) -> list[str]:
    """How often each policy succeeded, and which can be told apart: of these policies alone.

    Args:
        evaluations: one a policy, all on one suite.
    """
    lines = []
    for evaluation in evaluations:
        n, k = len(evaluation.outcomes), int(evaluation.success.sum())
        low, high = wilson(k, n)
        lines.append(f"{evaluation.arm}: {k}/{n} succeeded, 95% interval {low:.3f} to {high:.3f}")
    if len(evaluations) == 2:
        lines.append(statement(head_to_head(evaluations[0], evaluations[1])))
    elif len(evaluations) > 2:
        scenes = len(evaluations[0].outcomes)
        plan = ComparisonPlan.all_pairs(arm_names(evaluations), [1], scenes=scenes)
        found = compare_arms(evaluations, plan).inference
        assert found is not None
        lines += [found["headline"], *found["statements"]]
    return lines

"""What an evaluation of some policies shows, in plain sentences."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from trimix.evaluate.evaluation import Evaluation
from trimix.evaluate.head_to_head import head_to_head
from trimix.evaluate.statistics import wilson
from trimix.evaluate.verdict import headline, statement

LEVEL = 0.95
UNREGISTERED = (
    "All of this holds together, however many scenes one looked at before; not of policies that "
    "were picked by how they did on these scenes."
)


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
    pairs = list(combinations(evaluations, 2))
    each = 1 - (1 - LEVEL) / max(len(pairs), 1)
    rows = [head_to_head(a, b, each) for a, b in pairs]
    if len(rows) > 1:
        lines.append(headline(rows, {e.arm: float(e.success.mean()) for e in evaluations}))
    lines += [statement(row, LEVEL) for row in rows]
    return lines + [UNREGISTERED] * bool(rows)

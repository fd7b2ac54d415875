"""What outcomes say of the very policies that were run, and rank agreement between worlds.

What they say of mixes, whose policies differ from seed to seed, is in `inference`.

Axes: S training seeds, N scenes. An outcome table is (S, N): policy of seed s on scene n.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from trimix.core.contracts import F64
from trimix.evaluate.crossed import wilson_ends

Table = npt.ArrayLike


class Interval(NamedTuple):
    """A two-sided confidence interval."""

    low: float
    high: float


@dataclass(frozen=True)
class McNemar:
    """The exact McNemar test of two arms on the same cells.

    Args:
        only_a, only_b: cells in which that arm alone succeeded.
        p: two-sided p-value; 1 when the arms never differ.
    """

    only_a: int
    only_b: int
    p: float


def wilson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Wilson's score interval of a rate.

    Raises:
        ValueError: n is 0, or successes are not in 0..n.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is not a rate")
    return _wilson(successes / n, n, level)


def clustered_wilson(table: Table, level: float = 0.95) -> Interval:
    """Wilson's score interval of the mean success of these policies over other scenes.

    Policies meet the same scenes, so S x N outcomes are fewer than so many independent ones: the
    interval is that of as many as would leave the mean as uncertain as its N scenes do (Korn and
    Graubard, Survey Methodology 1998). One policy's is the plain one of N.

    Args:
        table: (S, N) outcomes, bool or 0/1.
    """
    success = _table(table)
    p, n = float(success.mean()), success.shape[1]
    variance = float(success.mean(0).var()) / n
    return _wilson(p, p * (1 - p) / variance if variance > 0 else n, level)


def _wilson(p: float, n: float, level: float) -> Interval:
    quantile = float(stats.norm.isf((1 - level) / 2))
    low, high = wilson_ends(np.asarray(p), np.asarray(n), quantile)
    return Interval(float(low), float(high))


def mcnemar(a: Table, b: Table) -> McNemar:
    """Whether two arms succeed equally often, from the cells in which they differ.

    It takes cells as independent, so it is for one policy a side; several seeds on the same scenes
    are not, and their pooled cells would find a difference between equal arms far too often.

    Args:
        a, b: outcomes of one shape, bool or 0/1.

    Raises:
        ValueError: the shapes differ, or an outcome is neither 0 nor 1.
    """
    won_a, won_b = _paired(a, b)
    for table in (won_a, won_b):
        if not np.isin(table, (0.0, 1.0)).all():
            raise ValueError("McNemar's test compares successes: every outcome is 0 or 1")
    only_a = int(((won_a == 1) & (won_b == 0)).sum())
    only_b = int(((won_a == 0) & (won_b == 1)).sum())
    p = float(stats.binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0
    return McNemar(only_a, only_b, p)


def pearson(sim: Table, real: Table) -> float | None:
    """Linear correlation over policies of their scores in simulation and in reality.

    Returns:
        In [-1, 1]; None when either side scores all policies alike, or there are fewer than two.
    """
    x, y = _paired(sim, real)
    if x.size < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return float(np.corrcoef(x.ravel(), y.ravel())[0, 1])


def mean_maximum_rank_violation(sim: Table, real: Table) -> float:
    """How far simulation misorders policies, in units of the real score; 0 is never.

    For each policy, the largest real gap to a policy that simulation does not put on the same
    side of it; the mean of these (Li et al., "Evaluating real-world robot manipulation policies
    in simulation", 2024). A tie in simulation of policies that differ in reality counts for both
    (the paper's one-sided "<" counts it for one, depending on which is called i), so a simulation
    that cannot tell policies apart does not look faultless.

    Args:
        sim, real: (P,) scores of the same policies, in this order: simulation, then reality.
    """
    x, y = _paired(sim, real)
    x, y = x.ravel(), y.ravel()
    gap = y[:, None] - y[None, :]
    misordered = np.sign(x[:, None] - x[None, :]) != np.sign(gap)
    return float(np.where(misordered, np.abs(gap), 0.0).max(axis=1).mean())


def _table(values: Table) -> F64:
    table = np.atleast_2d(np.asarray(values, np.float64))
    if table.ndim != 2 or table.size == 0:
        raise ValueError(f"an outcome table is (seeds, scenes), not {np.shape(values)}")
    if not np.isfinite(table).all():
        raise ValueError("an outcome is not finite")
    return table


def _paired(a: Table, b: Table) -> tuple[F64, F64]:
    first, second = _table(a), _table(b)
    if first.shape != second.shape:
        raise ValueError(f"paired outcomes have one shape, not {first.shape} and {second.shape}")
    return first, second

"""Other ways to compare arms, simulated beside the one that is used.

Axes: B experiments, K arms, S training seeds of each, N scenes, M contrasts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy import stats

from trimix.core.contracts import F64, BoolArray
from trimix.evaluate.crossed import Crossed, Family, combined, quantiles, together

Ends = tuple[F64, F64]
"""(B, M) lower and upper ends."""


def pooled_cells(tables: Sequence[BoolArray], contrasts: F64) -> Ends:
    """All seeds' cells as so many independent pairs, each contrast on its own: what many do."""
    delta, variance = [], []
    for row in contrasts:
        difference = tables[int(row.argmax())].astype(np.int8) - tables[int(row.argmin())]
        n = difference[0].size
        mean = difference.mean((1, 2))
        delta.append(mean)
        variance.append(((difference**2).mean((1, 2)) - mean**2) / n)
    half = stats.norm.isf(0.025) * np.sqrt(np.stack(variance, 1))
    return np.stack(delta, 1) - half, np.stack(delta, 1) + half


def pooled_rates(tables: Sequence[BoolArray]) -> Ends:
    """(B, K) Wilson intervals of all seeds' episodes as so many independent ones."""
    found = []
    for table in tables:
        p, n, z = table.mean((1, 2)), table[0].size, float(stats.norm.isf(0.025))
        middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
        found.append((middle - half, middle + half))
    return np.stack([low for low, _ in found], 1), np.stack([high for _, high in found], 1)


def satterthwaite(data: Crossed, contrasts: F64, alpha: float) -> Ends:
    """Each contrast by its own arms' variances, Satterthwaite's degrees of freedom, Bonferroni."""
    by_arm = contrasts**2 / data.seeds
    by_seed = data.between @ by_arm.T
    variance = by_seed + _arm_by_scene(data, contrasts)
    squares = (data.between**2) @ (by_arm**2 / (data.seeds - 1)).T
    freedom = variance**2 / np.maximum(squares, 1e-30)
    quantile = stats.t.isf(alpha / (2 * len(contrasts)), np.clip(freedom, 1, 1e4))
    return _symmetric(data, contrasts, quantile * np.sqrt(variance))


def pooled_range(data: Crossed, contrasts: F64, alpha: float) -> Ends:
    """One variance over seeds for all arms, and the studentized range."""
    pooled = data.between.mean(1, keepdims=True) * np.ones_like(data.between)
    variance = pooled @ (contrasts**2 / data.seeds).T + _arm_by_scene(data, contrasts)
    freedom = int((data.seeds - 1).sum())
    quantile = stats.studentized_range.isf(alpha, len(data.seeds), freedom) / np.sqrt(2)
    return _symmetric(data, contrasts, quantile * np.sqrt(variance))


def symmetric(data: Crossed, contrasts: F64, alpha: float) -> Ends:
    """The variances and the quantile that are used, without the score intervals."""
    own = np.maximum(data.between, data.noise)
    larger = np.maximum(own, own.mean(1, keepdims=True))
    quantile, _ = quantiles(
        Family(alpha, len(contrasts), len(data.seeds)), tuple(data.seeds.tolist())
    )
    variance = larger @ (contrasts**2 / data.seeds).T + _arm_by_scene(data, contrasts)
    return _symmetric(data, contrasts, quantile * np.sqrt(variance))


def range_alone(data: Crossed, contrasts: F64, alpha: float) -> Ends:
    """All that is used but the guard against one arm whose seeds vary far more than the others'."""
    family = Family(alpha, len(contrasts), len(data.seeds))
    over_seeds = together(family, int((data.seeds - 1).sum()))
    bands = combined(data, contrasts, over_seeds, together(family, np.inf))
    return bands.low, bands.high


RIVALS: Mapping[str, Callable[[Crossed, F64, float], Ends]] = {
    "satterthwaite_bonferroni": satterthwaite,
    "pooled_variance_range": pooled_range,
    "larger_variance_symmetric": symmetric,
    "score_range_alone": range_alone,
}
"""name -> (data, contrasts, alpha) -> simultaneous ends, all pairs of arms."""


def _arm_by_scene(data: Crossed, contrasts: F64) -> F64:
    scene = np.einsum("mk,bkl,ml->bm", contrasts, data.scene, contrasts) / data.scenes
    return np.asarray(np.maximum(scene - data.noise @ (contrasts**2 / data.seeds).T, 0))


def _symmetric(data: Crossed, contrasts: F64, half: F64) -> Ends:
    delta = data.mean @ contrasts.T
    return delta - half, delta + half

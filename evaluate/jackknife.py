"""Intervals of figures that pool few episodes, by leaving each of them out in turn.

Resampling E episodes with replacement understates what so few can say twice: the variance by a
factor of (E - 1) / E, and the quantiles as if it were known. Student's quantile of the jackknife's
variance does neither (Miller, "The jackknife: a review", Biometrika 1974). In simulation (ratios of
sums, episodes' errors differing by half their mean) 95% intervals of 6 and of 10 episodes held
the truth in 92 and 93%, those of a percentile bootstrap in 83 and 85%.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from trimix.core.contracts import F64


def leave_one_out(episodes: int) -> F64:
    """(1 + E, E) weights: of all episodes, then of all but each one."""
    return np.concatenate([np.ones((1, episodes)), 1 - np.eye(episodes)])


def jackknife_interval(
    values: F64, level: float = 0.95, *, positive: bool = False
) -> tuple[float, float] | None:
    """Interval of a figure.

    Args:
        values: (1 + E,) the figure of all episodes, then of all but each one.
        level: the coverage that is aimed at.
        positive: an error or another figure above 0, whose logarithm is the better scale.

    Returns:
        None if one episode alone, or one that the figure can't do without, says nothing.
    """
    whole, parts = float(values[0]), values[1:]
    e = len(parts)
    if e < 2 or not np.isfinite(values).all():
        return None
    error = float(np.sqrt((e - 1) / e * ((parts - parts.mean()) ** 2).sum()))
    reach = float(stats.t.isf((1 - level) / 2, e - 1)) * error
    if positive and whole > 0:
        factor = float(np.exp(min(reach / whole, 700.0)))
        return whole / factor, whole * factor
    return whole - reach, whole + reach


def margin_interval(ours: F64, theirs: F64, level: float) -> tuple[float, float] | None:
    """Interval of one error minus another, of the same episodes.

    It is made of their ratio, whose logarithm is less skewed than their difference.

    Args:
        ours, theirs: (1 + E,) errors, as in `jackknife_interval`.
    """
    if not (theirs > 0).all():
        return None
    ratio = jackknife_interval(ours / theirs, level, positive=True)
    return ratio and (float(theirs[0]) * (ratio[0] - 1), float(theirs[0]) * (ratio[1] - 1))

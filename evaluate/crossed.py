"""Simultaneous intervals from outcomes that are crossed: training seeds by scenes.

Axes: B experiments (1 in a report, thousands in a simulation), K arms, S training seeds of an arm,
N scenes that all arms meet, M contrasts.

The model of one arm's outcome is rate + seed + scene + arm-by-scene + noise. Seeds are drawn for
every arm on its own; scenes are shared, so their main effect leaves a difference of arms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import stats

from trimix.core.contracts import F64, I64, BoolArray

OWN_WEIGHT = 0.5
"""Of an arm's own variance between seeds, beside that of all arms together."""


@dataclass(frozen=True)
class Crossed:
    """What the intervals need of the outcomes.

    Args:
        seeds: (K,) S of each arm.
        mean: (B, K) success over seeds and scenes.
        between: (B, K) variance of the seeds' rates; 0 for a single seed.
        noise: (B, K) the part of it that scenes and chance explain; 0 for a single seed.
        scene: (B, K, K) covariance over scenes of the arms' rates on them, seeds averaged.
        scenes: N.
    """

    seeds: I64
    mean: F64
    between: F64
    noise: F64
    scene: F64
    scenes: int

    @classmethod
    def of(cls, tables: Sequence[BoolArray]) -> Crossed:
        """From one (B, S, N) table of successes an arm, all over the same N scenes."""
        seeds = np.array([table.shape[1] for table in tables])
        n = tables[0].shape[2]
        by_seed = [table.mean(2) for table in tables]
        by_scene = np.stack([table.mean(1) for table in tables], 1)
        mean = by_scene.mean(2)
        between, noise = np.zeros_like(mean), np.zeros_like(mean)
        for k, rates in enumerate(by_seed):
            s, p = rates.shape[1], mean[:, k]
            if s < 2:
                continue
            seed_ss = ((rates - p[:, None]) ** 2).sum(1)
            scene_ss = ((by_scene[:, k] - p[:, None]) ** 2).sum(1)
            between[:, k] = seed_ss / (s - 1)
            # The squares of outcomes of 0 and 1 about their mean add up to s n p (1 - p).
            rest = s * n * p * (1 - p) - n * seed_ss - s * scene_ss
            noise[:, k] = np.maximum(rest, 0) / ((s - 1) * max(n - 1, 1) * n)
        centred = by_scene - mean[:, :, None]
        scene = np.einsum("bkn,bln->bkl", centred, centred) / max(n - 1, 1)
        return cls(seeds, mean, between, noise, scene, n)


@dataclass(frozen=True)
class Family:
    """Intervals that hold together.

    Args:
        alpha: probability that some of them misses.
        size: how many there are.
        arms: of how many arms they are the pairwise differences; None if they are something else.
    """

    alpha: float
    size: int
    arms: int | None = None


@dataclass(frozen=True)
class Bands:
    """Simultaneous intervals of M contrasts; every array is (B, M).

    Args:
        delta, low, high: estimates and ends, in [-1, 1].
        by_seed: variance of the estimate that more training seeds would reduce.
        lasting: variance that they would not.
        freedom: degrees of freedom of by_seed.
    """

    delta: F64
    low: F64
    high: F64
    by_seed: F64
    lasting: F64
    freedom: F64


def mixes(data: Crossed, contrasts: F64, family: Family) -> Bands:
    """Differences of mixes: what other training seeds and other scenes would give.

    Args:
        data: every arm has at least two seeds.
        contrasts: (M, K) weights of the arms.
        family: of which these contrasts are some or all.
    """
    by_seed, lasting, freedom, floor = _variances(data, contrasts)
    half = critical(family, freedom) * np.sqrt(np.maximum(by_seed + lasting, floor))
    delta = data.mean @ contrasts.T
    low, high = np.maximum(delta - half, -1), np.minimum(delta + half, 1)
    return Bands(delta, low, high, by_seed, lasting, freedom)


def policies(data: Crossed, contrasts: F64, family: Family) -> Bands:
    """Differences of these very policies: what other scenes would give.

    Two scenes are added, one won by either side (Bonett and Price, "Adjusted Wald confidence
    interval for a difference of binomial proportions based on paired data", Journal of Educational
    and Behavioral Statistics 2012), so that policies that never differed are not called equal
    beyond doubt; Bonferroni over the contrasts.

    Args: as in `mixes`.
    """
    n = data.scenes
    delta = data.mean @ contrasts.T
    squares = (n - 1) * _over_scenes(data, contrasts) + n * delta**2
    middle = delta * n / (n + 2)
    variance = ((squares + 2) / (n + 2) - middle**2) / (n + 2)
    half = stats.t.isf(family.alpha / (2 * family.size), n + 1) * np.sqrt(variance)
    low, high = np.minimum(middle - half, delta), np.maximum(middle + half, delta)
    nothing = np.zeros_like(delta)
    return Bands(
        delta, np.maximum(low, -1), np.minimum(high, 1), nothing, variance, nothing + n + 1
    )


def rates(data: Crossed, family: Family, *, of_mixes: bool) -> tuple[F64, F64]:
    """Intervals of the arms' success rates, together.

    Wilson's score interval of as many independent episodes as would leave the mean as uncertain
    (Korn and Graubard, Survey Methodology 1998), with Student's quantile and Bonferroni over arms.

    Args:
        data: with of_mixes every arm has at least two seeds.
        family: of which these arms are some or all.
        of_mixes: whether other training seeds are meant as well, or these policies alone.

    Returns:
        (B, K) lower and upper ends, in [0, 1].
    """
    p = data.mean
    if of_mixes:
        by_seed, lasting, freedom, floor = _variances(data, np.eye(p.shape[1]))
        variance, quantile = np.maximum(by_seed + lasting, floor), critical(family, freedom)
    else:
        # As the binomial has it for one policy: no correction for the mean's own estimate.
        variance = np.diagonal(data.scene, axis1=1, axis2=2) * (data.scenes - 1) / data.scenes**2
        quantile = np.full_like(p, stats.norm.isf(family.alpha / (2 * family.size)))
    certain = (p * (1 - p) == 0) | (variance == 0)
    n = np.where(certain, data.scenes, p * (1 - p) / np.where(certain, 1, variance))
    return wilson_ends(p, n, quantile)


def wilson_ends(p: F64, n: F64, quantile: F64) -> tuple[F64, F64]:
    """Ends of Wilson's score interval of rates p of n episodes."""
    shrink = 1 + quantile**2 / n
    middle = (p + quantile**2 / (2 * n)) / shrink
    half = quantile * np.sqrt(p * (1 - p) / n + (quantile / (2 * n)) ** 2) / shrink
    return np.clip(middle - half, 0, p), np.clip(middle + half, p, 1)


def _over_scenes(data: Crossed, contrasts: F64) -> F64:
    """(B, M) variance of each contrast from scene to scene."""
    return np.asarray(np.einsum("mk,bkl,ml->bm", contrasts, data.scene, contrasts), np.float64)


def _variances(data: Crossed, contrasts: F64) -> tuple[F64, F64, F64, F64]:
    """(B, M) variances of contrasts: over seeds, lasting, degrees of freedom, least total."""
    weight = contrasts**2 / data.seeds  # (M, K)
    df = (data.seeds - 1).astype(np.float64)
    between = np.maximum(data.between, data.noise)
    share = OWN_WEIGHT * np.eye(len(df)) + (1 - OWN_WEIGHT) * df / df.sum()  # (K, K)
    blend = weight @ share  # (M, K): what each arm's own variance counts for in a contrast
    by_seed = between @ blend.T
    scene = _over_scenes(data, contrasts) / data.scenes
    lasting = np.maximum(scene - data.noise @ weight.T, 0)
    floor = (data.scenes * scene + 2 / data.scenes) / (data.scenes + 2)
    total = np.maximum(by_seed + lasting, floor)
    freedom = total**2 / np.maximum((between**2) @ (blend**2 / df).T, 1e-30)
    return by_seed, lasting, freedom, floor


def critical(family: Family, freedom: F64) -> F64:
    """How many standard errors all of a family stay within, with probability 1 - alpha.

    The smaller of two that both hold: Bonferroni, and for pairs of arms the studentized range
    (Tukey). Degrees of freedom are rounded down to a grid, so that each is computed once.
    """
    grid = np.floor(4 * np.clip(freedom, 1, 20)) / 4
    grid = np.where(freedom >= 20, np.floor(np.minimum(freedom, 400) / 10) * 10, grid)
    values, where = np.unique(grid, return_inverse=True)
    found = np.array([_critical(family, float(df)) for df in values])
    return np.asarray(found[where].reshape(freedom.shape), np.float64)


@lru_cache(maxsize=4096)
def _critical(family: Family, df: float) -> float:
    bonferroni = float(stats.t.isf(family.alpha / (2 * family.size), df))
    if family.size == 1 or family.arms is None:
        return bonferroni
    tukey = stats.studentized_range.isf(family.alpha, family.arms, df) / np.sqrt(2)
    return min(bonferroni, float(tukey))

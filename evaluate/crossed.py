"""Simultaneous intervals from outcomes that are crossed: training seeds by scenes.

Axes: B experiments (1 in a report, thousands in a simulation), K arms, S training seeds of an arm,
N scenes that all arms meet, M contrasts.

The model of one arm's outcome is rate + seed + scene + arm-by-scene + noise. Seeds are drawn for
every arm on its own; scenes are shared, so their main effect leaves a difference of arms. Three to
eight seeds tell little of how much an arm's seeds vary, so how that is guessed decides what an
interval holds; docs/statistics.md has the simulations behind every choice made here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import stats

from trimix.core.contracts import F64, I64, BoolArray


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
    """

    delta: F64
    low: F64
    high: F64
    by_seed: F64
    lasting: F64


def mixes(data: Crossed, contrasts: F64, family: Family) -> Bands:
    """Differences of mixes: what other training seeds and other scenes would give.

    Args:
        data: every arm has at least two seeds.
        contrasts: (M, K), a 1 and a -1 in each row.
        family: of which these contrasts are some or all.
    """
    return combined(data, contrasts, *quantiles(family, tuple(data.seeds.tolist())))


def combined(data: Crossed, contrasts: F64, over_seeds: float, over_scenes: float) -> Bands:
    """Differences of arms from the arms' own intervals.

    Every arm has its score interval, of as many independent episodes as its seeds are worth, so
    that a rate near 0 or 1, whose seeds are skewed, errs to the side on which it can. The distances
    to their ends add up as squares (MOVER: Zou and Donner, Statistics in Medicine 2008), with what
    arms and scenes do together on top.

    Args:
        data, contrasts: as in `mixes`.
        over_seeds, over_scenes: standard errors that all contrasts stay within together.
    """
    p, variance = data.mean, _seed_variance(data) / data.seeds
    low_k, high_k = wilson_ends(p, _spread(data) / variance, over_seeds)
    down, up = (p - low_k) ** 2, (high_k - p) ** 2
    ours, theirs = (contrasts > 0).astype(np.float64), (contrasts < 0).astype(np.float64)
    scene = _over_scenes(data, contrasts) / data.scenes
    lasting = np.maximum(scene - data.noise @ (contrasts**2 / data.seeds).T, 0)
    # Seeds that agree by luck leave at least the variance over scenes, as of `policies`.
    least = over_scenes**2 * (data.scenes * scene + 2 / data.scenes) / (data.scenes + 2)
    below = np.maximum(down @ ours.T + up @ theirs.T + over_scenes**2 * lasting, least)
    above = np.maximum(up @ ours.T + down @ theirs.T + over_scenes**2 * lasting, least)
    delta = p @ contrasts.T
    low, high = np.maximum(delta - np.sqrt(below), -1), np.minimum(delta + np.sqrt(above), 1)
    return Bands(delta, low, high, variance @ (contrasts**2).T, lasting)


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
    return Bands(delta, np.maximum(low, -1), np.minimum(high, 1), np.zeros_like(variance), variance)


def rates(data: Crossed, family: Family, *, of_mixes: bool) -> tuple[F64, F64]:
    """Intervals of the arms' success rates, together.

    Wilson's score interval of as many independent episodes as would leave the mean as uncertain
    (Korn and Graubard, Survey Methodology 1998).

    Args:
        data: with of_mixes every arm has at least two seeds.
        family: of which these arms are some or all.
        of_mixes: whether other training seeds are meant as well, or these policies alone.

    Returns:
        (B, K) lower and upper ends, in [0, 1].
    """
    scene = np.diagonal(data.scene, axis1=1, axis2=2) / data.scenes
    if of_mixes:
        lasting = np.maximum(scene - data.noise / data.seeds, 0)
        variance = np.maximum(_seed_variance(data) / data.seeds + lasting, scene)
        quantile, _ = quantiles(family, tuple(data.seeds.tolist()))
    else:
        # As the binomial has it for one policy: no correction for the mean's own estimate.
        variance = scene * (data.scenes - 1) / data.scenes
        quantile = float(stats.norm.isf(family.alpha / (2 * family.size)))
    spread = _spread(data)
    variance = np.where(variance > 0, variance, spread / data.scenes)
    return wilson_ends(data.mean, spread / variance, quantile)


def wilson_ends(p: F64, n: F64, quantile: float) -> tuple[F64, F64]:
    """Ends of Wilson's score interval of rates p of n episodes, n not always whole."""
    shrink = 1 + quantile**2 / n
    middle = (p + quantile**2 / (2 * n)) / shrink
    half = quantile * np.sqrt(p * (1 - p) / n + (quantile / (2 * n)) ** 2) / shrink
    return np.clip(middle - half, 0, p), np.clip(middle + half, p, 1)


@lru_cache(maxsize=1024)
def quantiles(family: Family, seeds: tuple[int, ...]) -> tuple[float, float]:
    """How many standard errors, over seeds and over scenes, a family stays within together.

    Over many degrees of freedom, the smaller of two that both hold: Bonferroni, and for pairs of
    arms the studentized range (Tukey). Over seeds the degrees of freedom are those of a design in
    which seeds are blocks, (K - 1) (S - 1): those of all arms together, K (S - 1), are too many if
    deviations differ and rates are near 0 or 1 (bench.statistics). If one arm's seeds vary far
    more than the others', its own S - 1 are all there are, and every contrast that errs errs by
    that arm, so Student's quantile without an adjustment is needed and does. An arm without
    deviation is still given its share of the pooled variance (`_seed_variance`), by which that
    quantile may be smaller. In what is no difference, an arm's own interval, the larger variance of
    another arm does not make up for its own: it gets its own S - 1 and as many again.

    Args:
        family: the intervals.
        seeds: S of each arm.
    """
    df = [s - 1 for s in seeds]
    share = min(df) / sum(df) * min(seeds) / max(seeds) if family.arms else 0.0
    alone = float(stats.t.isf(family.alpha / 2, min(df))) / np.sqrt(1 + share)
    blocks = sum(df) - max(df) if len(df) > 1 else df[0]
    if family.arms is None:
        blocks = min(blocks, 2 * min(df))
    return max(together(family, blocks), alone), together(family, np.inf)


def together(family: Family, df: float) -> float:
    """Standard errors that a family stays within, of one variance with these degrees of freedom."""
    bonferroni = float(stats.t.isf(family.alpha / (2 * family.size), df))
    if family.size == 1 or family.arms is None:
        return bonferroni
    tukey = stats.studentized_range.isf(family.alpha, family.arms, df) / np.sqrt(2)
    return min(bonferroni, float(tukey))


def _seed_variance(data: Crossed) -> F64:
    """(B, K) variance of an arm's rate from seed to seed: its own, or the pooled one if larger.

    It is pooled as a fraction of p (1 - p), so that arms near 0 or 1 are not given what only arms
    in between can have. No arm has less than scenes and chance alone would make.
    """
    spread = _spread(data)
    own = np.maximum(data.between, data.noise)
    own = np.where(own > 0, own, spread / data.scenes)
    df = data.seeds - 1
    pooled = spread * ((own @ df) / (spread @ df))[:, None]
    return np.maximum(own, pooled)


def _spread(data: Crossed) -> F64:
    """(B, K) p (1 - p); of an arm that always did alike, as if half an episode had gone apart."""
    half = 1 / (2 * data.seeds * data.scenes)
    p = np.clip(data.mean, half, 1 - half)
    return np.asarray(p * (1 - p), np.float64)


def _over_scenes(data: Crossed, contrasts: F64) -> F64:
    """(B, M) variance of each contrast from scene to scene."""
    return np.asarray(np.einsum("mk,bkl,ml->bm", contrasts, data.scene, contrasts), np.float64)

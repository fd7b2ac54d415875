"""Whole experiments whose truth is known: outcome tables of arms, drawn by thousands.

Axes: B experiments, K arms, S training seeds, N scenes.

A policy succeeds on a scene if rate + seed + scene + arm-by-scene + noise, all normal, is above 0
(a probit model with crossed random effects), so an arm's success rate over all seeds and scenes is
known exactly. Seed deviations are given in what people see, percentage points of a seed's rate;
near 0 and 100% seeds are then skewed, as they are in life.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import optimize, stats

from trimix.core.contracts import BoolArray
from trimix.core.seeds import stream

ARMS = ("a", "b", "c", "d")
SCENES = 200
RATES = (0.1, 0.5, 0.9)
SCENE = 1.0
"""Deviation of the scenes' difficulty, in deviations of the noise."""
ARM_BY_SCENE = (0.0, 0.5)
DEVIATIONS = {
    "alike": (1.0, 1.0, 1.0, 1.0),
    "one sixfold": (1.0, 1 / 6, 1 / 6, 1 / 6),
    "half sixfold": (1.0, 1.0, 1 / 6, 1 / 6),
    "all but one sixfold": (1 / 6, 1.0, 1.0, 1.0),
}
"""Of the arms' seeds, as fractions of the largest."""
STEP = 0.1
"""By which unequal arms differ: two are equal, one is a step and one is two steps away."""


@dataclass(frozen=True)
class Truth:
    """What a simulated experiment is drawn from.

    Args:
        rates: (K,) success of each arm over all seeds and scenes.
        deviations: (K,) standard deviation of its seeds' rates.
        arm_by_scene: deviation of what an arm does to a scene, in deviations of the noise.
        about: which cell of the grid it is.
        scenes: N.
    """

    rates: tuple[float, ...]
    deviations: tuple[float, ...]
    arm_by_scene: float
    about: str
    scenes: int = SCENES

    def tables(self, experiments: int, seeds: int, *key: int | str) -> dict[str, BoolArray]:
        """arm -> (B, S, N) successes; the scenes of one experiment are the same for all its arms.

        Args:
            experiments: B.
            seeds: S.
            key: of the random stream, beside this truth's own.
        """
        rng = stream("simulated", self.about, seeds, *key)
        shape = (experiments, seeds, self.scenes)

        def normal(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
            return rng.standard_normal(shape, dtype=np.float32)

        scene = np.float32(SCENE) * normal(experiments, 1, self.scenes)
        tables = {}
        for arm, rate, deviation in zip(ARMS, self.rates, self.deviations, strict=False):
            mean, by_seed = latent(rate, deviation, self.arm_by_scene)
            score = normal(*shape)
            score += scene
            if self.arm_by_scene:
                score += np.float32(self.arm_by_scene) * normal(experiments, 1, self.scenes)
            score += np.float32(mean) + np.float32(by_seed) * normal(experiments, seeds, 1)
            tables[arm] = score > 0
        return tables


def truths(deviation: float) -> Iterator[Truth]:
    """The grid of one seed deviation: base rates, equal and unequal arms, effects, patterns."""
    for rate in RATES:
        step = STEP if rate < 0.8 else -STEP
        for arms, rates in (
            ("equal arms", (rate,) * 4),
            ("unequal arms", (rate, rate, rate + step, rate + 2 * step)),
        ):
            for effect in ARM_BY_SCENE:
                for pattern, parts in DEVIATIONS.items():
                    if deviation == 0 and pattern != "alike":
                        continue
                    about = f"{100 * rate:.0f}%, {arms}, arm by scene {effect:g}, seeds {pattern}"
                    yield Truth(rates, tuple(deviation * x for x in parts), effect, about)


@lru_cache(maxsize=1024)
def latent(rate: float, deviation: float, arm_by_scene: float) -> tuple[float, float]:
    """(mean, deviation over seeds) of the score, that give this rate and deviation of rates.

    Args:
        rate: success over all seeds and scenes, in (0, 1).
        deviation: of the seeds' rates; less than sqrt(rate (1 - rate)).
        arm_by_scene: as in Truth.
    """
    inner = float(np.sqrt(1 + SCENE**2 + arm_by_scene**2))
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    weights = weights / weights.sum()

    def mean(by_seed: float) -> float:
        return float(stats.norm.ppf(rate)) * float(np.hypot(inner, by_seed))

    def excess(by_seed: float) -> float:
        seed_rates = stats.norm.cdf((mean(by_seed) + by_seed * nodes) / inner)
        return float(np.sqrt(weights @ (seed_rates - weights @ seed_rates) ** 2)) - deviation

    by_seed = 0.0 if deviation == 0 else float(optimize.brentq(excess, 0.0, 100.0))
    return mean(by_seed), by_seed

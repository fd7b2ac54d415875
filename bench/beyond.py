"""How often what is claimed is false where the claim's assumptions fail, so that one can know.

Axes: B experiments, K arms, S training seeds, N scenes, E episodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from trimix.bench.figure import Figure
from trimix.bench.simulated import ARMS, SCENES, Truth
from trimix.bench.statistics import EXPERIMENTS, SEEDS, chunks, judge_sentences
from trimix.core.contracts import BoolArray
from trimix.core.seeds import stream
from trimix.evaluate.inference import infer_many
from trimix.evaluate.jackknife import leave_one_out, margin_interval
from trimix.evaluate.planned import ComparisonPlan

WELL, FAILED = 0.8, 0.1
CHANCES = (0.05, 0.1, 0.2)
SKEWED = ((0.1, 0.08, 0.013), (0.1, 0.12, 0.02), (0.5, 0.12, 0.02))
"""(success of both arms, deviation of the one's seeds and of the other's)."""
SPREADS = (0.3, 0.5, 0.7)
EPISODES = (6, 10)


@dataclass(frozen=True)
class Failing(Truth):
    """Arm a's trainings succeed as WELL says, but for some that fail; arm b's are all alike.

    Args:
        chance: of a training of a to fail; the two arms' rates are equal.
    """

    chance: float = 0.0

    @classmethod
    def of(cls, chance: float) -> Failing:
        """Two equal arms."""
        rate = WELL - chance * (WELL - FAILED)
        return cls((rate, rate), (0.0, 0.0), 0.0, f"{100 * chance:.0f}% of seeds fail", 200, chance)

    def tables(self, experiments: int, seeds: int, *key: int | str) -> dict[str, BoolArray]:
        """See Truth."""
        stable = super().tables(experiments, seeds, *key)
        well = replace(self, rates=(WELL, WELL), chance=0.0)
        poor = replace(self, rates=(FAILED, FAILED), chance=0.0)
        # Equal keys draw equal scenes and noise, so that an experiment's arms meet one suite.
        a, failed = (Truth.tables(t, experiments, seeds, *key)["a"] for t in (well, poor))
        rng = stream("failing", self.about, seeds, *key)
        fails = rng.random((experiments, seeds, 1)) < self.chance
        return {"a": np.where(fails, failed, a), "b": stable["b"]}


def run(quick: bool) -> Iterator[Figure]:
    """Trainings that fail at times; skewed seeds of two arms; few and unlike held-out episodes."""
    experiments = 20 if quick else EXPERIMENTS
    for chance in CHANCES[:1] if quick else CHANCES:
        about = f"{WELL:.0%} of scenes, but {FAILED:.0%} if it fails; the other arm's seeds alike"
        yield from _claims(Failing.of(chance), f"failing{100 * chance:.0f}", experiments, about)
    for rate, one, other in SKEWED[:1] if quick else SKEWED:
        name = f"skewed{100 * rate:.0f}.sd{100 * one:.0f}"
        about = f"{rate:.0%} success, seeds deviate by {100 * one:g} and {100 * other:g} points"
        yield from _claims(Truth((rate, rate), (one, other), 0.0, about), name, experiments, about)
    for spread in SPREADS:
        for episodes in EPISODES:
            yield _heldout(spread, episodes, experiments)


def _claims(truth: Truth, name: str, experiments: int, about: str) -> Iterator[Figure]:
    arms = ARMS[: len(truth.rates)]
    for seeds in SEEDS:
        plan = ComparisonPlan.all_pairs(arms, [seeds], scenes=SCENES)
        judged = [
            judge_sentences(infer_many(tables, plan), tables, truth)
            for tables in chunks(truth, experiments, seeds, "beyond")
        ]
        false, _, _ = np.concatenate(judged).mean(0)
        full = f"two equal arms, {about}; baseline: what is aimed at"
        yield Figure(f"beyond.{name}.s{seeds}", 100 * false, "%", experiments, 5.0, full)


def _heldout(spread: float, episodes: int, experiments: int) -> Figure:
    """How often a policy that errs as much as predicting the mean is called better than that."""
    rng = stream("heldout", round(100 * spread), episodes)
    weights, false = leave_one_out(episodes), 0
    for _ in range(experiments):
        scale = np.exp(rng.normal(0, 0.5, episodes))
        ratio = np.exp(rng.normal(-(spread**2) / 2, spread, episodes))
        interval = margin_interval(weights @ (scale * ratio), weights @ scale, 0.95)
        false += interval is not None and interval[1] < 0
    about = (
        f"one arm, {episodes} held-out episodes, log error ratios deviate by {spread:g}; "
        "baseline: what is aimed at"
    )
    name = f"beyond.heldout.sd{100 * spread:.0f}.e{episodes}"
    return Figure(name, 100 * false / experiments, "%", experiments, 2.5, about)

"""Whether claims hold for those who look more than once: at seeds as they come in, or at scenes.

Each simulated experiment is reported and read at every look, as in `statistics`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from trimix.bench.figure import Figure
from trimix.bench.sentences import of_statement
from trimix.bench.simulated import ARMS, SCENES, Truth, truths
from trimix.bench.statistics import (
    ALPHA,
    DEVIATIONS,
    EXPERIMENTS,
    SEEDS,
    Tables,
    Tally,
    chunks,
    judge_sentences,
)
from trimix.core.contracts import F64
from trimix.evaluate.head_to_head import pair_row
from trimix.evaluate.inference import infer_many
from trimix.evaluate.planned import ComparisonPlan
from trimix.evaluate.verdict import statement

BLOCK = 20


def run(quick: bool) -> Iterator[Figure]:
    """Looks at more and more training seeds, then two policies scene by scene."""
    experiments = 20 if quick else EXPERIMENTS
    yield from _peeking(experiments, (0.05,) if quick else DEVIATIONS)
    yield from _betting(experiments)


def _peeking(experiments: int, deviations: Iterable[float]) -> Iterator[Figure]:
    """Looking after every planned seed count; and adding seeds until something shows.

    Equal arms alone, so that everything shown is wrong.
    """
    last = SEEDS[-1]
    counts = range(SEEDS[0], last + 1)
    looks = ComparisonPlan.all_pairs(ARMS, SEEDS, scenes=SCENES)
    once = ComparisonPlan.all_pairs(ARMS, SEEDS[:1], scenes=SCENES)
    planned, added, unplanned = Tally(), Tally(), Tally()
    for deviation, truth in ((d, t) for d in deviations for t in truths(d)):
        if len(set(truth.rates)) > 1 or not truth.arm_by_scene or "half" in truth.about:
            continue
        false: dict[str, list[F64]] = {"planned": [], "added": [], "unplanned": []}
        for tables in chunks(truth, experiments, last, "peeking"):
            seen = {s: {arm: table[:, :s] for arm, table in tables.items()} for s in counts}

            def wrong(
                plan_of: Callable[[int], ComparisonPlan],
                at: Iterable[int],
                seen: Mapping[int, Tables] = seen,
                truth: Truth = truth,
            ) -> F64:
                """Experiments with a false claim at some look."""
                by_look = [
                    judge_sentences(infer_many(seen[s], plan_of(s)), seen[s], truth) for s in at
                ]
                return np.asarray(np.max([judged[:, 0] for judged in by_look], axis=0), np.float64)

            false["planned"].append(wrong(lambda _: looks, SEEDS))
            false["added"].append(wrong(lambda _: once, counts))
            false["unplanned"].append(
                wrong(lambda s: ComparisonPlan.all_pairs(ARMS, [s], scenes=SCENES), counts)
            )
        about = f"seed deviation {100 * deviation:.0f} points, {truth.about}"
        for name, tally in (("planned", planned), ("added", added), ("unplanned", unplanned)):
            tally.add(float(np.concatenate(false[name]).mean()), 1.0, 0.0, about)
    for name, tally, how in (
        ("peeking", planned, f"looks planned after {', '.join(map(str, SEEDS))} seeds"),
        ("adding_seeds", added, f"{SEEDS[0]} seeds planned, looked at after each up to {last}"),
    ):
        about = f"{how}; worst: {tally.worst}; baseline: each look taken for the only one"
        figure = f"statistics.{name}_false_better"
        yield Figure(figure, tally.false, "%", experiments, unplanned.false, about)


def _betting(experiments: int) -> Iterator[Figure]:
    """Two equal policies, looked at after every block of scenes, stopped once one seems better."""
    ours, naive = Tally(), Tally()
    for rate in (0.1, 0.5, 0.9):
        truth = Truth((rate, rate), (0.0, 0.0), 0.5, f"two policies of {100 * rate:.0f}%")
        found = []
        for tables in chunks(truth, experiments, 1, "betting"):
            a, b = (table[:, 0] for table in tables.values())
            for mine, theirs in zip(a, b, strict=True):
                rows = [
                    pair_row("a", "b", mine[:n], theirs[:n])
                    for n in range(BLOCK, SCENES + 1, BLOCK)
                ]
                claims = [of_statement(statement(row)).shown for row in rows]
                found.append((any(claims), any(row["mcnemar_p"] < ALPHA for row in rows)))
        false, cheat = np.mean(found, axis=0)
        ours.add(false, 1.0, 0.0, truth.about)
        naive.add(cheat, 1.0, 0.0, truth.about)
    about = f"looks after every {BLOCK} of {SCENES} scenes; baseline: McNemar's exact p at each"
    name = "statistics.betting_false_better"
    yield Figure(name, ours.false, "%", experiments, naive.false, about)

"""Whether a report's sentences are true: whole experiments simulated, reported, read and judged.

Each simulated experiment goes the way of a real one, from outcome tables by the same functions to
the comparisons and sentences of report.json; then only the words are read. A claim is false if it
says "beats" or "best" of an arm that is no better; coverage is that of all intervals at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from trimix.bench.figure import Figure
from trimix.bench.rivals import RIVALS, Ends, pooled_cells, pooled_rates, range_alone
from trimix.bench.sentences import Claim, of_headline, of_statement
from trimix.bench.simulated import ARMS, SCENES, Truth, truths
from trimix.core.contracts import F64, BoolArray
from trimix.core.errors import DataError, TrimixError
from trimix.core.workers import Local, Tick
from trimix.evaluate.compare import comparison_rows
from trimix.evaluate.crossed import Crossed
from trimix.evaluate.inference import Inference, infer_many
from trimix.evaluate.planned import ComparisonPlan
from trimix.evaluate.verdict import headline, statement

EXPERIMENTS = 4000
CHUNK = 250
WORKERS = 2
SEEDS = (3, 5, 8)
DEVIATIONS = (0.0, 0.03, 0.05, 0.08)
ALPHA = 0.05
ROUNDING = 0.0005 + 1e-9
"""Sentences give tenths of a percentage point."""
NO_BETTER = 1e-12
MANY_SCENES = 1000

Tables = Mapping[str, BoolArray]


def run(quick: bool) -> Iterator[Figure]:
    """Every cell of the grid, and other methods beside."""
    experiments = 20 if quick else EXPERIMENTS
    for seeds in SEEDS[:1] if quick else SEEDS:
        rivals = {name: Tally() for name in ("used", *RIVALS)}
        for deviation in (0.05, 0.0) if quick else DEVIATIONS:
            yield from _cell(seeds, deviation, experiments, rivals)
        for name, tally in rivals.items():
            about = f"worst of all kinds with {seeds} seeds: {tally.worst}"
            at = f"statistics.methods.{name}"
            yield Figure(f"{at}.false_better.s{seeds}", tally.false, "%", experiments, None, about)
            about = f"mean over all kinds with {seeds} seeds"
            yield Figure(
                f"{at}.half_width.s{seeds}", tally.width, "points", experiments, None, about
            )
        yield from _few_arms(seeds, experiments)
        yield from _many_scenes(seeds, experiments)


@dataclass
class Tally:
    """The worst of the kinds of experiments of a cell, and the mean width of their intervals."""

    false: float = 0.0
    covered: float = 100.0
    worst: str = ""
    widths: list[float] = field(default_factory=list)

    def add(self, false: float, covered: float, half_width: float, about: str) -> None:
        """Fractions of one kind's experiments, and half a width as a fraction."""
        if not self.worst or 100 * false > self.false:
            self.worst = about
        self.false = max(self.false, 100 * false)
        self.covered = min(self.covered, 100 * covered)
        self.widths.append(100 * half_width)

    @property
    def width(self) -> float:
        """Mean half-width in points."""
        return float(np.mean(self.widths))


def _cell(
    seeds: int, deviation: float, experiments: int, rivals: Mapping[str, Tally]
) -> Iterator[Figure]:
    """All kinds of experiments with so many seeds of such a deviation."""
    ours, naive, own_rates, naive_rates = Tally(), Tally(), Tally(), Tally()
    tallies = {"ours": ours, "naive": naive, "rates": own_rates, "naive rates": naive_rates}
    tallies |= rivals
    grid = list(truths(deviation))
    died = TrimixError("a process died that simulates experiments")
    setup = partial(_sized, seeds, experiments)
    workers = Local(1 if experiments < EXPERIMENTS else WORKERS)
    for i, means in sorted(workers.run(_kind, grid, setup=setup, died=died)):
        means["used"] = means["ours"]
        for name, tally in tallies.items():
            false, covered, width = means[name]
            tally.add(false, covered, width, grid[i].about)
    cell = f"s{seeds}.sd{100 * deviation:.0f}"
    kinds = f"worst of {len(ours.widths)} kinds, here: {ours.worst}"
    baseline = "baseline: all seeds' cells pooled, each pair on its own"
    for figure, value, unit, against_, about in (
        ("false_better", ours.false, "%", naive.false, f"{kinds}; {baseline}"),
        ("coverage", ours.covered, "%", naive.covered, baseline),
        ("half_width", ours.width, "points", naive.width, f"mean over kinds; {baseline}"),
        ("rates_coverage", own_rates.covered, "%", naive_rates.covered, "baseline: pooled Wilson"),
        ("rates_half_width", own_rates.width, "points", naive_rates.width, "mean over kinds"),
    ):
        yield Figure(f"statistics.{figure}.{cell}", value, unit, experiments, against_, about)


@contextmanager
def _sized(seeds: int, experiments: int) -> Iterator[tuple[int, int]]:
    yield seeds, experiments


def _kind(size: tuple[int, int], truth: Truth, tick: Tick) -> dict[str, tuple[float, float, float]]:
    """Method -> share of one kind's (seeds, experiments) with a false claim, with all intervals
    holding, and their mean half-width."""
    seeds, experiments = size
    plan = ComparisonPlan.all_pairs(ARMS, [seeds], scenes=SCENES)
    judged: dict[str, list[F64]] = {}
    for tables in chunks(truth, experiments, seeds):
        found = infer_many(tables, plan)
        judged.setdefault("ours", []).append(judge_sentences(found, tables, truth))
        judged.setdefault("rates", []).append(_rates(found, truth))
        arms, contrasts = list(tables.values()), _contrasts(plan)
        against = {"naive": pooled_cells(arms, contrasts)}
        data = Crossed.of(arms)
        against |= {name: rival(data, contrasts, ALPHA) for name, rival in RIVALS.items()}
        for name, ends in against.items():
            judged.setdefault(name, []).append(_judge(ends, contrasts @ _of(truth)))
        ends = pooled_rates(arms)
        judged.setdefault("naive rates", []).append(_judge(ends, _of(truth)))
    tick()
    means = {name: np.concatenate(parts).mean(0) for name, parts in judged.items()}
    return {name: (float(f), float(c), float(w)) for name, (f, c, w) in means.items()}


def _few_arms(seeds: int, experiments: int) -> Iterator[Figure]:
    """Two and three equal arms, where the kinds that err most of four do."""
    for k in (2, 3):
        arms = ARMS[:k]
        plan = ComparisonPlan.all_pairs(arms, [seeds], scenes=SCENES)
        worst = Tally()
        for truth in truths(max(DEVIATIONS)):
            if len(set(truth.rates)) > 1 or "one sixfold" not in truth.about:
                continue
            fewer = replace(truth, rates=truth.rates[:k], deviations=truth.deviations[:k])
            judged = [
                judge_sentences(infer_many(tables, plan), tables, fewer)
                for tables in chunks(fewer, experiments, seeds)
            ]
            false, covered, width = np.concatenate(judged).mean(0)
            worst.add(false, covered, width, fewer.about)
        about = f"{k} arms, seeds that differ sixfold; worst: {worst.worst}"
        name = f"statistics.arms{k}_false_better.s{seeds}"
        yield Figure(name, worst.false, "%", experiments, None, about)


def _many_scenes(seeds: int, experiments: int) -> Iterator[Figure]:
    """Where scenes leave little doubt, one arm's seeds can be nearly all that varies."""
    plan = ComparisonPlan.all_pairs(ARMS, [seeds], scenes=MANY_SCENES)
    ours, alone = Tally(), Tally()
    for truth in truths(max(DEVIATIONS)):
        if len(set(truth.rates)) > 1 or truth.arm_by_scene or "sixfold" not in truth.about:
            continue
        wide = replace(truth, scenes=MANY_SCENES)
        judged: tuple[list[F64], list[F64]] = ([], [])
        for tables in chunks(wide, experiments, seeds):
            judged[0].append(judge_sentences(infer_many(tables, plan), tables, wide))
            ends = range_alone(Crossed.of(list(tables.values())), _contrasts(plan), ALPHA)
            judged[1].append(_judge(ends, _contrasts(plan) @ _of(wide)))
        for tally, found in zip((ours, alone), judged, strict=True):
            false, covered, width = np.concatenate(found).mean(0)
            tally.add(false, covered, width, wide.about)
    about = f"{MANY_SCENES} scenes, seeds that differ sixfold; worst: {ours.worst}"
    name = f"statistics.many_scenes_false_better.s{seeds}"
    beside = "baseline: the studentized range without the guard against one arm"
    yield Figure(name, ours.false, "%", experiments, alone.false, f"{about}; {beside}")


def judge_sentences(found: Iterable[Inference], tables: Tables, truth: Truth) -> F64:
    """(B, 3): a false claim, all intervals hold, mean half-width, off the reports' sentences."""
    judged = []
    for e, inference in enumerate(found):
        said, answers = _claims(inference, {arm: table[e] for arm, table in tables.items()})
        false = any(claim.shown and _gap(claim, truth) <= NO_BETTER for claim in (*said, *answers))
        held = all(
            claim.low - ROUNDING <= _gap(claim, truth) <= claim.high + ROUNDING
            for claim in (*said, *answers)
        )
        width = sum(claim.high - claim.low for claim in said) / len(said)
        judged.append((false, held, width / 2))
    return np.asarray(judged, np.float64)


def _claims(found: Inference, tables: Tables) -> tuple[list[Claim], list[Claim]]:
    """What the statements and what the headline of one report claim, by their words.

    Raises:
        DataError: the words say another thing than the report's numbers.
    """
    rows = comparison_rows(found, tables)
    said = [of_statement(statement(row)) for row in rows]
    words = {(claim.a, claim.b) for claim in said if claim.shown}
    numbers = {(r["a"], r["b"]) for r in rows if r["verdict"] == "better"}
    numbers |= {(r["b"], r["a"]) for r in rows if r["verdict"] == "worse"}
    answer = headline(rows, {arm: rate.mean for arm, rate in found.rates.items()})
    answers = of_headline(answer)
    first = {(claim.a, claim.b) for claim in answers}  # the headline leaves lesser ones out
    if words != numbers or not first <= words or bool(first) != bool(words):
        raise DataError("the sentences say another thing than the numbers", where=answer)
    if " is best" in answer and len(first) != len(tables) - 1:
        raise DataError("what is called best was not set against every other arm", where=answer)
    return said, answers


def _rates(found: Iterable[Inference], truth: Truth) -> F64:
    """(B, 3): 0, all arms' intervals hold, mean half-width; of the report's numbers."""
    judged = []
    for inference in found:
        rates = list(inference.rates.values())
        held = all(r.low <= t <= r.high for r, t in zip(rates, truth.rates, strict=True))
        judged.append((0.0, held, sum(r.high - r.low for r in rates) / len(rates) / 2))
    return np.asarray(judged, np.float64)


def _judge(ends: Ends, truth: F64) -> F64:
    """(B, 3) likewise, for intervals of which each claims what it excludes."""
    low, high = ends
    false = ((low > 0) & (truth <= NO_BETTER)) | ((high < 0) & (truth >= -NO_BETTER))
    held = ((low <= truth) & (truth <= high)).all(1)
    return np.stack([false.any(1), held, (high - low).mean(1) / 2], 1).astype(np.float64)


def chunks(truth: Truth, experiments: int, seeds: int, *key: str) -> Iterator[Tables]:
    """Outcome tables of so many experiments, a part at a time; the key is of their streams."""
    for begin in range(0, experiments, CHUNK):
        yield truth.tables(min(CHUNK, experiments - begin), seeds, *key, begin)


def _contrasts(plan: ComparisonPlan) -> F64:
    """(M, K) of the plan's pairs."""
    rows = np.zeros((len(plan.contrasts), len(ARMS)))
    for row, (a, b) in zip(rows, plan.contrasts, strict=True):
        row[ARMS.index(a)], row[ARMS.index(b)] = 1, -1
    return rows


def _of(truth: Truth) -> F64:
    return np.asarray(truth.rates, np.float64)


def _gap(claim: Claim, truth: Truth) -> float:
    """The true difference that a claim is about."""
    return truth.rates[ARMS.index(claim.a)] - truth.rates[ARMS.index(claim.b)]

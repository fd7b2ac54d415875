"""The validation itself: its experiments are what they say, and it reads what a reader reads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimix.bench import statistics
from trimix.bench.rivals import RIVALS, pooled_cells
from trimix.bench.sentences import Claim, of_headline, of_statement
from trimix.bench.simulated import ARMS, Truth, truths
from trimix.core.errors import DataError
from trimix.core.seeds import stream
from trimix.evaluate.crossed import Crossed
from trimix.evaluate.inference import infer_many
from trimix.evaluate.planned import ComparisonPlan
from trimix.evaluate.schema import Comparison
from trimix.evaluate.verdict import headline, statement

HARD = [t for t in truths(0.08) if t.about.startswith(("10%, equal", "50%, equal"))]


def _row(a: str, b: str, low: float, high: float, status: str = "planned") -> Comparison:
    verdict = "better" if low > 0 else "worse" if high < 0 else "open"
    return {
        "a": a,
        "b": b,
        "n": 600,
        "delta": (low + high) / 2,
        "ci95": (low, high),
        "scope": "mixes",
        "status": status,
        "verdict": "open" if status == "exploratory" else verdict,
        "scenes": 200,
        "seeds": 3,
    }


@st.composite
def reports(draw: st.DrawFn) -> list[Comparison]:
    """All pairs of some arms, ordered by a rate, with intervals anywhere."""
    plan = ComparisonPlan.all_pairs(ARMS[: draw(st.integers(2, 4))], [3])
    ends = st.tuples(st.floats(-1, 1), st.floats(-1, 1)).map(sorted)
    return [_row(a, b, *draw(ends)) for a, b in plan.contrasts]


@given(reports())
def test_a_sentence_is_read_as_it_was_meant(rows: list[Comparison]) -> None:
    for row in rows:
        claim, (low, high) = of_statement(statement(row)), row["ci95"]
        if row["verdict"] == "worse":
            low, high = -high, -low
        assert claim.shown == (row["verdict"] != "open")
        assert (claim.a, claim.b) == (
            (row["b"], row["a"]) if row["verdict"] == "worse" else (row["a"], row["b"])
        )
        assert (claim.low, claim.high) == pytest.approx((low, high), abs=0.0005 + 1e-9)


@given(reports(), st.permutations(ARMS))
def test_a_headline_claims_only_what_was_shown(rows: list[Comparison], order: list[str]) -> None:
    said = headline(rows, {arm: 1 - 0.1 * i for i, arm in enumerate(order)})
    shown = {(r["a"], r["b"]) for r in rows if r["verdict"] == "better"}
    shown |= {(r["b"], r["a"]) for r in rows if r["verdict"] == "worse"}
    claims = {(claim.a, claim.b) for claim in of_headline(said)}
    assert claims <= shown
    assert bool(claims) == bool(shown)


def test_what_is_exploratory_claims_nothing() -> None:
    row = _row("a", "b", 0.1, 0.3, "exploratory")
    assert of_statement(statement(row)) == Claim("a", "b", 0.1, 0.3, False)
    assert of_headline(headline([row], {"a": 0.6, "b": 0.4})) == []


@pytest.mark.parametrize(
    "said",
    [
        "a beats b.",
        "a is better than b",
        "b beats all.",
        "a beats b by 1.0 to 2.0 points; d is the best arm of all.",
        "a beats b by 1.0 to 2.0 points; c and d are no different.",
        "c and d are equal.",
        "all beat b by 1.0 to 2.0 points.",
    ],
)
def test_words_that_are_not_known_are_not_passed_over(said: str) -> None:
    with pytest.raises(DataError, match="that can't be read"):
        of_headline(said)
    with pytest.raises(DataError, match="says nothing of two arms"):
        of_statement(said)


@pytest.mark.parametrize(
    "truth", [t for t in truths(0.05) if "unequal" in t.about and "all but" in t.about][::2]
)
def test_experiments_are_drawn_from_their_truth(truth: Truth) -> None:
    tables = truth.tables(2500, 4)
    for arm, rate, deviation in zip(ARMS, truth.rates, truth.deviations, strict=True):
        table = tables[arm]
        seeds = table.mean(2)
        error = np.sqrt(seeds.mean(1).var() / len(seeds))
        assert abs(table.mean() - rate) < 4 * error
        # What seeds have in common beyond scenes and chance.
        excess = Crossed.of([table])
        found = float((excess.between - excess.noise).mean())
        assert found == pytest.approx(deviation**2, rel=0.15, abs=3e-5)
    again = truth.tables(2500, 4)
    assert all((again[arm] == tables[arm]).all() for arm in ARMS)
    assert (truth.tables(2500, 4, "other")["a"] != tables["a"]).any()


def test_the_grid_is_the_one_that_was_asked_for() -> None:
    kinds = list(truths(0.05))
    assert len(kinds) == len({t.about for t in kinds}) == 48
    assert len(list(truths(0.0))) == 12
    assert {t.rates[0] for t in kinds} == {0.1, 0.5, 0.9}
    assert {max(t.deviations) for t in kinds} == {0.05}


def test_words_that_differ_from_the_numbers_stop_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cheat: sentences that claim more than the report's verdicts."""
    truth = HARD[0]
    tables = truth.tables(5, 3)
    plan = ComparisonPlan.all_pairs(ARMS, [3])
    found = infer_many(tables, plan)
    statistics.judge_sentences(found, tables, truth)

    def bold(row: Comparison) -> str:
        return statement({**row, "verdict": "better", "delta": 0.1, "ci95": (0.01, 0.2)})

    monkeypatch.setattr(statistics, "statement", bold)
    with pytest.raises(DataError, match="another thing than the numbers"):
        statistics.judge_sentences(found, tables, truth)


def test_a_false_claim_is_judged_false() -> None:
    """One arm's seeds all lucky: the report must claim, and the judge must say that it is wrong."""
    truth = Truth((0.5,) * 4, (0.05,) * 4, 0.0, "lucky")
    rng = stream("lucky")
    tables = {
        arm: rng.random((1, 5, 200)) < rate
        for arm, rate in zip(ARMS, (0.9, 0.1, 0.1, 0.1), strict=True)
    }
    found = infer_many(tables, ComparisonPlan.all_pairs(ARMS, [5]))
    ((false, held, _),) = statistics.judge_sentences(found, tables, truth)
    assert (false, held) == (1, 0)
    right = Truth((0.9, 0.1, 0.1, 0.1), (0.05,) * 4, 0.0, "right")
    ((false, held, _),) = statistics.judge_sentences(found, tables, right)
    assert (false, held) == (0, 1)


@pytest.mark.parametrize("truth", HARD[::5])
def test_rivals_are_of_the_same_contrasts(truth: Truth) -> None:
    tables = list(truth.tables(3, 3).values())
    contrasts = statistics._contrasts(ComparisonPlan.all_pairs(ARMS, [3]))
    data = Crossed.of(tables)
    delta = data.mean @ contrasts.T
    for low, high in (
        pooled_cells(tables, contrasts),
        *(rival(data, contrasts, 0.05) for rival in RIVALS.values()),
    ):
        assert ((low <= delta + 1e-12) & (delta <= high + 1e-12)).all()


@pytest.mark.parametrize(("seeds", "narrow", "wide"), [(3, 0.16, 0.26), (5, 0.10, 0.16)])
def test_claims_are_false_no_more_often_than_said_and_intervals_no_wider_than_need_be(
    seeds: int, narrow: float, wide: float
) -> None:
    """A small part of the validation: some of the hardest kinds, 300 experiments each."""
    plan = ComparisonPlan.all_pairs(ARMS, [seeds])
    judged, rates = [], []
    for truth in HARD[::3]:
        tables = truth.tables(300, seeds)
        found = infer_many(tables, plan)
        judged.append(statistics.judge_sentences(found, tables, truth))
        rates.append(statistics._rates(found, truth))
    false, held, width = np.concatenate(judged).mean(0)
    assert false <= 0.05
    assert held >= 0.95
    assert narrow < width < wide
    assert np.concatenate(rates).mean(0)[1] >= 0.95

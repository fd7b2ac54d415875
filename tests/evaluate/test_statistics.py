"""The laws of the statistics, and their coverage on data whose truth is known."""

import json
from math import comb
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import stats

import trimix
from trimix.core.seeds import stream
from trimix.evaluate.statistics import (
    clustered_wilson,
    mcnemar,
    mean_maximum_rank_violation,
    pearson,
    wilson,
)

SHARED = Path(trimix.__file__).resolve().parent.parent / "shared" / "data"

pairs = array_shapes(min_dims=2, max_dims=2, max_side=6).flatmap(
    lambda shape: st.tuples(arrays(bool, shape), arrays(bool, shape))
)


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_rate_stays_in_0_to_1_and_mirrors(case):
    k, n = case
    low, high = wilson(k, n)
    assert 0 <= low <= k / n + 1e-12
    assert k / n - 1e-12 <= high <= 1
    mirrored = wilson(n - k, n)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((low, high))


def test_wilson_solves_its_quadratic():
    """Wilson 1927: both ends p satisfy (k/n - p)^2 = z^2 p (1 - p) / n."""
    for k, n in [(0, 10), (3, 17), (100, 200), (399, 400)]:
        for p in wilson(k, n):
            assert (k / n - p) ** 2 == pytest.approx(1.959963985**2 * p * (1 - p) / n, abs=1e-9)


@pytest.mark.parametrize(("n", "points"), [(20, 20), (50, 13), (100, 10), (200, 7), (400, 5)])
def test_the_half_width_at_one_half_is_the_known_one(n, points):
    low, high = wilson(n // 2, n)
    assert round(50 * (high - low)) == points


def test_wilson_covers():
    rng = stream(1, "wilson")
    for rate, n in [(0.5, 50), (0.1, 50), (0.9, 200)]:
        drawn = rng.binomial(n, rate, size=600)
        held = [low <= rate <= high for low, high in (wilson(int(k), n) for k in drawn)]
        assert 0.92 <= np.mean(held) <= 0.99


@pytest.mark.parametrize(("k", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_what_is_not_a_rate_is_refused(k, n):
    with pytest.raises(ValueError, match="is not a rate"):
        wilson(k, n)


@given(pairs)
def test_mcnemar_is_symmetric_and_exact(pair):
    a, b = pair
    test, mirrored = mcnemar(a, b), mcnemar(b, a)
    assert test.p == mirrored.p
    assert (test.only_a, test.only_b) == (mirrored.only_b, mirrored.only_a)
    n, fewer = test.only_a + test.only_b, min(test.only_a, test.only_b)
    tail = sum(comb(n, i) for i in range(fewer + 1)) / 2**n
    assert test.p == pytest.approx(min(1.0, 2 * tail))


def test_mcnemar_by_hand():
    assert mcnemar([1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 0]).p == pytest.approx(2 / 32)
    assert mcnemar([1, 0], [1, 0]).p == 1.0
    with pytest.raises(ValueError, match="0 or 1"):
        mcnemar([0.5], [1])
    with pytest.raises(ValueError, match="one shape"):
        mcnemar([1, 0], [1])


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_one_policy_has_the_plain_interval(success):
    assert clustered_wilson([success]) == pytest.approx(wilson(sum(success), len(success)))


def test_policies_that_do_alike_on_every_scene_are_one_policy():
    """The cheat: copies of one policy would make any interval as narrow as one likes."""
    success = stream(1, "alike").random((1, 60)) < 0.4
    copies = np.repeat(success, 5, 0)
    assert clustered_wilson(copies) == pytest.approx(clustered_wilson(success))
    assert clustered_wilson(np.zeros((5, 60))).high == pytest.approx(wilson(0, 60).high)


def test_the_interval_of_several_policies_covers_other_scenes():
    rng = stream(3, "clustered")
    held, pooled = [], []
    for _ in range(600):
        hard = rng.random(100)
        table = rng.random((3, 100)) < np.clip(hard + 0.1 * np.array([[-1], [0], [1]]), 0, 1)
        truth = np.mean([0.405, 0.5, 0.595])
        low, high = clustered_wilson(table)
        held.append(low <= truth <= high)
        low, high = wilson(int(table.sum()), table.size)
        pooled.append(low <= truth <= high)
    assert np.mean(held) >= 0.93
    assert np.mean(pooled) < np.mean(held)


@pytest.mark.parametrize("bad", [[], [[]], [[np.nan]], np.zeros((2, 2, 2))])
def test_tables_without_numbers_are_refused(bad):
    with pytest.raises(ValueError, match="outcome"):
        clustered_wilson(bad)


def published(sim, real):
    """The published double loop, in the order (sim, real)."""
    worst = []
    for i in range(len(sim)):
        gaps = [
            abs(real[i] - real[j])
            for j in range(len(sim))
            if (sim[i] > sim[j]) != (real[i] > real[j])
        ]
        worst.append(max(gaps, default=0.0))
    return sum(worst) / len(worst)


scores = st.lists(st.integers(0, 20), min_size=2, max_size=7, unique=True)


@given(scores, st.data())
def test_rank_violation_is_the_published_one_without_ties(sim, data):
    real = data.draw(
        st.lists(st.integers(0, 20), min_size=len(sim), max_size=len(sim), unique=True)
    )
    assert mean_maximum_rank_violation(sim, real) == pytest.approx(published(sim, real))


@given(st.lists(st.integers(0, 5), min_size=2, max_size=7), st.data())
def test_rank_violation_with_ties_does_not_depend_on_the_order_of_policies(sim, data):
    real = data.draw(st.lists(st.integers(0, 5), min_size=len(sim), max_size=len(sim)))
    order = data.draw(st.permutations(range(len(sim))))
    found = mean_maximum_rank_violation(sim, real)
    assert found == pytest.approx(
        mean_maximum_rank_violation([sim[i] for i in order], [real[i] for i in order])
    )
    assert found >= published(sim, real) - 1e-12
    assert mean_maximum_rank_violation(real, real) == 0


def test_a_simulation_that_tells_no_policies_apart_is_not_faultless():
    assert mean_maximum_rank_violation([0, 0, 0], [0.1, 0.5, 0.9]) == pytest.approx(2 / 3)
    assert mean_maximum_rank_violation([0.1, 0.5, 0.9], [0.2, 0.2, 0.2]) == 0


def test_the_order_of_the_arguments_matters():
    """The violation is in units of the second argument, the real score."""
    assert mean_maximum_rank_violation([0, 1], [0.3, 0.1]) == pytest.approx(0.2)
    assert mean_maximum_rank_violation([0.3, 0.1], [0, 1]) == pytest.approx(1.0)


@given(st.lists(st.integers(0, 20), min_size=2, max_size=7), st.data())
def test_correlation_is_symmetric_bounded_and_blind_to_scale(sim, data):
    real = data.draw(st.lists(st.integers(0, 20), min_size=len(sim), max_size=len(sim)))
    found = pearson(sim, real)
    if len(set(sim)) == 1 or len(set(real)) == 1:
        assert found is None
        return
    assert found == pytest.approx(pearson(real, sim))
    assert abs(found) <= 1 + 1e-12
    assert pearson([3 * x + 1 for x in sim], real) == pytest.approx(found)


def test_a_single_policy_has_no_correlation():
    assert pearson([0.5], [0.4]) is None


def shared_tables():
    path = SHARED / "simpler_real_vs_sim.json"
    if not path.is_file():
        pytest.skip("real and simulated scores (simpler_real_vs_sim.json) are not at hand")
    raw = json.loads(path.read_text())
    return {
        task: ([raw["SIMPLER_PERF"][task][p] for p in scores], list(scores.values()))
        for task, scores in raw["REAL_PERF"].items()
    }


def test_recorded_scores_of_real_policies_agree_with_the_published_definitions():
    for sim, real in shared_tables().values():
        found = mean_maximum_rank_violation(sim, real)
        if len(set(sim)) == len(sim) and len(set(real)) == len(real):
            assert found == pytest.approx(published(sim, real))
        assert found >= published(sim, real) - 1e-12
        assert pearson(sim, real) == pytest.approx(stats.pearsonr(sim, real).statistic)


def test_one_recorded_table_by_hand():
    """Three of six policies are misordered, at real gaps of 0.054, 0.067 and 0.067."""
    sim, real = shared_tables()["google_robot_pick_coke_can"]
    assert mean_maximum_rank_violation(sim, real) == pytest.approx((0.054 + 0.067 + 0.067) / 6)
    assert mean_maximum_rank_violation(real, sim) > 0.06

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimix.core.errors import ConfigError
from trimix.core.seeds import stream
from trimix.evaluate.compare import arm_names, closed_loop_summary, compare_arms, success_table
from trimix.evaluate.evaluation import Evaluation, Outcome
from trimix.evaluate.fidelity import agreement
from trimix.evaluate.planned import ComparisonPlan


def _evaluation(arm, seed, success, *, suite="s", world="w", abstained=()):
    outcomes = tuple(
        Outcome(i, bool(ok), i in abstained, 5, 1.0, 0.0) for i, ok in enumerate(success)
    )
    return Evaluation(arm, seed, world, suite, f"hash of {suite}", outcomes)


def _tables(a, b):
    return [
        _evaluation(arm, seed, row)
        for arm, rows in (("a", a), ("b", b))
        for seed, row in enumerate(rows)
    ]


@st.composite
def pairs(draw):
    seeds, scenes = draw(st.integers(1, 3)), draw(st.integers(1, 12))
    bits = st.lists(st.booleans(), min_size=seeds * scenes, max_size=seeds * scenes)
    return tuple(np.reshape(draw(bits), (seeds, scenes)) for _ in "ab")


def _compare(evaluations, *, scenes=None):
    """Every pair of arms as if planned for the seeds that are there."""
    looks = {len(success_table(evaluations, arm)[0]) for arm in arm_names(evaluations)}
    plan = ComparisonPlan.all_pairs(arm_names(evaluations), sorted(looks), scenes=scenes)
    return compare_arms(evaluations, plan)


@settings(max_examples=25)
@given(pairs())
def test_swapping_the_arms_negates_the_comparison(tables):
    ours, theirs = (
        compare_arms(_tables(*tables), ComparisonPlan((pair,), (len(tables[0]),))).comparisons[0]
        for pair in (("a", "b"), ("b", "a"))
    )
    assert ours["delta"] == -theirs["delta"]
    assert ours["ci95"] == pytest.approx((-theirs["ci95"][1], -theirs["ci95"][0]))
    assert ours.get("mcnemar_p") == theirs.get("mcnemar_p")
    assert ours["n"] == tables[0].size
    assert -1 <= ours["ci95"][0] <= ours["delta"] <= ours["ci95"][1] <= 1
    assert ours["delta"] == pytest.approx(tables[0].mean() - tables[1].mean())


@settings(max_examples=10)
@given(pairs())
def test_an_arm_does_not_differ_from_its_copy(tables):
    (result,) = _compare(_tables(tables[0], tables[0])).comparisons
    assert result["delta"] == 0
    assert result["ci95"][0] < 0 < result["ci95"][1]
    assert result["verdict"] == "open"


def test_the_order_of_evaluations_changes_nothing():
    rng = stream(3, "order")
    evaluations = _tables(rng.random((3, 80)) < 0.9, rng.random((3, 80)) < 0.1)
    plan = ComparisonPlan((("a", "b"),), (3,))
    found = compare_arms(evaluations, plan)
    assert found == compare_arms(evaluations[::-1], plan)
    assert found.comparisons[0]["verdict"] == "better"
    assert found.inference["headline"].startswith("a is best: it beats b by ")


def test_the_pooled_p_value_is_left_out_where_there_are_several_seeds():
    rows = [[1, 0, 1, 1], [1, 1, 0, 1]]
    assert "mcnemar_p" not in _compare(_tables(rows, rows)).comparisons[0]
    (alone,) = _compare(_tables(rows[:1], rows[1:])).comparisons
    assert (alone["mcnemar_p"], alone["scope"]) == (1.0, "these policies")


def test_without_a_plan_all_pairs_are_exploratory():
    evaluations = [_evaluation(arm, 0, [arm == "a"] * 50) for arm in "abc"]
    found = compare_arms(evaluations)
    assert [(c["a"], c["b"]) for c in found.comparisons] == [("b", "a"), ("c", "a"), ("c", "b")]
    assert {c["status"] for c in found.comparisons} == {"exploratory"}
    assert {c["verdict"] for c in found.comparisons} == {"open"}
    assert found.inference["look"] is None
    assert _compare(evaluations).comparisons[0]["verdict"] == "worse"


def test_one_arm_has_nothing_to_be_compared_with():
    found = compare_arms([_evaluation("a", 0, [1, 0, 1])])
    assert (found.comparisons, found.inference) == ([], None)
    assert found.closed_loop["a"]["ci95"] == pytest.approx(found.closed_loop["a"]["wilson95"])


def test_the_summary_pools_the_seeds():
    evaluations = [
        _evaluation("a", 0, [1, 0, 0, 0], abstained={2}),
        _evaluation("a", 1, [1, 1, 0, 0]),
    ]
    summary = closed_loop_summary(evaluations, "a")
    assert (summary["n"], summary["success"], summary["abstained"]) == (8, 3 / 8, 1)
    assert summary["per_seed"] == [0.25, 0.5]
    assert summary["wilson95"][0] < 3 / 8 < summary["wilson95"][1]
    assert summary["scope"] == "these policies"


def test_what_cannot_be_paired_is_refused():
    a, b = _evaluation("a", 0, [1, 0]), _evaluation("b", 0, [1, 0], suite="other")
    with pytest.raises(ConfigError, match="different suites"):
        compare_arms([a, b])
    with pytest.raises(ConfigError, match="two evaluations"):
        compare_arms([a, a, _evaluation("b", 0, [1, 0])])
    with pytest.raises(ConfigError, match="available: a"):
        success_table([a], "c")


def _policies(rates, world):
    return [
        _evaluation(f"p{i}", 0, np.arange(10) < rate, world=world, suite=world)
        for i, rate in enumerate(rates)
    ]


def test_a_world_that_keeps_the_ranking_agrees():
    same = agreement(_policies([1, 4, 9], "dream"), _policies([2, 5, 8], "mujoco"))
    assert same["mmrv"] == 0
    assert same["pearson"] > 0.95
    assert (same["world"], same["reference"]) == ("dream", "mujoco")
    turned = agreement(_policies([9, 4, 1], "dream"), _policies([2, 5, 8], "mujoco"))
    assert turned["mmrv"] > 0.3
    assert turned["pearson"] < -0.95


def test_agreement_takes_the_same_policies_on_both_sides():
    with pytest.raises(ConfigError, match="'p2' of seed 0 was evaluated in one world only"):
        agreement(_policies([1, 2, 3], "dream"), _policies([1, 2], "mujoco"))
    with pytest.raises(ConfigError, match="at least two"):
        agreement(_policies([1], "dream"), _policies([1], "mujoco"))

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimix.core.errors import ConfigError
from trimix.evaluate.compare import closed_loop_summary, compare, compare_all
from trimix.evaluate.evaluation import Evaluation, Outcome
from trimix.evaluate.fidelity import agreement


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


@settings(max_examples=25)
@given(pairs())
def test_swapping_the_arms_negates_the_comparison(tables):
    evaluations = _tables(*tables)
    ours, theirs = compare(evaluations, "a", "b"), compare(evaluations, "b", "a")
    assert ours["delta"] == -theirs["delta"]
    assert ours["ci95"] == (-theirs["ci95"][1], -theirs["ci95"][0])
    assert ours["mcnemar_p"] == theirs["mcnemar_p"]
    assert ours["n"] == tables[0].size
    assert -1 <= ours["ci95"][0] <= ours["ci95"][1] <= 1
    assert ours["delta"] == pytest.approx(tables[0].mean() - tables[1].mean())


@settings(max_examples=10)
@given(pairs())
def test_an_arm_does_not_differ_from_its_copy(tables):
    result = compare(_tables(tables[0], tables[0]), "a", "b")
    assert result["delta"] == 0
    assert result["mcnemar_p"] == 1
    assert result["ci95"][0] <= 0 <= result["ci95"][1]


def test_the_order_of_evaluations_changes_nothing():
    rng = np.random.Generator(np.random.Philox(3))
    evaluations = _tables(rng.random((3, 40)) < 0.7, rng.random((3, 40)) < 0.3)
    assert compare(evaluations, "a", "b") == compare(evaluations[::-1], "a", "b")
    assert compare(evaluations, "a", "b")["ci95"][0] > 0


def test_only_shared_training_seeds_are_paired():
    evaluations = [
        _evaluation("a", 0, [1, 1, 0]),
        _evaluation("a", 1, [1, 1, 1]),
        _evaluation("b", 1, [0, 1, 0]),
        _evaluation("b", 2, [1, 1, 1]),
    ]
    result = compare(evaluations, "a", "b")
    assert (result["n"], result["seeds"], result["scenes"]) == (3, 1, 3)
    assert result["delta"] == pytest.approx(2 / 3)


def test_the_summary_pools_the_seeds():
    evaluations = [
        _evaluation("a", 0, [1, 0, 0, 0], abstained={2}),
        _evaluation("a", 1, [1, 1, 0, 0]),
    ]
    summary = closed_loop_summary(evaluations, "a")
    assert (summary["n"], summary["success"], summary["abstained"]) == (8, 3 / 8, 1)
    assert summary["per_seed"] == [0.25, 0.5]
    assert summary["wilson95"][0] < 3 / 8 < summary["wilson95"][1]


def test_all_pairs_without_asking():
    evaluations = [_evaluation(arm, 0, [1, 0]) for arm in "abc"]
    asked = [(c["a"], c["b"]) for c in compare_all(evaluations)]
    assert asked == [("b", "a"), ("c", "a"), ("c", "b")]


def test_what_cannot_be_paired_is_refused():
    a, b = _evaluation("a", 0, [1, 0]), _evaluation("b", 0, [1, 0], suite="other")
    with pytest.raises(ConfigError, match="different suites"):
        compare([a, b], "a", "b")
    with pytest.raises(ConfigError, match="share no training seed"):
        compare([a, _evaluation("b", 1, [1, 0])], "a", "b")
    with pytest.raises(ConfigError, match="available: a"):
        compare([a], "a", "c")
    with pytest.raises(ConfigError, match="two evaluations"):
        compare([a, a, _evaluation("b", 0, [1, 0])], "a", "b")


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

import numpy as np
import pytest

from trimix.core.errors import ConfigError
from trimix.core.seeds import stream
from trimix.evaluate.crossed import Crossed, Family, mixes
from trimix.evaluate.inference import infer, infer_many
from trimix.evaluate.planned import ComparisonPlan

PLAN = ComparisonPlan.all_pairs("abc", [3, 5], scenes=60)


def drawn(seeds=3, scenes=60, rates=(0.2, 0.5, 0.8), experiments=None):
    rng = stream("inference", seeds, scenes)
    shape = (seeds, scenes) if experiments is None else (experiments, seeds, scenes)
    return {arm: rng.random(shape) < rate for arm, rate in zip("abc", rates, strict=True)}


def test_every_contrast_has_the_error_rate_of_its_look():
    first, last = infer(drawn(3), PLAN), infer(drawn(5), PLAN)
    assert [c.status for c in first.contrasts] == ["planned"] * 3
    assert (first.look, last.look, first.scope) == (3, 5, "mixes")
    for found, seeds in ((first, 3), (last, 5)):
        data = Crossed.of([drawn(seeds)[arm][None] for arm in PLAN.arms])
        family = Family(PLAN.alpha(seeds), 3, 3)
        weights = np.array([[1.0, -1, 0], [0, -1, 1], [-1, 0, 1]])
        exact = mixes(data, weights, family)
        np.testing.assert_allclose([c.low for c in found.contrasts], exact.low[0])
    once = infer(drawn(3), ComparisonPlan.all_pairs("abc", [3], scenes=60))
    for early, alone in zip(first.contrasts, once.contrasts, strict=True):
        assert early.low < alone.low < alone.high < early.high


def test_a_contrast_pays_for_all_that_were_planned():
    """The cheat: measure two arms of the plan first, and take them for all there is."""
    two = {arm: table for arm, table in drawn(5).items() if arm != "c"}
    (alone,) = infer(two, ComparisonPlan((("b", "a"),), (3, 5), scenes=60)).contrasts
    (of_three,) = infer(two, PLAN).contrasts
    assert of_three.low < alone.low


def test_what_was_not_planned_claims_nothing():
    tables = drawn(rates=(0.02, 0.5, 0.98))
    for given, plan, registered in (
        (tables, PLAN, False),
        (drawn(4, rates=(0.02, 0.5, 0.98)), PLAN, True),
        (drawn(scenes=61, rates=(0.02, 0.5, 0.98)), PLAN, True),
    ):
        found = infer(given, plan, registered=registered)
        assert found.status == "exploratory"
        assert {c.verdict for c in found.contrasts} == {"open"}
        assert any(c.low > 0 for c in found.contrasts)  # the interval alone would have
        assert found.look is None
    assert {c.verdict for c in infer(tables, PLAN).contrasts} == {"better"}


def test_two_seeds_speak_of_the_policies():
    plan = ComparisonPlan.all_pairs("abc", [1, 2, 3], scenes=60)
    for seeds in (1, 2):
        found = infer(drawn(seeds), plan)
        assert found.scope == "these policies"
        assert {r.scope for r in found.rates.values()} == {"these policies"}
        assert {c.seeds_needed(plan) for c in found.contrasts} == {None}
    uneven = {**drawn(3), "a": drawn(2)["a"]}
    found = infer(uneven, plan)
    assert {(c.a, c.b): c.scope for c in found.contrasts} == {
        ("b", "a"): "these policies",
        ("c", "a"): "these policies",
        ("c", "b"): "mixes",
    }
    assert [c.status for c in found.contrasts] == ["exploratory", "exploratory", "planned"]


def test_seeds_needed_are_those_that_would_show_it():
    """Power in simulation: normal seeds as many as said show the difference about as often."""
    tables = drawn(3, rates=(0.5, 0.56, 0.62))
    contrasts = infer(tables, ComparisonPlan.all_pairs("abc", [3], scenes=60)).contrasts
    needed = [c.seeds_needed(PLAN) for c in contrasts]
    deltas = [abs(c.delta) for c in contrasts]
    known = [(d, n) for d, n in zip(deltas, needed, strict=True) if n is not None]
    assert known
    assert sorted(known, key=lambda x: -x[0]) == sorted(known, key=lambda x: x[1])
    same = infer(drawn(3, rates=(0.5, 0.5, 0.5)) | {"b": drawn(3)["a"], "a": drawn(3)["a"]}, PLAN)
    assert same.contrasts[0].seeds_needed(PLAN) is None


def test_many_experiments_are_each_on_its_own():
    many = drawn(experiments=4)
    for e, found in enumerate(infer_many(many, PLAN)):
        assert found == infer({arm: table[e] for arm, table in many.items()}, PLAN)


def test_one_arm_has_a_rate_and_nothing_to_compare():
    found = infer({"a": drawn()["a"]}, None)
    assert (found.contrasts, found.status, found.look) == ((), "planned", None)
    assert found.rates["a"].low < found.rates["a"].mean < found.rates["a"].high


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        ({"a": [[1, 0]], "b": [[1, 0, 1]]}, "the same scenes"),
        ({"a": [[1, 0.5]]}, "0 and 1"),
        ({"a": [[]]}, "outcomes of arm 'a'"),
        ({"a": np.zeros((2, 2, 2))}, "outcomes of arm 'a'"),
        ({}, "no scenes"),
    ],
)
def test_what_is_no_table_is_refused(tables, says):
    with pytest.raises(ConfigError, match=says):
        infer(tables, PLAN)

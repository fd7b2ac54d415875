from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimix.core.errors import ConfigError
from trimix.evaluate.planned import ComparisonPlan

PLAN = ComparisonPlan((("b", "a"), ("c", "a")), (3, 5, 8), scenes=200)
looks = st.lists(st.integers(1, 40), min_size=1, max_size=5, unique=True).map(sorted).map(tuple)


@given(looks, st.floats(0.5, 0.99))
def test_the_looks_spend_the_error_rate_and_no_more(planned, level):
    plan = ComparisonPlan((("b", "a"),), planned, level)
    shares = [plan.alpha(look) for look in planned]
    assert sum(shares) == pytest.approx(1 - level)
    assert all(share > 0 for share in shares)
    assert plan.spent(planned[-1]) == pytest.approx(1 - level)
    assert plan.spent(planned[0]) == shares[0]


def test_a_count_that_was_not_planned_has_no_error_rate():
    with pytest.raises(ConfigError, match="no look is planned at 4"):
        PLAN.alpha(4)


def test_what_was_planned():
    assert PLAN.status("b", "a", 3, 3, 200) == "planned"
    assert PLAN.status("a", "c", 8, 8, 200) == "planned"  # the direction is no other question


@pytest.mark.parametrize(
    ("a", "b", "seeds_a", "seeds_b", "scenes"),
    [
        ("c", "b", 3, 3, 200),  # a contrast picked when the scores were seen
        ("b", "a", 4, 4, 200),  # a seed added because 3 were not enough
        ("b", "a", 5, 3, 200),  # a seed added to the arm that should win
        ("b", "a", 13, 13, 200),
        ("b", "a", 3, 3, 400),  # scenes added until it showed
    ],
)
def test_what_was_not(a, b, seeds_a, seeds_b, scenes):
    assert PLAN.status(a, b, seeds_a, seeds_b, scenes) == "exploratory"


def test_the_hash_is_of_what_was_promised():
    same = ComparisonPlan((("a", "c"), ("b", "a")), (3, 5, 8), scenes=200)
    assert same.hash == PLAN.hash
    others = [
        ComparisonPlan((("b", "a"),), (3, 5, 8), scenes=200),
        ComparisonPlan(PLAN.contrasts, (3, 5), scenes=200),
        ComparisonPlan(PLAN.contrasts, (3, 5, 8), 0.9, scenes=200),
        ComparisonPlan(PLAN.contrasts, (3, 5, 8), scenes=100),
        ComparisonPlan(PLAN.contrasts, (3, 5, 8)),
    ]
    assert len({PLAN.hash, *(other.hash for other in others)}) == len(others) + 1
    assert ComparisonPlan.from_json(PLAN.to_json()) == PLAN


def test_all_pairs_are_every_pair_once():
    plan = ComparisonPlan.all_pairs("abcd", [3])
    assert len(plan.contrasts) == 6
    for a, b in permutations("abcd", 2):
        assert plan.status(a, b, 3, 3, 50) == "planned"
    assert plan.arms == ("b", "a", "c", "d")


@pytest.mark.parametrize(
    ("contrasts", "planned", "level", "scenes", "says"),
    [
        ((), (3,), 0.95, None, "not pairs"),
        ((("a", "a"),), (3,), 0.95, None, "not pairs"),
        ((("a", "b"), ("b", "a")), (3,), 0.95, None, "each once"),
        ((("a", "b"),), (), 0.95, None, "ascending"),
        ((("a", "b"),), (5, 3), 0.95, None, "ascending"),
        ((("a", "b"),), (0,), 0.95, None, "ascending"),
        ((("a", "b"),), (3,), 95.0, None, "between 0 and 1"),
        ((("a", "b"),), (3,), 0.95, 0, "scenes"),
    ],
)
def test_a_plan_that_promises_nothing_is_refused(contrasts, planned, level, scenes, says):
    with pytest.raises(ConfigError, match=says):
        ComparisonPlan(contrasts, planned, level, scenes)

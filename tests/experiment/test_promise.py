"""Laws of plans: a policy that was seen cannot be planned for any more, whatever it is called."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from trimix.core.errors import ConfigError
from trimix.evaluate.planned import ComparisonPlan
from trimix.evaluate.suites import Suite, make_suite
from trimix.experiment.promise import Known, note_seen, other_plans, register
from trimix.experiment.store import Store


def policies(names: str) -> dict[str, Known]:
    """A policy for every letter."""
    return {name: Known(name * 32, f"acts as {name}") for name in names}


ARMS = policies("abc")
PLAN = ComparisonPlan.all_pairs(list(ARMS), [3, 5], scenes=100)
SUITE = make_suite("push_t", "mujoco:target", 4, 0, "confirm")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def ask(store: Store, plan: ComparisonPlan = PLAN, **given: Any) -> tuple[ComparisonPlan, bool]:
    arms: dict[str, Known] = given.pop("arms", ARMS)
    suite: Suite = given.pop("suite", SUITE)
    options = {"looks_given": True, "exploratory": False, **given}
    return register(store, plan, arms, suite, **options)


def test_the_same_plan_is_kept_however_often_it_is_asked_for(store: Store) -> None:
    assert ask(store) == ask(store) == ask(Store(store.root)) == (PLAN, True)


CHEATS = {
    "the contrast that looked best": {
        "plan": ComparisonPlan((("a", "b"),), (3, 5), scenes=100),
        "arms": policies("ab"),
    },
    "a look that was not planned": {"plan": replace(PLAN, looks=(3, 4, 5))},
    "one look, after two": {"plan": replace(PLAN, looks=(5,))},
    "more scenes": {"plan": replace(PLAN, scenes=200)},
    "a lower level": {"plan": replace(PLAN, level=0.9)},
    "one more arm": {
        "plan": ComparisonPlan.all_pairs([*ARMS, "d"], [3, 5], scenes=100),
        "arms": policies("abcd"),
    },
    "another number of scenes drawn": {
        "plan": replace(PLAN, scenes=8),
        "suite": make_suite("push_t", "mujoco:target", 8, 0, "confirm"),
    },
    "scenes of another seed": {"suite": make_suite("push_t", "mujoco:target", 4, 1, "confirm")},
    "another world": {"suite": make_suite("push_t", "mujoco:mild", 4, 0, "confirm")},
    "the pair that was furthest apart, elsewhere": {
        "plan": ComparisonPlan((("a", "c"),), (3, 5), scenes=100),
        "arms": policies("ac"),
        "suite": make_suite("push_t", "mujoco:mild", 4, 0, "confirm"),
    },
    "the same weights, acting in another way": {
        "arms": {name: Known(known.weights, "more at once") for name, known in ARMS.items()}
    },
    "a new arm beside the one that did worst": {
        "plan": ComparisonPlan((("c", "z"),), (3, 5), scenes=100),
        "arms": policies("cz"),
    },
}


@pytest.mark.parametrize("cheat", CHEATS.values(), ids=CHEATS)
def test_what_was_seen_cannot_be_planned_anew(store: Store, cheat: dict[str, Any]) -> None:
    ask(store)
    with pytest.raises(ConfigError, match="was seen under a plan") as caught:
        ask(store, **cheat)
    assert "exploratory=true" in str(caught.value)
    assert ask(store) == (PLAN, True)
    assert not ask(store, **cheat, exploratory=True)[1]
    assert ask(store) == (PLAN, True)


def test_names_of_arms_are_no_plan(store: Store) -> None:
    ask(store)
    renamed = {name.upper(): key for name, key in ARMS.items()}
    plan = ComparisonPlan.all_pairs(list(renamed), [3, 5], scenes=100)
    assert ask(store, plan, arms=renamed) == (plan, True)


def test_what_was_explored_cannot_be_planned_later(store: Store) -> None:
    assert not ask(store, exploratory=True)[1]
    with pytest.raises(ConfigError, match="before there was a plan"):
        ask(store)
    assert not ask(store, exploratory=True)[1]


def test_a_run_that_asks_for_no_looks_takes_the_planned_ones(store: Store) -> None:
    ask(store)
    grown = replace(PLAN, looks=(4,))
    assert ask(store, grown, looks_given=False) == (PLAN, True)
    assert PLAN.status("a", "b", 4, 4, 100) == "exploratory"


def test_new_policies_may_be_planned_and_plans_are_counted(store: Store) -> None:
    """Ten plans of equal arms err ten times as often as one does."""
    ask(store)
    other = replace(PLAN, looks=(8,))
    for new in range(1, 4):
        arms = {name: Known(f"{name}{new}", f"acts as {name}{new}") for name in ARMS}
        assert ask(store, other, arms=arms) == (other, True)
        assert other_plans(store, other, arms) == new
    assert other_plans(store, PLAN, ARMS) == 3


def test_policies_that_were_seen_alone_cannot_be_planned(store: Store) -> None:
    note_seen(store, {"a": ARMS["a"]})
    with pytest.raises(ConfigError, match="arm a was seen before there was a plan"):
        ask(store)
    assert not ask(store, exploratory=True)[1]


def test_the_best_and_the_worst_of_two_comparisons_cannot_be_planned(store: Store) -> None:
    for pair in ("ab", "cd"):
        plan = ComparisonPlan(((pair[0], pair[1]),), (3,), scenes=100)
        assert ask(store, plan, arms=policies(pair))[1]
    across = ComparisonPlan((("a", "d"),), (3,), scenes=100)
    with pytest.raises(ConfigError, match="under a plan of 1 contrasts, and now there are 1 other"):
        ask(store, across, arms=policies("ad"))


def test_a_plan_that_was_half_written_is_written_on(store: Store, monkeypatch) -> None:
    made = Store.make
    monkeypatch.setattr(Store, "make", lambda s, u, *t: die() if "c" in u.label else made(s, u, *t))

    def die() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask(store)
    monkeypatch.undo()
    assert ask(store) == (PLAN, True)

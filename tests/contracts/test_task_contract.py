"""What every registered task keeps to; a new one is picked up by itself."""

import importlib
from typing import ClassVar

import numpy as np
import pytest

from trimix.core.version import ROOT
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS
from trimix.tasks.laws import LAWS, Case, LawBroken, broken
from trimix.tasks.tabletop import Phrases

BLIND = MujocoConfig(draw_images=False)
OWN = "coin:Coin"  # a user's own, of examples/own_task
FEW_GOALS = ("banana_on_plate", "push_t")
"""Where one thing can be asked for: cousins of data and a benchmark that have one."""


@pytest.fixture(scope="module", autouse=True)
def own():
    """The folder that a user's own task lies in is on the path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "examples" / "own_task"))
        yield


@pytest.fixture(scope="module", params=[*sorted(TASKS), OWN])
def case(request, own):
    made = Case(request.param)
    yield made
    made.close()


@pytest.mark.parametrize("law", LAWS)
def test_it_keeps_to_the_laws(case, law):
    LAWS[law](case)


def test_ours_have_five_cheaters_or_more(case):
    assert case.name == OWN or len(case.task.cheaters) >= 5


def test_its_goals_are_told_apart_by_words(case):
    """Where language chooses, there are at least three, each said in at least three ways."""
    world, goals = case.shared, []
    for seed in range(16):
        world.reset(seed=seed)
        goals += world.goals
    # All ways to say a goal name it: what differs beside is where things were when it was asked.
    asked = {g.wordings for g in goals}
    if case.name not in (*FEW_GOALS, OWN):
        assert len(asked) >= 3
    assert len({g.instruction for g in goals}) >= 3


def test_it_can_be_said_in_five_ways(case):
    """At least three to learn from, two held out, and none of them twice."""
    module = importlib.import_module(TASKS.where(case.name).partition(":")[0])
    kinds = [p for p in vars(module).values() if isinstance(p, Phrases)]
    assert kinds
    for phrases in kinds:
        ways = (*phrases.train, *phrases.heldout)
        assert len(phrases.train) >= 3 and len(phrases.heldout) >= 2
        assert len(set(ways)) == len(ways)


class Flicker:
    """A task whose success comes and goes as it is told."""

    pattern: ClassVar[list] = []

    def __init__(self, task):
        self._task = task

    def __getattr__(self, name):
        return getattr(self._task, name)

    def success(self, physics, goals):
        return np.array([self.pattern.pop(0) if self.pattern else False])

    def reward(self, physics, goals):
        return np.zeros(1, np.float32)


def test_an_interrupted_hold_begins_anew(case):
    task = case.task
    flicker = Flicker(task)
    world = MujocoWorld(flicker, 1, config=BLIND)
    world.reset(seed=0)
    hold = round(task.hold_s / 0.1)
    pattern = [True] * (hold - 1) + [False] + [True] * hold
    Flicker.pattern = [*pattern, True]
    still = np.zeros((1, len(world.interface.action)), np.float32)
    ends = [bool(world.step(still)[2][0]) for _ in pattern]
    assert ends == [False] * (len(pattern) - 1) + [True]
    Flicker.pattern = []
    world.close()


class Careless:
    """A task that breaks one law."""

    def __init__(self, task, **wrong):
        self.__dict__.update(wrong, _task=task)

    def __getattr__(self, name):
        return getattr(self._task, name)


FLIPS = iter([np.zeros(4, bool), np.ones(4, bool)])
WRONG = {
    "says_what_it_is": {"hold_s": 0.1},
    "reward_is_1_only_at_the_goal": {"reward": lambda p, g: np.full(p.n, 1.5, np.float32)},
    "asking_changes_nothing": {"subgoals": lambda p, g: {"odd": next(FLIPS)}},
    "no_cheater_scores": {"cheaters": ()},
}


@pytest.mark.parametrize("law", WRONG)
def test_a_law_that_is_broken_is_said(law):
    made = Case("reach")
    made.task = Careless(made.task, **WRONG[law])
    with pytest.raises(LawBroken):
        LAWS[law](made)
    made.close()


def test_all_laws_of_a_task_are_told():
    found = dict(broken("reach"))
    assert list(found) == list(LAWS) and not any(found.values())

"""What every registered task keeps to; a new one is picked up by itself."""

import importlib
import json
from typing import ClassVar

import numpy as np
import pytest

from trimix.core.contracts import Goal, Policy, Start
from trimix.core.rollout import rollout
from trimix.core.seeds import stream
from trimix.core.version import ROOT
from trimix.randomization.vary import Vary
from trimix.sim.robots import ROBOTS
from trimix.sim.robots.robot import MODES
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS
from trimix.tasks.tabletop import Phrases

BLIND = MujocoConfig(draw_images=False)
SEEDS = range(3)
OWN = "coin:Coin"  # a user's own, of examples/own_task
FEW_GOALS = ("banana_on_plate", "push_t")
"""Where one thing can be asked for: cousins of data and a benchmark that have one."""


@pytest.fixture(scope="module", params=[*sorted(TASKS), OWN])
def name(request):
    return request.param


@pytest.fixture(scope="module", autouse=True)
def own():
    """The folder that a user's own task lies in is on the path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "examples" / "own_task"))
        yield


@pytest.fixture(scope="module")
def task(name, own):
    return TASKS[name]()


@pytest.fixture(scope="module")
def world(task):
    made = MujocoWorld(task, 4, randomization="strong", config=BLIND)
    yield made
    made.close()


@pytest.fixture(scope="module")
def solved(task):
    """mode -> the expert's episodes from a few nominal starts."""
    kept = {}

    def run(mode):
        if mode not in kept:
            config = MujocoConfig(draw_images=False, control_mode=mode)
            world = MujocoWorld(task, len(SEEDS), config=config)
            policy = task.expert(world.physics, world.goals, world.interface)
            found = dict(rollout(world, policy, [Start(k, 0) for k in SEEDS]))
            world.close()
            kept[mode] = [found[k] for k in range(len(SEEDS))]
        return kept[mode]

    return run


def modes(task):
    return [m for m in MODES if not (m == "ee_delta" and ROBOTS[task.robot].planar)]


def goals_of(world, count):
    """Goals of many starts."""
    found = []
    for block in range(0, count, 4):
        world.reset(options={"starts": [Start(3, block + i, draw={}) for i in range(4)]})
        found += list(world.goals)
    return found


def test_it_says_what_it_is(task, name):
    assert task.name == ("coin" if name == OWN else name) and task.robot in ROBOTS
    assert task.time_limit_s > 0 and task.hold_s > 0 and task.cameras
    assert task.gripper <= (ROBOTS[task.robot].gripper is not None)


def test_goals_are_drawn_apart_from_what_is_seen(task, world, name):
    """Goals are words and plain numbers; where language chooses, there are at least three."""
    goals = goals_of(world, 64)
    assert all(isinstance(g, Goal) and g.instruction.strip() == g.instruction != "" for g in goals)
    assert all(json.loads(json.dumps(dict(g.params))) == dict(g.params) for g in goals)
    # All ways to say a goal name it: what differs beside is where things were when it was asked.
    asked = {g.wordings for g in goals}
    if name not in (*FEW_GOALS, OWN):
        assert len(asked) >= 3
    assert len({g.instruction for g in goals}) >= 3
    assert all(g.instruction in g.wordings[0] for g in goals)


def test_it_can_be_said_in_five_ways(name, own):
    """At least three to learn from, two held out, and none of them twice."""
    module = importlib.import_module(TASKS.where(name).partition(":")[0])
    kinds = [p for p in vars(module).values() if isinstance(p, Phrases)]
    assert kinds
    for phrases in kinds:
        ways = (*phrases.train, *phrases.heldout)
        assert len(phrases.train) >= 3 and len(phrases.heldout) >= 2
        assert len(set(ways)) == len(ways)


def test_composing_it_twice_gives_equal_models(name, world):
    again = MujocoWorld(TASKS[name](), 1, config=BLIND)
    assert again.model_hash == world.model_hash


def test_its_cameras_are_in_its_scene(task, world):
    known = {world.model.camera(i).name for i in range(world.model.ncam)}
    for robot in ("cr5",) if task.gripper else (task.robot, "cr5"):
        made = MujocoWorld(task, 1, robot=robot, config=BLIND)
        known = {made.model.camera(i).name for i in range(made.model.ncam)}
        assert set(task.cameras[:1]) <= known


def test_its_own_axes_are_axes(task, world):
    for axis in task.axes():
        assert isinstance(axis, Vary)
        world.physics.parameters.check(axis.target)


def test_a_start_is_one_of_its_stream(task, world):
    """The same stream gives the same state and goal, whatever the row held before."""

    def started(row, episode, before=None):
        physics = world.physics
        physics.reset([row])
        if before is not None:
            task.start(physics.row(row), before)
            physics.reset([row])
        goal = task.start(physics.row(row), stream(0, episode, "start"))
        physics.forward([row])
        return physics.state()[row].tobytes(), goal

    first = started(0, 0)
    assert started(1, 0) == first == started(0, 0, before=stream(9))
    assert len({started(0, k)[0] for k in range(5)}) == 5


def test_no_start_is_the_goal(task, world):
    for block in range(10):
        world.reset(options={"starts": [Start(1, 4 * block + i) for i in range(4)]})
        assert not task.success(world.physics, world.goals).any()


def test_a_start_holds_still(task, world):
    """Nothing that was put into the scene falls, flies or is pushed apart by an overlap."""
    world.reset(options={"starts": [Start(2, i) for i in range(4)]})
    before = world.frame()["props"][..., :3]
    still = np.zeros((4, len(world.interface.action)), np.float32)
    for _ in range(10):
        world.step(still)
    assert np.abs(world.frame()["props"][..., :3] - before).max() < 0.02


def test_reward_lies_in_0_to_1_and_is_1_only_at_the_goal(task, world):
    world.reset(seed=0)
    rng = np.random.default_rng(0)
    low, high = world.single_action_space.low, world.single_action_space.high
    for _ in range(15):
        _, reward, *_ = world.step(rng.uniform(low, high, (4, len(low))).astype(np.float32))
        assert reward.dtype == np.float32 and (reward >= 0).all() and (reward <= 1).all()
        assert ((reward == 1) == task.success(world.physics, world.goals)).all()


def test_asking_changes_nothing(task, world):
    world.reset(seed=0)
    before = world.snapshot().tobytes()

    def ask():
        physics, goals = world.physics, world.goals
        parts = task.subgoals(physics, goals)
        return [task.reward(physics, goals), task.success(physics, goals), *parts.values()]

    for a, b in zip(ask(), ask(), strict=True):
        assert a.shape == (4,) and np.array_equal(a, b)
    assert world.snapshot().tobytes() == before


def test_the_expert_solves_it(task, solved):
    for mode in modes(task):
        episodes = solved(mode)
        assert sum(bool(e.provenance.success) for e in episodes) >= len(SEEDS) - 1, mode
        for episode in episodes:
            if episode.provenance.success:
                assert episode.reward[-1] == 1 > episode.reward[0]


def test_the_expert_is_a_policy_of_its_world(task, world):
    policy = task.expert(world.physics, world.goals, world.interface)
    assert isinstance(policy, Policy) and policy.interface.difference(world.interface) is None
    obs, _ = world.reset(seed=0)
    policy.reset(np.ones(4, bool), np.arange(4))
    before = world.snapshot().tobytes()
    action = policy.act(obs)
    assert action.shape == (4, len(world.interface.action)) and action.dtype == np.float32
    assert np.isfinite(action).all() and world.snapshot().tobytes() == before
    assert (action >= world.single_action_space.low).all()
    assert (action <= world.single_action_space.high).all()


def test_the_experts_rows_do_not_hang_on_each_other(task, solved):
    """An episode of the expert is the same alone as beside others."""
    world = MujocoWorld(task, 1, config=BLIND)
    policy = task.expert(world.physics, world.goals, world.interface)
    episode = next(rollout(world, policy, [Start(SEEDS[1], 0)]))[1]
    world.close()
    beside = solved("joint_velocity")[1]
    assert episode.action.tobytes() == beside.action.tobytes()
    assert episode.sim_state.tobytes() == beside.sim_state.tobytes()


def test_no_cheater_scores(task, name):
    """Three starts each; the benchmark runs twenty."""
    assert len(task.cheaters) >= (2 if name == OWN else 5)
    assert len({c.name for c in task.cheaters}) == len(task.cheaters)
    world = MujocoWorld(task, len(SEEDS), config=BLIND)
    for each in task.cheaters:
        policy = each.policy(world.physics, world.goals, world.interface)
        for _, episode in rollout(world, policy, [Start(5, k) for k in SEEDS]):
            assert not episode.provenance.success, each.name
    world.close()


def test_success_must_hold(task, solved):
    """Never one lucky frame: an episode ends hold_s after the goal was reached for good."""
    hold = round(task.hold_s / 0.1)
    assert hold > 1
    for episode in solved("joint_velocity"):
        if episode.provenance.success:
            assert (episode.reward[-hold:] == 1).all()
            assert episode.success[:-1].sum() == 0 and episode.success[-1]


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


def test_an_interrupted_hold_begins_anew(task):
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

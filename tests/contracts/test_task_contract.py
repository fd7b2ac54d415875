"""What every registered task keeps to; a new one is picked up by itself."""

import numpy as np
import pytest

from trimix.core.contracts import Policy, Start
from trimix.core.rollout import rollout
from trimix.core.seeds import stream
from trimix.core.version import ROOT
from trimix.randomization.vary import Vary
from trimix.sim.robots import MODES, ROBOTS
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS

SMALL = MujocoConfig(image_hw=(8, 8))
SEEDS = range(3)
OWN = "reach:Reach"  # a user's own, of examples/own_task


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
    made = MujocoWorld(task, 4, randomization="strong", config=SMALL)
    yield made
    made.close()


@pytest.fixture(scope="module")
def solved(task):
    """mode -> the expert's episodes from a few nominal starts."""
    kept = {}

    def run(mode):
        if mode not in kept:
            config = MujocoConfig(image_hw=(8, 8), control_mode=mode)
            world = MujocoWorld(task, len(SEEDS), config=config)
            policy = task.expert(world.physics, world.interface)
            found = dict(rollout(world, policy, [Start(k, 0) for k in SEEDS]))
            world.close()
            kept[mode] = [found[k] for k in range(len(SEEDS))]
        return kept[mode]

    return run


def test_it_says_what_it_is(task, name):
    assert task.name == ("reach" if name == OWN else name) and task.robot in ROBOTS
    assert task.instructions and all(text.strip() == text != "" for text in task.instructions)
    assert len(set(task.instructions)) == len(task.instructions)
    assert task.time_limit_s > 0 and task.hold_s > 0 and task.cameras


def test_composing_it_twice_gives_equal_models(name, world):
    again = MujocoWorld(TASKS[name](), 1, config=SMALL)
    assert again.model_hash == world.model_hash


def test_its_cameras_are_in_its_scene(task, world):
    known = {world.model.camera(i).name for i in range(world.model.ncam)}
    assert set(task.cameras) <= known


def test_its_own_axes_are_axes(task, world):
    for axis in task.axes():
        assert isinstance(axis, Vary)
        world.physics.parameters.check(axis.target)


def test_a_start_is_one_of_its_stream(task, world):
    """The same stream gives the same state, whatever the row held before."""

    def started(row, episode, before=None):
        physics = world.physics
        physics.reset([row])
        if before is not None:
            task.start(physics.row(row), before)
            physics.reset([row])
        task.start(physics.row(row), stream(0, episode, "start"))
        physics.forward([row])
        return physics.state()[row].tobytes()

    first = started(0, 0)
    assert started(1, 0) == first == started(0, 0, before=stream(9))
    assert len({started(0, k) for k in range(5)}) == 5


def test_no_start_is_the_goal(task, world):
    for block in range(10):
        world.reset(options={"starts": [Start(1, 4 * block + i) for i in range(4)]})
        assert not task.success(world.physics).any()


def test_a_start_holds_still(task, world):
    """Nothing that was put into the scene falls, flies or is pushed apart by an overlap."""
    world.reset(options={"starts": [Start(2, i) for i in range(4)]})
    names = [
        world.model.body(i).name
        for i in range(1, world.model.nbody)
        if world.model.body_parentid[i] == 0
    ]
    before = {n: world.physics.body_pos(n) for n in names}
    still = np.zeros((4, len(world.interface.action)), np.float32)
    for _ in range(10):
        world.step(still)
    for n in names:
        assert np.abs(world.physics.body_pos(n) - before[n]).max() < 0.02, n


def test_reward_lies_in_0_to_1_and_is_1_only_at_the_goal(task, world):
    world.reset(seed=0)
    rng = np.random.default_rng(0)
    low, high = world.single_action_space.low, world.single_action_space.high
    for _ in range(15):
        _, reward, *_ = world.step(rng.uniform(low, high, (4, len(low))).astype(np.float32))
        assert reward.dtype == np.float32 and (reward >= 0).all() and (reward <= 1).all()
        assert ((reward == 1) == task.success(world.physics)).all()


def test_asking_changes_nothing(task, world):
    world.reset(seed=0)
    before = world.snapshot().tobytes()
    first = task.reward(world.physics), task.success(world.physics)
    assert np.array_equal(first[0], task.reward(world.physics))
    assert np.array_equal(first[1], task.success(world.physics))
    assert world.snapshot().tobytes() == before


@pytest.mark.parametrize("mode", MODES)
def test_the_expert_solves_it(solved, mode):
    episodes = solved(mode)
    assert sum(bool(e.provenance.success) for e in episodes) >= len(SEEDS) - 1
    for episode in episodes:
        if episode.provenance.success:
            assert episode.reward[-1] == 1 > episode.reward[0]


def test_the_expert_is_a_policy_of_its_world(task, world):
    policy = task.expert(world.physics, world.interface)
    assert isinstance(policy, Policy) and policy.interface.difference(world.interface) is None
    obs, _ = world.reset(seed=0)
    policy.reset(np.ones(4, bool), np.arange(4))
    before = world.snapshot().tobytes()
    action = policy.act(obs)
    assert action.shape == (4, len(world.interface.action)) and action.dtype == np.float32
    assert np.isfinite(action).all() and world.snapshot().tobytes() == before


def test_the_experts_rows_do_not_hang_on_each_other(task, solved):
    """An episode of the expert is the same alone as beside others."""
    world = MujocoWorld(task, 1, config=SMALL)
    policy = task.expert(world.physics, world.interface)
    episode = next(rollout(world, policy, [Start(SEEDS[1], 0)]))[1]
    world.close()
    beside = solved("joint_velocity")[1]
    assert episode.action.tobytes() == beside.action.tobytes()
    assert episode.sim_state.tobytes() == beside.sim_state.tobytes()


def test_success_must_hold(task, solved):
    """Never one lucky frame: an episode ends hold_s after the goal was reached for good."""
    hold = round(task.hold_s / 0.1)
    assert hold > 1
    for episode in solved("joint_velocity"):
        if episode.provenance.success:
            assert (episode.reward[-hold:] == 1).all()
            assert episode.success[:-1].sum() == 0 and episode.success[-1]


def test_an_interrupted_hold_begins_anew(task, monkeypatch):
    world = MujocoWorld(task, 1, config=SMALL)
    world.reset(seed=0)
    hold = round(task.hold_s / 0.1)
    pattern = [True] * (hold - 1) + [False] + [True] * hold
    reached = iter(pattern)
    monkeypatch.setattr(type(task), "success", lambda self, physics: np.array([next(reached)]))
    monkeypatch.setattr(type(task), "reward", lambda self, physics: np.zeros(1, np.float32))
    still = np.zeros((1, len(world.interface.action)), np.float32)
    ends = [bool(world.step(still)[2][0]) for _ in pattern]
    assert ends == [False] * (len(pattern) - 1) + [True]
    world.close()

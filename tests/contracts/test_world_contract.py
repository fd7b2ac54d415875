"""What every world keeps to, whatever is behind it."""

import dataclasses
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest
import torch

from trimix.core.contracts import ORIGINS, Start, World
from trimix.core.episode import Provenance
from trimix.core.errors import TrimixError
from trimix.core.rollout import rollout
from trimix.data.writing.writer import DatasetWriter
from trimix.policy.baselines import RandomPolicy
from trimix.rollout.foreign import DmControlSpec, GymSpec
from trimix.rollout.worlds import WORLDS as REGISTERED
from trimix.sim.robots import ROBOTS
from trimix.sim.robots.robot import MODES
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS
from trimix.worldmodel.architecture import ArchitectureConfig, build_pipeline
from trimix.worldmodel.world import DreamConfig, DreamWorld

N, STEPS = 3, 6
LIMIT_S = STEPS * 0.1


def mujoco(task, mode, preset):
    """n -> a world of the task; its episodes have STEPS steps."""
    made = dataclasses.replace(TASKS[task](), time_limit_s=LIMIT_S)
    config = MujocoConfig(image_hw=(16, 16), control_mode=mode)
    return lambda n: MujocoWorld(made, n, randomization=preset, config=config)


@pytest.fixture(scope="session")
def recorded(tmp_path_factory):
    """A data set of random pushes."""
    make = mujoco("push_t", "joint_velocity", "mild")
    world = make(4)
    policy = RandomPolicy(world.interface)
    root = tmp_path_factory.mktemp("contract") / "pushes"
    with DatasetWriter(root, world.interface, robot_type="gantry", plan_hash="test") as writer:
        for index, episode in rollout(world, policy, [Start(0, k) for k in range(4)]):
            writer.add(index, episode)
        dataset = writer.finalize()
    world.close()
    return dataset


@pytest.fixture(scope="session")
def dream(recorded, tmp_path_factory):
    """n -> dreams of an untrained model that neither end nor abstain by themselves."""
    parts = ArchitectureConfig(
        channels=(16, 32),
        refiner_channels=(16, 32),
        codec_channels=8,
        latent_channels=4,
        features=4,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        pipeline = build_pipeline(recorded.interface, parts, [])
    config = DreamConfig(time_limit_s=LIMIT_S, abstain_below=0.0, end_above=1.0)
    cache = tmp_path_factory.mktemp("frames")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # two collapse beside any other process
    yield lambda n: DreamWorld(pipeline, [recorded], n, config, cache)
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def dm_control():
    """n -> a task of dm_control's suite."""
    pytest.importorskip("dm_control")
    return DmControlSpec(
        "cartpole", "balance", image_hw=(16, 16), control_dt_s=0.1, seconds=LIMIT_S
    ).make


@pytest.fixture(scope="session")
def gymnasium():
    """n -> an environment that Gymnasium knows, which tells success."""
    return GymSpec("toy_gym:toy/Push-v0", image_hw=(16, 16), seconds=LIMIT_S).make


WORLDS = {
    f"{task}-{mode}-{preset}": (task, mode, preset)
    for task in sorted(TASKS)
    for mode in MODES
    if not (mode == "ee_delta" and ROBOTS[TASKS[task]().robot].planar)
    for preset in ("none", "strong")
    if task == "banana_on_plate" or (mode, preset) == ("joint_velocity", "strong")
}


def test_every_registered_world_is_held_to_this_contract():
    """A new world needs a way to be made here, as a few rows of its own."""
    assert set(REGISTERED) == {"mujoco", "dream", "gym", "dm_control"}


@pytest.fixture(scope="module", params=[*WORLDS, "dream", "gymnasium", "dm_control"])
def case(request):
    """make: n -> a world; world: one of N rows, which tests use after one another."""
    if request.param not in WORLDS:
        make = request.getfixturevalue(request.param)
    else:
        make = mujoco(*WORLDS[request.param])
    world = make(N)
    yield SimpleNamespace(make=make, world=world)
    world.close()


def begin(world, first=0, mask=None):
    starts = [Start(3, first + k) for k in range(world.num_envs)]
    mask = np.ones(world.num_envs, bool) if mask is None else mask
    return world.reset(options={"starts": starts, "reset_mask": mask})


def actions(world, steps=STEPS, seed=0):
    """(steps, N, A) float32 within the limits and near what the joints are."""
    low = np.maximum(world.single_action_space.low, -0.5)
    high = np.minimum(world.single_action_space.high, 0.5)
    shape = (steps, world.num_envs, len(low))
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32)


def packed(obs, row=slice(None)):
    """An observation as bytes."""
    images = {name: image[row].tobytes() for name, image in obs["images"].items()}
    return images, obs["state"][row].tobytes(), obs["instruction"][row]


def run(world, steps=STEPS, first=0):
    """Everything that is seen of an episode, step by step."""
    obs, _ = begin(world, first)
    seen = [packed(obs)]
    for action in actions(world, steps):
        obs, reward, terminated, truncated, info = world.step(action)
        seen.append((packed(obs), reward.tobytes(), terminated.tolist(), truncated.tolist()))
        seen.append({k: v.tobytes() for k, v in info.items()})
    return seen


def check_info(info, n):
    assert {"success", "trust", "abstained"} <= set(info)
    for name in ("success", "trust"):
        assert info[name].shape == (n,) and info[name].dtype == np.float32
        assert (info[name] >= 0).all() and (info[name] <= 1).all()
    assert info["abstained"].shape == (n,) and info["abstained"].dtype == bool
    for name in {"success_known", "reward_known"} & set(info):
        assert info[name].shape == (n,) and info[name].dtype == bool


def test_it_is_a_world(case):
    world = case.world
    assert isinstance(world, World) and world.num_envs == N
    assert world.metadata["autoreset_mode"] is gym.vector.AutoresetMode.DISABLED
    assert world.origin in ORIGINS and world.time_limit_s == pytest.approx(LIMIT_S)


def test_spaces_hold_what_is_seen(case):
    world = case.world
    obs, info = begin(world)
    check_info(info, N)
    for action in actions(world):
        assert world.action_space.contains(action)
        for i in range(N):
            row = {
                "images": {name: image[i] for name, image in obs["images"].items()},
                "state": obs["state"][i],
                "instruction": obs["instruction"][i],
            }
            assert world.single_observation_space.contains(row)
            assert obs["instruction"][i]
        obs, reward, terminated, truncated, info = world.step(action)
        check_info(info, N)
        assert reward.shape == (N,) and reward.dtype == np.float32 and np.isfinite(reward).all()
        for flag in (terminated, truncated):
            assert flag.shape == (N,) and flag.dtype == bool
        assert not (terminated & truncated).any()
        assert info["action"].shape == action.shape and info["action"].dtype == np.float32


def test_images_and_channels_are_the_interfaces(case):
    obs, _ = begin(case.world)
    interface = case.world.interface
    assert {k: v.shape for k, v in obs["images"].items()} == {
        k: (N, h, w, 3) for k, (h, w) in interface.cameras.items()
    }
    assert all(image.dtype == np.uint8 for image in obs["images"].values())
    assert obs["state"].shape == (N, len(interface.state)) and obs["state"].dtype == np.float32
    assert case.world.single_action_space.shape == (len(interface.action),)


def test_the_time_limit_cuts_and_then_the_row_is_frozen(case):
    world = case.world
    begin(world)
    for t, action in enumerate(actions(world)):
        obs, _, terminated, truncated, info = world.step(action)
        assert truncated.all() == (t == STEPS - 1) and not terminated.any()
    frozen, success = packed(obs), info["success"].tobytes()
    for action in actions(world, 2, seed=1):
        obs, reward, terminated, truncated, info = world.step(action)
        assert packed(obs) == frozen and not reward.any()
        assert not terminated.any() and not truncated.any()
        assert info["success"].tobytes() == success
    begin(world)
    obs, *_ = world.step(actions(world)[0])
    assert packed(obs) != frozen


def test_equal_starts_give_equal_bytes(case):
    first = run(case.world)
    assert run(case.world) == first
    other = case.make(N)
    assert run(other) == first
    other.close()


def test_other_starts_give_other_episodes(case):
    obs, _ = begin(case.world, first=0)
    other, _ = begin(case.world, first=10)
    assert packed(obs)[:2] != packed(other)[:2]
    rows = [packed(obs, i)[:2] for i in range(N)]
    assert rows[0] != rows[1] or rows[1] != rows[2]


def test_a_seed_does_for_starts(case):
    once, _ = case.world.reset(seed=4)
    again, _ = case.world.reset(seed=4)
    assert packed(once) == packed(again)
    made_by = [case.world.provenance(i) for i in range(N)]
    assert [(p["seed"], p["episode"]) for p in made_by] == [(4, i) for i in range(N)]


def test_resetting_a_row_leaves_the_others(case):
    world, mask = case.world, np.array([False, True, False])
    plan = actions(world)
    begin(world)
    for action in plan[:4]:
        obs, *_ = world.step(action)
    expected = [packed(obs, i) for i in range(N)]
    begin(world)
    for action in plan[:2]:
        obs, *_ = world.step(action)
    before = packed(obs, [0, 2][0]), packed(obs, 2)
    obs, _ = begin(world, first=20, mask=mask)
    assert (packed(obs, 0), packed(obs, 2)) == before
    assert world.provenance(1)["episode"] == 21 and world.provenance(0)["episode"] == 0
    for action in plan[2:4]:
        obs, _, _, truncated, _ = world.step(action)
    assert packed(obs, 0) == expected[0] and packed(obs, 2) == expected[2]
    assert packed(obs, 1) != expected[1]
    for action in plan[4:]:
        _, _, _, truncated, _ = world.step(action)
    assert truncated.tolist() == [True, False, True]  # each row has a clock of its own
    _, reward, _, truncated, _ = world.step(plan[0])
    assert not truncated.any() and not reward[[0, 2]].any()  # said once


def test_resetting_no_row_changes_nothing(case):
    begin(case.world)
    obs, *_ = case.world.step(actions(case.world)[0])
    after, _ = begin(case.world, mask=np.zeros(N, bool))
    assert packed(after) == packed(obs)


def test_what_was_given_out_is_not_written_to(case):
    world = case.world
    obs, _ = begin(world)
    kept = packed(obs)
    action = actions(world)[0] * 4
    given = action.copy()
    world.step(action)
    assert packed(obs) == kept and np.array_equal(action, given)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_action_that_is_no_number_is_refused_and_does_nothing(case, value):
    world = case.world
    plan = actions(world)
    begin(world)
    expected = packed(world.step(plan[0])[0])
    begin(world)
    bad = plan[0].copy()
    bad[1, 0] = value
    with pytest.raises(TrimixError, match="not finite"):
        world.step(bad)
    assert packed(world.step(plan[0])[0]) == expected


def test_an_action_of_another_shape_is_refused(case):
    world = case.world
    begin(world)
    a = len(world.interface.action)
    for shape in ((N, a + 1), (N - 1, a), (a,), (1, N, a)):
        with pytest.raises(TrimixError, match="action"):
            world.step(np.zeros(shape, np.float32))


def test_provenance_names_where_it_came_from(case):
    begin(case.world, first=7)
    for i in range(N):
        made_by = Provenance(**case.world.provenance(i), policy="test")
        assert (made_by.seed, made_by.episode) == (3, 7 + i)
        assert made_by.origin == case.world.origin
        assert made_by.model_hash and made_by.world and made_by.versions and made_by.task
        assert (made_by.parent is not None) == (made_by.origin == "dream")


def test_a_snapshot_is_of_every_row_or_of_none(case):
    begin(case.world)
    state = case.world.snapshot()
    if state is not None:
        assert state.dtype == np.float64 and len(state) == N and np.isfinite(state).all()
        kept = state.tobytes()
        case.world.step(actions(case.world)[0])
        assert state.tobytes() == kept != case.world.snapshot().tobytes()


def test_it_makes_episodes(case):
    policy = RandomPolicy(case.world.interface)
    starts = [Start(3, k) for k in range(N + 1)]
    episodes = dict(rollout(case.world, policy, starts, policy_name="random"))
    assert sorted(episodes) == list(range(N + 1))
    for episode in episodes.values():
        episode.validate()
        assert len(episode) == STEPS and episode.done.tolist() == [False] * (STEPS - 1) + [True]

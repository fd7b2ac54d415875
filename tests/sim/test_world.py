"""Rows are worlds of their own: bits do not depend on neighbours, threads or N."""

import numpy as np
import pytest

from trimix.core.contracts import Start
from trimix.core.errors import ConfigError
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS

TASK = pytest.mark.parametrize("task", sorted(TASKS))


@pytest.fixture(scope="module")
def reference(make_world, wiggle, starts):
    """task -> the states of 4 episodes under strong randomization, each run alone."""
    kept = {}

    def run(task):
        if task not in kept:
            world = make_world(1, "strong", task)
            kept[task] = {}
            for start in starts(4):
                kept[task] |= wiggle(world, [start])
        return kept[task]

    return run


def equal(a, b):
    return {k: v.tobytes() for k, v in a.items()} == {k: v.tobytes() for k, v in b.items()}


@TASK
@pytest.mark.parametrize(("n", "threads"), [(4, 1), (4, 2)])
def test_equal_bits_at_any_number_of_rows_and_threads(
    make_world, wiggle, starts, reference, task, n, threads
):
    world = make_world(n, "strong", task, threads=threads)
    assert equal(wiggle(world, starts(n)), reference(task))


@TASK
def test_a_row_may_be_anywhere_and_used_before(make_world, wiggle, starts, reference, task):
    world = make_world(4, "strong", task)
    wiggle(world, [Start(9, k) for k in range(4)], steps=5)
    assert equal(wiggle(world, starts(4)[::-1]), reference(task))


@TASK
def test_restored_after_strong_equals_never_randomized(make_world, wiggle, starts, task):
    strong, plain = make_world(2, "strong", task), make_world(2, "none", task)
    nominal = [Start(s.seed, s.episode, draw={}) for s in starts(2)]
    wiggle(strong, starts(2), steps=5)
    assert equal(wiggle(strong, nominal, steps=8), wiggle(plain, nominal, steps=8))


@TASK
def test_randomization_changes_the_physics(make_world, wiggle, starts, task):
    strong, plain = make_world(1, "strong", task), make_world(1, "none", task)
    assert not equal(wiggle(strong, starts(1), steps=4), wiggle(plain, starts(1), steps=4))


def test_a_start_leaves_the_draw_to_the_world_or_names_it(make_world):
    world = make_world(2, "mild")
    own = world.draw(3, 4)
    world.reset(options={"starts": [Start(3, 4), Start(3, 4, draw={})]})
    assert world.provenance(0)["draw"] == own and world.provenance(1)["draw"] == {}


def test_without_starts_row_i_starts_from_seed_and_i(make_world):
    world = make_world(2)
    world.reset(seed=7)
    made_by = [world.provenance(i) for i in range(2)]
    assert [(p["seed"], p["episode"]) for p in made_by] == [(7, 0), (7, 1)]


def test_an_action_beyond_the_limits_is_clipped_and_says_so(make_world):
    world = make_world(1)
    world.reset(seed=0)
    _, _, _, _, info = world.step(np.full((1, 7), 100.0, np.float32))
    assert info["action"].tolist() == [[1.5] * 6 + [1.0]]


@pytest.mark.parametrize("value", ["qvel", "qpos"])
@pytest.mark.parametrize("how", [np.nan, np.inf, 1e12])
def test_a_diverged_row_abstains_and_never_succeeds(make_world, value, how, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # MuJoCo writes MUJOCO_LOG.TXT there
    world = make_world(3)
    world.reset(seed=0)
    clean = make_world(3)
    clean.reset(seed=0)
    still = np.zeros((3, 7), np.float32)
    before, *_ = world.step(still)
    clean.step(still)
    getattr(world.physics, value)[1, -3:] = how
    obs, reward, terminated, truncated, info = world.step(still)
    assert info["abstained"].tolist() == truncated.tolist() == [False, True, False]
    assert not terminated.any() and not info["success"].any() and reward[1] == 0
    assert np.isfinite(reward).all() and np.isfinite(obs["state"]).all()
    assert np.array_equal(obs["state"][1], before["state"][1])  # frozen at the last sound frame
    expected, *_ = clean.step(still)
    assert np.array_equal(obs["state"][[0, 2]], expected["state"][[0, 2]])
    world.reset(seed=0, options={"reset_mask": np.array([False, True, False])})
    _, _, _, truncated, info = world.step(still)
    assert not truncated.any() and not info["abstained"].any()


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda t: MujocoWorld(t, 0), "at least one row, not 0"),
        (lambda t: MujocoWorld(t, randomization="wild"), "randomization 'wild'.*mild"),
        (
            lambda t: MujocoWorld(t, config=MujocoConfig(cameras=("wirst",))),
            "camera 'wirst'.*front, wrist",
        ),
        (
            lambda t: MujocoWorld(t, config=MujocoConfig(control_mode="torque")),
            "control mode 'torque'.*joint_position, joint_velocity",
        ),
    ],
)
def test_mistakes_are_named(make, named):
    with pytest.raises(ConfigError, match=named):
        make(TASKS["banana_on_plate"]())


def test_starts_and_mask_have_one_entry_a_row(make_world):
    world = make_world(2)
    for options in ({"starts": [None]}, {"reset_mask": np.ones(3, bool)}):
        with pytest.raises(ConfigError, match="one entry for 2 rows"):
            world.reset(options=options)

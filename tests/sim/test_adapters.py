"""A world behind Gymnasium's interface."""

import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from trimix.core.errors import ConfigError
from trimix.sim.adapters import GymEnv
from trimix.tasks import TASKS
from trimix.tasks.gym import gym_id

TASK = pytest.mark.parametrize("task", sorted(TASKS))


@TASK
def test_a_task_passes_gymnasiums_own_check(task):
    env = gym.make(f"trimix.tasks.gym:{gym_id(task)}", image_hw=(8, 8), randomization="mild")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # What the channels' limits are is the robot's matter: [-1, 1] is a recommendation, and a
        # joint has no bounds in its units.
        for text in (".*Box action space.*", ".*Box observation space.*", ".*not within.*"):
            warnings.filterwarnings("ignore", text)
        check_env(env.unwrapped, skip_render_check=True)
    env.close()


@TASK
def test_an_episode_ends_at_the_time_limit(task):
    env = gym.make(f"trimix.tasks.gym:{gym_id(task)}", image_hw=(8, 8))
    env.unwrapped.world._max_steps = 3
    env.reset(seed=0)
    ends = []
    for _ in range(3):
        obs, reward, terminated, truncated, info = env.step(np.zeros(env.action_space.shape))
        ends.append((terminated, truncated))
    assert ends == [(False, False), (False, False), (False, True)]
    assert env.observation_space.contains(obs) and isinstance(reward, float)
    assert info["trust"] == 1 and not info["abstained"]
    env.close()


def test_equal_seeds_give_equal_episodes_and_none_goes_on_drawing():
    env = gym.make("trimix.tasks.gym:trimix/PushT-v0", image_hw=(8, 8))
    first = [env.reset(seed=3)[0]["state"], env.reset()[0]["state"], env.reset()[0]["state"]]
    again = [env.reset(seed=3)[0]["state"], env.reset()[0]["state"], env.reset()[0]["state"]]
    assert np.array_equal(first, again)
    assert len({state.tobytes() for state in first}) == 3
    env.close()


def test_render_gives_the_last_picture():
    env = gym.make("trimix.tasks.gym:trimix/PushT-v0", image_hw=(16, 24), render_mode="rgb_array")
    obs, _ = env.reset(seed=0)
    assert np.array_equal(env.render(), obs["images"]["front"])
    assert env.metadata["render_fps"] == 10
    env.close()


def test_options_reach_the_world():
    env = gym.make(
        "trimix.tasks.gym:trimix/BananaOnPlate-v0",
        cameras=("front", "wrist"),
        image_hw=(8, 12),
        control_mode="joint_position",
        control_dt_s=0.05,
    )
    interface = env.unwrapped.world.interface
    assert interface.control_dt_s == 0.05
    assert dict(interface.cameras) == {"front": (8, 12), "wrist": (8, 12)}
    assert interface.control_mode == "joint_position"


def test_one_row_only(make_world):
    with pytest.raises(ConfigError, match="one row, not 2"):
        GymEnv(make_world(2))

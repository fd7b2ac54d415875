"""Laws of the policies that learn nothing."""

import dataclasses

import numpy as np
import pytest

from trimix.core.contracts import Channel
from trimix.core.errors import ConfigError, InterfaceError
from trimix.policy.baselines import MeanPolicy, RandomPolicy, ReplayPolicy


def run(policy, keys, steps):
    obs = {
        "images": {},
        "state": np.zeros((len(keys), 3), np.float32),
        "instruction": [""] * len(keys),
    }
    policy.reset(np.ones(len(keys), bool), np.array(keys, np.int64))
    return np.stack([policy.act(obs) for _ in range(steps)])


def test_random_actions_fill_the_limits_and_nothing_else(interface, normalization):
    out = run(RandomPolicy(interface, normalization), list(range(300)), 8)
    assert -0.5 <= out[..., 0].min() < -0.48 and 0.48 < out[..., 0].max() <= 0.5
    far = np.abs(out[..., 1] - normalization.action_mean[1]) / normalization.action_std[1]
    assert 1.9 < far.max() <= 2.0 + 1e-5
    assert set(np.unique(out[..., 2])) == {0.0, 1.0}


def test_random_actions_hang_on_the_row_s_seed(interface, normalization):
    policy = RandomPolicy(interface, normalization, hold=3)
    out = run(policy, [4, 5, 4], 9)
    assert np.array_equal(out[:, 0], out[:, 2]) and not np.allclose(out[:, 0], out[:, 1])
    assert np.array_equal(out, run(policy, [4, 5, 4], 9))
    assert np.array_equal(out[0], out[2]) and not np.allclose(out[2], out[3])


def test_random_without_limits_says_what_it_needs(interface):
    with pytest.raises(ConfigError, match="'vel_1' declares no limits"):
        RandomPolicy(interface)
    limited = dataclasses.replace(interface, action=(Channel("a", "", -1, 1),))
    assert run(RandomPolicy(limited), [0], 3).shape == (3, 1, 1)


def test_a_replay_plays_its_recording_then_stands_still(interface):
    recordings = [np.full((n, 3), n, np.float32) + np.arange(n)[:, None] for n in (3, 5)]
    out = run(ReplayPolicy(interface, recordings), [0, 1, 2], 7)
    assert np.array_equal(out[:3, 0], recordings[0]) and np.array_equal(out[:5, 1], recordings[1])
    assert np.array_equal(out[:, 0], out[:, 2])
    assert (out[3:, 0, :2] == 0).all()  # rad/s
    assert (out[3:, 0, 2] == recordings[0][-1, 2]).all()  # the gripper keeps its place


def test_a_replay_needs_recordings_of_its_interface(interface):
    with pytest.raises(ConfigError, match="no recording"):
        ReplayPolicy(interface, [])
    with pytest.raises(InterfaceError, match=r"recording 0 has shape \(4, 2\)"):
        ReplayPolicy(interface, [np.zeros((4, 2), np.float32)])


def test_the_mean_is_constant(interface, normalization):
    out = run(MeanPolicy(interface, normalization), [0, 1], 3)
    assert (out == out[0, 0]).all() and np.allclose(out[0, 0, :2], normalization.action_mean[:2])

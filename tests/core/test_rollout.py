"""The loop that makes every episode."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimix.core.contracts import Start
from trimix.core.errors import InterfaceError
from trimix.core.rollout import rollout
from trimix.core.seeds import seed63

STARTS = [Start(100 + k, k) for k in range(7)]


def run(counter, n, starts=STARTS, **options):
    world, policy = counter(n)
    return dict(rollout(world, policy, starts, policy_name="doubler", **options)), world


def test_an_episode_is_what_happened(counter):
    episode = run(counter, 3)[0][6]  # 2 + 6 % 4 = 4 steps from 106
    episode.validate()
    assert np.array_equal(episode.state[:, 0], [106, 107, 108, 109])
    assert np.array_equal(episode.images["eye"][:, 0, 0, 0], [60, 61, 62, 63])
    assert np.array_equal(episode.action[:, 0], [5, 5, 5, 5])  # as the world executed it
    assert np.array_equal(episode.reward, [1, 2, 3, 4])
    assert np.array_equal(episode.success, [False, False, False, True])
    assert np.array_equal(episode.done, [False, False, False, True])
    assert np.allclose(episode.trust, [1 / 2, 1 / 3, 1 / 4, 1 / 5])
    assert np.array_equal(episode.sim_state, [[0, 6], [1, 6], [2, 6], [3, 6]])
    assert episode.instruction == "count 6"
    made_by = episode.provenance
    assert (made_by.policy, made_by.seed, made_by.episode) == ("doubler", 106, 6)
    assert made_by.success is True and made_by.abstained is False


def test_abstention_is_recorded(counter):
    made_by = run(counter, 2)[0][3].provenance
    assert made_by.abstained is True and made_by.success is False


@settings(max_examples=25)
@given(n=st.integers(1, 9), count=st.integers(0, 12))
def test_episodes_do_not_depend_on_the_number_of_rows(counter, n, count):
    starts = [Start(-count + k, k) for k in range(count)]
    many, world = run(counter, n, starts)
    assert sorted(many) == list(range(count))
    assert world.steps_taken == sum(len(e) for e in many.values())  # nothing runs for nothing
    one, _ = run(counter, 1, starts)
    for k, episode in many.items():
        for name in ("state", "action", "reward", "success", "trust", "sim_state"):
            assert getattr(episode, name).tobytes() == getattr(one[k], name).tobytes()
        assert episode.images["eye"].tobytes() == one[k].images["eye"].tobytes()
        assert episode.provenance == one[k].provenance


def test_the_policy_is_seeded_by_the_start_and_not_by_the_row(counter):
    world, policy = counter(2)
    seen = {}
    real = policy.reset

    def spy(rows, seeds):
        for i in np.flatnonzero(rows):
            seen[world.starts[i].episode] = int(seeds[i])
        real(rows, seeds)

    policy.reset = spy
    list(rollout(world, policy, STARTS))
    assert seen == {s.episode: seed63(s.seed, s.episode, "policy") for s in STARTS}


def test_images_can_be_dropped(counter):
    kept, _ = run(counter, 2, keep_images=True)
    dropped, _ = run(counter, 2, keep_images=False)
    assert all(not e.images for e in dropped.values())
    assert all(np.array_equal(dropped[k].state, kept[k].state) for k in kept)


def test_episodes_come_as_they_finish(counter):
    world, policy = counter(len(STARTS))
    order = [k for k, _ in rollout(world, policy, STARTS)]
    assert order == sorted(order, key=lambda k: (2 + k % 4, k))


def test_a_policy_of_another_robot_is_refused(counter):
    world, policy = counter(1)
    policy.interface = dataclasses.replace(policy.interface, control_mode="joint_position")
    with pytest.raises(InterfaceError, match="'joint_velocity' against 'joint_position'"):
        next(rollout(world, policy, STARTS))


@pytest.mark.parametrize("label", ["reward", "success"])
def test_what_a_world_cannot_tell_is_nobodys_label(counter, label):
    world, policy = counter(2)
    real = world._info
    world._info = lambda: real() | {f"{label}_known": np.zeros(2, bool)}
    episode = dict(rollout(world, policy, STARTS))[0]
    assert getattr(episode, label) is None
    other = {"reward": "success", "success": "reward"}[label]
    assert getattr(episode, other) is not None
    assert episode.provenance.success == {"reward": True, "success": None}[label]

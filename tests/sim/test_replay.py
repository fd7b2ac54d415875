"""An episode runs again from its own provenance, to the bit."""

import dataclasses
import json

import numpy as np
import pytest

from trimix.core.errors import DataError, InterfaceError
from trimix.core.rollout import rollout
from trimix.sim.replay import deviation, difference, pictured, replay
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS

COUNT = 4


@pytest.fixture(scope="module", params=["banana_on_plate", "push_t", "stack_two"])
def task(request):
    return dataclasses.replace(TASKS[request.param](), time_limit_s=2.5)


@pytest.fixture(scope="module")
def episodes(task, starts):
    """Of a noisy expert under strong randomization, two rows at a time."""
    world = MujocoWorld(task, 2, randomization="strong", config=MujocoConfig(image_hw=(8, 8)))
    policy = task.expert(world.physics, world.goals, world.interface)
    found = dict(rollout(world, policy, starts(COUNT)))
    world.close()
    return [found[k] for k in range(COUNT)]


def as_stored(episode):
    """The episode as a reader gives it back: the draw went through JSON."""
    made_by = episode.provenance
    draw = json.loads(json.dumps(dict(made_by.draw), sort_keys=True))
    return dataclasses.replace(episode, provenance=dataclasses.replace(made_by, draw=draw))


@pytest.mark.parametrize(("n", "threads"), [(COUNT, 1), (COUNT, 2), (COUNT + 3, 2)])
def test_replays_are_bit_identical(task, episodes, n, threads):
    world = MujocoWorld(task, n, config=MujocoConfig(image_hw=(8, 8), threads=threads))
    found = replay(world, [as_stored(e) for e in episodes])
    for episode, again in zip(episodes, found, strict=True):
        assert again.states.tobytes() == episode.sim_state.tobytes()
        assert difference(episode, again) == "" and pictured(episode, again)
    world.close()


def test_another_action_or_draw_is_another_episode(task, episodes):
    world = MujocoWorld(task, 1, config=MujocoConfig(image_hw=(8, 8)))
    episode = episodes[0]
    action = episode.action.copy()
    action[len(action) // 2, 0] += 0.05
    undrawn = dataclasses.replace(episode.provenance, draw={})
    for changed in (
        dataclasses.replace(episode, action=action),
        dataclasses.replace(episode, provenance=undrawn),
    ):
        assert deviation(episode, replay(world, [changed])[0].states) > 0
    world.close()


def test_every_difference_is_said(task, episodes):
    world = MujocoWorld(task, 1, config=MujocoConfig(image_hw=(8, 8)))
    episode = as_stored(episodes[0])
    again = replay(world, [episode])[0]
    world.close()
    camera = next(iter(episode.interface.cameras))
    sums = episode.frames[f"checksum/{camera}"].copy()
    sums[3] += 1
    other = dataclasses.replace(episode.provenance, success=not episode.provenance.success)
    for changed, said in (
        ({"reward": episode.reward + np.float32(1e-3)}, "rewards differ from step 0"),
        ({"provenance": other}, "success is recorded as"),
        ({"frames": {f"checksum/{camera}": sums}}, f"'{camera}' differ from frame 3"),
    ):
        assert said in difference(dataclasses.replace(episode, **changed), again)
    elsewhere = dataclasses.replace(episode.provenance, versions={"gl": "another"})
    moved = {"provenance": elsewhere, "frames": {f"checksum/{camera}": sums}}
    assert difference(dataclasses.replace(episode, **moved), again) == ""


def test_what_cannot_be_compared_deviates_without_end(episodes):
    episode = dataclasses.replace(episodes[0], sim_state=None)
    assert deviation(episode, np.zeros((3, 4))) == float("inf")
    assert deviation(episodes[0], episodes[0].sim_state[:-1]) == float("inf")


def test_an_episode_of_another_build_or_control_is_refused(task, episodes):
    config = MujocoConfig(image_hw=(8, 8), control_mode="joint_position")
    for world, fault, named in (
        (MujocoWorld(task, 1, config=config), InterfaceError, "joint_position every 0.1 s"),
        (MujocoWorld(task, 1), DataError, "'trimix'"),
    ):
        episode = episodes[0]
        if fault is DataError:
            episode = dataclasses.replace(
                episode, provenance=dataclasses.replace(episode.provenance, model_hash="0123")
            )
        with pytest.raises(fault, match=named):
            replay(world, [episode])


def test_more_episodes_than_rows_do_not_fit(task, episodes):
    with pytest.raises(ValueError, match="4 episodes do not fit 1 rows"):
        replay(MujocoWorld(task, 1), episodes)

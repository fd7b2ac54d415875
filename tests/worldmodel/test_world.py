"""DreamWorld: the World conventions, where dreams begin, and what they say of themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from trimix.core.contracts import Channel, Parent, PolicyInterface, Start
from trimix.core.errors import ConfigError, DataError, InterfaceError
from trimix.core.rollout import rollout
from trimix.data.dataset import Dataset
from trimix.worldmodel.perturbed_replay import PerturbConfig, PerturbedReplay
from trimix.worldmodel.pipeline import WorldModelPipeline
from trimix.worldmodel.world import DreamConfig, DreamWorld

LIMIT = DreamConfig(time_limit_s=0.4, abstain_below=0.0, end_above=1.0)


@pytest.fixture
def make_world(
    pipeline: WorldModelPipeline, labelled: Dataset, cache_dir: Path
) -> Callable[..., DreamWorld]:
    def make(rows: int = 2, config: DreamConfig = LIMIT) -> DreamWorld:
        return DreamWorld(pipeline, [labelled], rows, config, cache_dir)

    return make


def act(world: DreamWorld, step: int = 0) -> np.ndarray:
    return np.full((world.num_envs, 3), 0.1 * (step + 1), np.float32)


def test_observations_are_in_their_space_and_begin_at_the_recorded_frame(
    make_world: Callable[..., DreamWorld], labelled: Dataset
) -> None:
    world = make_world()
    parent = Parent(labelled.content_hash, 2, 3, "train")
    obs, info = world.reset(options={"starts": [Start(0, 0, parent=parent), None]})
    episode = labelled.read_episode(2)
    for camera, frames in episode.images.items():
        np.testing.assert_array_equal(obs["images"][camera][0], frames[3])
    np.testing.assert_array_equal(obs["state"][0], episode.state[3])
    assert obs["instruction"][0] == "slide 2"
    assert info["trust"].tolist() == [1.0, 1.0]
    assert world.observation_space["images"].contains(obs["images"])


def test_equal_starts_give_equal_bytes_and_other_seeds_other_ones(
    make_world: Callable[..., DreamWorld],
) -> None:
    def run(seed: int) -> list[np.ndarray]:
        world = make_world(1)
        world.reset(seed=seed)
        return [world.step(act(world, k))[0]["images"]["wrist"] for k in range(3)]

    once, again, other = run(3), run(3), run(4)
    for a, b in zip(once, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert any((a != b).any() for a, b in zip(once, other, strict=True))


def test_an_episode_does_not_depend_on_its_neighbours(
    make_world: Callable[..., DreamWorld],
) -> None:
    starts = [Start(5, k) for k in range(5)]

    def run(rows: int) -> dict[int, np.ndarray]:
        world = make_world(rows)
        replay = PerturbedReplay(world)
        return {i: e.images["wrist"] for i, e in rollout(world, replay, starts)}

    alone, together, more = run(1), run(3), run(17)
    assert sorted(alone) == sorted(together) == sorted(more) == list(range(5))
    for i, frames in alone.items():
        np.testing.assert_array_equal(frames, together[i])
        np.testing.assert_array_equal(frames, more[i])


def test_finished_rows_freeze_until_they_are_reset(make_world: Callable[..., DreamWorld]) -> None:
    world = make_world()
    world.reset(seed=0)
    for k in range(world.limit):
        obs, _, terminated, truncated, _ = world.step(act(world, k))
    assert truncated.all() and not terminated.any()
    frozen, reward, terminated, truncated, _ = world.step(act(world))
    np.testing.assert_array_equal(frozen["images"]["front"], obs["images"]["front"])
    assert not reward.any() and not truncated.any() and not terminated.any()
    world.reset(seed=9, options={"reset_mask": np.array([True, False])})
    after, *_ = world.step(act(world))
    np.testing.assert_array_equal(after["images"]["front"][1], obs["images"]["front"][1])
    assert (after["images"]["front"][0] != obs["images"]["front"][0]).any()


def test_it_abstains_where_trust_is_low_and_the_episode_says_so(
    make_world: Callable[..., DreamWorld],
) -> None:
    world = make_world(1, replace(LIMIT, abstain_below=1.0))
    ((_, episode),) = rollout(world, PerturbedReplay(world), [Start(0, 0)])
    assert len(episode) == 1
    assert episode.provenance.abstained
    assert episode.trust is not None and episode.trust[0] < 1


def test_trust_is_of_the_worse_of_the_two_frames(
    make_world: Callable[..., DreamWorld], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = iter([0.9, 0.3, 0.8])
    world = make_world(1)
    monkeypatch.setattr(
        type(world.pipeline.trust), "probability", lambda _s, mean, _std: mean * 0 + next(said)
    )
    world.reset(seed=0)
    seen = [float(world.step(act(world))[4]["trust"][0]) for _ in range(3)]
    np.testing.assert_allclose(seen, [0.9, 0.3, 0.3], atol=1e-6)


def test_provenance_and_split_come_from_the_parent(
    make_world: Callable[..., DreamWorld], labelled: Dataset, pipeline: WorldModelPipeline
) -> None:
    world = make_world(2)
    parents = [Parent(labelled.content_hash, 3, 1, "heldout"), None]
    world.reset(options={"starts": [Start(7, k, parent=p) for k, p in enumerate(parents)]})
    held, drawn = world.provenance(0), world.provenance(1)
    assert held["split"] == "heldout" and held["parent"] == parents[0]
    assert held["origin"] == "dream" and held["task"] == "slide"
    assert held["model_hash"] == pipeline.weights_hash()
    assert held["fingerprint"] == labelled.fingerprints[3] != ()
    assert held["models"] == (pipeline.weights_hash(),)
    assert world.models == {pipeline.weights_hash(): pipeline.learned_from()}
    assert drawn["split"] == "train" and drawn["parent"].episode != 3


def test_starts_are_never_drawn_from_held_out_episodes(
    make_world: Callable[..., DreamWorld],
) -> None:
    world = make_world(32)
    world.reset(seed=0)
    assert {world.parent(i).split for i in range(32)} == {"train"}


def test_without_labels_success_is_unknown_and_not_failure(
    interface, unlabelled: Dataset, cache_dir: Path, make_pipeline
) -> None:
    pipeline = make_pipeline(interface, labels=(False, False))
    world = DreamWorld(pipeline, [unlabelled], 1, LIMIT, cache_dir)
    world.reset(seed=0)
    _, reward, _, _, info = world.step(act(world))
    assert info["success"].tolist() == [0.0] and not info["success_known"].any()
    assert reward.tolist() == [0.0]
    ((_, episode),) = rollout(world, PerturbedReplay(world), [Start(0, 0)])
    assert episode.success is None and episode.reward is None
    assert episode.provenance.success is None


def test_actions_are_clipped_to_declared_limits(make_world: Callable[..., DreamWorld]) -> None:
    world = make_world(1)
    world.reset(seed=0)
    info = world.step(np.array([[5.0, 5.0, 0.0]], np.float32))[4]
    np.testing.assert_array_equal(info["action"], [[1.0, 5.0, 0.0]])


@pytest.mark.parametrize(
    ("parent", "message"),
    [
        (("nowhere", 0, 0, "train"), "which was not given"),
        (("", 99, 0, "train"), "episode does not exist"),
        (("", 0, 999, "train"), "frame 999 does not exist"),
        (("", 3, 0, "train"), "says split 'train'"),
    ],
)
def test_a_parent_that_is_not_there_is_an_error(
    make_world: Callable[..., DreamWorld], labelled: Dataset, parent, message: str
) -> None:
    name, *rest = parent
    start = Start(0, 0, parent=Parent(name or labelled.content_hash, *rest))
    with pytest.raises(DataError, match=message):
        make_world(1).reset(options={"starts": [start]})


def test_what_a_dream_cannot_do_is_an_error(
    make_world: Callable[..., DreamWorld],
    interface,
    labelled: Dataset,
    cache_dir: Path,
    make_pipeline,
) -> None:
    world = make_world(1)
    with pytest.raises(ConfigError, match="randomization"):
        world.reset(options={"starts": [Start(0, 0, draw={"light": 1.0})]})
    world.reset(seed=0)
    with pytest.raises(ConfigError, match="not finite"):
        world.step(np.full((1, 3), np.nan, np.float32))
    with pytest.raises(ConfigError, match=r"\(2, 3\)"):
        world.step(np.zeros((2, 3), np.float32))
    other = make_pipeline(replace(interface, control_dt_s=0.05))
    with pytest.raises(InterfaceError, match="control period"):
        DreamWorld(other, [labelled], 1, LIMIT, cache_dir)
    with pytest.raises(DataError, match="no episode of split"):
        make_world(1, replace(LIMIT, split="nothing"))


def test_replay_without_noise_gives_the_recorded_actions(
    make_world: Callable[..., DreamWorld], labelled: Dataset
) -> None:
    world = make_world(2)
    starts = [Start(0, k, parent=Parent(labelled.content_hash, k, 2, "train")) for k in range(2)]
    replay = PerturbedReplay(world, PerturbConfig(scale=0.0))
    for i, episode in rollout(world, replay, starts):
        recorded = labelled.read_episode(i).action[2 : 2 + len(episode)]
        np.testing.assert_allclose(episode.action[:, 0], recorded[:, 0].clip(-1, 1))
        np.testing.assert_array_equal(episode.action[:, 1:], recorded[:, 1:])


def test_replay_noise_is_smooth_spares_the_gripper_and_is_keyed_by_the_row(
    make_world: Callable[..., DreamWorld], labelled: Dataset
) -> None:
    def noise(rows: int) -> np.ndarray:
        world = make_world(rows)
        parent = Parent(labelled.content_hash, 1, 0, "train")
        world.reset(options={"starts": [Start(0, 0, parent=parent)] * rows})
        replay = PerturbedReplay(world, PerturbConfig(scale=1.0, correlation=0.95))
        replay.reset(np.ones(rows, bool), np.arange(rows, dtype=np.int64) + 40)
        recorded = world.starts.actions(parent)
        obs = world._obs()
        return np.stack([replay.act(obs)[0] - recorded[k] for k in range(6)])

    one, three = noise(1), noise(3)
    np.testing.assert_array_equal(one, three)
    assert not one[:, 2].any()
    assert np.abs(np.diff(one[:, :2], axis=0)).mean() < np.abs(one[:, :2]).mean()


def test_the_dream_goes_on_from_the_bytes_it_shows(make_world: Callable[..., DreamWorld]) -> None:
    world = make_world(1)
    world.reset(seed=0)
    obs = world.step(act(world))[0]
    shown = torch.from_numpy(obs["images"]["front"][0]).float() / 127.5 - 1
    torch.testing.assert_close(world._belief.last[0, :3].permute(1, 2, 0), shown)


@pytest.mark.parametrize(
    ("cameras", "states", "actions"),
    [
        ({"top": (24, 40)}, 0, 1),
        ({"a": (16, 16), "b": (16, 16), "c": (16, 16)}, 7, 8),
        ({"wide": (8, 64)}, 1, 2),
    ],
)
def test_any_interface_dreams(
    cameras: dict[str, tuple[int, int]],
    states: int,
    actions: int,
    make_dataset: Callable[..., Dataset],
    make_pipeline: Callable[..., WorldModelPipeline],
    cache_dir: Path,
) -> None:
    interface = PolicyInterface(
        cameras,
        tuple(Channel(f"s{i}") for i in range(states)),
        tuple(Channel(f"a{i}") for i in range(actions)),
        "joint_position",
        0.1,
    )
    world = DreamWorld(make_pipeline(interface), [make_dataset(interface)], 2, LIMIT, cache_dir)
    for _, episode in rollout(world, PerturbedReplay(world), [Start(0, k) for k in range(3)]):
        episode.validate()
        assert len(episode) == world.limit

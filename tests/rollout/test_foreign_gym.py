"""Gymnasium's environments as worlds: what they show, say and allow."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trimix.cli.main import main
from trimix.core.contracts import Start
from trimix.core.errors import ConfigError
from trimix.core.seeds import stream
from trimix.data.checking.check import check
from trimix.data.dataset import Dataset
from trimix.rollout.foreign import DmControlSpec, GymSpec
from trimix.rollout.foreign_world import ForeignWorld

SMALL = {"width": 24, "height": 24}
PUSH = GymSpec("toy_gym:toy/Push-v0", image_hw=(8, 8))
SEEING = GymSpec("toy_gym:toy/Seeing-v0", image_hw=(6, 8))


def odd(kind: str, **settings: Any) -> GymSpec:
    """The toy with one odd thing about it."""
    return GymSpec("toy_gym:toy/Odd-v0", {"odd": kind}, image_hw=(8, 8), **settings)


def shown(world: ForeignWorld, steps: int = 3, first: int = 0) -> list[bytes]:
    """All that is seen of episodes `first`, `first` + 1, ... , row after row."""
    n = world.num_envs
    starts = [Start(7, first + k) for k in range(n)]
    obs, _ = world.reset(options={"starts": starts, "reset_mask": np.ones(n, bool)})
    low, high = world.single_action_space.low, world.single_action_space.high
    plans = [stream(7, s.episode, "test").uniform(low, high, (steps, len(low))) for s in starts]
    seen = [[_row(obs, i)] for i in range(n)]
    for actions in np.asarray(plans, np.float32).swapaxes(0, 1):
        obs, reward, *_ = world.step(actions)
        for i in range(n):
            seen[i] += [_row(obs, i), reward[i].tobytes()]
    return [b"".join(parts) for parts in seen]


def _row(obs: Any, i: int) -> bytes:
    return b"".join([obs["state"][i].tobytes(), *(v[i].tobytes() for v in obs["images"].values())])


def test_pictures_in_an_observation_are_cameras_and_the_rest_is_the_state() -> None:
    world = SEEING.make(1)
    obs, _ = world.reset(seed=3)
    assert dict(world.interface.cameras) == {"wrist_left": (6, 8)}
    names = [c.name for c in world.interface.state]
    assert names == [f"goal/at_{i}" for i in (0, 1)] + [f"goal/kind_{i}" for i in (0, 1, 2)] + [
        "speed_0",
        "speed_1",
    ]
    assert obs["state"][0].tolist() == [0.25, -0.5, 0, 0, 1, 0, 0]
    before = int(obs["images"]["wrist_left"][0, 0, 0, 0])
    obs, *_ = world.step(np.array([[0.5, 0.75]], np.float32))
    assert obs["state"][0, -2:].tolist() == [0.5, 0.75]
    moved = int(obs["images"]["wrist_left"][0, 0, 0, 0]) - before
    assert 4 <= moved <= 6  # 1.25 * 0.1 * 40 levels
    world.close()


def test_an_observation_that_is_a_picture_leaves_no_state_and_is_collected(tmp_path: Path) -> None:
    out = tmp_path / "seen"
    settings = (
        f"settings={{id: '{SEEING.id}', kwargs: {{whole: true}}, image_hw: [8, 8], seconds: 0.3}}"
    )
    assert main(["collect", "world=gym", settings, f"out={out}", "episodes=2", "workers=1"]) == 0
    dataset = Dataset.open(out)
    assert not check(out) and dataset.interface.state == ()
    assert dict(dataset.interface.cameras) == {"observation": (8, 8)}
    assert np.ptp(dataset.read_episode(0).images["observation"][0]) <= 4  # all of one grey


def test_cameras_are_chosen_by_name() -> None:
    world = replace(PUSH, cameras=("view",)).make(1)
    assert list(world.interface.cameras) == ["view"]
    world.close()
    both = replace(SEEING, cameras=("view", "wrist/left")).make(1)
    obs, _ = both.reset(seed=0)
    assert list(obs["images"]) == ["view", "wrist_left"]
    assert np.ptp(obs["images"]["view"]) > 0 == np.ptp(obs["images"]["wrist_left"])
    both.close()
    with pytest.raises(ConfigError, match="'top' is not there; available: wrist_left, view"):
        replace(SEEING, cameras=("top",)).make(1)
    with pytest.raises(ConfigError, match="repeat"):
        replace(PUSH, cameras=("view", "view")).make(1)


def test_its_rate_is_its_own_or_asked_for() -> None:
    for spec, dt in ((odd("dt"), 0.25), (odd(""), 0.1), (odd("rateless", control_dt_s=0.5), 0.5)):
        world = spec.make(1)
        assert world.interface.control_dt_s == pytest.approx(dt)
        world.close()
    with pytest.raises(ConfigError, match=r"Odd-v0: it does not say its rate; set control_dt_s"):
        odd("rateless").make(1)


def test_its_own_ends_are_told_apart() -> None:
    push = np.zeros((1, 2), np.float32)
    for kind, ends in (("ends", (True, False)), ("short", (False, True))):
        world = odd(kind).make(1)
        assert world.time_limit_s == pytest.approx(100.0)  # it has no limit: 1,000 steps
        world.reset(seed=0)
        steps = [world.step(push)[2:4] for _ in range(3)]
        assert [(bool(a[0]), bool(b[0])) for a, b in steps] == [(False, False)] * 2 + [ends]
        world.close()


def test_actions_are_within_its_limits_to_the_last_bit() -> None:
    world = odd("strict").make(1)
    assert float(world.single_action_space.high[0]) > 0.62831853  # as float32 has it
    world.reset(seed=0)
    for sign in (1, -1):
        world.step(np.full((1, 2), 9.0 * sign, np.float32))
    world.close()


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("limitless", r"number 0 of 2 lies in \[-inf, inf\]; wrap it .*TransformAction"),
        ("huge", r"number 0 of 2 lies in \[-1e\+10, 1e\+10\]"),
        ("whole", "not a vector with limits"),
        ("none", "its actions have no numbers"),
        ("strip", r"pictures \(3, 8, 8\) uint8, not \(H, W, 3\)"),
        ("words", "holds Text"),
        ("blind", r"render\(\) gave NoneType, not a picture"),
        ("hidden", r"RuntimeError: no window \(toy_gym.py line \d+\)"),
        ("unborn", "its first step: speed_0 is not finite"),
    ],
)
def test_what_does_not_fit_is_said_when_the_world_is_made(kind: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        odd(kind).make(1)
    assert "toy/Odd-v0" in str(caught.value) and "\n" not in str(caught.value)


def test_success_is_an_entry_of_its_info_or_a_reward() -> None:
    still = np.zeros((1, 2), np.float32)
    for spec, known, done in (
        (replace(PUSH, kwargs={"goal": -9.0}), True, 1.0),
        (replace(PUSH, kwargs={"goal": -9.0}, success="done"), True, 0.0),
        (replace(PUSH, success_reward=0.5), True, 0.0),
        (replace(odd(""), kwargs={"odd": "dt"}), True, 0.0),
    ):
        world = spec.make(1)
        world.reset(seed=0)
        info = world.step(still)[4]
        assert bool(info["success_known"][0]) is known and float(info["success"][0]) == done
        world.close()
    world = GymSpec("InvertedPendulum-v5", SMALL, image_hw=(8, 8), success_reward=1.0).make(1)
    world.reset(seed=0)
    info = world.step(np.zeros((1, 1), np.float32))[4]
    assert info["success_known"].all() and info["success"].tolist() == [1.0]  # 1 for standing
    world.close()


def test_equal_starts_are_equal_episodes_whatever_ran_before_and_beside() -> None:
    spec = GymSpec("Pusher-v5", SMALL, image_hw=(8, 8))
    one, three = spec.make(1), spec.make(3)
    alone = [shown(one, first=k)[0] for k in range(3)]
    assert shown(three) == alone and len(set(alone)) == 3
    shown(three, first=9)
    assert shown(three) == alone
    one.close()
    three.close()


def test_worlds_that_draw_in_one_process_leave_each_other_alone() -> None:
    first = GymSpec("HalfCheetah-v5", SMALL, image_hw=(24, 24)).make(2)
    alone = shown(first)
    other = GymSpec("Reacher-v5", SMALL, image_hw=(24, 24)).make(1)
    others = shown(other)
    assert shown(first) == alone and shown(other) == others
    if find_spec("dm_control"):
        third = DmControlSpec("cartpole", "swingup", image_hw=(24, 24)).make(2)
        thirds = shown(third)
        assert (shown(first), shown(other), shown(third)) == (alone, others, thirds)
        other.close()
        assert (shown(first), shown(third)) == (alone, thirds)
        third.close()
    other.close()
    del other  # its buffers are freed when nobody holds it any more
    assert shown(first) == alone
    first.close()


def test_provenance_says_which_libraries_and_what_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = GymSpec("Reacher-v5", SMALL).make(1)
    world.reset(seed=5)
    made_by = world.provenance(0)
    assert set(made_by["versions"]) == {"gymnasium", "mujoco", "numpy"}
    assert (made_by["world"], made_by["seed"]) == ("gym:Reacher-v5", 5)
    assert world.snapshot() is None
    world.close()
    monkeypatch.syspath_prepend(tmp_path)
    hashes = []
    for name in ("own_one", "own_two"):
        source = "import gymnasium as gym\nfrom toy_gym import Push\n\n\nclass Own(Push):\n"
        body = f'    """{name}."""\n\n\ngym.register("own/Own-v0", Own)\n'
        (tmp_path / f"{name}.py").write_text(source + body)
        world = GymSpec(f"{name}:own/Own-v0", image_hw=(8, 8)).make(1)
        hashes.append(world.model_hash)
        assert set(world.provenance(0)["versions"]) == {"gymnasium", "numpy"}
        world.close()
    assert hashes[0] != hashes[1]


@pytest.mark.parametrize("named", ["FetchPickAndPlace-v4", "gymnasium_robotics:FetchReach-v4"])
def test_goal_environments_show_the_goal_and_tell_success(named: str) -> None:
    pytest.importorskip("gymnasium_robotics", reason="needs gymnasium-robotics")
    spec = GymSpec(named, SMALL, image_hw=(8, 8))
    world = spec.make(2)
    obs, _ = world.reset(seed=1)
    names = [c.name for c in world.interface.state]
    goal = [names.index(f"desired_goal_{i}") for i in range(3)]
    assert f"observation_{len(names) - 7}" in names and "achieved_goal_2" in names
    assert (obs["state"][0, goal] != obs["state"][1, goal]).any()
    assert world.time_limit_s == pytest.approx(2.0)  # 50 steps of 0.04 s
    assert world.step(np.zeros((2, 4), np.float32))[4]["success_known"].all()
    alone = shown(world)
    shown(world, steps=5, first=4)
    assert shown(world) == alone
    assert "gymnasium-robotics" in world.provenance(0)["versions"]
    assert any(name.startswith("gymnasium_robotics.envs.fetch") for name in spec.code())
    world.close()


def test_an_id_that_nobody_knows_says_where_ids_come_from() -> None:
    with pytest.raises(ConfigError, match=r"Nothing.* doesn't exist; give its whole id"):
        GymSpec("Nothing-v0").make(1)
    with pytest.raises(ConfigError, match=r"version `v99`.*v5"):
        GymSpec("Reacher-v99").make(1)
    with pytest.raises(ConfigError, match=r"'Reacher': .*give its whole id"):
        GymSpec("Reacher").make(1)  # not whichever version is the latest

"""Worlds of other libraries, beyond the contract that every world keeps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from trimix.cli.main import main
from trimix.core.contracts import Parent, Start
from trimix.core.errors import ConfigError
from trimix.data.checking.check import check
from trimix.data.dataset import Dataset
from trimix.policy.baselines import RandomPolicy
from trimix.rollout.foreign import DmControlSpec, GymSpec
from trimix.rollout.scenes import run_scenes

TOY = GymSpec("toy_gym:toy/Push-v0", image_hw=(8, 8))
SUITE = DmControlSpec("cartpole", "swingup", image_hw=(16, 16), control_dt_s=0.1, seconds=0.5)


def test_what_an_environment_declares_becomes_the_interface() -> None:
    world = TOY.make(1)
    interface = world.interface
    assert interface.cameras == {"view": (8, 8)} and interface.control_dt_s == pytest.approx(0.1)
    assert len(interface.state) == 3  # its observation is a mapping of 2 + 1 numbers
    assert [(c.low, c.high) for c in interface.action] == [(-1.0, 1.0)] * 2
    assert world.time_limit_s == pytest.approx(5.0)  # 50 steps of its own
    world.close()


def test_an_environment_of_gymnasiums_own_draws_without_a_display() -> None:
    world = GymSpec("InvertedPendulum-v5", image_hw=(16, 16)).make(2)
    obs, info = world.reset(seed=0)
    assert np.ptp(obs["images"]["view"]) > 0 and not info["success_known"].any()
    tilted = np.full((2, 1), 3.0, np.float32)
    ended = np.zeros(2, bool)
    for _ in range(40):
        _, _, terminated, truncated, _ = world.step(tilted)
        assert not truncated.any()
        ended |= terminated
    assert ended.all()  # it fell, which is its own end and not our time limit
    world.close()


def test_success_is_the_environments_own_and_lasts() -> None:
    spec = replace(TOY, kwargs={"goal": 1.5}, seconds=4.0)
    world = spec.make(2)
    push = np.array([[1.0, 1.0], [-1.0, -1.0]], np.float32)
    world.reset(options={"starts": [Start(0, 0), Start(0, 1)], "reset_mask": np.ones(2, bool)})
    seen = [world.step(push)[4]["success"].tolist() for _ in range(25)]
    assert seen[0] == [0.0, 0.0] and seen[-1] == [1.0, 0.0]
    world.step(-push * 1)
    for _ in range(10):
        info = world.step(-push)[4]
    assert info["success"].tolist() == [1.0, 0.0]  # it went back, and had been there
    assert info["success_known"].all()
    world.close()


def test_a_world_that_tells_no_success_is_collected_in_and_not_judged_by(tmp_path: Path) -> None:
    pytest.importorskip("dm_control")
    world = SUITE.make(1)
    with pytest.raises(ConfigError, match="cannot tell success"):
        run_scenes(world, RandomPolicy(world.interface), [Start(0, 0)])
    world.close()
    out = tmp_path / "swings"
    settings = "settings={domain: cartpole, task_name: swingup, image_hw: [16, 16], seconds: 0.2}"
    given = ["world=dm_control", settings, f"out={out}", "episodes=2", "workers=1"]
    assert main(["collect", *given]) == 0
    dataset = Dataset.open(out)
    assert dataset.robot_type == "cartpole" and not check(out)
    made = [e.provenance for e in dataset.episodes]
    assert all(p.success is None and p.world == "dm_control:cartpole/swingup" for p in made)


def test_policies_are_scored_in_a_gymnasium_environment(tmp_path: Path) -> None:
    settings = "settings={id: 'toy_gym:toy/Push-v0', image_hw: [8, 8], seconds: 0.5}"
    given = ["world=gym", settings, "policies.random=random", "scenes=3", "run.workers=1"]
    assert main(["evaluate", *given, f"out={tmp_path}"]) == 0
    assert (tmp_path / "evaluation.json").is_file()


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (GymSpec(), "no environment is named"),
        (GymSpec("NoSuch-v0"), "NoSuch"),
        (GymSpec("no_such_module:X-v0"), "no_such_module"),
        (GymSpec("toy_gym:toy/Buttons-v0"), "not a vector with limits"),
        (replace(TOY, kwargs={"gaol": 1}), "gaol"),
        (DmControlSpec("cartpole", "dance"), "no task 'cartpole/dance'; available: balance"),
    ],
)
def test_what_cannot_be_made_is_one_line(spec: GymSpec | DmControlSpec, said: str) -> None:
    if isinstance(spec, DmControlSpec):
        pytest.importorskip("dm_control")
    with pytest.raises(ConfigError) as caught:
        spec.make(1)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_the_code_of_a_named_module_is_part_of_what_an_environment_is() -> None:
    assert "toy_gym" in TOY.code()
    assert GymSpec("InvertedPendulum-v5").code() == ("trimix.rollout.foreign",)


def test_an_environment_begins_by_its_seeds_alone() -> None:
    world = TOY.make(1)
    for start in (Start(0, 0, draw={"mass": 1.0}), Start(0, 0, parent=Parent("x", 0, 0))):
        with pytest.raises(ConfigError, match="its own seeds"):
            world.reset(options={"starts": [start], "reset_mask": np.ones(1, bool)})
    world.close()

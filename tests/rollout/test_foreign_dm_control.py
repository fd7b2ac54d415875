"""dm_control's suite and manipulation tasks as worlds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("dm_control", reason="dm_control has no build for this Python")

import dm_env
from dm_control import composer, manipulation
from dm_control.rl.control import PhysicsError

from trimix.cli.main import main
from trimix.core.contracts import Start
from trimix.core.errors import ConfigError
from trimix.core.seeds import stream
from trimix.rollout.foreign import DmControlSpec
from trimix.rollout.foreign_dm_control import ManipulationEnvironment, SuiteEnvironment

SMALL: dict[str, Any] = {"cameras": (), "image_hw": (8, 8), "control_dt_s": 0.0}
SUITE = DmControlSpec("cartpole", "swingup", image_hw=(8, 8))
REACH = DmControlSpec("manipulation", "reach_site_vision", image_hw=(84, 84))


def physics(environment: Any, seed: int, steps: int) -> list[bytes]:
    """The simulator's state at every step of the episode of this seed."""
    environment.cameras = ()  # drawing costs most
    environment.reset(seed)
    states = [environment._env.physics.get_state().tobytes()]
    actions = stream(seed, 0, "test").uniform(-1, 1, (steps, len(environment.low)))
    for action in np.clip(actions, environment.low, environment.high).astype(np.float32):
        environment.step(action)
        states.append(environment._env.physics.get_state().tobytes())
    return states


@pytest.mark.parametrize(
    ("domain", "task"),
    [
        ("acrobot", "swingup"),
        ("cartpole", "three_poles"),
        ("finger", "turn_hard"),
        ("fish", "swim"),
        ("hopper", "hop"),
        ("manipulator", "bring_peg"),
        ("point_mass", "hard"),
        ("reacher", "easy"),
        ("stacker", "stack_2"),
        ("walker", "run"),
        ("manipulation", "reach_site_features"),
        ("manipulation", "lift_large_box_features"),
        ("manipulation", "reassemble_5_bricks_random_order_features"),
    ],
)
def test_equal_seeds_are_equal_states_whatever_ran_before(domain: str, task: str) -> None:
    kind = ManipulationEnvironment if domain == "manipulation" else SuiteEnvironment
    environment = kind(domain, task, **SMALL)
    first = physics(environment, 7, 2)
    assert physics(environment, 8, 3)[0] != first[0]
    assert physics(environment, 7, 2) == first
    environment.close()
    other = kind(domain, task, **SMALL)
    assert physics(other, 7, 2) == first
    other.close()


def test_rows_change_no_byte() -> None:
    for spec in (SUITE, replace(REACH, task_name="reach_site_features", image_hw=(8, 8))):
        one, two = spec.make(1), spec.make(2)
        starts = [Start(5, 0), Start(5, 1)]
        both, _ = two.reset(options={"starts": starts, "reset_mask": np.ones(2, bool)})
        for i, start in enumerate(starts):
            obs, _ = one.reset(options={"starts": [start], "reset_mask": np.ones(1, bool)})
            assert obs["state"][0].tobytes() == both["state"][i].tobytes()
            (camera,) = obs["images"]
            assert obs["images"][camera][0].tobytes() == both["images"][camera][i].tobytes()
        assert (both["state"][0] != both["state"][1]).any()
        one.close()
        two.close()


def test_vision_tasks_show_the_environments_own_pictures() -> None:
    world = REACH.make(1)
    assert dict(world.interface.cameras) == {"front_close": (84, 84)}
    assert not any("front_close" in c.name for c in world.interface.state)
    obs, _ = world.reset(seed=2)
    theirs = manipulation.load(REACH.task_name, seed=int(stream(2, 0, "start").integers(2**31)))
    step = theirs.reset()
    assert np.array_equal(obs["images"]["front_close"][0], step.observation["front_close"][0])
    assert world.time_limit_s == 10.0 and world.interface.control_dt_s == pytest.approx(0.04)
    low = [c.low for c in world.interface.action]
    assert low == pytest.approx(theirs.action_spec().minimum.tolist())
    theirs.close()
    world.close()


def test_cameras_of_the_model_are_chosen_by_name() -> None:
    spec = replace(SUITE, cameras=("lookatcart", "fixed"))
    world = spec.make(1)
    obs, _ = world.reset(seed=0)
    assert list(obs["images"]) == ["lookatcart", "fixed"]
    assert (obs["images"]["fixed"] != obs["images"]["lookatcart"]).any()
    world.close()
    with pytest.raises(ConfigError, match="'top' is not there; available: fixed, lookatcart"):
        replace(SUITE, cameras=("top",)).make(1)


def test_time_limits_and_periods_are_the_tasks_own_unless_asked_for() -> None:
    fish = DmControlSpec("fish", "swim", image_hw=(8, 8)).make(1)
    assert fish.time_limit_s == 40.0 and fish.interface.control_dt_s == pytest.approx(0.04)
    fish.close()
    asked = replace(SUITE, control_dt_s=0.05, seconds=0.5).make(1)
    assert asked.time_limit_s == 0.5 and asked.interface.control_dt_s == pytest.approx(0.05)
    asked.close()


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (replace(SUITE, domain="cartpool"), "no domain 'cartpool'; available: acrobot"),
        (replace(REACH, task_name="reach"), "no task 'manipulation/reach'; available: lift_brick"),
        (replace(REACH, seconds=20.0), "seconds is 20; its episodes end after 10; at most 10"),
        (replace(REACH, control_dt_s=0.1), "a period of their own; leave it at 0"),
        (replace(SUITE, control_dt_s=0.013), "(0.013) must be an integer multiple"),
        (replace(SUITE, control_dt_s=-1.0), "control_dt_s is -1; 0 or more"),
        (replace(SUITE, image_hw=(0, 8)), "image_hw is"),
        (replace(SUITE, image_hw=(9000, 8)), "first step: ValueError"),
        (DmControlSpec("lqr", "lqr_2_1"), r"number 0 of 1 lies in [-1e+10, 1e+10]"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(spec: DmControlSpec, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        spec.make(1)
    assert said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("discount", "ends"), [(0.0, (True, False)), (1.0, (False, True)), (0.5, (False, True))]
)
def test_only_a_discount_of_zero_says_that_nothing_follows(
    discount: float, ends: tuple[bool, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = SUITE.make(1)
    world.reset(seed=0)
    env = world._rows[0]._env  # type: ignore[attr-defined]
    last = env.step(np.zeros(1))._replace(step_type=dm_env.StepType.LAST, discount=discount)
    monkeypatch.setattr(env, "step", lambda action: last)
    _, _, terminated, truncated, _ = world.step(np.zeros((1, 1), np.float32))
    assert (bool(terminated[0]), bool(truncated[0])) == ends
    world.close()


def test_a_simulation_that_diverges_is_abstained_from(monkeypatch: pytest.MonkeyPatch) -> None:
    world = SUITE.make(2)
    obs, _ = world.reset(seed=0)

    def diverge(action: np.ndarray) -> Any:
        raise PhysicsError("mjWARN_BADQACC")

    monkeypatch.setattr(world._rows[1]._env, "step", diverge)  # type: ignore[attr-defined]
    after, _, terminated, truncated, info = world.step(np.ones((2, 1), np.float32))
    assert info["abstained"].tolist() == truncated.tolist() == [False, True]
    assert not terminated.any()
    assert (after["state"][0] != obs["state"][0]).any()
    assert np.array_equal(after["state"][1], obs["state"][1])
    world.close()


def test_a_start_without_a_place_for_its_props_is_drawn_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environment = ManipulationEnvironment("manipulation", "reach_site_features", **SMALL)
    real, tries = environment._env.reset, []

    def crowded() -> Any:
        tries.append(environment._env.random_state.uniform())
        if len(tries) % 3:
            raise composer.EpisodeInitializationError("no place")
        return real()

    monkeypatch.setattr(environment._env, "reset", crowded)
    first, again = environment.reset(3), environment.reset(3)
    assert len(tries) == 6 and tries[:3] == tries[3:]
    assert np.array_equal(first.state, again.state)
    environment.close()


def test_policies_are_scored_where_a_reward_says_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = (
        "settings={domain: cartpole, task_name: balance, image_hw: [8, 8], seconds: 0.05, "
        "success_reward: 0.5}"
    )
    given = ["world=dm_control", settings, "policies.random=random", "scenes=2", "run.workers=1"]
    assert main(["evaluate", *given, f"out={tmp_path}"]) == 0
    assert "2/2 succeeded" in capsys.readouterr().out

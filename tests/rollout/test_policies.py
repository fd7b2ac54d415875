"""What policies and worlds are called, and which of them go together."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from toy_point import PointSpec

from trimix.cli.main import main
from trimix.core.errors import ConfigError, MissingError
from trimix.policy import POLICIES
from trimix.policy.store import MODELS
from trimix.rollout.baselines import BaselineSpec
from trimix.rollout.policies import UNTRAINED, policy_of
from trimix.rollout.settings import DreamSettings, WorldSettings
from trimix.rollout.worlds import WORLDS


def test_every_registered_policy_can_be_named() -> None:
    assert {*UNTRAINED, *MODELS} == set(POLICIES)


def test_a_world_that_is_not_registered_is_refused_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match="available: dm_control, dream, gym, mujoco"):
        WorldSettings(world="moon")
    dream = WorldSettings(world="dream", dream=DreamSettings("model", ("data",)))
    made = {type(s.world_spec("train")) for s in (WorldSettings(), dream)}
    assert made == {WORLDS["mujoco"], WORLDS["dream"]}


@pytest.mark.parametrize("text", ["expert", "perturbed", "random", "mean:data", "replay:data"])
def test_a_named_policy_is_sent_to_other_processes(text: str) -> None:
    spec = policy_of(text)
    assert copy.copy(spec) == spec  # which goes through what a pickle goes through
    assert spec.name == text.partition(":")[0]
    assert spec.code()


@pytest.mark.parametrize(("text", "said"), [("expert", "world=mujoco"), ("perturbed", "dream")])
def test_a_policy_that_looks_inside_a_world_acts_in_that_world_only(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        policy_of(text).load(PointSpec().make(1))


def test_a_policy_that_is_not_there_is_refused_with_the_names_that_are() -> None:
    with pytest.raises(MissingError, match=r"expert, perturbed, random, mean, replay"):
        policy_of("runs/nowhere")


def test_a_policy_of_your_own_is_a_module_and_a_function() -> None:
    spec = policy_of("trimix.policy.make:mean:somewhere")
    assert spec == BaselineSpec("trimix.policy.make:mean", "somewhere")
    with pytest.raises(ConfigError, match="no_such_module"):
        policy_of("no_such_module:make")


def test_data_sets_name_policies_without_this_machine(tmp_path: Path) -> None:
    folder = tmp_path / "mine" / "policy"
    folder.mkdir(parents=True)
    assert policy_of(str(folder)).name == "mine/policy"
    assert policy_of(f"mean:{tmp_path}").name == "mean"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("policies") / "pushes"
    given = ["episodes=2", "image_hw=[16,16]", "workers=1", "rows=2"]
    assert main(["collect", f"out={out}", "task=push_t", *given]) == 0
    return out


def test_policies_that_learned_nothing_are_evaluated_like_any_other(
    recorded: Path, tmp_path: Path
) -> None:
    named = [f"policies.{k}={k}:{recorded}" for k in ("mean", "replay")]
    given = ["task=push_t", "scenes=2", "image_hw=[16,16]", "run.workers=1", f"out={tmp_path}"]
    assert main(["evaluate", *named, "policies.random=random", *given]) == 0
    found = json.loads((tmp_path / "evaluation.json").read_text())
    assert [e["arm"] for e in found] == ["mean", "replay", "random"]


def test_a_policy_that_needs_a_data_set_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["task=push_t", "scenes=1", "image_hw=[16,16]", "run.workers=1"]
    assert main(["evaluate", "policies.m=mean", *given]) == 2
    assert "mean:<data set>" in capsys.readouterr().err


def test_what_a_policy_reads_is_what_its_data_set_holds(recorded: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    moved.symlink_to(recorded)
    assert policy_of(f"mean:{recorded}").reads() == policy_of(f"mean:{moved}").reads()
    assert policy_of(f"mean:{recorded}").reads() != policy_of(f"replay:{recorded}").reads()

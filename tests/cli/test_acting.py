"""What the command line calls policies and worlds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trimix.cli.acting import DreamPlace, Place, name_of, policy_at, world_at
from trimix.cli.main import main
from trimix.core.errors import ConfigError, MissingError
from trimix.evaluate.loaders import SIMPLE, WORLDS
from trimix.policy import POLICIES
from trimix.policy.store import MODELS

DREAM = Place(world="dream", dream=DreamPlace("model", ("data",)))


def test_every_registered_policy_can_be_named() -> None:
    assert {*SIMPLE, *MODELS} == set(POLICIES)


def test_a_world_that_is_not_registered_is_refused_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match="available: dream, mujoco"):
        Place(world="moon")
    assert {world_at(p, "train").target.split(":")[1] for p in (Place(), DREAM)} == set(WORLDS)


@pytest.mark.parametrize(("place", "policy"), [(Place(), "perturbed"), (DREAM, "expert")])
def test_a_policy_that_looks_inside_a_world_acts_in_that_world_only(
    place: Place, policy: str
) -> None:
    with pytest.raises(ConfigError, match=f"{policy!r} acts in world="):
        policy_at(place, policy)


def test_a_policy_that_is_not_there_is_refused_with_the_names_that_are() -> None:
    with pytest.raises(MissingError, match=r"expert, perturbed, random, mean, replay"):
        policy_at(Place(), "runs/nowhere")


def test_data_sets_name_policies_without_this_machine(tmp_path: Path) -> None:
    folder = tmp_path / "mine" / "policy"
    folder.mkdir(parents=True)
    assert name_of(str(folder)) == "mine/policy"
    assert [name_of(n) for n in ("expert", f"mean:{tmp_path}", "random")] == [
        "expert",
        "mean",
        "random",
    ]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("acting") / "pushes"
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

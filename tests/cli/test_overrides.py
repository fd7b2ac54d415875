"""Laws of what is typed: names with signs are read, sweeps do not write over each other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from trimix.cli.main import main
from trimix.cli.overrides import readable
from trimix.data.dataset import Dataset

SIGNS = st.text("abc019_-+ ", min_size=1, max_size=8).filter(
    lambda t: t == t.strip() and not set("abc").isdisjoint(t)  # a name and not a number
)


def nested(path: list[str], value: Any) -> dict[str, Any]:
    """{first: {second: ... value}}."""
    for name in reversed(path):
        value = {name: value}
    return value


def at(tree: Any, path: list[str]) -> Any:
    """The value at a path of names."""
    for name in path:
        assert isinstance(tree, Mapping)
        (key,) = tree
        assert key == name
        tree = tree[key]
    return tree


@given(name=SIGNS, value=st.integers(0, 9))
def test_any_name_of_an_arm_can_be_typed(name: str, value: int) -> None:
    override = OverridesParser.create().parse_override(readable(f"arms.a.{name}.sim={value}"))
    key = str(override.key_or_group)
    whole = nested(key.split("."), override.value())
    assert at(whole, ["arms", "a", name, "sim"]) == value


@pytest.mark.parametrize(
    "argument",
    [
        "seeds=3",
        "only=[real+sim]",
        "arms.real-only.sim=1",
        "+sim.more=1",
        "--cfg",
        "~arms.x",
        "a b",
    ],
)
def test_what_hydra_reads_is_left_alone(argument: str) -> None:
    assert readable(argument) == argument


def test_a_sweep_over_an_arms_share_is_one_over_mixes() -> None:
    given = readable("arms.real+sim.sim=0.25,0.5")
    override = OverridesParser.create().parse_override(given)
    assert list(override.sweep_string_iterator()) == [
        "{real+sim:{sim:0.25}}",
        "{real+sim:{sim:0.5}}",
    ]


def test_an_arms_share_is_changed_and_its_others_stay(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pipeline", "arms.real+sim.sim=0.75", "--cfg", "job"]) == 0
    told = capsys.readouterr().out
    mine = told[told.index("  real+sim:") : told.index("  real+sim+dream:")]
    assert mine.split() == ["real+sim:", "real:", "0.5", "sim:", "0.75"]


def test_every_point_of_a_sweep_has_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    few = ["task=push_t", "image_hw=[16,16]", "rows=1", "workers=1", f"out={tmp_path / 'swept'}"]
    assert main(["collect", *few, "--multirun", "episodes=1,2", "seed=3"]) == 0
    made = {p.name: len(Dataset.open(p).episodes) for p in (tmp_path / "swept").iterdir()}
    assert made == {"episodes=1": 1, "episodes=2": 2}
    assert [p.name for p in tmp_path.iterdir()] == ["swept"]

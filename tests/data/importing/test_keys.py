"""Recordings whose features have other names than LeRobot's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trimix.core.errors import ConfigError, DataError
from trimix.data.dataset import Dataset
from trimix.data.importing.importer import ImportConfig, import_dataset

HW = (16, 16)


def bring(foreign: Any, out: Path, **options: Any) -> Dataset:
    return import_dataset(ImportConfig(path=str(foreign.root), out=str(out), **options))


@pytest.mark.parametrize(
    ("state", "action", "cameras"),
    [
        ("state", "actions", {"image": "image", "wrist_image": "wrist_image"}),
        (
            "observation/state",
            "actions",
            {"observation/image": "image", "observation/wrist_image": "wrist_image"},
        ),
        ("observation.state", "action", {"observation.image": "image"}),
        ("observations.states", "Actions", {"images.cam_high": "cam_high"}),
    ],
)
def test_other_conventions_come_in_without_an_option(
    foreign: Any, tmp_path: Path, state: str, action: str, cameras: dict[str, str]
) -> None:
    foreign.state_key, foreign.action_key = state, action
    foreign.cameras, foreign.image_dtype = dict.fromkeys(cameras, HW), "image"
    foreign.names = [["kLeftShoulder", "kLeftElbow"], {"right": ["shoulder", "elbow"]}]
    foreign.action_names = {"left": ["x", "grip"], "right": ["grip"]}
    foreign.extra = {"observation.environment_state": 2, "action_is_pad": 1}
    foreign.write()
    dataset = bring(foreign, tmp_path / "out")
    assert list(dataset.interface.cameras) == list(cameras.values())
    names = [c.name for c in dataset.interface.state]
    assert names == ["kLeftShoulder", "kLeftElbow", "shoulder", "elbow"]
    assert [c.name for c in dataset.interface.action] == ["x", "left.grip", "right.grip"]
    row = dataset.episodes[1]
    rows = slice(row.start, row.start + row.length)
    np.testing.assert_array_equal(dataset.state()[rows], foreign.rows(1)[state])
    np.testing.assert_array_equal(dataset.action()[rows], foreign.rows(1)[action])
    assert "observation.environment_state" in dataset.notes[0]


def test_standard_names_are_taken_before_others(foreign: Any, tmp_path: Path) -> None:
    foreign.extra = {"state": 2, "actions": 5}
    foreign.write()
    dataset = bring(foreign, tmp_path / "out")
    assert len(dataset.interface.state) == 4 and len(dataset.interface.action) == 3


@pytest.mark.parametrize("kind", ["state", "action"])
def test_a_choice_is_the_users(foreign: Any, tmp_path: Path, kind: str) -> None:
    setattr(foreign, f"{kind}_key", f"left.{kind}")
    foreign.extra = {f"right.{kind}": 2}
    foreign.write()
    setting = {"state": "state_keys", "action": "action_key"}[kind]
    said = rf"several features could be the {kind}; choose with {setting}=; candidates: "
    with pytest.raises(DataError, match=said) as fault:
        bring(foreign, tmp_path / "out")
    assert f"left.{kind}" in str(fault.value) and f"right.{kind}" in str(fault.value)
    chosen = f"right.{kind}"
    dataset = bring(
        foreign, tmp_path / "out", **{setting: (chosen,) if kind == "state" else chosen}
    )
    assert len(getattr(dataset.interface, kind)) == 2


def test_no_state_at_all_can_be_chosen(foreign: Any, tmp_path: Path) -> None:
    foreign.state_key = "effort"
    foreign.write()
    assert bring(foreign, tmp_path / "out", state_keys=()).interface.state == ()


def test_cameras_of_one_short_name_must_be_named(foreign: Any, tmp_path: Path) -> None:
    foreign.cameras = {"image": HW, "observation.image": HW}
    foreign.write()
    with pytest.raises(ConfigError, match=r"image, observation\.image have one short name"):
        bring(foreign, tmp_path / "out")
    dataset = bring(
        foreign, tmp_path / "out", cameras={"image": "front", "observation.image": "wrist"}
    )
    assert list(dataset.interface.cameras) == ["front", "wrist"]

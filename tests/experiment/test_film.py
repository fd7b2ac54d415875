"""Laws of filmed episodes: they come back as they were, and equal ones are equal bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from trimix.core.contracts import Channel, PolicyInterface
from trimix.core.episode import Episode, Provenance
from trimix.experiment.film import load_film, save_film

INTERFACE = PolicyInterface(
    {"front": (4, 6), "wrist": (2, 2)},
    (Channel("x"),),
    (Channel("dx", low=-1, high=1),),
    "joint_velocity",
    0.1,
)


def filmed(success: bool = True, frames: int = 5) -> Episode:
    rng = np.random.default_rng(frames)
    return Episode(
        interface=INTERFACE,
        instruction="go",
        images={
            name: rng.integers(0, 255, (frames, *hw, 3)).astype(np.uint8)
            for name, hw in INTERFACE.cameras.items()
        },
        state=rng.normal(size=(frames, 1)).astype(np.float32),
        action=rng.normal(size=(frames, 1)).astype(np.float32),
        provenance=Provenance("sim", world="mujoco:mild", policy="expert", success=success),
    )


def test_what_was_filmed_comes_back_with_its_scene_and_outcome(tmp_path: Path) -> None:
    episodes = {0: filmed(), 41: filmed(success=False, frames=9)}
    for scene, episode in episodes.items():
        save_film(tmp_path, scene, episode)
    found = load_film(tmp_path)
    assert list(found) == [0, 41]
    for scene, episode in episodes.items():
        assert list(found[scene].images) == ["front"]
        np.testing.assert_array_equal(found[scene].images["front"], episode.images["front"])
        np.testing.assert_array_equal(found[scene].action, episode.action)
        assert found[scene].provenance == episode.provenance
        assert found[scene].interface == INTERFACE.select(["front"])


def test_equal_episodes_are_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        save_film(tmp_path / name, 3, filmed())
    first, second = (sorted((tmp_path / n).iterdir()) for n in ("a", "b"))
    assert [p.name for p in first] == [p.name for p in second]
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]


def test_a_world_without_cameras_is_not_filmed(tmp_path: Path) -> None:
    blind = filmed()
    save_film(tmp_path, 0, Episode(**{**vars(blind), "images": {}}))
    assert load_film(tmp_path) == {}

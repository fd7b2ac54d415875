"""Importing foreign data sets: what is kept, what is changed, what is refused."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trimix.core.errors import ConfigError, DataError, MissingError
from trimix.data.checking.check import check
from trimix.data.dataset import Dataset
from trimix.data.importing.importer import ImportConfig, import_dataset
from trimix.data.lerobot import layout

Tree = Callable[[Path], dict[str, bytes]]


def bring(foreign: Any, out: Path, **options: Any) -> Dataset:
    return import_dataset(ImportConfig(path=str(foreign.root), out=str(out), **options))


def refused(foreign: Any, out: Path, match: str, kind: type = DataError, **options: Any) -> None:
    with pytest.raises(kind, match=match):
        bring(foreign, out, **options)
    assert not out.exists() and not layout.partial_folder(out).exists(), "nothing half-written"


def test_a_foreign_data_set_comes_in_whole(foreign: Any, tmp_path: Path) -> None:
    foreign.write()
    dataset = bring(foreign, tmp_path / "out")
    assert check(dataset.root) == []
    assert [e.source_index for e in dataset.episodes] == [0, 1, 4]
    assert dataset.fps == 30 and dataset.robot_type == "toy"
    assert [c.name for c in dataset.interface.state] == [f"channel_{i}" for i in range(4)]
    assert [c.name for c in dataset.interface.action] == ["a", "b", "grip"]
    assert dataset.interface.control_mode == "undeclared"
    for row in dataset.episodes:
        episode, rows = dataset.read_episode(row.index), foreign.rows(row.source_index)
        np.testing.assert_array_equal(episode.state, rows["observation.state"])
        np.testing.assert_array_equal(episode.action, rows["action"])
        assert episode.instruction == f"task {row.source_index % 2}"
        assert episode.provenance.origin == "real"
        original = foreign.frames(row.source_index, "observation.images.top").astype(int)
        assert np.abs(episode.images["top"] - original).mean() < 8, "encoded twice"


def test_image_columns_several_cameras_and_chunks(foreign: Any, tmp_path: Path) -> None:
    foreign.image_dtype, foreign.chunks_size, foreign.fps = "image", 2, 5
    foreign.cameras = {"observation.images.left": (16, 24), "observation.wrist_image": (20, 20)}
    foreign.names, foreign.width, foreign.extra = ["p", "q"], 2, {"observation.effort": 3}
    foreign.write()
    dataset = bring(
        foreign,
        tmp_path / "out",
        cameras={"observation.images.left": "front", "wrist_image": "wrist"},
        image_hw=(8, 12),
        state_unit="m",
        action_unit=("m/s", "m/s", ""),
        control_mode="ee_delta",
    )
    assert dict(dataset.interface.cameras) == {"front": (8, 12), "wrist": (8, 12)}
    assert [(c.name, c.unit) for c in dataset.interface.state] == [("p", "m"), ("q", "m")]
    assert dataset.interface.action[2].unit == ""
    assert dataset.notes == ("1 features of the source not taken: observation.effort",)
    assert check(dataset.root) == []
    original = foreign.frames(4, "observation.images.left").astype(float)
    averaged = original.reshape(15, 8, 2, 12, 2, 3).mean(axis=(2, 4))
    read = dataset.read_episode(2).images["front"]
    assert np.abs(read - averaged).mean() < 4, "area filter, encoded once"


def test_our_own_data_set_comes_in_with_its_provenance(ours: Path, tmp_path: Path) -> None:
    """A v3.0 source in several files; held-out stays held out."""
    source = Dataset.open(ours)
    config = ImportConfig(path=str(ours), out=str(tmp_path / "out"), heldout=0.0)
    dataset = import_dataset(config)
    assert check(dataset.root) == []
    np.testing.assert_array_equal(dataset.state(), source.state())
    np.testing.assert_array_equal(dataset.trust(), source.trust())
    for ours_row, theirs in zip(dataset.episodes, source.episodes, strict=True):
        assert ours_row.provenance == theirs.provenance
    for index in (0, 5):
        one, two = dataset.read_episode(index), source.read_episode(index)
        np.testing.assert_array_equal(one.success, two.success)
        assert np.abs(one.images["wrist"].astype(int) - two.images["wrist"]).mean() < 3


@pytest.mark.parametrize("named", [None, ("grip",), ()])
def test_displacements_are_summed_when_the_rate_falls(
    foreign: Any, tmp_path: Path, named: tuple[str, ...] | None
) -> None:
    foreign.write()
    given = {"control_mode": "ee_delta", "fps": 10.0, "absolute_actions": named}
    dataset = bring(foreign, tmp_path / "out", **given)
    episode, rows = dataset.read_episode(2), foreign.rows(4)["action"]
    thirds = rows[: 3 * len(episode)].reshape(len(episode), 3, 3)
    np.testing.assert_allclose(episode.action[:, :2], thirds[:, :, :2].sum(1), atol=1e-5)
    # A grip of 0 and 1 is told by its values, unless the user says that nothing is absolute.
    grip = thirds[:, :, 2].sum(1) if named == () else thirds[:, 0, 2]
    np.testing.assert_allclose(episode.action[:, 2], grip, atol=1e-5)
    assert any("were summed" in note for note in dataset.notes)


def test_an_absolute_action_that_is_not_there_is_refused(foreign: Any, tmp_path: Path) -> None:
    foreign.write()
    with pytest.raises(ConfigError, match="'jaw' is not known; available: a, b, grip"):
        bring(foreign, tmp_path / "out", control_mode="ee_delta", absolute_actions=("jaw",))


def test_a_jittery_clock_becomes_constant(foreign: Any, tmp_path: Path) -> None:
    jitter = {
        0: np.array([0.02, 0.05, 0.09, 0.12, 0.15, 0.19, 0.24, 0.25, 0.31, 0.32, 0.35, 0.39]),
        1: np.arange(9) / 30,
        4: np.arange(15) / 30 + 5.0,
    }
    foreign.timestamps = lambda index: jitter[index]
    foreign.write()
    dataset = bring(foreign, tmp_path / "out")
    assert [e.length for e in dataset.episodes] == [12, 9, 15]
    assert dataset.notes[0].startswith("1 of 3 episodes put on a constant clock of 30 frames/s")
    episode, rows = dataset.read_episode(0), foreign.rows(0)
    times = 0.02 + np.arange(12) / 30
    for d in range(4):
        expected = np.interp(times, jitter[0].astype(np.float32), rows["observation.state"][:, d])
        np.testing.assert_allclose(episode.state[:, d], expected, atol=1e-5)
    gripper = episode.action[:, 2]
    assert set(gripper) <= {0.0, 1.0}, "a switch holds, it is never half closed"
    assert (np.diff(gripper) >= 0).all()
    np.testing.assert_array_equal(
        dataset.column("timestamp")[:12], (np.arange(12) / 30).astype(np.float32)
    )


def test_another_rate_keeps_the_seconds(foreign: Any, tmp_path: Path) -> None:
    foreign.lengths = {0: 61}
    foreign.write()
    dataset = bring(foreign, tmp_path / "out", fps=10.0)
    assert dataset.fps == 10 and dataset.n_frames == 21
    np.testing.assert_allclose(
        dataset.state(), foreign.rows(0)["observation.state"][::3], atol=1e-5
    )
    assert check(dataset.root) == []


def test_held_out_follows_the_episode_and_not_the_order(foreign: Any, tmp_path: Path) -> None:
    foreign.lengths = dict.fromkeys(range(20), 3)
    foreign.cameras = {}
    foreign.write()
    one = bring(foreign, tmp_path / "one", heldout=0.25, seed=1)
    held = {e.source_index for e in one.episodes if e.provenance.split == "heldout"}
    assert len(held) == 5
    foreign.lengths = dict.fromkeys(reversed(range(20)), 3)
    foreign.write()
    again = bring(foreign, tmp_path / "two", heldout=0.25, seed=1)
    assert {e.source_index for e in again.episodes if e.provenance.split == "heldout"} == held
    other = bring(foreign, tmp_path / "three", heldout=0.25, seed=2)
    assert {e.source_index for e in other.episodes if e.provenance.split == "heldout"} != held


def test_an_import_s_import_keeps_the_first_split_and_says_so(foreign: Any, tmp_path: Path) -> None:
    foreign.write()
    one = bring(foreign, tmp_path / "one", heldout=0.4)
    assert not any("keep their split" in note for note in one.notes)
    config = ImportConfig(path=str(one.root), out=str(tmp_path / "two"), heldout=0.7, seed=5)
    two = import_dataset(config)
    assert [e.provenance.split for e in two.episodes] == [e.provenance.split for e in one.episodes]
    assert two.notes[-1].startswith("3 of 3 episodes were written by trimix and keep their split")


def test_import_is_repeatable_and_does_not_depend_on_the_place(
    foreign: Any, tmp_path: Path, tree_of: Tree
) -> None:
    foreign.write()
    one = bring(foreign, tmp_path / "one")
    stamp = (one.root / layout.INFO).stat().st_mtime_ns
    assert bring(foreign, tmp_path / "one").content_hash == one.content_hash
    assert (one.root / layout.INFO).stat().st_mtime_ns == stamp, "already there: nothing is done"
    foreign.root = foreign.root.rename(tmp_path / "elsewhere")
    two = bring(foreign, tmp_path / "two")
    assert tree_of(two.root) == tree_of(one.root)
    with pytest.raises(DataError, match="other settings made"):
        bring(foreign, tmp_path / "one", heldout=0.5)


def test_skip_bad_leaves_out_and_says_so(foreign: Any, tmp_path: Path) -> None:
    foreign.write()
    foreign.video(0).unlink()
    rows = foreign.rows(4)
    rows["action"][3, 0] = np.nan
    foreign.write_rows(4, rows)
    dataset = bring(foreign, tmp_path / "out", skip_bad=True)
    assert [e.source_index for e in dataset.episodes] == [1]
    assert set(dataset.skipped) == {0, 4}
    assert "the video is missing" in dataset.skipped[0]
    assert "episode 4 row 3: action[0] is nan" in dataset.skipped[4]
    assert str(tmp_path) not in "".join(dataset.skipped.values())
    foreign.parquet(1).unlink()
    refused(foreign, tmp_path / "none", "none of the 2 episodes|no episodes", skip_bad=True)


def test_a_camera_with_missing_videos_can_be_left_out(foreign: Any, tmp_path: Path) -> None:
    foreign.cameras = {"observation.images.a": (16, 16), "observation.images.b": (16, 16)}
    foreign.write()
    foreign.video(1, "observation.images.b").unlink()
    refused(
        foreign, tmp_path / "out", r"images\.b/episode_000001\.mp4 episode 1: the video is miss"
    )
    dataset = bring(foreign, tmp_path / "out", cameras={"a": "a"})
    assert list(dataset.interface.cameras) == ["a"]
    assert dataset.notes == ("1 cameras of the source not taken: observation.images.b",)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def change_rows(index: int, **changed: Callable[[np.ndarray], np.ndarray]) -> Callable[[Any], None]:
    def apply(foreign: Any) -> None:
        rows = foreign.rows(index)
        for name, change in changed.items():
            rows[name] = change(rows[name])
        foreign.write_rows(index, rows)

    return apply


def change_info(**values: Any) -> Callable[[Any], None]:
    def apply(foreign: Any) -> None:
        path = foreign.root / layout.INFO
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return apply


def with_nan(values: np.ndarray) -> np.ndarray:
    values[7, 1] = np.nan
    return values


def going_back(values: np.ndarray) -> np.ndarray:
    values[5] = values[3]
    return values


def with_pause(values: np.ndarray) -> np.ndarray:
    return values + 2.0 * (np.arange(len(values)) > 6).astype(np.float32)


def shorter_video(foreign: Any) -> None:
    """Episode 4's rows with episode 1's shorter video."""
    shutil.copy(foreign.video(1), foreign.video(4))


REFUSALS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "NaN action": (
        change_rows(4, action=with_nan),
        r"episode_000004\.parquet episode 4 row 7: action\[1\] is nan",
    ),
    "infinite state": (
        change_rows(0, **{"observation.state": lambda v: v + np.inf}),
        r"episode 0 row 0: observation\.state\[0\] is inf",
    ),
    "rows cut off": (
        lambda f: cut(f.parquet(1)),
        r"episode_000001\.parquet: the parquet file cannot",
    ),
    "rows missing": (
        lambda f: f.parquet(1).unlink(),
        r"episode_000001\.parquet: the file is missing",
    ),
    "fewer rows than listed": (
        lambda f: f.write_rows(1, {k: v[:-1] for k, v in f.rows(1).items()}),
        "episode 1: 8 rows, 9 are listed",
    ),
    "video missing": (
        lambda f: f.video(4).unlink(),
        r"episode_000004\.mp4 episode 4: the video is missing",
    ),
    "video cut off": (
        lambda f: cut(f.video(4)),
        r"episode_000004\.mp4 episode 4: the video (cannot be decoded|has)",
    ),
    "video of another episode": (shorter_video, "the video has 9 frames, the episode 15 rows"),
    "fps of another rate": (change_info(fps=10), r"episode 0: rows are 0\.03333 s apart"),
    "fps negative": (change_info(fps=-1), r"info\.json: fps is -1"),
    "time running back": (
        change_rows(1, timestamp=going_back),
        r"episode 1 row 5: timestamp .* does not come after",
    ),
    "time standing still": (
        change_rows(1, timestamp=lambda v: v * 0),
        "episode 1 row 1: timestamp",
    ),
    "a pause": (change_rows(4, timestamp=with_pause), r"episode 4 row 7: a pause of 2\.03 s"),
    "frame_index doubled": (
        change_rows(4, frame_index=lambda v: v // 2),
        "episode 4 row 1: frame_index is 0",
    ),
    "task unknown": (
        change_rows(4, task_index=lambda v: v + 9),
        "task_index 9 is not in meta/tasks",
    ),
    "action of another width": (
        change_rows(4, action=lambda v: v[:, :2]),
        "'action' has 2 numbers a row, info.json says 3",
    ),
    "no episodes": (
        lambda f: (f.root / "meta/episodes.jsonl").write_text(""),
        "the data set has no episodes",
    ),
    "a line that is not JSON": (
        lambda f: (f.root / "meta/episodes.jsonl").write_text('{"episode_index": 0\n'),
        r"episodes\.jsonl line 1: not valid JSON",
    ),
    "an old format": (change_info(codebase_version="v1.6"), "format 'v1.6' is not supported"),
    "no info.json": (
        lambda f: (f.root / layout.INFO).unlink(),
        r"info\.json: the file is missing",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_cannot_be_trusted_is_refused(foreign: Any, tmp_path: Path, name: str) -> None:
    break_it, message = REFUSALS[name]
    foreign.write()
    break_it(foreign)
    refused(foreign, tmp_path / "out", message)


def test_settings_that_do_not_fit_are_refused(foreign: Any, tmp_path: Path) -> None:
    foreign.state_key = "observation.joints"
    foreign.write()
    out = tmp_path / "out"
    refused(
        foreign,
        out,
        r"no feature is known to be the state; choose with state_keys=; candidates: "
        r"observation\.joints, action",
    )
    missing = r"'observation\.state' is missing; available: observation\.joints, action; choose"
    refused(foreign, out, missing, state_keys=("observation.state",))
    refused(foreign, out, "'actions' is missing; available", action_key="actions")
    keys = {"state_keys": ("observation.joints",)}
    wrong = "camera 'wirst' is not in the data set; available: top"
    refused(foreign, out, wrong, ConfigError, cameras={"wirst": "w"}, **keys)
    refused(foreign, out, "2 units for 3 action", ConfigError, action_unit=("m", "m"), **keys)
    refused(foreign, out, "control mode 'torque'", ConfigError, control_mode="torque", **keys)
    refused(foreign, out, "heldout is 2", ConfigError, heldout=2.0, **keys)
    refused(foreign, out, "fps is 0", ConfigError, fps=0.0, **keys)
    foreign.root = tmp_path / "nowhere"
    refused(foreign, out, "no such directory", MissingError)


def test_the_real_data_set(
    real_root: Path, tmp_path: Path, first_episodes: Callable[..., Path]
) -> None:
    config = ImportConfig(
        path=str(first_episodes(real_root, tmp_path / "part", 12)),
        out=str(tmp_path / "out"),
        cameras={"top": "wrist"},
        image_hw=(32, 32),
        control_mode="joint_velocity",
        state_unit="rad",
        action_unit=("rad/s",) * 6 + ("",),
    )
    seen: list[int] = []
    dataset = import_dataset(config, progress=lambda done, total: seen.append(done))
    assert seen == list(range(13))
    assert len(dataset.episodes) == 12
    assert Counter(e.provenance.split for e in dataset.episodes) == {"train": 10, "heldout": 2}
    action = dataset.action()
    assert set(np.unique(action[:, 6])) == {0.0, 1.0}
    assert np.abs(action[:, :6]).max() < 1.5
    assert check(dataset.root) == []
    assert dataset.interface.control_dt_s == pytest.approx(0.1)
    assert dataset.notes[0].startswith("12 of 12 episodes put on a constant clock")

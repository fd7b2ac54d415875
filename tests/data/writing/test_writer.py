"""Laws of the writer: what goes in comes out, and being killed changes nothing."""

from __future__ import annotations

import errno
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from trimix.core.contracts import PolicyInterface
from trimix.core.episode import Episode
from trimix.core.errors import DataError, InterfaceError, MissingError, TrimixError
from trimix.data import files
from trimix.data.checking.check import check
from trimix.data.dataset import Dataset
from trimix.data.lerobot import layout
from trimix.data.writing import shard
from trimix.data.writing.writer import DatasetWriter, write_shard

Make = Callable[..., Episode]
Tree = Callable[[Path], dict[str, bytes]]


def build(root: Path, interface: PolicyInterface, make: Make, order: list[int]) -> Dataset:
    with DatasetWriter(root, interface, plan_hash="p") as writer:
        for index in order:
            writer.add(index, make(index))
        return writer.finalize()


def test_episodes_round_trip(ours: Path, make_episode: Make) -> None:
    dataset = Dataset.open(ours)
    assert len(dataset.episodes) == 6
    for index in range(6):
        wrote, read = make_episode(index), dataset.read_episode(index)
        read.validate()
        assert read.interface == wrote.interface
        assert read.instruction == wrote.instruction
        assert read.provenance.fingerprint, "of the rows themselves"
        assert replace(read.provenance, fingerprint=()) == wrote.provenance
        for name in ("state", "action", "reward", "success", "done", "trust", "sim_state"):
            np.testing.assert_array_equal(getattr(read, name), getattr(wrote, name), err_msg=name)
        for camera, images in wrote.images.items():
            error = np.abs(read.images[camera].astype(int) - images).mean()
            assert error < 5, f"{camera}: lossy, but the same pictures"


def test_a_frame_is_nearest_to_its_own_row(ours: Path, make_episode: Make) -> None:
    """No video is shifted: each decoded frame matches its own original best."""
    dataset = Dataset.open(ours)
    for index, frames in dataset.iter_frames("wrist"):
        original = make_episode(index).images["wrist"].astype(int)
        error = np.abs(frames[:, None].astype(int) - original[None]).mean(axis=(2, 3, 4))
        np.testing.assert_array_equal(error.argmin(axis=1), np.arange(len(frames)))


def test_the_flat_columns_are_the_episodes_in_order(ours: Path, make_episode: Make) -> None:
    dataset = Dataset.open(ours)
    state = np.concatenate([make_episode(i).state for i in range(6)])
    np.testing.assert_array_equal(dataset.column("observation.state"), state)
    np.testing.assert_array_equal(dataset.column("index"), np.arange(dataset.n_frames))
    assert dataset.column("next.nothing") is None
    assert [e.start for e in dataset.episodes] == np.cumsum(
        [0, *[e.length for e in dataset.episodes]]
    ).tolist()[:-1]


def test_several_files_of_each_kind(ours: Path) -> None:
    assert len(list(ours.glob("data/*/*.parquet"))) >= 2
    assert len(list(ours.glob("videos/observation.images.wrist/*/*.mp4"))) >= 2


def test_bytes_do_not_depend_on_the_order_of_work(
    tmp_path: Path, interface: PolicyInterface, make_episode: Make, tree_of: Tree
) -> None:
    one = build(tmp_path / "one", interface, make_episode, [0, 1, 2, 3])
    two = build(tmp_path / "two", interface, make_episode, [3, 1, 0, 2])
    assert tree_of(one.root) == tree_of(two.root)
    assert one.content_hash == two.content_hash


def test_gaps_are_closed_and_remembered(
    tmp_path: Path, interface: PolicyInterface, make_episode: Make
) -> None:
    with DatasetWriter(tmp_path / "set", interface) as writer:
        for index in (9, 2):
            writer.add(index, make_episode(index))
        writer.skip(5, "the expert failed")
        dataset = writer.finalize()
    assert [(e.index, e.source_index) for e in dataset.episodes] == [(0, 2), (1, 9)]
    assert dataset.skipped == {5: "the expert failed"}
    assert "the expert failed" in (dataset.root / "README.md").read_text()


def test_the_content_hash_follows_the_content_alone(
    tmp_path: Path, interface: PolicyInterface, make_episode: Make, ours: Path
) -> None:
    one = build(tmp_path / "one", interface, make_episode, [0, 1])
    other = build(tmp_path / "other", interface, make_episode, [0, 2])
    assert one.content_hash != other.content_hash
    before = one.content_hash
    moved = one.root.rename(tmp_path / "moved")
    for path in moved.rglob("*.parquet"):
        os.utime(path, (1, 1))
    assert Dataset.open(moved).content_hash == before
    (moved / layout.MANIFEST).unlink()
    assert Dataset.open(moved).content_hash == before, "the manifest is only a shortcut"


def test_resume_goes_on_and_gives_the_same_bytes(
    tmp_path: Path, interface: PolicyInterface, make_episode: Make, tree_of: Tree
) -> None:
    whole = build(tmp_path / "whole", interface, make_episode, [0, 1, 2])
    with DatasetWriter(tmp_path / "set", interface, plan_hash="p") as writer:
        writer.add(1, make_episode(1))
    with pytest.raises(MissingError, match=r"unfinished: 1 episodes are done; run the command"):
        Dataset.open(tmp_path / "set")
    again = DatasetWriter(tmp_path / "set", interface, plan_hash="p")
    assert again.completed == {1}
    for index in (0, 1, 2):
        again.add(index, make_episode(index))
    assert tree_of(again.finalize().root) == tree_of(whole.root)
    assert not layout.partial_folder(tmp_path / "set").exists()
    third = DatasetWriter(tmp_path / "set", interface, plan_hash="p")
    assert third.finished and third.completed == {0, 1, 2}


def test_another_plan_is_refused(
    tmp_path: Path, interface: PolicyInterface, make_episode: Make
) -> None:
    DatasetWriter(tmp_path / "begun", interface, plan_hash="p").add(0, make_episode(0))
    with pytest.raises(DataError, match="other settings began"):
        DatasetWriter(tmp_path / "begun", interface, plan_hash="q")
    build(tmp_path / "whole", interface, make_episode, [0])
    with pytest.raises(DataError, match="other settings made"):
        DatasetWriter(tmp_path / "whole", interface, plan_hash="q")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("keep me")
    with pytest.raises(DataError, match="not empty and not a data set"):
        DatasetWriter(tmp_path / "mine", interface, plan_hash="p")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "keep me"


def test_bad_episodes_are_refused(
    tmp_path: Path, interface: PolicyInterface, make_episode: Make
) -> None:

    writer = DatasetWriter(tmp_path / "set", interface)
    good = make_episode(0)
    state = good.state.copy()
    state[3, 1] = np.nan
    with pytest.raises(DataError, match="episode 4: state has values that are not finite"):
        writer.add(4, replace(good, state=state))
    other = replace(interface, control_dt_s=0.05)
    with pytest.raises(InterfaceError, match="control period"):
        writer.add(4, replace(good, interface=other))
    with pytest.raises(DataError, match="no episodes"):
        writer.finalize()
    writer.add(0, good)
    writer.add(1, make_episode(1, labelled=False))
    with pytest.raises(DataError, match="label all episodes of a data set alike"):
        writer.finalize()
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("broken", ["shard", "final"])
def test_a_full_disk_is_one_error_and_leaves_nothing_half_written(
    tmp_path: Path,
    interface: PolicyInterface,
    make_episode: Make,
    monkeypatch: pytest.MonkeyPatch,
    broken: str,
) -> None:
    writer = DatasetWriter(tmp_path / "set", interface, plan_hash="p")
    writer.add(0, make_episode(0))

    def full(file: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "sync", full)
    with pytest.raises(TrimixError, match="the disk is full; make room"):
        if broken == "shard":
            writer.add(1, make_episode(1))
        else:
            writer.finalize()
    monkeypatch.undo()
    assert not (tmp_path / "set").exists()
    assert shard.completed_indices(tmp_path / "set") == {0}
    assert not list(layout.partial_folder(tmp_path / "set").glob("dataset-*"))
    writer.add(1, make_episode(1))
    assert len(writer.finalize().episodes) == 2


def test_processes_write_shards_side_by_side(
    tmp_path: Path, interface: PolicyInterface, make_episode: Make, tree_of: Tree
) -> None:
    whole = build(tmp_path / "whole", interface, make_episode, [0, 1, 2, 3])
    writer = DatasetWriter(tmp_path / "set", interface, plan_hash="p")
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        jobs = [
            pool.submit(write_shard, tmp_path / "set", i, make_episode(i)) for i in (0, 1, 2, 3, 3)
        ]
        assert [job.result() for job in jobs] == [0, 1, 2, 3, 3]
    assert tree_of(writer.finalize().root) == tree_of(whole.root)


KILLS = 6
COLLECTOR = """
import sys, time
import numpy as np
from dataclasses import replace
from pathlib import Path
from trimix.core.contracts import Channel, PolicyInterface
from trimix.core.episode import Episode, Provenance
from trimix.core.seeds import stream
from trimix.data.writing.writer import DatasetWriter
interface = PolicyInterface({"a": (16, 16)}, (Channel("x"),), (Channel("v"),), "undeclared", 0.1)
with DatasetWriter(Path(sys.argv[1]), interface, plan_hash="kill") as writer:
    print("begun", flush=True)
    for i in range(40):
        if i in writer.completed:
            continue
        rng = stream(0, i, "kill")
        writer.add(i, Episode(
            interface, "go", {"a": np.repeat(rng.integers(0, 255, (20, 4, 4, 3), dtype=np.uint8),
            4, 1).repeat(4, 2)}, rng.random((20, 1), np.float32), rng.random((20, 1), np.float32),
            Provenance("sim", episode=i)))
    writer.finalize()
"""


def test_kill_at_any_moment_loses_nothing(tmp_path: Path, tree_of: Tree) -> None:
    """Killed at random moments until it gets through: never invalid, the same bytes at the end."""
    command = [sys.executable, "-c", COLLECTOR]
    subprocess.run([*command, str(tmp_path / "whole")], check=True, capture_output=True)
    root, rng, done = tmp_path / "set", random.Random(0), 0
    for _ in range(KILLS):
        process = subprocess.Popen([*command, str(root)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        if root.exists():
            assert check(root) == []
            continue
        assert len(shard.completed_indices(root)) >= done, "a completed episode was lost"
        done = len(shard.completed_indices(root))
        assert [p.what for p in check(root)] == ["the data set is unfinished"]
    subprocess.run([*command, str(root)], check=True, capture_output=True)
    assert done > 0
    assert check(root) == []
    assert tree_of(root) == tree_of(tmp_path / "whole")
    assert not layout.partial_folder(root).exists()

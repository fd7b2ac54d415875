"""Imports in several processes: the same bytes, whatever happens to the processes."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trimix.core.contracts import U8
from trimix.core.errors import ConfigError, DataError, TrimixError
from trimix.core.workers import Local
from trimix.data import files
from trimix.data.dataset import Dataset
from trimix.data.images import resize
from trimix.data.importing import importer
from trimix.data.importing.importer import ImportConfig, import_dataset
from trimix.data.lerobot import layout, video

Tree = Callable[[Path], dict[str, bytes]]

IMPORT = """
import sys
from trimix.data.importing import importer
importer._LEAST_ROWS = 1
if __name__ == "__main__":
    config = importer.ImportConfig(sys.argv[1], sys.argv[2], skip_bad=True, workers=2)
    importer.import_dataset(config)
"""


@pytest.fixture
def recording(foreign: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Nine episodes, of which one lacks its video; every one is worth a process."""
    foreign.lengths = {i: 8 + i for i in range(9)}
    foreign.write()
    foreign.video(4).unlink()
    monkeypatch.setattr(importer, "_LEAST_ROWS", 1)
    return foreign


def bring(foreign: Any, out: Path, **options: Any) -> Dataset:
    return import_dataset(ImportConfig(str(foreign.root), str(out), skip_bad=True, **options))


def test_the_bytes_do_not_depend_on_the_processes(
    recording: Any, tmp_path: Path, tree_of: Tree
) -> None:
    trees = []
    for workers in (1, 2, 3):
        seen: list[int] = []
        out = tmp_path / f"{workers}"
        config = ImportConfig(str(recording.root), str(out), skip_bad=True, workers=workers)
        import_dataset(config, lambda done, total: seen.append(done))  # noqa: B023
        assert seen == list(range(10)), "every episode is told once"
        trees.append(tree_of(out))
    assert trees[0] == trees[1] == trees[2]
    again = import_dataset(
        ImportConfig(str(recording.root), str(tmp_path / "x"), skip_bad=True), executor=Local(2)
    )
    assert tree_of(again.root) == trees[0]
    assert set(again.skipped) == {4}
    with pytest.raises(ConfigError, match="workers is 0"):
        bring(recording, tmp_path / "none", workers=0)


def test_what_another_process_refuses_is_told_here(recording: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(DataError, match=r"episode_000004\.mp4 episode 4: the video is missing"):
        import_dataset(ImportConfig(str(recording.root), str(out), workers=2))
    assert not out.exists() and not layout.partial_folder(out).exists()


@pytest.mark.parametrize("delay_s", [0.0, 0.05, 0.15, 0.4])
def test_a_killed_import_goes_on_and_ends_the_same(
    recording: Any, tmp_path: Path, tree_of: Tree, delay_s: float
) -> None:
    whole = tree_of(bring(recording, tmp_path / "whole").root)
    out, program = tmp_path / "out", tmp_path / "program.py"
    program.write_text(IMPORT)
    process = subprocess.Popen(
        [sys.executable, str(program), str(recording.root), str(out)], start_new_session=True
    )
    partial = layout.partial_folder(out) / "shards"
    while not partial.is_dir() and process.poll() is None:
        time.sleep(0.01)
    while partial.is_dir() and not any(partial.iterdir()) and process.poll() is None:
        time.sleep(0.01)
    time.sleep(delay_s)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert tree_of(bring(recording, out, workers=2).root) == whole


def test_a_disk_that_fills_up_loses_nothing(
    recording: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    shards = layout.partial_folder(out) / "shards"
    sync = files.sync

    def full(file: Any) -> None:
        if any(shards.glob("episode_*")):
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(file)

    with monkeypatch.context() as patch:
        patch.setattr(files, "sync", full)
        with pytest.raises(TrimixError, match="the disk is full"):
            bring(recording, out)
    assert not out.exists()
    assert [p.name for p in shards.iterdir()] == ["episode_000000000"], "whole ones, no leftovers"
    seen: list[int] = []
    import_dataset(
        ImportConfig(str(recording.root), str(out), skip_bad=True),
        lambda done, _: seen.append(done),
    )
    assert seen[0] == 1, "the one that was there is not made again"


def frames(hw: tuple[int, int]) -> U8:
    """Coloured slopes with an edge, as (6, H, W, 3)."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: hw[0], : hw[1]] / max(hw)
    picture = np.stack([255 * y, 255 * x, np.where(x > 0.5, 200, 40)], axis=-1)
    return np.stack([np.roll(picture, 3 * t, 1) for t in range(6)]).astype(np.uint8) // 2 + (
        rng.integers(0, 9, (6, *hw, 3), dtype=np.uint8)
    )


@pytest.mark.parametrize("hw", [(240, 320), (250, 330)])
def test_shrinking_while_decoding_is_the_mean_of_the_area(
    hw: tuple[int, int], tmp_path: Path
) -> None:
    path = tmp_path / "video.mp4"
    given = frames(hw)
    path.write_bytes(video.encode(given, Fraction(10), video.VideoCodec()))
    small = video.read(path, 0, 6, 10.0, image_hw=(32, 40)).astype(float)
    whole = video.read(path, 0, 6, 10.0)
    expected = resize(whole, (32, 40))
    assert np.abs(small - expected).mean() < 2.5, "conversions differ by rounding"
    of_given = resize(given, (32, 40)).astype(float)
    assert np.abs((small - of_given).mean(axis=(0, 1, 2))).max() < 1.0, "no colour is shifted"
    larger = video.read(path, 0, 6, 10.0, image_hw=(480, 640))
    np.testing.assert_array_equal(larger, whole)

"""Laws of collecting: the same bytes however the work is cut, and nothing lost to a kill."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trimix.core.errors import ConfigError, DataError
from trimix.core.workers import Local
from trimix.data.checking.check import check
from trimix.data.dataset import Dataset
from trimix.rollout.collect import collect
from trimix.rollout.mujoco import ExpertSpec, MujocoSpec
from trimix.rollout.verify import Verified, verify

TASK = "push_t"  # the shorter episodes


def digest(root: Path) -> str:
    h = hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        h.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return h.hexdigest()


def make(out: Path, seed: int = 0, rows: int = 2, workers: int = 1) -> Dataset:
    world = MujocoSpec(TASK, "mild", image_hw=(32, 32))
    executor = Local(workers)
    return collect(world, ExpertSpec(), out, episodes=3, seed=seed, rows=rows, executor=executor)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "data"
    make(out)
    return out


def test_bytes_do_not_depend_on_rows_and_workers(whole: Path, tmp_path: Path) -> None:
    make(tmp_path / "other", rows=1, workers=2)
    assert digest(tmp_path / "other") == digest(whole)


def test_what_was_collected_is_sound_and_replays_to_the_bit(whole: Path) -> None:
    assert [p for p in check(whole) if p.severity == "blocks"] == []
    assert verify(whole, threads=(1, 2), rows=(1, 3)) == Verified(3, 3)


@pytest.mark.parametrize("given", [{"threads": ()}, {"rows": (0,)}])
def test_replays_take_threads_and_rows(whole: Path, given: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ConfigError, match="at least 1 each"):
        verify(whole, **given)  # type: ignore[arg-type]


def test_another_plan_is_refused_and_changes_nothing(whole: Path) -> None:
    before = digest(whole)
    with pytest.raises(DataError):
        make(whole, seed=1)
    assert digest(whole) == before


def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    command = [sys.executable, "-m", "trimix.cli.main", "collect", f"out={out}", f"task={TASK}"]
    command += ["episodes=3", "rows=1", "workers=1", "image_hw=[32,32]"]
    shards = Path(f"{out}.partial") / "shards"
    process = subprocess.Popen(
        command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while not (list(shards.glob("episode_*")) or out.exists() or time.monotonic() > deadline):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = {p.name for p in shards.glob("episode_*")}
    assert done or out.exists()
    make(out)
    assert digest(out) == digest(whole)

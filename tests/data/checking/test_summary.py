"""What doctor says of recordings of others: what blocks first, a line a kind, no noise."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trimix.cli.main import main
from trimix.data.checking.check import check
from trimix.data.checking.finding import Finding, summary
from trimix.data.importing.importer import ImportConfig, import_dataset
from trimix.data.lerobot import layout

NAMES = {"observation.state": "state", "action": "actions"}
NOISE = 3.6e-14


def as_openpi(root: Path, camera: str, names: dict[str, Any]) -> None:
    """Rewrite a v3.0 data set of ours as another recorder would have written it.

    Other keys, nested channel names, statistics summed in float32, quantiles averaged over
    episodes; nothing of trimix's.
    """
    keys = {**NAMES, f"observation.images.{camera}": "image"}
    shutil.rmtree(root / "trimix")

    def renamed(name: str) -> str:
        if name.startswith("trimix/"):
            return ""
        parts = name.split("/")
        return "/".join(keys.get(p, p) for p in parts)

    for path in [*root.glob("data/*/*.parquet"), *root.glob("meta/episodes/*/*.parquet")]:
        table = pq.read_table(path)
        columns = {renamed(n): noisy(n, table.column(n)) for n in table.column_names if renamed(n)}
        pq.write_table(pa.table(columns), path)
    for key, new in keys.items():
        if (root / "videos" / key).is_dir():
            (root / "videos" / key).rename(root / "videos" / new)
    info = json.loads((root / layout.INFO).read_text())
    info["features"] = {keys.get(k, k): f for k, f in info["features"].items()}
    for key, nested in names.items():
        info["features"][key]["names"] = nested
    (root / layout.INFO).write_text(json.dumps(info))
    stats = json.loads((root / layout.STATS).read_text())
    stats = {keys.get(k, k): s for k, s in stats.items()}
    for key in ("state", "actions"):
        for name, values in stats[key].items():
            if name.startswith("q"):
                stats[key][name] = [0.9 * v + 0.01 for v in values]
            elif name != "count":
                stats[key][name] = [v + NOISE for v in values]
    (root / layout.STATS).write_text(json.dumps(stats))


def noisy(name: str, column: pa.ChunkedArray) -> Any:
    """An episode's statistics with rounding in them, and quantiles of another definition."""
    if not name.startswith(("stats/observation.state/", "stats/action/")) or "/count" in name:
        return column
    shift = 0.02 if "/q" in name else NOISE
    return pa.array([[v * (1 + shift) + shift for v in row] for row in column.to_pylist()])


def without_videos(root: Path, count: int) -> None:
    for path in sorted(root.glob("videos/*/*/*.mp4"))[:count]:
        path.unlink()


@pytest.fixture
def theirs(ours: Path, tmp_path: Path) -> Path:
    """Six episodes as openpi names them, of which one camera stays LeRobot's."""
    root = tmp_path / "theirs"
    shutil.copytree(ours, root)
    nested = {"state": [["a", "b"], ["c"]], "actions": {"arm": ["v"], "hand": ["grip"]}}
    as_openpi(root, "wrist", nested)
    return root


def doctor(root: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    status = main(["doctor", f"data={root}"])
    return status, capsys.readouterr().out.splitlines()


def test_what_an_import_mends_is_no_fault(theirs: Path, capsys: Any, tmp_path: Path) -> None:
    status, lines = doctor(theirs, capsys)
    assert status == 0 and len(lines) <= 15
    assert lines and all(line.startswith("mended") for line in lines[:-1]), lines
    assert lines[-1].endswith("can be trusted: an import mends the rest")
    dataset = import_dataset(ImportConfig(str(theirs), str(tmp_path / "out")))
    assert [c.name for c in dataset.interface.state] == ["a", "b", "c"]
    assert [c.name for c in dataset.interface.action] == ["v", "grip"]
    assert set(dataset.interface.cameras) == {"image", "front"}
    assert check(dataset.root) == []


def test_rounding_is_not_told_at_all(ours: Path, tmp_path: Path) -> None:
    """A constant channel: 3.6e-14 where it is 0."""
    shutil.copytree(ours, tmp_path / "set")
    path = tmp_path / "set" / layout.STATS
    (tmp_path / "set" / layout.MANIFEST).unlink()
    stats = json.loads(path.read_text())
    stats["action"] = {n: [v + NOISE for v in vs] for n, vs in stats["action"].items()}
    path.write_text(json.dumps(stats))
    assert check(tmp_path / "set") == []


def test_what_blocks_comes_first_and_once(theirs: Path, capsys: Any) -> None:
    without_videos(theirs, 2)
    status, lines = doctor(theirs, capsys)
    assert status == 2 and len(lines) <= 15
    blocking = [line for line in lines if line.startswith("blocks")]
    assert lines[: len(blocking)] == blocking and len(blocking) == 1
    assert "2x" in blocking[0] and "the video is missing" in blocking[0]
    missing = [p for p in check(theirs) if "the video is missing" in p.what]
    assert len(missing) == len({p.where for p in missing}) == 2


def test_the_recorded_arm_under_other_names(
    real_root: Path, tmp_path: Path, capsys: Any, first_episodes: Callable[..., Path]
) -> None:
    part = first_episodes(real_root, tmp_path / "part", 6)
    root = tmp_path / "theirs"
    joints = [f"joint_{i}" for i in range(6)]
    import_dataset(ImportConfig(str(part), str(root)))
    as_openpi(root, "top", {"state": [joints], "actions": {"arm": joints, "hand": ["gripper"]}})
    status, lines = doctor(root, capsys)
    assert status == 0 and len(lines) <= 15, lines
    dataset = import_dataset(ImportConfig(str(root), str(tmp_path / "out"), image_hw=(16, 16)))
    assert [c.name for c in dataset.interface.state] == joints
    assert [c.name for c in dataset.interface.action] == [*joints, "gripper"]
    assert list(dataset.interface.cameras) == ["image"]
    without_videos(root, 1)
    status, lines = doctor(root, capsys)
    assert status == 2 and len(lines) <= 15 and lines[0].startswith("blocks"), lines


def test_kinds_beyond_the_last_line_are_counted() -> None:
    found = [Finding(f"{chr(97 + k)} is {i}", f"r/{i}", "") for k in range(9) for i in range(k + 1)]
    found.append(Finding("made anew", "r/x", "", "mended"))
    lines = summary(found, "r", 5)
    assert len(lines) == 5
    assert lines[0].split() == ["blocks", "9x", "0:", "i", "is", "0"]
    assert lines[-1] == "and 6 kinds more, of which 5 block"


def test_a_reader_that_leaves_early_is_no_fault() -> None:
    """`trimix doctor | head -1`: neither a traceback nor a complaint."""
    code = "from trimix.cli.main import main; import sys; sys.exit(main(['doctor']))"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    said = process.stderr.read().decode()
    assert process.wait() == 141 and said == ""

"""Every way to break a data set that we know of is caught, and a whole one passes.

The manifest's digests are removed first: the content itself must show the fault.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from trimix.core.errors import MissingError
from trimix.data.checking.check import check
from trimix.data.dataset import Dataset
from trimix.data.lerobot import layout

WRIST = "observation.images.wrist"


def data_files(root: Path) -> list[Path]:
    return sorted(root.glob("data/*/*.parquet"))


def meta_file(root: Path) -> Path:
    return root / layout.EPISODES.format(chunk_index=0, file_index=0)


def video_files(root: Path) -> list[Path]:
    return sorted(root.glob(f"videos/{WRIST}/*/*.mp4"))


def edit_info(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def apply(root: Path) -> None:
        info = json.loads((root / layout.INFO).read_text())
        change(info)
        (root / layout.INFO).write_text(json.dumps(info))

    return apply


def edit_stats(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def apply(root: Path) -> None:
        stats = json.loads((root / layout.STATS).read_text())
        change(stats)
        (root / layout.STATS).write_text(json.dumps(stats))

    return apply


def edit_rows(
    name: str, change: Callable[[np.ndarray], Any], file: int = 0
) -> Callable[[Path], None]:
    """Change a column's values in place; its type stays."""

    def apply(root: Path) -> None:
        path = data_files(root)[file]
        table = pq.read_table(path)
        kind = table.schema.field(name).type
        flat = table.column(name).combine_chunks()
        wide = pa.types.is_fixed_size_list(kind)
        values = (flat.flatten() if wide else flat).to_numpy(zero_copy_only=False).copy()
        changed = change(values)
        values = values if changed is None else changed
        column = pa.array(values, kind.value_type if wide else kind)
        if wide:
            column = pa.FixedSizeListArray.from_arrays(column, kind.list_size)
        replace_column(path, table, name, column)

    return apply


def cast_rows(name: str, kind: pa.DataType) -> Callable[[Path], None]:
    def apply(root: Path) -> None:
        for path in data_files(root):
            table = pq.read_table(path)
            replace_column(path, table, name, table.column(name).cast(kind))

    return apply


def edit_meta(name: str, change: Callable[[list[Any]], Any]) -> Callable[[Path], None]:
    def apply(root: Path) -> None:
        table = pq.read_table(meta_file(root))
        values = table.column(name).to_pylist()
        changed = change(values)
        values = values if changed is None else changed
        replace_column(
            meta_file(root), table, name, pa.array(values, table.schema.field(name).type)
        )

    return apply


def replace_column(path: Path, table: pa.Table, name: str, column: Any) -> None:
    at = table.column_names.index(name)
    pq.write_table(table.set_column(at, name, column), path)


def put(index: int, value: Any) -> Callable[[Any], None]:
    def change(values: Any) -> None:
        values[index] = value

    return change


def swap(values: list[Any]) -> None:
    values[0], values[1] = values[1], values[0]


def cut(pick: Callable[[Path], Path], keep: float) -> Callable[[Path], None]:
    def apply(root: Path) -> None:
        path = pick(root)
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * keep)])

    return apply


def drop_column(name: str) -> Callable[[Path], None]:
    def apply(root: Path) -> None:
        for path in data_files(root):
            pq.write_table(pq.read_table(path).drop_columns([name]), path)

    return apply


def add_column(root: Path) -> None:
    path = data_files(root)[0]
    table = pq.read_table(path)
    pq.write_table(table.append_column("stray", pa.array(np.zeros(len(table)))), path)


def tasks_without_index(root: Path) -> None:
    table = pq.read_table(root / layout.TASKS)
    pq.write_table(table.replace_schema_metadata(None), root / layout.TASKS)


def swap_tasks(root: Path) -> None:
    table = pq.read_table(root / layout.TASKS)
    swapped = pa.array(table.column("task").to_pylist()[::-1])
    replace_column(root / layout.TASKS, table, "task", swapped)


def swap_videos(root: Path) -> None:
    one, two = video_files(root)[:2]
    spare = one.with_suffix(".spare")
    one.rename(spare)
    two.rename(one)
    spare.rename(two)


def edit_trust(root: Path) -> None:
    tensors = load_file(root / layout.ROWS)
    tensors["trust"][3] = 1.5
    save_file(tensors, root / layout.ROWS)


def shorten_trust(root: Path) -> None:
    tensors = load_file(root / layout.ROWS)
    tensors["trust"] = tensors["trust"][:-1].copy()
    save_file(tensors, root / layout.ROWS)


def edit_interface(root: Path) -> None:
    raw = json.loads((root / layout.INTERFACE).read_text())
    raw["state"][0]["name"] = "elbow"
    (root / layout.INTERFACE).write_text(json.dumps(raw))


CORRUPTIONS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "state as float64": (
        cast_rows("observation.state", pa.list_(pa.float64(), 3)),
        "is double, info.json says float32",
    ),
    "reward as int": (
        lambda r: [
            replace_column(
                p,
                pq.read_table(p),
                "next.reward",
                pa.array(np.zeros(len(pq.read_table(p)), np.int64)),
            )
            for p in data_files(r)
        ],
        "is int64, info.json says float32",
    ),
    "timestamp as float64": (cast_rows("timestamp", pa.float64()), "is double"),
    "index as int32": (cast_rows("index", pa.int32()), "is int32"),
    "frame_index from 1": (edit_rows("frame_index", lambda v: v + 1), "frame_index is 1"),
    "index with a hole": (edit_rows("index", lambda v: v + (v > 3)), "index is 5"),
    "episode_index swapped": (
        edit_rows("episode_index", lambda v: 1 - v if v.max() == 1 else v + 1),
        "rows",
    ),
    "timestamps of another rate": (edit_rows("timestamp", lambda v: v / 2), "timestamp is"),
    "one timestamp off": (edit_rows("timestamp", put(2, 0.2103)), "timestamp is 0.2103"),
    "NaN action": (edit_rows("action", put(4, np.nan)), "'action' is not finite"),
    "infinite state": (edit_rows("observation.state", put(4, np.inf)), "is not finite"),
    "task_index swapped": (edit_rows("task_index", lambda v: 1 - v), "its rows say"),
    "task_index unknown": (edit_rows("task_index", lambda v: v * 0 + 7), "task_index 7 is not in"),
    "column gone": (drop_column("action"), "column 'action' is missing"),
    "column unlisted": (add_column, "column 'stray' is not in info.json"),
    "rows cut off": (cut(lambda r: data_files(r)[0], 0.6), "cannot be read"),
    "rows file gone": (lambda r: data_files(r)[-1].unlink(), "is missing"),
    "tasks not the pandas index": (tasks_without_index, "not the pandas index"),
    "tasks swapped": (swap_tasks, "its rows say"),
    "task listed twice": (
        lambda r: replace_column(
            r / layout.TASKS, pq.read_table(r / layout.TASKS), "task", pa.array(["push", "push"])
        ),
        "listed twice",
    ),
    "fps doubled": (edit_info(lambda i: i.update(fps=20)), "timestamp is"),
    "fps zero": (edit_info(lambda i: i.update(fps=0)), "fps is 0"),
    "fps a string": (edit_info(lambda i: i.update(fps="ten")), "fps is 'ten'"),
    "total_frames wrong": (edit_info(lambda i: i.update(total_frames=9)), "total_frames is 9"),
    "total_episodes wrong": (edit_info(lambda i: i.update(total_episodes=5)), "total_episodes"),
    "total_tasks wrong": (edit_info(lambda i: i.update(total_tasks=1)), "total_tasks is 1"),
    "split beyond the end": (edit_info(lambda i: i.update(splits={"train": "0:9"})), "split"),
    "state declared wider": (
        edit_info(lambda i: i["features"]["observation.state"].update(shape=[4])),
        "has 3 numbers, info.json says 4",
    ),
    "image declared larger": (
        edit_info(lambda i: i["features"][WRIST].update(shape=[32, 32, 3])),
        "info.json says 32x32",
    ),
    "counter declared float": (
        edit_info(lambda i: i["features"]["index"].update(dtype="float32")),
        "feature 'index' is float32",
    ),
    "another format": (
        edit_info(lambda i: i.update(codebase_version="v9")),
        "format 'v9' is not supported",
    ),
    "video_path null": (edit_info(lambda i: i.update(video_path=None)), "'video_path' is missing"),
    "info cut off": (cut(lambda r: r / layout.INFO, 0.5), "not valid JSON"),
    "stats gone": (lambda r: (r / layout.STATS).unlink(), "the statistics are missing"),
    "stats of a feature gone": (edit_stats(lambda s: s.pop("action")), "no statistics of 'action'"),
    "stats of a camera gone": (edit_stats(lambda s: s.pop(WRIST)), f"no statistics of '{WRIST}'"),
    "mean wrong": (edit_stats(lambda s: s["action"]["mean"].__setitem__(0, 5.0)), "mean of 'act"),
    "std wrong": (edit_stats(lambda s: s["action"]["std"].__setitem__(1, 0.1)), "std of 'action'"),
    "min and max swapped": (
        edit_stats(lambda s: s["action"].update(min=s["action"]["max"], max=s["action"]["min"])),
        "quantiles of 'action' are not in order",
    ),
    "quantile wrong": (
        edit_stats(lambda s: s["observation.state"].update(q99=s["observation.state"]["q50"])),
        "q99 of 'observation.state'",
    ),
    "count wrong": (edit_stats(lambda s: s["action"].update(count=[3])), "count of 'action'"),
    "stats too short": (
        edit_stats(lambda s: s["action"]["mean"].pop()),
        "mean of 'action' is missing or not 2 numbers",
    ),
    "image stats in bytes": (
        edit_stats(lambda s: s[WRIST].update(mean=[[[120.0]], [[120.0]], [[120.0]]])),
        "outside 0..1",
    ),
    "image mean wrong": (
        edit_stats(lambda s: s[WRIST].update(mean=[[[0.0]], [[0.0]], [[0.0]]])),
        f"mean of '{WRIST}'",
    ),
    "episode stats wrong": (
        edit_meta("stats/action/mean", put(1, [0.0, 0.0])),
        "mean of 'action'",
    ),
    "episode stats gone": (edit_meta("stats/action/std", put(1, None)), "std of 'action' is missi"),
    "length wrong": (edit_meta("length", put(0, 4)), "rows"),
    "dataset_from_index wrong": (edit_meta("dataset_from_index", put(2, 1)), "rows 1 to"),
    "episodes numbered twice": (edit_meta("episode_index", put(1, 0)), "listed twice"),
    "episode number skipped": (edit_meta("episode_index", put(5, 6)), "number 6 at place 5"),
    "boundary episode in the wrong file": (
        edit_meta("data/file_index", lambda v: [0, *v[1:-1], 0]),
        "of its",
    ),
    "tasks of episodes swapped": (edit_meta("tasks", swap), "its rows say"),
    "from_timestamp drifts": (
        edit_meta(f"videos/{WRIST}/from_timestamp", put(1, 0.503)),
        "from_timestamp is 0.503",
    ),
    "to_timestamp wrong": (
        edit_meta(f"videos/{WRIST}/to_timestamp", put(0, 9.0)),
        "to_timestamp is 9",
    ),
    "video file_index wrong": (
        edit_meta(f"videos/{WRIST}/file_index", put(0, 1)),
        "from_timestamp is",
    ),
    "video gone": (lambda r: video_files(r)[0].unlink(), "the video is missing"),
    "video without its end": (cut(lambda r: video_files(r)[0], 0.5), "cannot be decoded"),
    "video not a video": (lambda r: video_files(r)[0].write_bytes(b"hello"), "cannot be decoded"),
    "videos swapped": (swap_videos, "the video is another episode's"),
    "trust above 1": (edit_trust, "trust is 1.5"),
    "trust too short": (shorten_trust, "'trust' has"),
    "side file cut off": (cut(lambda r: r / layout.ROWS, 0.5), "cannot be read"),
    "interface of another robot": (edit_interface, "state channels"),
}


@pytest.fixture
def copy(ours: Path, tmp_path: Path) -> Path:
    root = tmp_path / "set"
    shutil.copytree(ours, root)
    (root / layout.MANIFEST).unlink()
    return root


def test_a_whole_data_set_has_no_problem(ours: Path, copy: Path) -> None:
    assert check(ours) == []
    assert check(copy) == []


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_broken_data_set_is_caught(copy: Path, name: str) -> None:
    corrupt, expected = CORRUPTIONS[name]
    corrupt(copy)
    problems = check(copy)
    assert any(expected in str(p) for p in problems), [str(p) for p in problems]
    assert all(p.where for p in problems), "every problem names its place"


def test_a_flipped_bit_is_caught_by_the_digests(ours: Path, tmp_path: Path) -> None:
    root = tmp_path / "set"
    shutil.copytree(ours, root)
    path = root / "README.md"
    path.write_text("another card")
    assert check(root) == [], "the card may be edited"
    content = bytearray(video_files(root)[0].read_bytes())
    content[len(content) // 2] ^= 1
    video_files(root)[0].write_bytes(bytes(content))
    assert any("not the one that was written" in p.what for p in check(root))


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no such directory"):
        check(tmp_path / "nowhere")
    with pytest.raises(MissingError, match="no data set is there"):
        Dataset.open(tmp_path / "nowhere")


def test_a_whole_v21_data_set_has_no_problem_and_a_broken_one_has(foreign: Any) -> None:
    foreign.write()
    assert check(foreign.root) == []
    foreign.video(1).unlink()
    rows = foreign.rows(4)
    rows["action"][6, 1] = np.nan
    foreign.write_rows(4, rows)
    found = [str(p) for p in check(foreign.root)]
    assert any("episode 1" in p and "the video is missing" in p for p in found)
    assert any("episode 4 row 6" in p and "'action' is not finite" in p for p in found)


junk = st.sampled_from([None, -1, 0, 1.5, "x", [], {}, [1, 2], True, "{a}", 10**20])


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_junk_in_the_metadata_is_a_problem_and_never_a_crash(
    foreign: Any, data: st.DataObject
) -> None:
    foreign.lengths = {0: 3, 1: 2}
    foreign.write()
    name = data.draw(st.sampled_from(["info.json", "episodes.jsonl", "tasks.jsonl"]))
    path = foreign.root / "meta" / name
    lines = path.read_text().splitlines()
    value = json.loads(lines[0])
    spot, at = value, data.draw(st.sampled_from(sorted(value)))
    while isinstance(spot[at], dict) and spot[at] and data.draw(st.booleans()):
        spot, at = spot[at], data.draw(st.sampled_from(sorted(spot[at])))
    spot[at] = data.draw(junk)
    path.write_text("\n".join([json.dumps(value), *lines[1:]]))
    for problem in check(foreign.root):
        assert problem.what and problem.where

"""Do the rows agree with info.json, meta/episodes and meta/tasks?

Axes: F rows of the whole data set, T rows of one episode, D channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from trimix.core.errors import DataError
from trimix.data.checking.finding import Findings
from trimix.data.importing.resample import ClockLimits, check_clock
from trimix.data.lerobot import columns, layout
from trimix.data.lerobot.folder import EpisodeEntry, LeRobotFolder

TOLERANCE_S = 1e-4
"""What LeRobot tolerates between a timestamp and its frame."""

_ARROW = {
    "float32": pa.float32(),
    "float64": pa.float64(),
    "int64": pa.int64(),
    "int32": pa.int32(),
    "int16": pa.int16(),
    "int8": pa.int8(),
    "uint8": pa.uint8(),
    "bool": pa.bool_(),
    "string": pa.string(),
}


def check(source: LeRobotFolder, found: Findings) -> dict[str, np.ndarray] | None:
    """Note what is wrong; the flat columns, (F,) or (F, D), unless they cannot be read."""
    by_file: dict[Path, dict[str, np.ndarray]] = {}
    for path in sorted((source.root / "data").glob("*/*.parquet")):
        with found.catching():
            by_file[path] = _read(path, source.features, found)
    _check_places(source, by_file, found)
    parts = list(by_file.values())
    if not parts or {frozenset(p) for p in parts} != {frozenset(parts[0])}:
        if parts:
            found.add("files have different columns", str(source.root / "data"), "write them anew")
        return None
    flat = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}
    _check_counters(source, flat, found)
    return flat


def _read(
    path: Path, features: Mapping[str, Mapping[str, Any]], found: Findings
) -> dict[str, np.ndarray]:
    table = columns.read_table(path)
    stored = {k: f for k, f in features.items() if f["dtype"] != "video"}
    for name in table.column_names:
        if name not in stored:
            found.mended(f"column {name!r} is not in info.json", str(path), "LeRobot refuses it")
    for name, feature in stored.items():
        if name not in table.column_names:
            found.add(f"column {name!r} is missing", str(path), "info.json lists it")
        else:
            _check_type(table.schema.field(name).type, name, feature, path, found)
    numbers = columns.numeric(
        table.select([n for n in table.column_names if n in stored]), str(path)
    )
    for name, values in numbers.items():
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            row = int(np.argwhere(~np.isfinite(values))[0][0])
            found.add(f"{name!r} is not finite", f"{path} {_place(numbers, row)}", "drop it")
    return numbers


def _place(numbers: Mapping[str, np.ndarray], row: int) -> str:
    if {"episode_index", "frame_index"} <= set(numbers):
        return f"episode {numbers['episode_index'][row]} row {numbers['frame_index'][row]}"
    return f"row {row}"


def _check_type(
    kind: pa.DataType, name: str, feature: Mapping[str, Any], path: Path, found: Findings
) -> None:
    shape, dtype = list(feature["shape"]), feature["dtype"]
    if dtype == "image" or len(shape) > 1 or dtype not in _ARROW:
        return
    is_list = (
        pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind)
    )
    value = kind.value_type if is_list else kind
    if value != _ARROW[dtype]:
        found.mended(
            f"column {name!r} is {value}, info.json says {dtype}", str(path), "LeRobot casts it"
        )
    if pa.types.is_fixed_size_list(kind) and kind.list_size != shape[0]:
        found.mended(
            f"column {name!r} has {kind.list_size} numbers, info.json says {shape[0]}", str(path)
        )
    if not is_list and shape != [1]:
        found.mended(f"column {name!r} has one number a row, info.json says {shape}", str(path))


def _check_places(
    source: LeRobotFolder, by_file: Mapping[Path, Mapping[str, np.ndarray]], found: Findings
) -> None:
    """meta/episodes: numbered without a gap, spans that follow, rows in the file it names."""
    start, meta = 0, source.root / "meta" / "episodes"
    for position, row in enumerate(source.episodes):
        where = f"{meta} episode {row.index}"
        if row.index != position:
            found.add(f"number {row.index} at place {position}", where, "leave no gap")
        span = (row.extra.get("dataset_from_index"), row.extra.get("dataset_to_index"))
        if span != (start, start + row.length):
            found.add(f"rows {span[0]} to {span[1]}, not {start} to {start + row.length}", where)
        start += row.length
        _check_file(row, by_file, where, found)
    listed = {row.data for row in source.episodes}
    for path in by_file:
        if path not in listed:
            found.add("no episode of meta/episodes is in this file", str(path), "delete it")


def _check_file(
    row: EpisodeEntry,
    by_file: Mapping[Path, Mapping[str, np.ndarray]],
    where: str,
    found: Findings,
) -> None:
    if not row.data.is_file():
        found.add(f"its file {row.data.name} is missing", where, f"expected {row.data}")
        return
    rows = by_file.get(row.data, {}).get("episode_index")
    if rows is None:
        return  # the file's own problem is noted
    count = int((rows == row.index).sum())
    if count != row.length:
        elsewhere = [p for p, t in by_file.items() if (t["episode_index"] == row.index).any()]
        found.add(
            f"{count} of its {row.length} rows are in {row.data}",
            where,
            f"its rows are in {', '.join(map(str, elsewhere)) or 'no file'}",
        )


def _check_counters(source: LeRobotFolder, flat: Mapping[str, np.ndarray], found: Findings) -> None:
    if not set(layout.COUNTERS) <= set(flat):
        return  # noted as missing columns
    total, folder = len(flat["index"]), source.root / "data"
    if not np.array_equal(flat["index"], np.arange(total)):
        at = int(np.flatnonzero(flat["index"] != np.arange(total))[0])
        found.mended(f"index is {flat['index'][at]}", f"{folder} row {at}", f"it should be {at}")
    start = 0
    for row in source.episodes:
        rows = slice(start, start + row.length)
        start += row.length
        where = f"{folder} episode {row.index}"
        part = {name: flat[name][rows] for name in layout.COUNTERS}
        if len(part["index"]) < row.length or (part["episode_index"] != row.index).any():
            found.add("its rows are not where meta/episodes says", where, "")
            continue
        _check_episode(source, row, part, where, found)


def _check_episode(
    source: LeRobotFolder,
    row: EpisodeEntry,
    part: Mapping[str, np.ndarray],
    where: str,
    found: Findings,
) -> None:
    counted = np.arange(row.length)
    wrong = np.flatnonzero(part["frame_index"] != counted)
    if len(wrong):
        found.add(
            f"frame_index is {part['frame_index'][wrong[0]]}",
            f"{where} row {wrong[0]}",
            f"it should be {wrong[0]}",
        )
    off = np.abs(part["timestamp"].astype(np.float64) - counted / source.fps)
    # float32 holds a timestamp of some hours only to about 1e-7 of it.
    wrong = np.flatnonzero(off > TOLERANCE_S + 1e-6 * counted / source.fps)
    if len(wrong):
        found.add(
            f"timestamp is {part['timestamp'][wrong[0]]:.6g} s",
            f"{where} row {wrong[0]}",
            f"at {source.fps:g} frames/s it is {wrong[0] / source.fps:.6g} s",
            "mended" if _is_clock(part["timestamp"], source.fps) else "blocks",
        )
    numbers = np.unique(part["task_index"])
    unlisted = [int(n) for n in numbers if int(n) not in source.tasks]
    if unlisted:
        found.add(f"task_index {unlisted[0]} is not in tasks.parquet", where, "")
        return
    said = {source.tasks[int(n)] for n in numbers}
    if said != set(row.tasks):
        found.add(
            f"its rows say {sorted(said)}, meta/episodes says {sorted(row.tasks)}",
            where,
            "task indices are swapped or missing",
        )


def _is_clock(seconds: np.ndarray, fps: float) -> bool:
    """Whether an import could put these times on a constant clock."""
    try:
        check_clock(seconds.astype(np.float64), fps, ClockLimits(), "")
    except DataError:
        return False
    return True

"""Finding what is wrong with a LeRobot directory, including what the stock reader accepts.

`check` never stops at the first fault and never repairs. It returns problems; an empty list means
that rows, metadata, statistics and videos agree with each other.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from safetensors import SafetensorError, safe_open

from trimix.core.contracts import PolicyInterface
from trimix.core.errors import DataError, MissingError
from trimix.data import files, lineage, provenance
from trimix.data.checking import rows as check_rows
from trimix.data.checking import stats as check_stats
from trimix.data.checking import videos as check_videos
from trimix.data.checking.finding import Finding, Findings
from trimix.data.importing import keys
from trimix.data.importing.resample import ClockLimits, check_clock
from trimix.data.lerobot import layout
from trimix.data.lerobot.folder import LeRobotFolder
from trimix.data.manifest import listed_files

__all__ = ["Finding", "check"]

Progress = Callable[[int, int], None]

_COUNTER_TYPES = {"timestamp": "float32"} | dict.fromkeys(layout.COUNTERS[1:], "int64")


def check(root: str | Path, progress: Progress | None = None) -> list[Finding]:
    """Everything that is wrong with the data set at root; empty if nothing is.

    What an import would put right is told apart from what it would refuse.

    Every row is read and every video decoded.

    Args:
        root: a LeRobotDataset directory, v2.0, v2.1 or v3.0.
        progress: called with (videos done, videos in all).

    Raises:
        MissingError: nothing is there at all.
    """
    root = Path(root)
    found = Findings()
    if not root.exists() and not layout.partial_folder(root).exists():
        raise MissingError("no such directory", where=str(root), do="check the path")
    if layout.partial_folder(root).exists() and not (root / layout.INFO).exists():
        found.add(
            "the data set is unfinished",
            str(layout.partial_folder(root)),
            "run the command that began it again; it goes on where it stopped",
        )
        return found.problems
    try:
        source = LeRobotFolder.open(root, verify=False)
    except DataError as fault:
        found.add(fault.what, fault.where, fault.do)
        return found.problems
    if source.version != layout.VERSION:
        _check_old(source, found, progress)
        return found.problems
    _check_info(source, found)
    _check_keys(source, found)
    _check_tasks(source, found)
    flat = check_rows.check(source, found)
    frames = check_videos.check(source, found, progress)
    if flat is not None:
        check_stats.check(source, flat, frames, found)
    _check_side(source, found)
    return found.problems


def _check_old(source: LeRobotFolder, found: Findings, progress: Progress | None) -> None:
    """v2.x: what an import would refuse."""
    _check_keys(source, found)
    for row in source.episodes:
        where = f"{row.data} episode {row.index}"
        with found.catching():
            table = source.read_rows(row)
            for name, values in table.items():
                if values.dtype.kind == "f" and not np.isfinite(values).all():
                    at = int(np.argwhere(~np.isfinite(values))[0][0])
                    found.add(f"{name!r} is not finite", f"{where} row {at}", "drop the episode")
            if "timestamp" in table:
                clock = table["timestamp"].astype(np.float64)
                check_clock(clock, source.fps, ClockLimits(), where)
    check_videos.check(source, found, progress)


def _check_info(source: LeRobotFolder, found: Findings) -> None:
    info, where = source.info, str(source.root / layout.INFO)
    lengths = [e.length for e in source.episodes]
    for name, actual in (
        ("total_episodes", len(lengths)),
        ("total_frames", sum(lengths)),
        ("total_tasks", len(source.tasks)),
    ):
        if info.get(name) != actual:
            found.mended(
                f"{name} is {info.get(name)!r}, there are {actual}", where, f"set {actual}"
            )
    for name in ("chunks_size", "data_files_size_in_mb", "video_files_size_in_mb"):
        value = info.get(name, 1)
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            found.mended(f"{name} is {value!r}", where, "set a positive number")
    for name, dtype in _COUNTER_TYPES.items():
        feature = source.features.get(name)
        if feature is None:
            found.mended(f"feature {name!r} is missing", where, f"add it as {dtype} [1]")
        elif feature["dtype"] != dtype or list(feature["shape"]) != [1]:
            found.mended(
                f"feature {name!r} is {feature['dtype']} {list(feature['shape'])}",
                where,
                f"LeRobot's is {dtype} [1]",
            )
    for key in source.features:
        if "/" in key:
            found.mended(f"feature {key!r} has a slash in its name", where, "rename it")
    for split, span in (info.get("splits") or {}).items():
        if not _is_span(span, len(lengths)):
            found.mended(f"split {split!r} is {span!r}", where, f"episodes are 0:{len(lengths)}")
    if source.camera_keys and info.get("video_path") is None:
        videos = [k for k in source.camera_keys if source.features[k]["dtype"] == "video"]
        if videos:
            found.add("video_path is null, but there are videos", where, f"set {layout.VIDEO!r}")


def _check_keys(source: LeRobotFolder, found: Findings) -> None:
    """Whether an import would know the state and the action."""
    if (source.root / layout.INTERFACE).is_file():
        return  # ours: it may have neither
    for recognise in (keys.action_key, keys.state_keys):
        with found.catching():
            recognise(None, source)


def _is_span(span: Any, episodes: int) -> bool:
    parts = str(span).split(":")
    if len(parts) != 2 or not all(p.isdigit() for p in parts):
        return False
    return 0 <= int(parts[0]) <= int(parts[1]) <= episodes


def _check_tasks(source: LeRobotFolder, found: Findings) -> None:
    path = source.root / layout.TASKS
    schema = pq.read_schema(path)
    described = (schema.metadata or {}).get(b"pandas", b"")
    if b'"index_columns": ["task"]' not in described and b"__index_level_0__" not in described:
        found.mended(
            "the task is a column, not the pandas index",
            str(path),
            "LeRobot would give numbers for instructions; write it with trimix or pandas",
        )
    numbers = pq.read_table(path).column("task_index").to_pylist()
    if numbers != list(range(len(numbers))):
        found.mended(f"task_index is {numbers[:8]}", str(path), "number them 0, 1, ... in order")
    if len(set(source.tasks.values())) < len(source.tasks):
        found.mended("a task is listed twice", str(path), "merge its rows")
    for row in source.episodes:
        unknown = [t for t in row.tasks if t not in source.tasks.values()]
        if unknown or not row.tasks:
            found.mended(
                f"task {unknown[0]!r} is not in tasks.parquet" if unknown else "no task",
                f"{source.root / 'meta/episodes'} episode {row.index}",
                "list it in tasks.parquet",
            )


def _check_side(source: LeRobotFolder, found: Findings) -> None:
    """What trimix keeps beside LeRobot's files."""
    root = source.root
    for row in source.episodes:
        with found.catching():
            provenance.from_columns(row.extra, str(root))
    with found.catching():
        lineage.read_models(source.contents)
    if (root / layout.INTERFACE).is_file():
        with found.catching():
            _check_interface(source, found)
    if (root / layout.ROWS).is_file():
        _check_tensors(source, found)
    if (root / layout.MANIFEST).is_file():
        with found.catching():
            for name, (size, digest) in listed_files(root).items():
                path = root / name
                if not path.exists():
                    found.add("the file is missing", str(path), "copy the data set again")
                elif path.stat().st_size != size or files.digest(path) != digest:
                    found.add(
                        "the file is not the one that was written",
                        str(path),
                        f"copy it again, or delete {root / layout.MANIFEST} if it was meant",
                    )


def _check_interface(source: LeRobotFolder, found: Findings) -> None:
    where = str(source.root / layout.INTERFACE)
    try:
        interface = PolicyInterface.from_json(files.read_json(source.root / layout.INTERFACE))
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        found.add(f"not an interface ({fault!r})", where, "delete the file to derive it anew")
        return
    cameras = {layout.camera_name(k): source.image_hw(k) for k in source.camera_keys}
    if dict(interface.cameras) != cameras:
        found.add(f"cameras {dict(interface.cameras)}, info.json has {cameras}", where, "")
    for kind, key in (("state", layout.STATE), ("action", layout.ACTION)):
        ours = [c.name for c in getattr(interface, kind)]
        theirs = [c.name for c in layout.channels_of(source.features.get(key))]
        if ours != theirs:
            found.add(f"{kind} channels {ours}, info.json has {theirs}", where, "")
    if abs(interface.control_dt_s * source.fps - 1.0) > 1e-6:
        found.add(
            f"control period {interface.control_dt_s:g} s, info.json has {source.fps:g} frames/s",
            where,
            "",
        )


def _check_tensors(source: LeRobotFolder, found: Findings) -> None:
    path = source.root / layout.ROWS
    lengths = {str(e.index): e.length for e in source.episodes}
    total = sum(lengths.values())
    try:
        with safe_open(path, framework="numpy") as tensors:
            for name in tensors.keys():  # noqa: SIM118  (not a mapping)
                rows = tensors.get_slice(name).get_shape()[0]
                expected = total if name == "trust" else lengths.get(_episode_of(name))
                if rows != expected:
                    found.add(f"{name!r} has {rows} rows, not {expected}", str(path), "")
                elif name == "trust":
                    trust = tensors.get_tensor(name)
                    if not ((trust >= 0) & (trust <= 1)).all():
                        row = int(np.flatnonzero(~((trust >= 0) & (trust <= 1)))[0])
                        found.add(f"trust is {trust[row]}", f"{path} row {row}", "it is in 0..1")
    except SafetensorError as fault:
        found.add(f"the file cannot be read ({fault})", str(path), "copy it again")


def _episode_of(name: str) -> str:
    """The episode of "sim_state/<episode>" or "frame/<episode>/..."; "" of any other tensor."""
    kind, _, rest = name.partition("/")
    return rest.partition("/")[0] if kind in ("sim_state", "frame") else ""

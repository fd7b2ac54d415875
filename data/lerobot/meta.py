"""The metadata of a LeRobot directory, v2.0 to v3.0, read without trust in its types."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa

from trimix.core.errors import DataError
from trimix.data import files
from trimix.data.contents import is_within
from trimix.data.lerobot import columns, layout

VERSIONS = ("v2.0", "v2.1", "v3.0")
_EPISODE_LINES = "meta/episodes.jsonl"
_TASK_LINES = "meta/tasks.jsonl"


@dataclass(frozen=True)
class VideoSpan:
    """Where an episode stands in a video file: from this frame on."""

    path: Path
    start: int


@dataclass(frozen=True)
class EpisodeEntry:
    """What the metadata says of one episode.

    Args:
        index: as the data set numbers it; there may be gaps.
        data: the file with its rows.
        videos: video feature -> where its frames are.
        extra: the other columns of meta/episodes.
    """

    index: int
    length: int
    tasks: tuple[str, ...]
    data: Path
    videos: Mapping[str, VideoSpan]
    extra: Mapping[str, Any]


def checked_info(path: Path) -> dict[str, Any]:
    """info.json, with the keys and types that reading relies on; DataError names what is wrong."""
    info = files.read_json(path)
    if not isinstance(info, dict):
        raise DataError("not a JSON object", where=str(path))
    for name in ("codebase_version", "fps", "features", "data_path"):
        if name not in info:
            raise DataError(f"{name!r} is missing", where=str(path))
    version, fps = info["codebase_version"], info["fps"]
    if version not in VERSIONS:
        raise DataError(
            f"format {version!r} is not supported",
            where=str(path),
            do=f"supported: {', '.join(VERSIONS)}; convert it with LeRobot first",
        )
    if isinstance(fps, bool) or not isinstance(fps, int | float) or not 0 < fps < math.inf:
        raise DataError(f"fps is {fps!r}, not a positive number", where=str(path))
    if not isinstance(info["features"], dict):
        raise DataError("'features' is not a table", where=str(path))
    for key, feature in info["features"].items():
        if not isinstance(feature, dict) or not {"dtype", "shape"} <= set(feature):
            raise DataError(f"feature {key!r} lacks dtype or shape", where=str(path))
        shape, is_image = feature["shape"], feature["dtype"] in ("video", "image")
        if (
            not isinstance(shape, list)
            or not all(type(size) is int and size > 0 for size in shape)
            or (is_image and len(shape) != 3)
        ):
            raise DataError(f"feature {key!r} has shape {shape!r}", where=str(path))
    if not isinstance(info.get("splits") or {}, dict):
        raise DataError(f"'splits' is {info['splits']!r}, not a table", where=str(path))
    return info


def read_tasks(root: Path, version: str) -> dict[int, str]:
    """task_index -> instruction, of either format."""
    if version != layout.VERSION:
        lines = files.read_json_lines(root / _TASK_LINES)
        where = str(root / _TASK_LINES)
        return {_whole(t, "task_index", where): str(_need(t, "task", where)) for t in lines}
    path = root / layout.TASKS
    table = columns.read_table(path, None)
    texts = [
        c
        for c in table.column_names
        if pa.types.is_string(table.schema.field(c).type)
        or pa.types.is_large_string(table.schema.field(c).type)
    ]
    if "task_index" not in table.column_names or not texts:
        raise DataError("needs the columns 'task_index' and 'task'", where=str(path))
    name = "task" if "task" in texts else texts[0]
    pairs = zip(table.column("task_index").to_pylist(), table.column(name).to_pylist(), strict=True)
    return dict(pairs)


def episodes_v2(root: Path, info: Mapping[str, Any]) -> tuple[EpisodeEntry, ...]:
    """The episodes of a v2.0 or v2.1 directory, in order of their index."""
    path = root / _EPISODE_LINES
    chunks_size = info.get("chunks_size", layout.FILES_PER_CHUNK)
    if type(chunks_size) is not int or chunks_size < 1:
        raise DataError(f"chunks_size is {chunks_size!r}", where=str(root / layout.INFO))
    keys = [k for k, f in info["features"].items() if f["dtype"] == "video"]
    found = []
    for line in files.read_json_lines(path):
        index = _whole(line, "episode_index", str(path))
        place = {"episode_chunk": index // chunks_size, "episode_index": index}
        videos = {
            key: VideoSpan(root / _filled(info, "video_path", root, {**place, "video_key": key}), 0)
            for key in keys
        }
        found.append(
            EpisodeEntry(
                index=index,
                length=_whole(line, "length", str(path)),
                tasks=_texts(line, "tasks", str(path)),
                data=root / _filled(info, "data_path", root, place),
                videos=videos,
                extra={"episode_index": index},
            )
        )
    return _in_order(found, path)


def episodes_v3(root: Path, info: Mapping[str, Any]) -> tuple[EpisodeEntry, ...]:
    """The episodes of a v3.0 directory, in order of their index."""
    folder = root / "meta" / "episodes"
    paths = sorted(folder.glob("*/*.parquet"))
    if not paths:
        raise DataError("there are no episodes", where=str(folder))
    keys = [k for k, f in info["features"].items() if f["dtype"] == "video"]
    found = []
    for path in paths:
        names = tuple(n for n in columns.read_names(path) if not n.startswith("stats/"))
        for row in columns.read_table(path, names).to_pylist():
            where = str(path)
            index = _whole(row, "episode_index", where)
            place = {n: _whole(row, f"data/{n}", where) for n in ("chunk_index", "file_index")}
            videos = {}
            for key in keys:
                prefix = f"videos/{key}"
                spot = {n: _whole(row, f"{prefix}/{n}", where) for n in place}
                name = _filled(info, "video_path", root, {**spot, "video_key": key})
                begin = _need(row, f"{prefix}/from_timestamp", where)
                if not isinstance(begin, float) or not 0 <= begin < math.inf:
                    raise DataError(f"from_timestamp of {key!r} is {begin!r}", where=where)
                videos[key] = VideoSpan(root / name, round(begin * float(info["fps"])))
            found.append(
                EpisodeEntry(
                    index=index,
                    length=_whole(row, "length", where),
                    tasks=_texts(row, "tasks", where),
                    data=root / _filled(info, "data_path", root, place),
                    videos=videos,
                    extra=row,
                )
            )
    return _in_order(found, folder)


def _in_order(found: list[EpisodeEntry], where: Path) -> tuple[EpisodeEntry, ...]:
    found.sort(key=lambda e: e.index)
    for before, after in pairwise(found):
        if before.index == after.index:
            raise DataError(f"episode {after.index} is listed twice", where=str(where))
    for episode in found:
        if episode.length <= 0:
            raise DataError(f"episode {episode.index} has no rows", where=str(where))
    return tuple(found)


def _need(row: Any, name: str, where: str) -> Any:
    if not isinstance(row, dict) or row.get(name) is None:
        raise DataError(f"{name!r} is missing", where=where)
    return row[name]


def _whole(row: Any, name: str, where: str) -> int:
    value = _need(row, name, where)
    if isinstance(value, bool) or not isinstance(value, int):
        raise DataError(f"{name!r} is {value!r}, not a whole number", where=where)
    return value


def _texts(row: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
    values = row.get(name) or []
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        raise DataError(f"{name!r} is {values!r}, not a list of texts", where=where)
    return tuple(values)


def templates(info: Mapping[str, Any]) -> list[str]:
    """Where info.json says that rows and videos are, as far as it does."""
    named = [info.get(name) for name in ("data_path", "video_path")]
    return [template for template in named if isinstance(template, str)]


def _filled(info: Mapping[str, Any], name: str, root: Path, values: Mapping[str, Any]) -> str:
    template = info.get(name)
    where = str(root / layout.INFO)
    if not isinstance(template, str):
        raise DataError(f"{name!r} is missing, but there are videos", where=where)
    try:
        filled = template.format(**values)
    except (KeyError, IndexError, AttributeError, ValueError) as fault:
        raise DataError(f"{name!r} is {template!r}: {fault!r}", where=where) from None
    if not is_within(filled):
        raise DataError(f"{name!r} is {template!r}: it leads out of the data set", where=where)
    return filled

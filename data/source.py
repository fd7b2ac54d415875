"""A LeRobot directory as it was found: v2.0, v2.1 or v3.0, any robot, any file grouping.

Axes: F rows of the whole data set, T rows of one episode, H x W pixels, D channels of a feature.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from trimix.core.contracts import U8
from trimix.core.errors import DataError, MissingError
from trimix.data import columns, files, images, layout, video

VERSIONS = ("v2.0", "v2.1", "v3.0")
_EPISODE_LINES = "meta/episodes.jsonl"
_TASK_LINES = "meta/tasks.jsonl"


@dataclass(frozen=True)
class VideoSpan:
    """Where an episode stands in a video file: from this frame on."""

    path: Path
    start: int


@dataclass(frozen=True)
class SourceEpisode:
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


@dataclass(frozen=True, eq=False)
class Source:
    """A directory's metadata, and its rows and frames on request.

    Args:
        version: v2.0, v2.1 or v3.0.
        features: as in info.json.
        tasks: task index -> instruction.
        camera_keys: features that hold RGB frames.
    """

    root: Path
    version: str
    fps: float
    robot_type: str
    features: Mapping[str, Mapping[str, Any]]
    tasks: Mapping[int, str]
    episodes: tuple[SourceEpisode, ...]
    camera_keys: tuple[str, ...]
    info: Mapping[str, Any] = field(repr=False)

    @classmethod
    def open(cls, root: str | Path) -> Source:
        """Read the metadata.

        Raises:
            MissingError: the directory does not exist.
            DataError: a metadata file is missing, broken or says something impossible.
        """
        root = Path(root)
        if not root.exists():
            raise MissingError("no such directory", where=str(root), do="check the path")
        info = _checked_info(root / layout.INFO)
        version = info["codebase_version"]
        read = _episodes_v3 if version == layout.VERSION else _episodes_v2
        episodes = read(root, info)
        if not episodes:
            raise DataError("the data set has no episodes", where=str(root / "meta"))
        return cls(
            root=root,
            version=version,
            fps=float(info["fps"]),
            robot_type=str(info.get("robot_type") or ""),
            features=info["features"],
            tasks=_tasks(root, version),
            episodes=episodes,
            camera_keys=tuple(k for k, f in info["features"].items() if _is_rgb(f)),
            info=info,
        )

    def image_hw(self, key: str) -> tuple[int, int]:
        """(height, width) that info.json declares for an image feature."""
        shape, names = self.features[key]["shape"], self.features[key].get("names") or []
        by_name = dict(zip(names, shape, strict=False)) if isinstance(names, list) else {}
        if {"height", "width"} <= set(by_name):
            return int(by_name["height"]), int(by_name["width"])
        if shape[0] in (1, 3) and shape[2] not in (1, 3):
            return int(shape[1]), int(shape[2])
        return int(shape[0]), int(shape[1])

    def read_rows(self, episode: SourceEpisode) -> dict[str, np.ndarray]:
        """The numeric columns of one episode: (T,) or (T, D).

        Raises:
            DataError: the file cannot be read, holds other rows than it should, or a row is
                ragged or empty.
        """
        table = self._table(episode)
        where = f"{episode.data} episode {episode.index}"
        return columns.numeric(table, where)

    def read_frames(self, episode: SourceEpisode, key: str) -> U8:
        """(T, H, W, 3) uint8 frames of one camera.

        Raises:
            DataError: a file is missing, broken, or has too few frames.
        """
        where = f"episode {episode.index}"
        if key in episode.videos:
            span = episode.videos[key]
            return video.read(span.path, span.start, episode.length, self.fps, where)
        column = self._table(episode).column(key).to_pylist()
        return images.decode_all(column, self.root, f"{episode.data} {where} {key}")

    def iter_frames(self, key: str) -> Iterator[tuple[int, U8]]:
        """(episode index, (T, H, W, 3) uint8) of every episode in order; each file opened once.

        Raises:
            DataError: as read_frames.
        """
        reader: Iterator[U8] = iter(())
        path, at = None, 0
        for episode in self.episodes:
            span = episode.videos.get(key)
            if span is None:
                yield episode.index, self.read_frames(episode, key)
                continue
            if span.path != path or span.start < at:
                reader, path, at = video.frames(span.path, f"episode {episode.index}"), span.path, 0
            wanted = list(islice(reader, span.start - at, span.start - at + episode.length))
            if len(wanted) < episode.length:
                raise video.too_short(path, episode.length, len(wanted), f"episode {episode.index}")
            at = span.start + episode.length
            yield episode.index, np.stack(wanted)

    def flat_columns(self) -> dict[str, np.ndarray]:
        """The numeric columns of the whole v3.0 data set: (F,) or (F, D).

        Raises:
            DataError: a file cannot be read, or the rows are not those of meta/episodes.
        """
        folder = self.root / "data"
        names = [k for k, f in self.features.items() if f["dtype"] not in ("video", "image")]
        tables = [_read_table(path, tuple(names)) for path in sorted(folder.glob("*/*.parquet"))]
        if not tables:
            raise DataError("there are no rows", where=str(folder))
        flat = columns.numeric(pa.concat_tables(tables), str(folder))
        lengths = [e.length for e in self.episodes]
        expected = np.repeat([e.index for e in self.episodes], lengths)
        if not np.array_equal(flat.get("episode_index", expected), expected):
            raise DataError(
                "the rows are not those that meta/episodes lists",
                where=str(folder),
                do="run `trimix doctor` on it to see which episode is wrong",
            )
        return flat

    def _table(self, episode: SourceEpisode) -> pa.Table:
        table = self._recent(episode.data)
        where = f"{episode.data} episode {episode.index}"
        if self.version == layout.VERSION:
            if "episode_index" not in table.column_names:
                raise DataError("column 'episode_index' is missing", where=where)
            mask = table.column("episode_index").to_numpy() == episode.index
            table = table.filter(pa.array(mask))
        if len(table) != episode.length:
            raise DataError(f"{len(table)} rows, {episode.length} are listed in meta", where=where)
        return table

    @cached_property
    def _recent(self) -> Any:
        """Reads a parquet file, keeping the last two: episodes that follow share a file."""
        return lru_cache(maxsize=2)(_read_table)


def _is_rgb(feature: Mapping[str, Any]) -> bool:
    if feature["dtype"] not in ("video", "image"):
        return False
    facts = feature.get("info") or feature.get("video_info") or {}
    return not (facts.get("is_depth_map") or facts.get("video.is_depth_map"))


def _checked_info(path: Path) -> dict[str, Any]:
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
    for key, feature in info["features"].items():
        if not isinstance(feature, dict) or not {"dtype", "shape"} <= set(feature):
            raise DataError(f"feature {key!r} lacks dtype or shape", where=str(path))
        if feature["dtype"] in ("video", "image") and len(feature["shape"]) != 3:
            raise DataError(f"feature {key!r} has shape {feature['shape']}", where=str(path))
    return info


def _tasks(root: Path, version: str) -> dict[int, str]:
    if version != layout.VERSION:
        lines = files.read_json_lines(root / _TASK_LINES)
        where = str(root / _TASK_LINES)
        return {int(_need(t, "task_index", where)): str(_need(t, "task", where)) for t in lines}
    path = root / layout.TASKS
    table = _read_table(path, None)
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


def _episodes_v2(root: Path, info: Mapping[str, Any]) -> tuple[SourceEpisode, ...]:
    path = root / _EPISODE_LINES
    chunks_size = int(info.get("chunks_size", layout.FILES_PER_CHUNK))
    keys = [k for k, f in info["features"].items() if f["dtype"] == "video"]
    found = []
    for line in files.read_json_lines(path):
        index = int(_need(line, "episode_index", str(path)))
        place = {"episode_chunk": index // chunks_size, "episode_index": index}
        videos = {
            key: VideoSpan(root / _filled(info, "video_path", root, {**place, "video_key": key}), 0)
            for key in keys
        }
        found.append(
            SourceEpisode(
                index=index,
                length=int(_need(line, "length", str(path))),
                tasks=tuple(line.get("tasks") or ()),
                data=root / _filled(info, "data_path", root, place),
                videos=videos,
                extra={"episode_index": index},
            )
        )
    return _in_order(found, path)


def _episodes_v3(root: Path, info: Mapping[str, Any]) -> tuple[SourceEpisode, ...]:
    folder = root / "meta" / "episodes"
    paths = sorted(folder.glob("*/*.parquet"))
    if not paths:
        raise DataError("there are no episodes", where=str(folder))
    keys = [k for k, f in info["features"].items() if f["dtype"] == "video"]
    found = []
    for path in paths:
        names = tuple(n for n in _schema(path).names if not n.startswith("stats/"))
        for row in _read_table(path, names).to_pylist():
            where = str(path)
            index = int(_need(row, "episode_index", where))
            place = {n: int(_need(row, f"data/{n}", where)) for n in ("chunk_index", "file_index")}
            videos = {}
            for key in keys:
                prefix = f"videos/{key}"
                spot = {n: int(_need(row, f"{prefix}/{n}", where)) for n in place}
                name = _filled(info, "video_path", root, {**spot, "video_key": key})
                begin = float(_need(row, f"{prefix}/from_timestamp", where))
                videos[key] = VideoSpan(root / name, round(begin * float(info["fps"])))
            found.append(
                SourceEpisode(
                    index=index,
                    length=int(_need(row, "length", where)),
                    tasks=tuple(row.get("tasks") or ()),
                    data=root / _filled(info, "data_path", root, place),
                    videos=videos,
                    extra=row,
                )
            )
    return _in_order(found, folder)


def _in_order(found: list[SourceEpisode], where: Path) -> tuple[SourceEpisode, ...]:
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


def _filled(info: Mapping[str, Any], name: str, root: Path, values: Mapping[str, Any]) -> str:
    template = info.get(name)
    where = str(root / layout.INFO)
    if not isinstance(template, str):
        raise DataError(f"{name!r} is missing, but there are videos", where=where)
    try:
        return template.format(**values)
    except (KeyError, IndexError, ValueError) as fault:
        raise DataError(f"{name!r} is {template!r}: {fault!r}", where=where) from None


def _schema(path: Path) -> pa.Schema:
    try:
        return pq.read_schema(path)
    except (pa.ArrowInvalid, OSError) as fault:
        raise _broken(path, fault) from None


def _read_table(path: Path, names: tuple[str, ...] | None = None) -> pa.Table:
    if not path.is_file():
        raise DataError("the file is missing", where=str(path))
    try:
        table = pq.read_table(path, columns=None if names is None else list(names))
    except (pa.ArrowInvalid, OSError) as fault:
        raise _broken(path, fault) from None
    absent = [n for n in names or () if n not in table.column_names]
    if absent:
        raise DataError(f"column {absent[0]!r} is missing", where=str(path))
    return table


def _broken(path: Path, fault: Exception) -> DataError:
    return DataError(
        f"the parquet file cannot be read ({str(fault).splitlines()[0]})",
        where=str(path),
        do="it is cut off or damaged: copy it again from its source",
    )

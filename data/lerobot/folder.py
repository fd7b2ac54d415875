"""A LeRobot directory as it was found: v2.0, v2.1 or v3.0, any robot, any file grouping.

Axes: F rows of the whole data set, T rows of one episode, H x W pixels, D channels of a feature.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from trimix.core.contracts import U8
from trimix.core.errors import DataError, MissingError
from trimix.data import files, images
from trimix.data.contents import Contents
from trimix.data.lerobot import columns, layout, video
from trimix.data.lerobot import meta as source_meta
from trimix.data.lerobot.meta import EpisodeEntry

__all__ = ["EpisodeEntry", "LeRobotFolder"]


@dataclass(frozen=True, eq=False)
class LeRobotFolder:
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
    episodes: tuple[EpisodeEntry, ...]
    camera_keys: tuple[str, ...]
    info: Mapping[str, Any] = field(repr=False)
    contents: Contents = field(repr=False)

    @classmethod
    def open(cls, root: str | Path, verify: bool = True) -> LeRobotFolder:
        """Read the metadata.

        Args:
            verify: whether files that trimix wrote must be as it wrote them.

        Raises:
            MissingError: the directory does not exist.
            DataError: a metadata file is missing, changed, broken or says something impossible.
        """
        root = Path(root)
        if not root.exists():
            raise MissingError("no such directory", where=str(root), do="check the path")
        meta = Contents(root, verify)
        for path in files.files_below(root, "meta"):
            meta.checked(path)
        info = source_meta.checked_info(root / layout.INFO)
        contents = Contents(root, verify, source_meta.templates(info))
        version = info["codebase_version"]
        read = source_meta.episodes_v3 if version == layout.VERSION else source_meta.episodes_v2
        episodes = read(root, info)
        if not episodes:
            raise DataError("the data set has no episodes", where=str(root / "meta"))
        return cls(
            root=root,
            version=version,
            fps=float(info["fps"]),
            robot_type=str(info.get("robot_type") or ""),
            features=info["features"],
            tasks=source_meta.read_tasks(root, version),
            episodes=episodes,
            camera_keys=tuple(k for k, f in info["features"].items() if _is_rgb(f)),
            info=info,
            contents=contents,
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

    def read_rows(self, episode: EpisodeEntry) -> dict[str, np.ndarray]:
        """The numeric columns of one episode: (T,) or (T, D).

        Raises:
            DataError: the file cannot be read, holds other rows than it should, or a row is
                ragged or empty.
        """
        table = self._table(episode)
        where = f"{episode.data} episode {episode.index}"
        return columns.numeric(table, where)

    def __getstate__(self) -> dict[str, Any]:
        """What another process is told: not what this one has read."""
        read = ("_recent", "_facts")
        return {name: value for name, value in self.__dict__.items() if name not in read}

    def video_facts(self, episode: EpisodeEntry, key: str) -> video.VideoFacts:
        """What the file with the episode's frames says of itself; each is looked at once.

        Raises:
            DataError: the file is missing or broken.
        """
        path = episode.videos[key].path
        if path not in self._facts:
            self._facts[path] = video.probe(path, f"episode {episode.index}")
        return self._facts[path]

    def read_frames(
        self, episode: EpisodeEntry, key: str, image_hw: tuple[int, int] | None = None
    ) -> U8:
        """(T, H, W, 3) uint8 frames of one camera.

        Args:
            image_hw: what the frames of a video are shrunk to while they are decoded, if they are
                larger; None keeps their size.

        Raises:
            DataError: a file is missing, broken, or has too few frames.
        """
        where = f"episode {episode.index}"
        if key in episode.videos:
            span = episode.videos[key]
            path = self.contents.checked(span.path)
            return video.read(path, span.start, episode.length, self.fps, where, image_hw)
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
                path, at = self.contents.checked(span.path), 0
                reader = video.frames(path, f"episode {episode.index}")
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
        tables = [
            columns.read_table(self.contents.checked(path), tuple(names))
            for path in sorted(folder.glob("*/*.parquet"))
        ]
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

    def _table(self, episode: EpisodeEntry) -> pa.Table:
        table = self._recent(self.contents.checked(episode.data))
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
    def _facts(self) -> dict[Path, video.VideoFacts]:
        return {}

    @cached_property
    def _recent(self) -> Any:
        """Reads a parquet file, keeping the last two: episodes that follow share a file."""
        return lru_cache(maxsize=2)(columns.read_table)


def _is_rgb(feature: Mapping[str, Any]) -> bool:
    if feature["dtype"] not in ("video", "image"):
        return False
    facts = feature.get("info") or feature.get("video_info") or {}
    return not (facts.get("is_depth_map") or facts.get("video.is_depth_map"))

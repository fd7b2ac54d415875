"""Joining shards into the files of a LeRobotDataset v3.0.

How episodes are grouped into files depends only on their order and their sizes, so the bytes do
not depend on when, where or in what order the episodes were made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import save

from trimix.core.contracts import PolicyInterface
from trimix.core.errors import DataError
from trimix.core.version import release
from trimix.data import files, provenance
from trimix.data.lerobot import columns, layout, stats, video
from trimix.data.lineage import Models, models_json
from trimix.data.writing import card
from trimix.data.writing.shard import Shard, same_optional

_MEGABYTE = 1 << 20
_INT64 = pa.int64()


@dataclass
class _Gathered:
    """What the pass over the shards collects for the files of meta/ and trimix/."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    tables: list[pa.Table] = field(default_factory=list)
    histograms: dict[str, np.ndarray] = field(default_factory=dict)
    sampled: int = 0
    trust: list[np.ndarray] = field(default_factory=list)
    has_trust: bool = False
    per_episode: dict[str, np.ndarray] = field(default_factory=dict)
    tasks: dict[str, int] = field(default_factory=dict)


def assemble(
    out: Path,
    shards: Sequence[Shard],
    interface: PolicyInterface,
    *,
    robot_type: str,
    plan_hash: str,
    codec: video.VideoCodec,
    limits: layout.FileLimits,
    notes: Sequence[str] = (),
    models: Models | None = None,
) -> None:
    """Write the whole data set into the empty folder `out`, meta/info.json last.

    Args:
        models: what world models learned from; kept of those that episodes were dreamed by.

    Raises:
        DataError: there is no episode, or some are labelled and others are not.
    """
    kept = [s for s in shards if s.skipped is None]
    if not kept:
        raise DataError(
            "the data set has no episodes", where=str(out.parent), do="add at least one episode"
        )
    optional = same_optional(kept)
    pixels = {c: codec.pixel_format(*hw) for c, hw in interface.cameras.items()}
    table = layout.features(interface, optional, codec.name, pixels)
    gathered = _gather(kept, interface, layout.fps_of(interface))
    _write_data(out, gathered, limits)
    _write_videos(out, kept, gathered, interface, limits)
    _write_meta(out, gathered, table, interface)
    _write_side(out, gathered, interface, robot_type)
    _write_lineage(out, kept, models or {})
    frames = sum(s.length for s in kept)
    totals = (len(kept), frames, len(gathered.tasks))
    info = layout.info(interface, table, robot_type, totals, limits)
    skipped = {str(s.index): s.skipped for s in shards if s.skipped is not None}
    text = card.render(info, gathered.rows, interface, skipped, notes)
    files.write_bytes(out / layout.CARD, text.encode())
    files.write_json(out / layout.INFO, info)
    digests = {
        p.relative_to(out).as_posix(): [p.stat().st_size, files.digest(p)]
        for p in files.files_below(out, "data", "meta", "trimix", "videos")
    }
    manifest = {
        "format": 1,
        "trimix": release(),
        "plan_hash": plan_hash,
        "source_indices": [s.index for s in shards],
        "skipped": skipped,
        "notes": list(notes),
        "files": digests,
    }
    files.write_json(out / layout.MANIFEST, manifest)
    for folder in sorted({p.parent for p in out.rglob("*")}):
        files.sync_folder(folder)


def _gather(shards: Sequence[Shard], interface: PolicyInterface, fps: float) -> _Gathered:
    got, start = _Gathered(), 0
    for number, shard in enumerate(shards):
        task = got.tasks.setdefault(shard.instruction, len(got.tasks))
        length, side = shard.length, shard.side()
        counters = {
            "timestamp": pa.array((np.arange(length) / fps).astype(np.float32)),
            "frame_index": pa.array(np.arange(length)),
            "episode_index": pa.array(np.full(length, number)),
            "index": pa.array(np.arange(start, start + length)),
            "task_index": pa.array(np.full(length, task)),
        }
        rows = shard.rows()
        for name, column in counters.items():
            rows = rows.append_column(name, column)
        got.tables.append(rows)
        entry: dict[str, Any] = {
            "episode_index": number,
            "length": length,
            "dataset_from_index": start,
            "dataset_to_index": start + length,
            "tasks": [shard.instruction],
            **shard.columns,
            provenance.SOURCE_INDEX: shard.index,
        }
        arrays = columns.numeric(rows, str(shard.folder))
        summary = {name: stats.numeric(values) for name, values in arrays.items()}
        sampled = stats.sampled_count(length)
        for camera in interface.cameras:
            counts = side[f"histogram/{camera}"]
            summary[layout.camera_key(camera)] = stats.of_histogram(counts, sampled)
            got.histograms[camera] = got.histograms.get(camera, 0) + counts
        entry["stats"] = summary
        got.sampled += sampled
        got.has_trust |= "trust" in side
        got.trust.append(side.get("trust", np.ones(length, np.float32)))
        if "sim_state" in side:
            got.per_episode[f"sim_state/{number}"] = side["sim_state"]
        for name, values in side.items():
            if name.startswith("frame/"):
                got.per_episode[f"frame/{number}/{name.removeprefix('frame/')}"] = values
        got.rows.append(entry)
        start += length
    return got


def grouped(sizes: Sequence[float], limit: float) -> list[tuple[int, int]]:
    """(chunk, file) of each item, filling files in order up to the limit."""
    places, file, used = [], 0, 0.0
    for size in sizes:
        if used and used + size > limit:
            file, used = file + 1, 0.0
        used += size
        places.append(divmod(file, layout.FILES_PER_CHUNK))
    return places


def _each_file(
    places: Sequence[tuple[int, int]], write: Callable[[int, int, list[int]], None]
) -> None:
    members: dict[tuple[int, int], list[int]] = {}
    for number, place in enumerate(places):
        members.setdefault(place, []).append(number)
    for (chunk, file), episodes in members.items():
        write(chunk, file, episodes)


def _write_data(out: Path, got: _Gathered, limits: layout.FileLimits) -> None:
    places = grouped([t.nbytes / _MEGABYTE for t in got.tables], limits.data_mb)
    for entry, (chunk, file) in zip(got.rows, places, strict=True):
        entry |= {"data/chunk_index": chunk, "data/file_index": file}

    def write(chunk: int, file: int, episodes: list[int]) -> None:
        path = out / layout.DATA.format(chunk_index=chunk, file_index=file)
        path.parent.mkdir(parents=True, exist_ok=True)
        tables = [got.tables[i] for i in episodes]
        with path.open("wb") as sink:
            with pq.ParquetWriter(sink, tables[0].schema, compression="snappy") as writer:
                for table in tables:  # one row group an episode: readable on its own
                    writer.write_table(table)
            files.sync(sink)

    _each_file(places, write)


def _write_videos(
    out: Path,
    shards: Sequence[Shard],
    got: _Gathered,
    interface: PolicyInterface,
    limits: layout.FileLimits,
) -> None:
    fps = layout.fps_of(interface)
    for camera in interface.cameras:
        key = layout.camera_key(camera)
        sizes = [s.video(camera).stat().st_size / _MEGABYTE for s in shards]
        places = grouped(sizes, limits.video_mb)
        done = dict.fromkeys(places, 0)
        for shard, entry, place in zip(shards, got.rows, places, strict=True):
            entry |= {
                f"videos/{key}/chunk_index": place[0],
                f"videos/{key}/file_index": place[1],
                # From the count of frames: summed durations drift past LeRobot's 1e-4 s.
                f"videos/{key}/from_timestamp": done[place] / fps,
                f"videos/{key}/to_timestamp": (done[place] + shard.length) / fps,
            }
            done[place] += shard.length

        def write(
            chunk: int, file: int, episodes: list[int], camera: str = camera, key: str = key
        ) -> None:
            name = layout.VIDEO.format(video_key=key, chunk_index=chunk, file_index=file)
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            parts = [(shards[i].video(camera), shards[i].length) for i in episodes]
            video.join(parts, out / name, layout.fps_fraction(fps))

        _each_file(places, write)


def _write_meta(
    out: Path, got: _Gathered, features: dict[str, Any], interface: PolicyInterface
) -> None:
    path = out / layout.EPISODES.format(chunk_index=0, file_index=0)
    path.parent.mkdir(parents=True)
    with path.open("wb") as sink:
        pq.write_table(_episode_table(got.rows, features, interface), sink, compression="snappy")
        files.sync(sink)
    with (out / layout.TASKS).open("wb") as sink:
        pq.write_table(_task_table(list(got.tasks)), sink, compression="snappy")
        files.sync(sink)
    joined = columns.numeric(pa.concat_tables(got.tables), str(out))
    summary: dict[str, stats.Stats] = {}
    for key in features:
        camera = layout.camera_name(key)
        if camera in got.histograms and key == layout.camera_key(camera):
            summary[key] = stats.of_histogram(got.histograms[camera], got.sampled)
        else:
            summary[key] = stats.numeric(joined[key])
    files.write_json(out / layout.STATS, stats.to_json(summary))


def _episode_table(
    rows: Sequence[dict[str, Any]], features: dict[str, Any], interface: PolicyInterface
) -> pa.Table:
    types: dict[str, pa.DataType] = {
        "episode_index": _INT64,
        "tasks": pa.list_(pa.string()),
        "length": _INT64,
        "data/chunk_index": _INT64,
        "data/file_index": _INT64,
        "dataset_from_index": _INT64,
        "dataset_to_index": _INT64,
    }
    for camera in interface.cameras:
        key = layout.camera_key(camera)
        types |= {f"videos/{key}/{n}": _INT64 for n in ("chunk_index", "file_index")}
        types |= {f"videos/{key}/{n}": pa.float64() for n in ("from_timestamp", "to_timestamp")}
    types |= provenance.COLUMNS | {provenance.SOURCE_INDEX: _INT64}
    columns = {n: pa.array([row[n] for row in rows], t) for n, t in types.items()}
    for key in features:
        nested = features[key]["dtype"] == "video"
        for name in stats.NAMES:
            kind = pa.list_(_INT64 if name == "count" else pa.float64())
            if nested and name != "count":
                kind = pa.list_(pa.list_(kind))
            values = [row["stats"][key][name].tolist() for row in rows]
            columns[f"stats/{key}/{name}"] = pa.array(values, kind)
    zeros = pa.array(np.zeros(len(rows), np.int64))
    columns |= {"meta/episodes/chunk_index": zeros, "meta/episodes/file_index": zeros}
    return pa.table(columns)


def _task_table(tasks: Sequence[str]) -> pa.Table:
    """task_index, and the task as the pandas index: LeRobot looks tasks up by that index."""
    table = pa.table(
        {"task_index": pa.array(range(len(tasks)), _INT64), "task": pa.array(tasks, pa.string())}
    )
    described = [
        {
            "name": "task_index",
            "field_name": "task_index",
            "pandas_type": "int64",
            "numpy_type": "int64",
        },
        {"name": "task", "field_name": "task", "pandas_type": "unicode", "numpy_type": "object"},
    ]
    pandas = {
        "index_columns": ["task"],
        "column_indexes": [],
        "columns": [{**d, "metadata": None} for d in described],
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.0.0",
    }
    return table.replace_schema_metadata({"pandas": files.compact_json(pandas)})


def _write_lineage(out: Path, shards: Sequence[Shard], models: Models) -> None:
    """What the dreams' world models learned from, so that it is known without the models."""
    dreamed_by = {
        name
        for shard in shards
        for name in provenance.from_columns({"episode_index": 0, **shard.columns}).models
    }
    known = {name: models[name] for name in dreamed_by if name in models}
    if known:
        files.write_json(out / layout.LINEAGE, models_json(known))


def _write_side(out: Path, got: _Gathered, interface: PolicyInterface, robot_type: str) -> None:
    (out / "trimix").mkdir()
    described = {"robot_type": robot_type, **interface.to_json()}
    files.write_json(out / layout.INTERFACE, described)
    tensors: dict[str, np.ndarray] = dict(got.per_episode)
    if got.has_trust:
        tensors["trust"] = np.concatenate(got.trust)
    if tensors:
        files.write_bytes(out / layout.ROWS, save(tensors))

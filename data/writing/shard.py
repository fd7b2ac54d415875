"""One episode on disk before the data set is whole: a folder that appears by one rename.

Shards live in <data set>.partial/shards/. A shard that is there is complete and durable; a shard
that is not there costs its episode to be made again. Several processes may write shards at once.

Axes: T rows, D state channels, A action channels, S simulator state.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import load_file, save

from trimix.core.episode import Episode, Provenance
from trimix.core.errors import DataError
from trimix.data import files, fingerprint, provenance
from trimix.data.lerobot import layout, stats, video

_NAME = "episode_{:09d}"
_TEMPORARY = ".tmp-"


@dataclass(frozen=True)
class Shard:
    """What is known of a shard without opening its rows or videos.

    Args:
        index: the number it was added under, which need not be without gaps.
        length: rows T; 0 for a skipped episode.
        instruction: what the robot was asked to do.
        columns: provenance columns of meta/episodes.
        optional: which of next.reward, next.success, next.done it has.
        skipped: why the episode was left out; None for one that is there.
    """

    folder: Path
    index: int
    length: int
    instruction: str
    columns: dict[str, Any]
    optional: tuple[str, ...]
    skipped: str | None = None

    def rows(self) -> pa.Table:
        """State, action and optional columns, T rows."""
        return pq.ParquetFile(self.folder / "rows.parquet").read(use_threads=False)

    def side(self) -> dict[str, np.ndarray]:
        """trust (T,), sim_state (T, S), frame/<name> (T, ...) if there are any,
        histogram/<camera> (3, 256)."""
        return load_file(self.folder / "side.safetensors")

    def video(self, camera: str) -> Path:
        """The camera's mp4."""
        return self.folder / f"{camera}.mp4"


def folder_of(root: Path) -> Path:
    """Where the shards of the data set at root are kept while it is made."""
    return layout.partial_folder(root) / "shards"


def write_shard(
    root: str | Path, index: int, episode: Episode, codec: video.VideoCodec | None = None
) -> int:
    """Put one episode safely on disk; callable from any process while a DatasetWriter is open.

    Equal episodes give equal bytes. Writing an index that is already there changes nothing.

    Returns:
        The index, so that a process pool can report it.

    Raises:
        DataError: shapes disagree with the interface, or values are not finite.
        TrimixError: the disk is full or refuses the write; nothing is left behind.
    """
    root = Path(root)
    try:
        episode.validate()
    except ValueError as fault:
        raise DataError(str(fault), where=f"episode {index}") from None
    codec = codec or video.VideoCodec()
    fps = layout.fps_fraction(layout.fps_of(episode.interface))
    table, side = _rows(episode), _side(episode)
    rows = _parquet_bytes(table)
    content = {"rows.parquet": rows}
    for camera, images in episode.images.items():
        content[f"{camera}.mp4"] = video.encode(images, fps, codec)
        side[f"histogram/{camera}"] = stats.histogram(images)
    content["side.safetensors"] = save(side)
    facts = {
        "index": index,
        "length": len(episode),
        "instruction": episode.instruction,
        "columns": provenance.to_columns(_identified(episode, rows, index)),
        "optional": [c for c in table.column_names if c.startswith("next.")],
    }
    _place(root, index, content, facts)
    return index


def _identified(episode: Episode, rows: bytes, index: int) -> Provenance:
    """The provenance with what identifies these rows beside what identifies their source."""
    known = episode.provenance
    if known.origin == "dream":
        return known
    own = fingerprint.fingerprint([episode.state, episode.action])
    joined = fingerprint.join(known.fingerprint, own)
    if not joined:
        made = replace(known, split="")
        said = files.compact_json(provenance.to_columns(made))
        joined = fingerprint.named(rows.hex(), said, str(index))
    return replace(known, fingerprint=joined)


def write_skip(root: str | Path, index: int, reason: str) -> None:
    """Record that an episode was looked at and left out, so that a second run need not look."""
    facts = {
        "index": index,
        "length": 0,
        "instruction": "",
        "columns": {},
        "optional": [],
        "skipped": reason,
    }
    _place(Path(root), index, {}, facts)


def list_shards(root: Path) -> list[Shard]:
    """Every complete shard, in the order of its index."""
    found = []
    for folder in sorted(folder_of(root).glob("episode_*")):
        raw = files.read_json(folder / "shard.json")
        raw["optional"] = tuple(raw["optional"])
        found.append(Shard(folder=folder, **raw))
    return found


def completed_indices(root: Path) -> frozenset[int]:
    """Indices of the complete shards, skipped ones included."""
    return frozenset(
        int(p.name.removeprefix("episode_")) for p in folder_of(root).glob("episode_*")
    )


def remove_leftovers(root: Path) -> None:
    """Delete what killed processes left unfinished. Not while another process writes."""
    for folder in folder_of(root).glob(f"{_TEMPORARY}*"):
        files.remove_tree(folder)


def _place(root: Path, index: int, content: dict[str, bytes], facts: dict[str, Any]) -> None:
    shards = folder_of(root)
    target = shards / _NAME.format(index)
    if target.exists():
        return
    with files.storage_errors(root):
        temporary = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=shards))
        try:
            for name, blob in content.items():
                files.write_bytes(temporary / name, blob)
            files.write_json(temporary / "shard.json", facts)
            files.sync_folder(temporary)
            _rename(temporary, target)
            files.sync_folder(shards)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def _rename(temporary: Path, target: Path) -> None:
    try:
        os.rename(temporary, target)  # noqa: PTH104  (Path.rename hides that folders may refuse)
    except OSError:
        if not target.exists():
            raise
        shutil.rmtree(temporary)  # another process was first, with the same bytes


def _rows(episode: Episode) -> pa.Table:
    columns: dict[str, pa.Array] = {}
    for key, values in ((layout.STATE, episode.state), (layout.ACTION, episode.action)):
        if values.shape[1]:
            columns[key] = vector_column(values)
    for key, labels in (
        (layout.REWARD, episode.reward),
        (layout.SUCCESS, episode.success),
        (layout.DONE, episode.done),
    ):
        if labels is not None:
            columns[key] = pa.array(labels)
    return pa.table(columns)


def vector_column(values: np.ndarray) -> pa.Array:
    """(T, D) float32 as LeRobot stores it: a list of fixed size, or a plain column for D = 1."""
    flat = pa.array(np.ascontiguousarray(values).reshape(-1), pa.float32())
    width = values.shape[1]
    return flat if width == 1 else pa.FixedSizeListArray.from_arrays(flat, width)


def _side(episode: Episode) -> dict[str, np.ndarray]:
    side: dict[str, np.ndarray] = {}
    if episode.trust is not None:
        side["trust"] = np.ascontiguousarray(episode.trust)
    if episode.sim_state is not None:
        side["sim_state"] = np.ascontiguousarray(episode.sim_state, dtype=np.float64)
    for name, values in episode.frames.items():
        side[f"frame/{name}"] = np.ascontiguousarray(values)
    return side


def _parquet_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="snappy")
    return bytes(sink.getvalue())


def same_optional(shards: Sequence[Shard]) -> tuple[str, ...]:
    """The optional columns that all episodes have.

    Raises:
        DataError: some episodes are labelled and others are not.
    """
    first = shards[0]
    for shard in shards:
        if shard.optional != first.optional:
            raise DataError(
                f"has {list(shard.optional) or 'no labels'}, "
                f"episode {first.index} has {list(first.optional) or 'none'}",
                where=f"episode {shard.index}",
                do="label all episodes of a data set alike",
            )
    return first.optional

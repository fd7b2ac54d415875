"""What robots record, and what others make of it: the material of audit_leaks.py."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from trimix.data.lerobot import layout

FPS, SIDE = 10.0, 16
COUNTERS = ("frame_index", "episode_index", "index", "task_index")


@dataclass
class Recording:
    """What a robot recorded: an identity that only the oracle reads, and rows."""

    name: str
    action: np.ndarray
    state: np.ndarray
    effort: np.ndarray
    seconds: np.ndarray
    frames: np.ndarray

    def part(self, first: int, last: int) -> Recording:
        """Some of its rows, with the clock beginning anew."""
        rows = slice(first, last)
        seconds = self.seconds[rows] - self.seconds[first]
        columns = (self.action, self.state, self.effort)
        return Recording(self.name, *(c[rows] for c in columns), seconds, self.frames[rows])


def record(name: str, rng: np.random.Generator, jitter: bool) -> Recording:
    """Half a minute at most: smooth motion that begins at home, a gripper, a pause."""
    rows = int(rng.integers(50, 120))
    action = np.cumsum(rng.normal(0, 0.1, (rows, 3)), axis=0)
    action[:8] = 0
    action[:, 2] = np.arange(rows) > rows * rng.uniform(0.3, 0.7)
    state = np.cumsum(action @ rng.normal(size=(3, 4)) * 0.1, axis=0)
    state[rows // 2 : rows // 2 + 6] = state[rows // 2]
    steps = rng.uniform(0.06, 0.14, rows) if jitter else np.full(rows, 1 / FPS)
    steps *= (rows / FPS) / steps.sum()
    return Recording(
        name=name,
        action=action.astype(np.float32),
        state=state.astype(np.float32),
        effort=rng.normal(size=(rows, 3)).astype(np.float32),
        seconds=np.concatenate([[0.0], np.cumsum(steps)[:-1]]),
        frames=np.kron(
            rng.integers(0, 255, (rows, 4, 4, 3), dtype=np.uint8),
            np.ones((1, SIDE // 4, SIDE // 4, 1), np.uint8),
        ),
    )


def write_v21(
    root: Path,
    recordings: Sequence[Recording],
    numbers: Sequence[int],
    keys: dict[str, str],
    dtype: str,
) -> Path:
    """A v2.1 directory as somebody else writes it."""
    (root / "meta").mkdir(parents=True)
    names = sorted({r.name for r in recordings})
    values = {"state": "observation.state", "action": "action", "image": "observation.images.eye"}
    state, action, image = (keys.get(k, k) for k in values.values())
    for number, one in zip(numbers, recordings, strict=True):
        t = len(one.action)
        table = {
            state: pa.array(list(one.state.astype(dtype))),
            action: pa.array(list(one.action.astype(dtype))),
            "effort": pa.array(list(one.effort.astype(dtype))),
            "timestamp": pa.array(one.seconds.astype(np.float32)),
            "frame_index": pa.array(np.arange(t)),
            "episode_index": pa.array(np.full(t, number)),
            "index": pa.array(np.arange(t)),
            "task_index": pa.array(np.full(t, names.index(one.name))),
            image: pa.array([{"bytes": png(f), "path": None} for f in one.frames]),
        }
        path = root / f"data/chunk-000/episode_{number:06d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(table), path)
    features: dict[str, Any] = {
        state: {"dtype": dtype, "shape": [4], "names": [f"q{i}" for i in range(4)]},
        action: {"dtype": dtype, "shape": [3], "names": ["x", "y", "grip"]},
        "effort": {"dtype": dtype, "shape": [3], "names": None},
        image: {"dtype": "image", "shape": [SIDE, SIDE, 3], "names": None},
        "timestamp": {"dtype": "float32", "shape": [1], "names": None},
        **{c: {"dtype": "int64", "shape": [1], "names": None} for c in COUNTERS},
    }
    info = {
        "codebase_version": "v2.1",
        "fps": FPS,
        "features": features,
        "data_path": "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
    }
    (root / layout.INFO).write_text(json.dumps(info))
    tasks = [{"task_index": i, "task": name} for i, name in enumerate(names)]
    episodes = [
        {"episode_index": n, "tasks": [r.name], "length": len(r.action)}
        for n, r in zip(numbers, recordings, strict=True)
    ]
    for name, rows in (("tasks", tasks), ("episodes", episodes)):
        text = "\n".join(json.dumps(row) for row in rows)
        (root / f"meta/{name}.jsonl").write_text(text)
    return root


def png(frame: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "png")
    return buffer.getvalue()


def strip(root: Path, columns: bool) -> Path:
    """As a copy that kept none of trimix's files; without its columns in meta/episodes as well."""
    shutil.rmtree(root / "trimix")
    for path in root.glob("meta/episodes/*/*.parquet") if columns else ():
        table = pq.read_table(path)
        kept = [n for n in table.column_names if not n.startswith("trimix/")]
        pq.write_table(table.select(kept), path)
    return root


def as_before(root: Path) -> Path:
    """As a data set that was written before fingerprints were kept."""
    (root / layout.MANIFEST).unlink()
    for path in root.glob("meta/episodes/*/*.parquet"):
        table = pq.read_table(path)
        new = ("trimix/fingerprint", "trimix/models")
        pq.write_table(table.select([n for n in table.column_names if n not in new]), path)
    return root

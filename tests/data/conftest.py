"""Small data sets: ours, and foreign ones of format v2.1 written without the code under test."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from trimix.core.contracts import Channel, PolicyInterface
from trimix.core.episode import Episode, Provenance
from trimix.core.seeds import stream
from trimix.data.lerobot import video
from trimix.data.lerobot.layout import FileLimits
from trimix.data.writing.writer import DatasetWriter

REPO = Path(__file__).resolve().parents[2]
FPS = 10.0


def moving_picture(rng: np.random.Generator, rows: int, hw: tuple[int, int]) -> np.ndarray:
    """(T, H, W, 3) uint8: a smooth picture that slides, as video encoders expect."""
    h, w = hw
    small = rng.integers(0, 255, (4, 8, 3), dtype=np.uint8)
    wide = np.asarray(Image.fromarray(small).resize((w + rows, h), Image.Resampling.BILINEAR))
    return np.stack([wide[:, t : t + w] for t in range(rows)])


@pytest.fixture(scope="session")
def interface() -> PolicyInterface:
    return PolicyInterface(
        cameras={"wrist": (16, 24), "front": (16, 16)},
        state=tuple(Channel(f"joint_{i}", "rad") for i in range(3)),
        action=(Channel("vel_0", "rad/s", -1, 1), Channel("gripper")),
        control_mode="joint_velocity",
        control_dt_s=1 / FPS,
    )


@pytest.fixture(scope="session")
def make_episode(interface: PolicyInterface) -> Callable[..., Episode]:
    def make(index: int, rows: int | None = None, labelled: bool = True) -> Episode:
        rng = stream(0, index, "test episode")
        t = rows or 5 + (index * 7) % 9
        return Episode(
            interface=interface,
            instruction=("push", "lift")[index % 2],
            images={c: moving_picture(rng, t, hw) for c, hw in interface.cameras.items()},
            state=rng.normal(index, 1.0, (t, 3)).astype(np.float32),
            action=rng.normal(0, 1 + index, (t, 2)).astype(np.float32),
            provenance=Provenance(
                origin="sim",
                task="push",
                seed=3,
                episode=index,
                draw={"geom/mass": 0.1 * index, "light": [0.5, 1.0]},
                policy="expert",
                world="mujoco",
                versions={"mujoco": "3"},
                split="heldout" if index % 4 == 3 else "train",
                success=index % 3 > 0,
            ),
            reward=rng.normal(size=t).astype(np.float32) if labelled else None,
            success=np.arange(t) > t // 2 if labelled else None,
            done=np.arange(t) == t - 1 if labelled else None,
            trust=rng.random(t).astype(np.float32),
            sim_state=rng.normal(size=(t, 4)),
        )

    return make


@pytest.fixture(scope="session")
def ours(
    tmp_path_factory: pytest.TempPathFactory,
    interface: PolicyInterface,
    make_episode: Callable[..., Episode],
) -> Path:
    """Six episodes in several files each of rows and videos. Read it, do not change it."""
    root = tmp_path_factory.mktemp("ours") / "set"
    limits = FileLimits(data_mb=0.0012, video_mb=0.006)
    with DatasetWriter(root, interface, robot_type="arm", plan_hash="p", limits=limits) as writer:
        for index in (3, 0, 5, 1, 4, 2):
            writer.add(index, make_episode(index))
        writer.finalize()
    return root


@dataclass
class Foreign:
    """A v2.1 data set to be: change the fields, then write()."""

    root: Path
    fps: float = 30.0
    lengths: Mapping[int, int] = field(default_factory=lambda: {0: 12, 1: 9, 4: 15})
    cameras: Mapping[str, tuple[int, int]] = field(
        default_factory=lambda: {"observation.images.top": (16, 24)}
    )
    image_dtype: str = "video"
    names: Any = None
    width: int = 4
    chunks_size: int = 1000
    extra: Mapping[str, int] = field(default_factory=dict)
    state_key: str = "observation.state"
    action_key: str = "action"
    action_names: Any = field(default_factory=lambda: {"motors": ["a", "b", "grip"]})

    def timestamps(self, index: int) -> np.ndarray:
        return np.arange(self.lengths[index]) / self.fps

    def rows(self, index: int) -> dict[str, np.ndarray]:
        """Column -> (T,) or (T, D); the last action channel is a gripper."""
        rng, t = stream(1, index, "foreign"), self.lengths[index]
        action = rng.normal(size=(t, 3)).astype(np.float32)
        action[:, 2] = np.arange(t) > t // 2
        return {
            self.state_key: np.cumsum(rng.normal(size=(t, self.width)), axis=0).astype(np.float32),
            self.action_key: action,
            **{k: rng.normal(size=(t, n)).astype(np.float32) for k, n in self.extra.items()},
            "timestamp": self.timestamps(index).astype(np.float32),
            "frame_index": np.arange(t),
            "episode_index": np.full(t, index),
            "index": np.arange(t),
            "task_index": np.full(t, index % 2),
        }

    def frames(self, index: int, key: str) -> np.ndarray:
        rng = stream(2, index, key)
        return moving_picture(rng, self.lengths[index], self.cameras[key])

    def parquet(self, index: int) -> Path:
        return self.root / f"data/chunk-{index // self.chunks_size:03d}/episode_{index:06d}.parquet"

    def video(self, index: int, key: str = "observation.images.top") -> Path:
        chunk = f"chunk-{index // self.chunks_size:03d}"
        return self.root / f"videos/{chunk}/{key}/episode_{index:06d}.mp4"

    def write_rows(self, index: int, rows: Mapping[str, np.ndarray]) -> None:
        table = {
            k: pa.array(list(v)) if v.ndim > 1 else pa.array(v, type=pa.from_numpy_dtype(v.dtype))
            for k, v in rows.items()
        }
        if self.image_dtype == "image":
            for key in self.cameras:
                table[key] = pa.array(
                    [{"bytes": png(f), "path": None} for f in self.frames(index, key)]
                )
        path = self.parquet(index)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(table), path)

    def write(self) -> Foreign:
        for index in self.lengths:
            self.write_rows(index, self.rows(index))
            for key in self.cameras if self.image_dtype == "video" else ():
                path = self.video(index, key)
                path.parent.mkdir(parents=True, exist_ok=True)
                rate = video.VideoCodec(gop=12)
                path.write_bytes(video.encode(self.frames(index, key), layout_fps(self.fps), rate))
        self.write_meta()
        return self

    def write_meta(self) -> None:
        meta = self.root / "meta"
        meta.mkdir(parents=True, exist_ok=True)
        scalars = dict.fromkeys(("frame_index", "episode_index", "index", "task_index"), "int64")
        features: dict[str, Any] = {
            self.state_key: {"dtype": "float32", "shape": [self.width], "names": self.names},
            self.action_key: {"dtype": "float32", "shape": [3], "names": self.action_names},
            "timestamp": {"dtype": "float32", "shape": [1], "names": None},
        }
        for key, dtype in scalars.items():
            features[key] = {"dtype": dtype, "shape": [1], "names": None}
        for key, width in self.extra.items():
            features[key] = {"dtype": "float32", "shape": [width], "names": None}
        for key, hw in self.cameras.items():
            names = ["height", "width", "channels"]
            features[key] = {"dtype": self.image_dtype, "shape": [*hw, 3], "names": names}
        info = {
            "codebase_version": "v2.1",
            "robot_type": "toy",
            "fps": self.fps,
            "chunks_size": self.chunks_size,
            "total_episodes": len(self.lengths),
            "total_frames": sum(self.lengths.values()),
            "data_path": "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
            "video_path": "videos/chunk-{episode_chunk:03d}/{video_key}/"
            "episode_{episode_index:06d}.mp4",
            "features": features,
        }
        (meta / "info.json").write_text(json.dumps(info))
        lines(meta / "tasks.jsonl", [{"task_index": i, "task": f"task {i}"} for i in (0, 1)])
        lines(
            meta / "episodes.jsonl",
            [
                {"episode_index": i, "tasks": [f"task {i % 2}"], "length": n}
                for i, n in self.lengths.items()
            ],
        )


def layout_fps(fps: float) -> Any:
    from fractions import Fraction

    return Fraction(fps).limit_denominator(1001)


def lines(path: Path, values: Sequence[Any]) -> None:
    path.write_text("".join(json.dumps(v) + "\n" for v in values))


def png(frame: np.ndarray) -> bytes:
    import io

    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "png")
    return buffer.getvalue()


@pytest.fixture
def foreign(tmp_path: Path) -> Foreign:
    """30 frames/s, four joints, episodes 0, 1 and 4; not written yet."""
    return Foreign(tmp_path / "foreign")


@pytest.fixture(scope="session")
def real_root() -> Path:
    root = REPO.parent / "shared" / "data" / "cr5_banana"
    if not root.is_dir():
        pytest.skip("the real data set is not on this machine")
    return root


def tree(root: Path) -> dict[str, bytes]:
    """Every file below root and its bytes."""
    return {
        str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()
    }


@pytest.fixture(scope="session")
def tree_of() -> Callable[[Path], dict[str, bytes]]:
    return tree


def part_of(real_root: Path, root: Path, count: int) -> Path:
    """The first episodes of a v2.1 data set, linked."""
    (root / "meta").mkdir(parents=True)
    for name in ("data", "videos", "meta/info.json", "meta/tasks.jsonl"):
        (root / name).symlink_to(real_root / name)
    listed = (real_root / "meta/episodes.jsonl").read_text().splitlines()[:count]
    (root / "meta/episodes.jsonl").write_text("\n".join(listed))
    return root


@pytest.fixture(scope="session")
def first_episodes() -> Callable[[Path, Path, int], Path]:
    return part_of

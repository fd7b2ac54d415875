"""How fast episodes come in, beside decoding their videos and doing nothing else."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from trimix.bench.figure import Figure
from trimix.core.contracts import U8, Channel, PolicyInterface
from trimix.core.episode import Episode, Provenance
from trimix.core.seeds import stream
from trimix.data.importing.importer import ImportConfig, import_dataset
from trimix.data.lerobot.folder import LeRobotFolder
from trimix.data.writing.writer import DatasetWriter

WORKERS = 2
_HW, _TARGET = (480, 640), (64, 64)


def run(quick: bool) -> Iterator[Figure]:
    """Episodes of one 640 x 480 camera at 10 Hz, brought in at 64 x 64 px by two processes."""
    episodes, rows = (2, 12) if quick else (16, 200)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "recorded"
        _record(source, episodes, rows)
        decoded = _decode(source)
        begin = time.perf_counter()
        config = ImportConfig(
            str(source), str(Path(folder) / "out"), image_hw=_TARGET, workers=WORKERS
        )
        frames = import_dataset(config).n_frames
        taken = time.perf_counter() - begin
    about = f"640 x 480 to 64 x 64 px, {WORKERS} processes; baseline: decoding alone in one process"
    yield Figure("import.frames_per_s", frames / taken, "frames/s", frames, decoded, about)


def _decode(source: Path) -> float:
    """Frames a second of one process that decodes every video and looks at nothing."""
    recorded = LeRobotFolder.open(source)
    paths = {span.path for row in recorded.episodes for span in row.videos.values()}
    begin, frames = time.perf_counter(), 0
    for path in sorted(paths):
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            frames += sum(1 for _ in container.decode(stream))
    return frames / (time.perf_counter() - begin)


def _record(root: Path, episodes: int, rows: int) -> None:
    """A camera that pans over a coarse picture, with the grain of a sensor."""
    interface = PolicyInterface(
        cameras={"front": _HW},
        state=tuple(Channel(f"joint_{i}", "rad") for i in range(6)),
        action=tuple(Channel(f"velocity_{i}", "rad/s") for i in range(7)),
        control_mode="joint_velocity",
        control_dt_s=0.1,
    )
    with DatasetWriter(root, interface) as writer:
        for index in range(episodes):
            rng = stream(0, index, "import bench")
            writer.add(
                index,
                Episode(
                    interface=interface,
                    instruction="look around",
                    images={"front": _panned(rng, rows)},
                    state=np.cumsum(rng.normal(size=(rows, 6)), axis=0).astype(np.float32),
                    action=rng.normal(size=(rows, 7)).astype(np.float32),
                    provenance=Provenance("real", episode=index),
                ),
            )
        writer.finalize()


def _panned(rng: np.random.Generator, rows: int) -> U8:
    """(rows, 480, 640, 3) uint8."""
    height, width = _HW
    cells = rng.integers(30, 225, (height // 20, width // 20 + rows // 10 + 1, 3))
    wide = np.kron(cells, np.ones((20, 20, 1), np.int16)).astype(np.int16)
    grain = rng.integers(-3, 4, (height, width, 3), dtype=np.int16)
    views = [wide[:, 2 * t : 2 * t + width] + np.roll(grain, 7 * t, axis=1) for t in range(rows)]
    return np.stack(views).astype(np.uint8)

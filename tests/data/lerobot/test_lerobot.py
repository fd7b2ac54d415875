"""The stock LeRobot reader loads what we write, frame for frame.

Needs a Python with lerobot in it: TRIMIX_LEROBOT_PYTHON=/path/to/python.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from trimix.data.dataset import Dataset
from trimix.data.lerobot.layout import camera_key

PYTHON = os.environ.get("TRIMIX_LEROBOT_PYTHON", "")


@pytest.mark.skipif(not PYTHON, reason="TRIMIX_LEROBOT_PYTHON names no Python with lerobot")
def test_stock_lerobot_reads_every_frame(ours: Path, tmp_path: Path) -> None:
    script = Path(__file__).with_name("lerobot_reader.py")
    out = tmp_path / "read.npz"
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    subprocess.run([PYTHON, str(script), str(ours), str(out)], check=True, env=environment)
    read, dataset = np.load(out), Dataset.open(ours)
    assert len(read["index"]) == dataset.n_frames
    for name in ("observation.state", "action", "timestamp", "next.reward", "next.done"):
        np.testing.assert_array_equal(
            read[name].reshape(dataset.n_frames, -1),
            dataset.column(name).reshape(dataset.n_frames, -1),
            err_msg=name,
        )
    for camera in dataset.interface.cameras:
        seen = (read[camera_key(camera)].transpose(0, 2, 3, 1) * 255).round().astype(int)
        ours_frames = np.concatenate([frames for _, frames in dataset.iter_frames(camera)])
        assert np.abs(seen - ours_frames).max() <= 1, camera
    tasks = [t for e in dataset.episodes for t in e.tasks * e.length]
    assert read["task"].tolist() == tasks
    assert read["missing_stats"].size == 0
    for key, entry in dataset.stats().items():
        for name, value in entry.items():
            np.testing.assert_array_equal(read[f"stats/{key}/{name}"], value)
    assert {"trimix/origin", "trimix/draw", "trimix/split"} <= set(read["columns"].tolist())

"""MuJoCo releases have silently changed physics and pixels: say which of them moved."""

import importlib.util
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from trimix.tasks import TASKS

_SPEC = importlib.util.spec_from_file_location("golden", Path(__file__).with_name("golden.py"))
golden = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(golden)

KEPT = json.loads(golden.FILE.read_text())
# m and quaternion parts; levels of 255 (processors round pictures differently).
TOLERANCE = {"settled": 2e-4, "pictures": 1.0, "expert": 0}


def test_every_task_has_its_golden_numbers():
    assert set(KEPT["tasks"]) == set(TASKS)


@pytest.mark.parametrize("what", sorted(golden.MEASURES))
@pytest.mark.parametrize("task", sorted(TASKS))
def test_nothing_moved(task, what):
    kept, now = KEPT["tasks"][task][what], golden.MEASURES[what](task)
    assert set(kept) == set(now)
    moved = [
        f"{name}: {kept[name]} before, {now[name]} now"
        for name in kept
        if np.abs(np.subtract(kept[name], now[name], dtype=float)).max() > TOLERANCE[what]
    ]
    assert not moved, (
        f"{what} of {task} moved (golden of MuJoCo {KEPT['mujoco']}, this is "
        f"{version('mujoco')}): {'; '.join(moved)}. If it was meant: python tests/sim/golden.py"
    )

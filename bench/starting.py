"""How soon a process that collects begins, and whether it grows as it goes on.

Memory is asked of the kernel: what is resident and not shared with a file, in MB.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from trimix.bench.figure import Figure
from trimix.bench.spread import spread
from trimix.core.contracts import Start
from trimix.core.errors import TrimixError
from trimix.core.rollout import rollout
from trimix.core.workers import WORKER_ENVIRONMENT, Tick
from trimix.data.writing.shard import folder_of, write_shard
from trimix.rollout.mujoco import ExpertSpec, MujocoSpec

ROWS, STARTS = 16, 7
SETTLED, EPISODES = 500, 10_000
_QUICKEST = MujocoSpec("reach", randomization="mild")
_BEGIN = """
import trimix.rollout.collect
from trimix.core.contracts import Start
from trimix.rollout.mujoco import ExpertSpec, MujocoSpec
world = MujocoSpec("banana_on_plate", randomization="mild").make({rows})
ExpertSpec().load(world)
world.reset(options={{"starts": [Start(0, i) for i in range({rows})]}})
print("begun", flush=True)
"""


def start(quick: bool) -> Iterator[Figure]:
    """`collect.start_s`: from a bare interpreter to the first pictures of all rows."""
    rounds = 1 if quick else STARTS
    begun = [_seconds(_BEGIN.format(rows=ROWS)) for _ in range(rounds)]
    bare = [_seconds("import mujoco, numpy; print('begun', flush=True)") for _ in range(rounds)]
    about = f"median; {ROWS} rows, 64 px; baseline: an interpreter that imports mujoco and numpy"
    yield Figure("collect.start_s", median(begun), "s", rounds, median(bare), about)


def memory(quick: bool) -> Iterator[Figure]:
    """`collect.memory_growth`: from the 500th episode to the last, as a part."""
    episodes, settled = (6, 2) if quick else (EPISODES, SETTLED)
    (_, (early, late)), *_ = spread(_grown, [(episodes, settled)])
    about = f"reach, mild, 64 px, written; MB after {settled} episodes: {early:.0f}"
    yield Figure("collect.memory_growth", late / early - 1, "", episodes, None, about)


def _seconds(code: str) -> float:
    """s until a process says that it has begun."""
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, **WORKER_ENVIRONMENT},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        took = time.perf_counter() - began
        ended = process.wait()
    if said.strip() != "begun" or ended:
        raise TrimixError(
            f"a process of the benchmark ended with {ended}",
            do="what it wrote above says why",
        )
    return took


def _grown(_: None, case: tuple[int, int], tick: Tick) -> tuple[float, float]:
    """MB after it settled, and at the end: the most of either's neighbourhood."""
    episodes, settled = case
    world = _QUICKEST.make(ROWS)
    expert = ExpertSpec().load(world)
    early, late = 0.0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        folder_of(out).mkdir(parents=True)
        starts = [Start(0, i) for i in range(episodes)]
        for n, (_at, episode) in enumerate(rollout(world, expert, starts), 1):
            write_shard(out, n, episode)
            if n % settled == 0:
                for path in folder_of(out).iterdir():  # a disk is not what is measured
                    shutil.rmtree(path)
            if n <= settled:
                early = max(early, _resident_mb())
            if n > episodes - settled:
                late = max(late, _resident_mb())
    world.close()
    return early, late


def _resident_mb() -> float:
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    raise OSError("the kernel does not say what is resident")

"""How long a newcomer waits: the quickstart, from the command to the report."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from trimix.bench.figure import Figure
from trimix.core.errors import TrimixError

_BASELINE = "import torch, mujoco, diffusers, pyarrow, matplotlib, hydra"
TIMEOUT_S = 1800.0


def run(quick: bool) -> Iterator[Figure]:
    """`trimix pipeline preset=tiny` in an empty folder, with nothing kept from earlier runs."""
    with tempfile.TemporaryDirectory() as empty:
        baseline = _timed([sys.executable, "-c", _BASELINE], Path(empty))
        # The quick one proves that a verb starts in a fresh process; the path has its own tests.
        what = ["pipeline", "preset=tiny", *(["--cfg", "job"] if quick else [])]
        wall = _timed([sys.executable, "-m", "trimix.cli.main", *what], Path(empty))
        if not quick and not (Path(empty) / "runs" / "tiny" / "report.html").is_file():
            raise TrimixError("the quickstart left no report", where=empty)
    about = "start to report, empty store and cache; baseline: importing the libraries alone"
    yield Figure("tiny.wall_s", wall, "s", 1, baseline, about)


def _timed(command: list[str], folder: Path) -> float:
    """Wall-clock seconds of a command that knows of no earlier one."""
    fresh = {"TRIMIX_STORE": str(folder / "store"), "TRIMIX_CACHE": str(folder / "cache")}
    began = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **fresh},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise TrimixError(f"ended with status {done.returncode}: {last}", where=" ".join(command))
    return time.perf_counter() - began

"""The main job as a user starts it: how long it takes, and what its report says."""

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
from trimix.evaluate.page import answers
from trimix.evaluate.report import load_report
from trimix.evaluate.schema import Arm, Report

_LIBRARIES = "import torch, mujoco, diffusers, pyarrow, matplotlib, hydra"
TIMEOUT_S = 3 * 3600.0


def tiny(quick: bool) -> Iterator[Figure]:
    """The quickstart: `trimix pipeline preset=tiny`."""
    yield from _run("tiny", quick)


def demo(quick: bool) -> Iterator[Figure]:
    """`make demo` after set-up."""
    yield from _run("demo", quick)


def _run(preset: str, quick: bool) -> Iterator[Figure]:
    """A preset in an empty folder, with nothing kept from earlier runs."""
    with tempfile.TemporaryDirectory() as empty:
        folder = Path(empty)
        alone = _timed([sys.executable, "-c", _LIBRARIES], folder)
        # The quick one proves that the verb starts in a fresh process; the main job has its tests.
        what = ["pipeline", f"preset={preset}", *(["--cfg", "job"] if quick else [])]
        wall = _timed([sys.executable, "-m", "trimix.cli.main", *what], folder)
        about = "start to report, empty store and cache; baseline: importing the libraries alone"
        yield Figure(f"{preset}.wall_s", wall, "s", 1, alone, about)
        if not quick:
            yield from figures(preset, load_report(folder / "runs" / preset))


def figures(preset: str, report: Report) -> Iterator[Figure]:
    """What a report says, as figures: its answer, and each arm's scores with their intervals."""
    if (memory := report.get("peak_rss_gb")) is not None:
        yield Figure(f"{preset}.peak_gb", memory, "GB", 1, None, "largest process")
    for answer in answers(report):
        kind = answer.kind.replace(" ", "_")
        yield Figure(f"{preset}.{kind}.arms", len(report["arms"]), "", 1, None, answer.headline)
    for arm in report["arms"]:
        yield from _scores(preset, arm)


def _scores(preset: str, arm: Arm) -> Iterator[Figure]:
    closed, offline = arm["closed_loop"], arm["offline"]
    name, seeds = arm["name"], f"{len(arm['train_seeds'])} training seeds"
    if closed is not None:
        low, high = closed.get("ci95", closed["wilson95"])
        about = f"95% interval {low:.1%} to {high:.1%}; {closed['world']}, {seeds}"
        yield Figure(
            f"{preset}.success.{name}", 100 * closed["success"], "%", closed["n"], None, about
        )
    if offline is not None and offline["velocity_nmse"] is not None:
        interval = offline.get("velocity_nmse_ci95")
        between = f"95% interval {interval[0]:.3f} to {interval[1]:.3f}; " if interval else ""
        others = [b["velocity_nmse"] for b in offline["baselines"].values()]
        best = min((b for b in others if b is not None), default=None)
        about = f"{between}{seeds}; baseline: the better of the trivial predictors"
        yield Figure(
            f"{preset}.heldout_error.{name}",
            offline["velocity_nmse"],
            "",
            offline.get("windows", 1),
            best,
            about,
        )


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

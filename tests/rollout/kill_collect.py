"""Kill a collection at random moments, again and again, and compare what it ends with.

    python tests/rollout/kill_collect.py [kills]

Every run is killed at a random moment after it began to make episodes, so that there is
something to lose: while episodes are made, or while they are put together. Prints one line a kill.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from trimix.core.seeds import stream
from trimix.data.checking.check import check

# Long enough that most kills meet running episodes rather than the start of Python.
ARGUMENTS = ["task=push_t", "episodes=300", "rows=8", "workers=2"]


def digest(root: Path) -> str:
    """Of every file's name and bytes."""
    state = hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        state.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return state.hexdigest()


def begin(out: Path) -> subprocess.Popen[bytes]:
    """The same command every time."""
    return subprocess.Popen(
        [sys.executable, "-m", "trimix.cli.main", "collect", f"out={out}", *ARGUMENTS],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def shards(out: Path) -> set[str]:
    """The episodes that are safe on disk."""
    return {p.name for p in Path(f"{out}.partial", "shards").glob("episode_*")}


def await_new(process: subprocess.Popen[bytes], out: Path, before: set[str]) -> float:
    """Seconds until there is an episode more, or the run is over."""
    began = time.monotonic()
    while process.poll() is None and not shards(out) - before and not out.exists():
        time.sleep(0.02)
    return time.monotonic() - began


def main(kills: int) -> int:
    folder = Path(tempfile.mkdtemp(prefix="kill-collect-"))
    whole, out = folder / "whole", folder / "killed"
    began, process = time.monotonic(), begin(whole)
    start = await_new(process, whole, set())
    if process.wait():
        return 1
    working, rng = time.monotonic() - began - start, stream(0, "kill")
    safe: set[str] = set()
    to_lose = running = 0
    for kill in range(kills):
        if out.exists():  # it finished: begin another, so that every kill meets a running one
            shutil.rmtree(out)
            safe = set()
        process = begin(out)
        await_new(process, out, safe)
        wait = float(rng.uniform(0.0, 0.3)) * working
        time.sleep(wait)
        alive = process.poll() is None
        if alive:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        now = shards(out)
        lost = safe - now if not out.exists() else set()
        where = f"{len(now)} episodes safe" if alive else "it had finished"
        print(f"kill {kill}: {wait:.1f} s after the first new episode, {where}, {len(lost)} lost")
        if lost or (out.exists() and check(out)):
            return 1
        running, to_lose = running + alive, to_lose + bool(alive and now)
        safe = now
    if begin(out).wait() or digest(out) != digest(whole):
        print("the bytes differ from an uninterrupted run's")
        return 1
    print(
        f"{kills} kills, {running} of them of a run that had not finished, {to_lose} with episodes "
        "to lose: nothing lost, the bytes equal an uninterrupted run's"
    )
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))

"""Kill a collection at random moments, again and again, and compare what it ends with.

    python tests/cli/kill_collect.py [kills]

Prints one line a kill: when, how many episodes were safe, and that none of them was lost since.
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
from trimix.data.check import check

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


def main(kills: int) -> int:
    folder = Path(tempfile.mkdtemp(prefix="kill-collect-"))
    whole, out = folder / "whole", folder / "killed"
    began = time.monotonic()
    if begin(whole).wait():
        return 1
    length, rng = time.monotonic() - began, stream(0, "kill")
    safe: set[str] = set()
    for kill in range(kills):
        if out.exists():  # it finished: begin another, so that every kill meets a running one
            shutil.rmtree(out)
            safe = set()
        process, wait = begin(out), float(rng.uniform(0.3, 1.0)) * length
        time.sleep(wait)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        now = {p.name for p in Path(f"{out}.partial", "shards").glob("episode_*")}
        lost = safe - now if not out.exists() else set()
        print(f"kill {kill}: after {wait:.1f} s, {len(now)} episodes safe, {len(lost)} lost")
        if lost or (out.exists() and check(out)):
            return 1
        safe = now
    if begin(out).wait() or digest(out) != digest(whole):
        print("the bytes differ from an uninterrupted run's")
        return 1
    print(f"{kills} kills: nothing lost, the bytes equal an uninterrupted run's")
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))

"""Two processes make overlapping units in one store while they are killed again and again.

    python tests/experiment/kill_store.py [kills]

Prints one line a kill, and checks after each that no entry was made twice at once and none stands
half written; in the end both give what an undisturbed run gives.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from trimix.core.seeds import stream
from trimix.experiment.store import Store

PROGRAM = Path(__file__).with_name("overlapping.py")
RANGES = ((0, 12), (6, 18))


def begin(root: Path, log: Path, span: tuple[int, int]) -> subprocess.Popen[str]:
    """One of the two runs."""
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(root), str(log), *map(str, span)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def twice_at_once(lines: Iterable[str]) -> list[str]:
    """Units that a process began while another, which had not been killed, was at them.

    Args:
        lines: "<process> begin|end|killed <unit>"; a kill ends whatever its process was at.
    """
    at: dict[str, set[str]] = {}
    found = []
    for line in lines:
        process, what, unit = line.split(" ", 2)
        if what == "begin":
            if at.setdefault(unit, set()) - {process}:
                found.append(unit)
            at[unit].add(process)
        elif what == "end":
            at[unit].discard(process)
        else:
            for others in at.values():
                others.discard(process)
    return found


def half_written(root: Path) -> list[str]:
    """Entries that are there and do not hold what was made."""
    store = Store(root)
    return [e.label for e in store.entries() if store.serve(e.kind, e.key) is None]


def kill(process: subprocess.Popen[str], log: Path) -> bool:
    """Kill a run and its workers, and note it; whether it was still running."""
    was_running = process.poll() is None
    if was_running:
        # Stopped first: nothing of it is noted after the note, nothing of its heirs before.
        os.killpg(process.pid, signal.SIGSTOP)
        members = group(process.pid)
        with log.open("a") as file:
            file.writelines(f"{member} killed -\n" for member in members)
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return was_running


def group(leader: int) -> list[int]:
    """The processes of a group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == leader:
            found.append(int(stat.parent.name))
    return found


def main(kills: int) -> int:
    folder = Path(tempfile.mkdtemp(prefix="kill-store-"))
    began = time.monotonic()
    whole = [begin(folder / f"whole-{i}", folder / "whole", span) for i, span in enumerate(RANGES)]
    expected = [process.communicate()[0] for process in whole]
    took = time.monotonic() - began
    if not all(expected):
        print("the undisturbed runs failed")
        return 1
    root, log, rng = folder / "store", folder / "log", stream(0, "kill")
    log.touch()
    runs = [begin(root, log, span) for span in RANGES]
    lost = 0
    for number in range(kills):
        wait = float(rng.uniform(0.2, 0.9)) * took
        time.sleep(wait)
        which = int(rng.integers(2))
        was_running = kill(runs[which], log)
        lost += was_running
        made = len(Store(root).entries()) if (root / "store.json").exists() else 0
        print(f"kill {number}: run {which} after {wait:.1f} s, {made} entries are there")
        if found := [*twice_at_once(log.read_text().splitlines()), *half_written(root)]:
            print(f"made twice at once, or half written: {found}")
            return 1
        if made > 20 and number + 1 < kills:  # nearly done: begin anew, so that there is work
            for other in runs:
                kill(other, log)
            shutil.rmtree(root)
            runs = [begin(root, log, span) for span in RANGES]
        else:
            runs[which] = begin(root, log, RANGES[which])
    ends = [process.communicate() for process in runs]
    if [out for out, _ in ends] != expected:
        print(f"the results differ from an undisturbed run's\n{ends[0][1]}{ends[1][1]}")
        return 1
    if found := [*twice_at_once(log.read_text().splitlines()), *half_written(root)]:
        print(f"made twice at once, or half written: {found}")
        return 1
    print(
        f"{kills} kills, {lost} of them of a run that had not finished: no entry made twice at "
        "once, none half written, the results equal an undisturbed run's"
    )
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))

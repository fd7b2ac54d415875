"""Laws of work shared out among processes: nothing lost, nothing twice, faults told as they are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from shared_tasks import base, die, fail_at_two, no_base, power

from trimix.core.errors import ConfigError, TrimixError
from trimix.core.workers import run_tasks

DIED = TrimixError("a worker died", do="use fewer")


def run(task, arguments, workers, setup=None, **more):
    setup = setup or partial(base, 3)
    return list(run_tasks(task, arguments, setup=setup, workers=workers, died=DIED, **more))


@pytest.mark.parametrize("workers", [1, 2, 9])
def test_results_and_ticks_do_not_depend_on_the_number_of_workers(workers: int) -> None:
    ticks: list[None] = []
    found = run(power, [0, 1, 2, 3], workers, tick=lambda: ticks.append(None))
    assert {at: value for at, (value, _) in found} == {0: 1, 1: 3, 2: 9, 3: 27}
    assert len(found) == 4
    assert len(ticks) == 6


def test_one_worker_or_one_task_stays_in_this_process() -> None:
    for arguments, workers in (([1, 2], 1), ([1], 2)):
        assert {pid for _, (_, pid) in run(power, arguments, workers)} == {os.getpid()}
    assert os.getpid() not in {pid for _, (_, pid) in run(power, [1, 2], 2)}


@pytest.mark.parametrize("workers", [1, 2])
def test_faults_of_a_task_and_of_its_setup_arrive_as_they_are(workers: int) -> None:
    with pytest.raises(ConfigError, match="two is refused"):
        run(fail_at_two, [1, 2, 3], workers)
    with pytest.raises(ConfigError, match="no world to set up"):
        run(power, [1, 2], workers, setup=no_base)


def test_a_process_that_vanishes_is_told() -> None:
    with pytest.raises(TrimixError, match="a worker died"):
        run(die, [1, 2], 2)


SLOW = """
import sys, time
from contextlib import nullcontext
from functools import partial
from trimix.core.errors import TrimixError
from trimix.core.workers import run_tasks

def sleep(state, seconds, tick):
    tick()
    time.sleep(seconds)

if __name__ == "__main__":
    say = lambda: print("begun", flush=True)
    died = TrimixError("died")
    setup = partial(nullcontext, None)
    try:
        list(run_tasks(sleep, [60, 60, 60], setup=setup, workers=2, died=died, tick=say))
    except KeyboardInterrupt:
        sys.exit(130)
"""


@pytest.mark.parametrize("whole_group", [True, False])
def test_an_interrupt_ends_every_process_at_once_and_quietly(
    tmp_path: Path, whole_group: bool
) -> None:
    script = tmp_path / "slow.py"
    script.write_text(SLOW)
    run = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert run.stdout is not None
    run.stdout.readline()
    run.stdout.readline()
    began = time.monotonic()
    # A terminal's Ctrl-C reaches the whole group; a scheduler's signal the first process alone.
    (os.killpg if whole_group else os.kill)(run.pid, signal.SIGINT)
    _, complaints = run.communicate(timeout=30)
    assert (run.returncode, complaints) == (130, "")
    assert time.monotonic() - began < 20

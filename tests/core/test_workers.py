"""Laws of work shared out among processes: nothing lost, nothing twice, faults told as they are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import pytest
from shared_tasks import (
    base,
    blas_threads,
    die,
    die_at_first,
    environment,
    fail_at_two,
    no_base,
    power,
)

from trimix.core.errors import ConfigError, TrimixError
from trimix.core.workers import TRIES, WORKER_ENVIRONMENT, run_tasks

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


def tries(folder: Path, n: int) -> list[int]:
    return [len((folder / f"tries-{i}").read_text().split()) for i in range(n)]


@pytest.mark.parametrize("deaths", [1, TRIES - 1])
def test_a_task_whose_process_died_is_given_to_another_and_no_other_task_is(
    tmp_path: Path, deaths: int
) -> None:
    (tmp_path / "deaths").write_text(str(deaths))
    ticks: list[None] = []
    setup = partial(nullcontext, str(tmp_path))
    found = run(die_at_first, range(5), 2, setup, tick=lambda: ticks.append(None))
    assert dict(found) == {i: 10 * i for i in range(5)}
    assert tries(tmp_path, 5) == [1, 1 + deaths, 1, 1, 1]
    assert len(ticks) == 10, "what was counted before a death is not counted again"


def test_a_task_that_kills_every_process_is_given_up(tmp_path: Path) -> None:
    (tmp_path / "deaths").write_text(str(TRIES))
    with pytest.raises(TrimixError, match="a worker died"):
        run(die_at_first, [0, 1], 2, partial(nullcontext, str(tmp_path)))
    assert tries(tmp_path, 2)[1] == TRIES


def test_a_task_that_dies_again_and_again_costs_no_other(tmp_path: Path) -> None:
    (tmp_path / "deaths").write_text(str(TRIES))
    found = []
    with pytest.raises(TrimixError, match="a worker died"):
        for at, _ in run_tasks(
            die_at_first,
            range(6),
            setup=partial(nullcontext, str(tmp_path)),
            workers=2,
            died=DIED,
        ):
            found.append(at)
    assert sorted(found) == [0, 2, 3, 4, 5]


@pytest.mark.parametrize("workers", [1, 2])
def test_sums_are_taken_by_one_thread_in_any_process(workers: int) -> None:
    assert {threads for _, threads in run(blas_threads, [0, 1], workers)} <= {1, None}


def test_fresh_processes_have_one_thread_and_this_one_keeps_its_own(monkeypatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    names = [*WORKER_ENVIRONMENT]
    assert dict(run(environment, names, 2)) == dict(enumerate(WORKER_ENVIRONMENT.values()))
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


SLOW = """
import os, signal, sys, time
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from trimix.core.errors import TrimixError
from trimix.core.workers import run_tasks

def sleep(folder, seconds, tick):
    (Path(folder) / str(os.getpid())).touch()
    tick()
    time.sleep(seconds)

if __name__ == "__main__":
    # Of its own: where tests run in the background of a script, Ctrl-C is ignored.
    signal.signal(signal.SIGINT, getattr(signal, sys.argv[2]))
    say = lambda: print("begun", flush=True)
    died = TrimixError("died")
    setup = partial(nullcontext, sys.argv[1])
    try:
        list(run_tasks(sleep, [60, 60, 60], setup=setup, workers=2, died=died, tick=say))
    except KeyboardInterrupt:
        sys.exit(130)
"""


def alive(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


in_proc = pytest.mark.skipif(
    not Path("/proc/self").exists(), reason="processes are looked up in /proc"
)


def begin(tmp_path: Path, handler: str) -> tuple[subprocess.Popen[str], list[int]]:
    """A process in a group of its own whose two workers have begun."""
    script, pids = tmp_path / "slow.py", tmp_path / "pids"
    script.write_text(SLOW)
    pids.mkdir()
    run = subprocess.Popen(
        [sys.executable, str(script), str(pids), handler],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert run.stdout is not None
    run.stdout.readline()
    run.stdout.readline()
    workers = [int(p.name) for p in pids.iterdir()]
    assert len(workers) == 2
    return run, workers


def none_is_left(workers: list[int]) -> bool:
    deadline = time.monotonic() + 20
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not any(map(alive, workers))


@in_proc
@pytest.mark.parametrize(
    ("number", "whole_group"),
    [(signal.SIGINT, True), (signal.SIGINT, False), (signal.SIGKILL, False)],
)
def test_what_ends_the_main_process_ends_the_others_soon_and_quietly(
    tmp_path: Path, number: signal.Signals, whole_group: bool
) -> None:
    run, workers = begin(tmp_path, "default_int_handler")
    # A terminal's Ctrl-C reaches the whole group; a scheduler's signal the first process alone.
    (os.killpg if whole_group else os.kill)(run.pid, number)
    _, complaints = run.communicate(timeout=30)
    if number == signal.SIGINT:
        assert (run.returncode, complaints) == (130, "")
    assert none_is_left(workers)


@in_proc
def test_an_interrupt_that_the_main_process_ignores_ends_no_other(tmp_path: Path) -> None:
    run, workers = begin(tmp_path, "SIG_IGN")
    os.killpg(run.pid, signal.SIGINT)
    time.sleep(1)
    assert run.poll() is None
    assert all(map(alive, workers))
    run.kill()
    run.communicate(timeout=30)
    assert none_is_left(workers)

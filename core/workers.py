"""Work shared out among processes: the same results, whatever their number."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from trimix.core.errors import TrimixError

POLL_S = 0.5
GRACE_S = 10.0
"""What a task gets to save its work when the main process is gone."""

S = TypeVar("S")
A = TypeVar("A")
R = TypeVar("R")
Tick = Callable[[], None]
"""Called by a task whenever one more unit of its work is done."""


def run_tasks(
    task: Callable[[S, A, Tick], R],
    arguments: Sequence[A],
    *,
    setup: Callable[[], AbstractContextManager[S]],
    workers: int,
    died: TrimixError,
    tick: Tick = lambda: None,
) -> Iterator[tuple[int, R]]:
    """Call task(state, argument, tick) for every argument; give the results as they are ready.

    With several workers the task, setup and arguments go to fresh processes, which must find them
    by name. When iterating stops early (an error, Ctrl-C, the end of this process) they are sent
    SIGTERM, so tasks keep what they did where it is safe.

    Args:
        task: what to do; it says each unit done with its tick.
        arguments: one for each task.
        setup: makes what the tasks of one process share, before the first of them.
        workers: processes at most; with 1, or one argument, everything is done in this one.
        died: raised when a process vanishes.
        tick: called in this process for each unit done in any.

    Yields:
        (position of the argument, result)

    Raises:
        TrimixError: `died`; else what a task raises.
    """
    workers = min(workers, len(arguments))
    if workers <= 1:
        with setup() as state:
            for i, argument in enumerate(arguments):
                yield i, task(state, argument, tick)
        return
    context = multiprocessing.get_context("spawn")
    count = context.Value("q", 0)
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        workers, mp_context=context, initializer=_start, initargs=(setup, count)
    )
    try:
        with _no_interrupt():
            running = {pool.submit(_run, task, a): i for i, a in enumerate(arguments)}
        yield from _results(running, count, tick)
        pool.shutdown()
    except BrokenProcessPool as error:
        raise died from error
    finally:
        # Without this a task under way would be waited for, which can take minutes.
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        pool.shutdown(cancel_futures=True)


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Ctrl-C waits, also in processes that are started meanwhile: until they can end quietly."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _results(running: dict[Future[R], int], count: Any, tick: Tick) -> Iterator[tuple[int, R]]:
    seen = 0
    while running:
        ended, _ = wait(running, POLL_S, FIRST_COMPLETED)
        now = int(count.get_obj().value)  # without the lock, which a killed worker may still hold
        for _ in range(now - seen):
            tick()
        seen = now
        for future in ended:
            yield running.pop(future), future.result()


class _Process:
    """What a worker process keeps between tasks."""

    def __init__(self, setup: Callable[[], AbstractContextManager[Any]], count: Any) -> None:
        self._setup, self._count = setup, count
        self._entered: list[Any] = []

    def state(self) -> Any:
        # Not when the process starts: a fault there would be told as a death.
        if not self._entered:
            manager = self._setup()
            self._entered += [manager.__enter__(), manager]
        return self._entered[0]

    def tick(self) -> None:
        with self._count.get_lock():
            self._count.value += 1


_process: list[_Process] = []
"""Of this worker process; empty everywhere else."""


def _start(setup: Callable[[], AbstractContextManager[Any]], count: Any) -> None:
    # Ctrl-C reaches every process of a terminal: the main one tells of it, the others give up
    # their task without a word.
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_outlive_nobody, daemon=True).start()
    # llvmpipe's own threads and a renderer a process scale worse than the renderers alone.
    os.environ["LP_NUM_THREADS"] = "0"
    _process[:] = [_Process(setup, count)]


def _outlive_nobody() -> None:
    """End this process when the one that started it is gone, whatever became of it."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    multiprocessing.connection.wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os._exit(1)


def _run(task: Callable[[Any, A, Tick], R], argument: A) -> R:
    (process,) = _process
    return task(process.state(), argument, process.tick)

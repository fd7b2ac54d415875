"""Work shared out among processes: the same results, whatever their number."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Protocol, TypeVar

from threadpoolctl import threadpool_limits

from trimix.core.errors import TrimixError

POLL_S = 0.5
GRACE_S = 10.0
"""What a task gets to save its work when the main process is gone."""
TRIES = 3
"""How often a task is begun whose process dies: what kills three of them kills the next."""
WORKER_ENVIRONMENT = {
    # Threads of several processes get in one another's way, and the order in which they add up
    # shows in the last bits of a sum.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # llvmpipe's own threads and a renderer a process scale worse than the renderers alone.
    "LP_NUM_THREADS": "0",
}
"""What processes that do tasks are started with; a task that wants more threads says so itself."""

S = TypeVar("S")
A = TypeVar("A")
R = TypeVar("R")
Tick = Callable[[], None]
"""Called by a task whenever one more unit of its work is done."""


def _quiet() -> None:
    """Tells nobody."""


class Executor(Protocol):
    """Where work runs: here, in local processes, or on a cluster."""

    @property
    def workers(self) -> int:
        """How many tasks run at a time, at most."""

    def run(
        self,
        task: Callable[[S, A, Tick], R],
        arguments: Sequence[A],
        *,
        setup: Callable[[], AbstractContextManager[S]],
        died: TrimixError,
        tick: Tick = _quiet,
    ) -> Iterator[tuple[int, R]]:
        """Call task(state, argument, tick) for every argument; give the results as they are ready.

        Tasks are idempotent: one whose process dies is given to another, `TRIES` times in all, and
        the ones beside it go on. A task ticks once for every unit of its work, also for one that it
        finds done already, so that nothing is counted twice when it is tried again.

        Args:
            task: what to do, found by its name in other processes.
            arguments: one for each task.
            setup: makes what the tasks of one process share, before the first of them.
            died: raised at the end when a task's processes vanished time and again.
            tick: called in this process for each unit done in any.

        Yields:
            (position of the argument, result)

        Raises:
            TrimixError: `died`; else what a task raises.
        """


@dataclass(frozen=True)
class Local:
    """This machine: with one worker, or one argument, this process; else fresh ones.

    Fresh processes have one thread each for linear algebra, until a task says otherwise. When
    iterating stops early (an error, Ctrl-C, the end of this process) they are sent SIGTERM, so
    tasks keep what they did where it is safe.

    Args:
        workers: processes at most.
    """

    workers: int

    def run(
        self,
        task: Callable[[S, A, Tick], R],
        arguments: Sequence[A],
        *,
        setup: Callable[[], AbstractContextManager[S]],
        died: TrimixError,
        tick: Tick = _quiet,
    ) -> Iterator[tuple[int, R]]:
        """See Executor."""
        workers = min(self.workers, len(arguments))
        if workers > 1:
            yield from _share_out(task, arguments, setup, workers, died, tick)
            return
        # As in fresh processes: the order in which threads add up shows in the last bits.
        with threadpool_limits(1, user_api="blas"), setup() as state:
            for i, argument in enumerate(arguments):
                yield i, task(state, argument, tick)


def run_tasks(
    task: Callable[[S, A, Tick], R],
    arguments: Sequence[A],
    *,
    setup: Callable[[], AbstractContextManager[S]],
    workers: int,
    died: TrimixError,
    tick: Tick = _quiet,
) -> Iterator[tuple[int, R]]:
    """Local(workers).run(...)."""
    return Local(workers).run(task, arguments, setup=setup, died=died, tick=tick)


class Tries:
    """Which tasks wait, how often each was begun, and what each has ticked.

    Args:
        n: tasks.
        died: raised when all others are done, if one has been tried `TRIES` times.
        tick: called for every unit of work that was not counted before.
    """

    def __init__(self, n: int, died: TrimixError, tick: Tick) -> None:
        self.waiting = deque(range(n))
        self._given_up: BaseException | None = None
        self._begun, self._ticked = [0] * n, [0] * n
        self._died, self._tick = died, tick

    def begin(self) -> int:
        """The next task."""
        at = self.waiting.popleft()
        self._begun[at] += 1
        return at

    def ticked(self, at: int, units: int) -> None:
        """The task's present try has done this many units of its work."""
        for _ in range(units - self._ticked[at]):
            self._tick()
        self._ticked[at] = max(units, self._ticked[at])

    def lost(self, at: int, fault: BaseException) -> None:
        """The task's process vanished: it is tried again after the others, if at all."""
        if self._begun[at] == TRIES:
            self._given_up = fault
        else:
            self.waiting.append(at)

    def end(self) -> None:
        """All is done that can be.

        Raises:
            TrimixError: a task was tried in vain.
        """
        if self._given_up is not None:
            raise self._died from self._given_up


class _Slot:
    """A process that does one task at a time. Its death breaks this pool of one and no other."""

    def __init__(self, setup: Callable[[], AbstractContextManager[Any]]) -> None:
        context = multiprocessing.get_context("spawn")
        # Written by that process alone: no lock that it could take with it when it is killed.
        self._count, self._before = context.Value("q", 0, lock=False), 0
        self._pool = ProcessPoolExecutor(
            1, mp_context=context, initializer=_start, initargs=(setup, self._count)
        )
        self.at = -1

    def submit(
        self,
        at: int,
        task: Callable[[Any, A, Tick], R],
        argument: A,
        ended: SimpleQueue[Future[R]],
    ) -> Future[R]:
        """Begin task number `at`, which is put into `ended`; starts the process with the first."""
        self.at, self._before = at, self._count.value
        with _no_interrupt(), _environment(WORKER_ENVIRONMENT):
            future = self._pool.submit(_run, task, argument)
            future.add_done_callback(ended.put)
            return future

    def ticks(self) -> int:
        """Units of the present task that are done."""
        return int(self._count.value) - self._before

    def replaced(self, setup: Callable[[], AbstractContextManager[Any]]) -> _Slot:
        """A slot in the place of this one, whose process is dead."""
        self.close()
        return _Slot(setup)

    def close(self) -> None:
        """Let an idle or dead process go."""
        self._pool.shutdown(cancel_futures=True)


def _share_out(
    task: Callable[[S, A, Tick], R],
    arguments: Sequence[A],
    setup: Callable[[], AbstractContextManager[S]],
    workers: int,
    died: TrimixError,
    tick: Tick,
) -> Iterator[tuple[int, R]]:
    tries = Tries(len(arguments), died, tick)
    slots = [_Slot(setup) for _ in range(workers)]
    running: dict[Future[R], _Slot] = {}
    done: SimpleQueue[Future[R]] = SimpleQueue()
    others = set(multiprocessing.active_children())
    try:
        while tries.waiting or running:
            for i, slot in enumerate(slots):
                if tries.waiting and slot not in running.values():
                    at = tries.begin()
                    try:
                        running[slot.submit(at, task, arguments[at], done)] = slot
                    except BrokenProcessPool as fault:  # it died between two tasks
                        slots[i] = slot.replaced(setup)
                        tries.lost(at, fault)
            ended = _ended(done)
            for slot in running.values():
                tries.ticked(slot.at, slot.ticks())
            for future in ended:
                slot = running.pop(future)
                try:
                    result = future.result()
                except BrokenProcessPool as fault:
                    slots[slots.index(slot)] = slot.replaced(setup)
                    tries.lost(slot.at, fault)
                else:
                    yield slot.at, result
        for slot in slots:
            slot.close()
        tries.end()
    finally:
        # Without this a task under way would be waited for, which can take minutes.
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        for slot in slots:
            slot.close()


def _ended(done: SimpleQueue[Future[R]]) -> list[Future[R]]:
    """Tasks that have ended, once there is one or some time has passed.

    Not by concurrent.futures.wait: Ctrl-C within it can leave the lock of a future held, for which
    the pool would wait for ever.
    """
    ended = []
    with suppress(Empty):
        ended.append(done.get(timeout=POLL_S))
        while True:
            ended.append(done.get_nowait())
    return ended


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Processes started meanwhile have these variables; this one has its own again after."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


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
        self._count.value += 1


_process: list[_Process] = []
"""Of this worker process; empty everywhere else."""


def _start(setup: Callable[[], AbstractContextManager[Any]], count: Any) -> None:
    # Ctrl-C reaches every process of a terminal: the main one tells of it, the others give up
    # their task without a word. What runs in the background of a script hears it not at all.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_outlive_nobody, daemon=True).start()
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

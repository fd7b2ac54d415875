"""Batches read ahead in worker processes."""

from __future__ import annotations

import multiprocessing
import signal
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import BaseContext
from types import TracebackType

from trimix.core.errors import TrimixError
from trimix.mix.batch import MixBatch
from trimix.mix.loader import MixLoader


class Prefetcher:
    """The batches of a loader, read ahead by worker processes. The stream is the loader's own.

    Use it as a context manager, or call `close`. Reading in order is served from what was read
    ahead; a jump (a resume) is served too, and reading ahead goes on from there. Batches travel
    between processes, so workers pay off for large images and slow disks, not for 64 px.

    Args:
        loader: what to read.
        workers: processes; 0 reads in this process.
        depth: batches read ahead for each worker.
    """

    def __init__(self, loader: MixLoader, workers: int = 0, depth: int = 2) -> None:
        self.loader, self._ahead = loader, workers * depth
        self._futures: dict[int, Future[MixBatch]] = {}
        self._pool: ProcessPoolExecutor | None = None
        if workers > 0:
            loader.prepare()  # decoded caches are on disk before several processes look for them
            self._pool = ProcessPoolExecutor(
                workers,
                mp_context=_process_context(),
                initializer=_start_worker,
                initargs=(loader,),
            )

    def load(self, k: int) -> MixBatch:
        """Batch k, as `MixLoader.load`.

        Raises:
            TrimixError: a worker died; else what `MixLoader.load` raises.
        """
        if self._pool is None:
            return self.loader.load(k)
        last = min(k + self._ahead, self.loader.lock.steps - 1)
        for stale in [s for s in self._futures if not k <= s <= last]:
            self._futures.pop(stale).cancel()
        for ahead in range(k, max(last, k) + 1):
            if ahead not in self._futures:
                self._futures[ahead] = self._pool.submit(_load_in_worker, ahead)
        try:
            return self._futures.pop(k).result()
        except BrokenProcessPool as fault:
            raise TrimixError(
                "a process that reads batches ahead died, perhaps for want of memory",
                where=f"batch {k}",
                do="use fewer workers, or 0",
            ) from fault

    def close(self) -> None:
        """Stop the workers. What was read ahead is dropped."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None
        self._futures.clear()

    def __enter__(self) -> Prefetcher:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


_worker_loader: list[MixLoader] = []
"""The loader of this worker process; empty everywhere else."""


def _process_context() -> BaseContext:
    """Processes that start clean: fork would copy the locks of this one's threads."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])  # imported once, not once a worker
    return context


def _start_worker(loader: MixLoader) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process closes the pool
    _worker_loader[:] = [loader]


def _load_in_worker(k: int) -> MixBatch:
    return _worker_loader[0].load(k)

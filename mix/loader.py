"""Batches of a lock: `MixLoader` reads them, `Prefetcher` reads them ahead in worker processes."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing.context import BaseContext
from types import TracebackType

import numpy as np

from trimix.core.contracts import I64, Origin
from trimix.core.errors import DataError, TrimixError
from trimix.mix.batch import MixBatch, join
from trimix.mix.lock import Lock, LockedSource
from trimix.mix.sampler import MixSampler
from trimix.mix.selection import choose
from trimix.mix.source import DiskStore, SourceData, Store, WindowSet


@dataclass(frozen=True)
class _Opened:
    """A source's windows, which of them are chosen, and what its samples are told."""

    windows: WindowSet
    ids: I64 | None
    origin: Mapping[int, Origin]


class MixLoader:
    """Batch k of a lock, read from its sources. Reading k never depends on what was read before.

    Args:
        lock: the plan.
        store: where data comes from; None is the disk.
        paths: source name -> where it is now, for data that moved since the lock was compiled.

    Raises:
        DataError: a source's content is not what the lock was compiled from.
        TrimixError: a source cannot be opened.
    """

    def __init__(
        self, lock: Lock, store: Store | None = None, paths: Mapping[str, str] | None = None
    ) -> None:
        self.lock = _moved(lock, paths or {})
        self.store = store or DiskStore()
        self.sampler = MixSampler(lock)
        self._opened: dict[int, _Opened] = {}
        self._data: dict[int, SourceData] = {}
        for i, source in enumerate(self.lock.sources):
            self._data[i] = self.store.open(source.path)
            _require_unchanged(source, self._data[i])

    def __getstate__(self) -> tuple[Lock, Store]:
        """Worker processes get the lock and the store, and open the sources themselves."""
        return self.lock, self.store

    def __setstate__(self, state: tuple[Lock, Store]) -> None:
        self.lock, self.store = state
        self.sampler = MixSampler(self.lock)
        self._data, self._opened = {}, {}

    def load(self, k: int) -> MixBatch:
        """Batch k, in 0..steps-1; anything else is an IndexError."""
        plan = self.sampler.batch(k)
        parts = []
        domain: list[Origin] = ["real"] * len(plan.source)
        for i in np.unique(plan.source):
            opened = self._open(int(i))
            slots = np.flatnonzero(plan.source == i)
            ids = plan.window[slots]
            windows = opened.windows.gather(ids if opened.ids is None else opened.ids[ids])
            parts.append((slots, windows))
            for slot, episode in zip(slots, windows.episode, strict=True):
                domain[slot] = opened.origin[int(episode)]
        joined = join(parts)
        shown = np.array([s.domain for s in self.lock.sources], bool)
        return MixBatch(
            step=k,
            images=joined.images,
            state=joined.state,
            action=joined.action,
            action_valid=joined.action_valid,
            history_valid=joined.history_valid,
            instruction=joined.instruction,
            episode=joined.episode,
            frame=joined.frame,
            trust=joined.trust,
            source=plan.source,
            window=plan.window,
            domain=domain,
            domain_shown=shown[plan.source],
            augment_seed=plan.augment_seed,
        )

    def prepare(self) -> None:
        """Open every source now (which may decode its videos), rather than when it is drawn."""
        for i in range(len(self.lock.sources)):
            self._open(i)

    def _open(self, i: int) -> _Opened:
        if i not in self._opened:
            source = self.lock.sources[i]
            if i not in self._data:
                self._data[i] = self.store.open(source.path)
            data, listed = self._data[i], set(source.episodes)
            episodes = [e for e in data.episodes if e.index in listed]
            chosen = choose(data, episodes, source.min_trust, self.lock.view.window, {})
            if chosen.identity(data.content_hash) != source.identity:
                raise _changed(source, "its windows are not the lock's")
            self._opened[i] = _Opened(
                windows=data.windows(self.lock.view, chosen.episodes),
                ids=chosen.ids,
                origin={e.index: e.provenance.origin for e in episodes},
            )
        return self._opened[i]


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

    def batches(self, start: int = 0, stop: int | None = None) -> Iterator[MixBatch]:
        """Batches start..stop-1; None is the end of the training."""
        for k in range(start, self.loader.lock.steps if stop is None else stop):
            yield self.load(k)

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


def _moved(lock: Lock, paths: Mapping[str, str]) -> Lock:
    known = {name for source in lock.sources for name in source.names}
    for name in paths:
        if name not in known and name not in lock.unused:
            raise DataError(
                f"the lock has no source {name!r}", do=f"available: {', '.join(sorted(known))}"
            )
    sources = []
    for source in lock.sources:
        new = [paths[name] for name in source.names if name in paths]
        sources.append(replace(source, path=new[0]) if new else source)
    return replace(lock, sources=tuple(sources))


def _require_unchanged(source: LockedSource, data: SourceData) -> None:
    found, locked = data.content_hash, source.content_hash
    if found != locked:
        raise _changed(source, f"{found[:12]}, the lock has {locked[:12]}")


def _changed(source: LockedSource, how: str) -> DataError:
    return DataError(
        f"the content of source {source.name!r} changed since the lock was compiled ({how})",
        where=source.path,
        do="compile the recipe again, or bring back the data that it was compiled from",
    )

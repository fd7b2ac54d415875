"""Batches of a lock, read from its sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from trimix.core.contracts import Origin
from trimix.core.errors import DataError
from trimix.mix.batch import MixBatch, join
from trimix.mix.lock import Lock, LockedSource
from trimix.mix.sampler import MixSampler, require_rank
from trimix.mix.selection import Selection, choose
from trimix.mix.source import DiskStore, SourceData, Store, WindowSet


@dataclass(frozen=True)
class _Opened:
    """A source's windows, and how they were chosen."""

    windows: WindowSet
    selection: Selection


class MixLoader:
    """Batch k of a lock, read from its sources. Reading k never depends on what was read before.

    Args:
        lock: the plan.
        store: where data comes from; None is the disk.
        paths: source name -> where it is now, for data that moved since the lock was compiled.
        rank, world: of several processes that share every batch, which one this is; see
            `MixSampler.batch`. Only its own part is read.

    Raises:
        ConfigError: there is no such process.
        DataError: a source's content is not what the lock was compiled from.
        TrimixError: a source cannot be opened.
    """

    def __init__(
        self,
        lock: Lock,
        store: Store | None = None,
        paths: Mapping[str, str] | None = None,
        *,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        require_rank(lock, rank, world)
        self.lock = _moved(lock, paths or {})
        self.rank, self.world = rank, world
        self.store = store or DiskStore()
        self.sampler = MixSampler(lock)
        self._opened: dict[int, _Opened] = {}
        self._data: dict[int, SourceData] = {}
        for i, source in enumerate(self.lock.sources):
            self._data[i] = self.store.open(source.path)
            _require_unchanged(source, self._data[i])

    def __getstate__(self) -> tuple[Lock, Store, int, int]:
        """Worker processes get the lock and the store, and open the sources themselves."""
        return self.lock, self.store, self.rank, self.world

    def __setstate__(self, state: tuple[Lock, Store, int, int]) -> None:
        self.lock, self.store, self.rank, self.world = state
        self.sampler = MixSampler(self.lock)
        self._data, self._opened = {}, {}

    def load(self, k: int) -> MixBatch:
        """Batch k, in 0..steps-1; anything else is an IndexError."""
        plan = self.sampler.batch(k, self.rank, self.world)
        parts = []
        domain: list[Origin] = ["real"] * len(plan.source)
        for i in np.unique(plan.source):
            opened = self._open(int(i))
            slots = np.flatnonzero(plan.source == i)
            windows = opened.windows.gather(plan.window[slots])
            parts.append((slots, windows))
            origins = opened.selection.origin_of(windows.episode)
            for slot, origin in zip(slots.tolist(), origins, strict=True):
                domain[slot] = origin
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
            chosen = choose(data, episodes, source.min_trust, self.lock.view.window)
            if chosen.identity(data.content_hash) != source.identity:
                raise _changed(source, "its windows are not the lock's")
            self._opened[i] = _Opened(data.windows(self.lock.view, chosen.spans), chosen)
        return self._opened[i]


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

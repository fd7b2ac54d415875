"""Batch k as a pure function of (lock, k): which window of which source, in which order.

Axes: B windows a batch, m sources.

Every source counts its own draws. Draw d of a source of n windows is number d % n in the order of
epoch d // n, and each epoch's order is a permutation keyed by (seed, source identity, epoch): each
window comes exactly once an epoch, whatever the batch size, the phase or the other sources.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trimix.core.contracts import I64
from trimix.core.seeds import key
from trimix.mix.lock import Lock
from trimix.mix.permutation import U64, counter_hash, permute
from trimix.mix.schedule import Totals


@dataclass(frozen=True)
class MixBatchPlan:
    """What batch `step` draws.

    Args:
        source: (B,) index into the lock's sources.
        window: (B,) which of the source's chosen windows, in [0, n).
        epoch: (B,) how often the source had been drawn through before.
        augment_seed: (B,) keys for augmentations of these samples.
    """

    step: int
    source: I64
    window: I64
    epoch: I64
    augment_seed: U64


class MixSampler:
    """The plan of every batch of a lock. Holds no position: any batch, in any order."""

    def __init__(self, lock: Lock) -> None:
        self.lock = lock
        self._schedule = lock.schedule
        self._totals = Totals(self._schedule)

    def drawn_before(self, k: int) -> I64:
        """(m,) windows of each source in batches 0..k-1."""
        return self._totals.before(k)

    def batch(self, k: int) -> MixBatchPlan:
        """The plan of batch k.

        The sources' samples are shuffled within the batch, by key, so that each part of a batch
        that is split over devices or micro-batches sees them mixed.

        Raises:
            IndexError: k is not in 0..steps-1.
        """
        lock = self.lock
        if not 0 <= k < lock.steps:
            raise IndexError(f"batch {k} is not in a training of {lock.steps} steps")
        begin = self.drawn_before(k)
        count = self._schedule.counts(np.array([k], np.int64))[0]
        source = np.repeat(np.arange(len(lock.sources)), count)
        window, epoch = np.zeros_like(source), np.zeros_like(source)
        for i, locked in enumerate(lock.sources):
            draw = begin[i] + np.arange(count[i])
            window[source == i] = self._windows(locked.identity, locked.windows, draw)
            epoch[source == i] = draw // locked.windows
        slots = np.arange(lock.batch_size, dtype=np.int64)
        order = permute(slots, lock.batch_size, key(lock.seed, k, "mix order"))
        seeds = counter_hash(k * lock.batch_size + slots, key(lock.seed, "mix augment"))
        return MixBatchPlan(k, source[order], window[order], epoch[order], seeds)

    def _windows(self, identity: str, n: int, draw: I64) -> I64:
        """Which windows these draws of a source give: (K,) draw numbers -> (K,) in [0, n)."""
        epoch, place = np.divmod(draw, n)
        out = np.empty_like(draw)
        for e in np.unique(epoch):
            mine = epoch == e
            out[mine] = permute(place[mine], n, key(self.lock.seed, int(e), f"mix {identity}"))
        return out

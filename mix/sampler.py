"""Batch k as a pure function of (lock, k): which window of which source, in which order.

Axes: B windows a batch (b of them for one of several processes), m sources.

Every source counts its own draws, and its windows come in its own order (see `shuffle`), keyed by
(seed, source identity): whatever the batch size, the phase or the other sources.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trimix.core.contracts import I64
from trimix.core.errors import ConfigError
from trimix.core.seeds import key
from trimix.mix.lock import Lock
from trimix.mix.permutation import U64, counter_hash, fold, permute
from trimix.mix.shuffle import Shuffle


@dataclass(frozen=True)
class MixBatchPlan:
    """What batch `step` draws.

    Args:
        source: (b,) index into the lock's sources.
        window: (b,) which of the source's chosen windows, in [0, n).
        epoch: (b,) how often the source had been drawn through before.
        augment_seed: (b,) keys for augmentations of these samples.
    """

    step: int
    source: I64
    window: I64
    epoch: I64
    augment_seed: U64


class MixSampler:
    """The plan of every batch of a lock. Holds no position: any batch, in any order.

    Time and memory do not grow with the number of windows or steps: a batch costs a few operations
    a sample and a source that has a share then.
    """

    def __init__(self, lock: Lock) -> None:
        self.lock = lock
        self._schedule = lock.schedule
        self._shuffle = Shuffle(
            [s.windows for s in lock.sources],
            [fold(key(lock.seed, f"mix {s.identity}")) for s in lock.sources],
        )
        self._augment = key(lock.seed, "mix augment")

    def batch(self, k: int, rank: int = 0, world: int = 1) -> MixBatchPlan:
        """The plan of batch k, or what one of several processes takes of it.

        The sources' samples are shuffled within the batch, by key, so that each part of a batch
        that is split over devices or micro-batches sees them mixed. Process r of w takes samples
        r, r + w, r + 2 w, ... of it: together the batch, none twice, as many each to within one.

        Args:
            k: the batch's number.
            rank: which process, in 0..world-1.
            world: how many processes share the batch.

        Raises:
            IndexError: k is not in 0..steps-1.
            ConfigError: there is no such process, or nothing left for one.
        """
        lock = self.lock
        if not 0 <= k < lock.steps:
            raise IndexError(f"batch {k} is not in a training of {lock.steps} steps")
        require_rank(lock, rank, world)
        slots = np.arange(rank, lock.batch_size, world, dtype=np.int64)
        secret = np.array([fold(key(lock.seed, k, "mix order"))], np.uint64)
        sample = permute(slots, np.array([lock.batch_size]), secret)
        taken = self._schedule.at(k)
        ends = np.cumsum(taken.count)
        at = np.searchsorted(ends, sample, side="right")
        source = taken.source[at]
        draw = (taken.before + taken.count - ends)[at] + sample
        window, epoch = self._shuffle.windows(source, draw)
        seeds = counter_hash(k * lock.batch_size + slots, self._augment)
        return MixBatchPlan(k, source, window, epoch, seeds)


def require_rank(lock: Lock, rank: int, world: int) -> None:
    """Raise ConfigError unless process `rank` of `world` has a part in every batch."""
    if not 0 <= rank < world:
        raise ConfigError(f"process {rank} of {world} is none", do=f"give 0 to {world - 1}")
    if world > lock.batch_size:
        raise ConfigError(
            f"{world} processes cannot share a batch of {lock.batch_size}",
            do="use fewer processes, or compile the recipe with a larger batch_size",
        )

"""The order in which the windows of a source are drawn.

Axes: m sources, K draws asked for at once.

Draw d of a source of n windows is number d % n of epoch d // n, and an epoch's order is a
permutation: each window comes once an epoch. It is shuffled by blocks, so that what is drawn at
one time lies near in storage: the blocks of BLOCK windows are permuted, POOL of them that follow
each other make a pool, and the windows of a pool are permuted. So a source touches at most POOL
blocks at any time, twice that in a batch that goes from one pool to the next, and a source of up
to POOL * BLOCK windows is one pool: shuffled uniformly. mosaicml-streaming's "py1e" shuffle has
the same aim; it moves samples by a bounded random distance and makes each epoch's whole table,
where this one computes any draw by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trimix.core.contracts import I64, BoolArray
from trimix.mix.permutation import U64, mix64, permute, subkey

BLOCK = 100_000
POOL = 3
_EPOCH, _POOL, _BLOCKS, _SHORT = range(4)  # what a derived key is for


class Shuffle:
    """The orders of m sources. Holds two numbers a source, and no position.

    Args:
        windows: (m,) n of each source, at least 1.
        keys: (m,) 64-bit keys of their orders.
        block: windows a block.
        pool: blocks a pool.
    """

    def __init__(
        self, windows: Sequence[int], keys: Sequence[int], block: int = BLOCK, pool: int = POOL
    ) -> None:
        self._n = np.array(windows, np.int64)
        self._key = np.array(keys, np.uint64)
        self._block, self._pool = block, pool

    def windows(self, source: I64, draw: I64) -> tuple[I64, I64]:
        """Which window each draw gives.

        Args:
            source: (K,) in 0..m-1.
            draw: (K,) how many windows of that source were drawn before.

        Returns:
            (K,) windows in 0..n-1 and (K,) epochs.
        """
        n = self._n[source]
        epoch, place = np.divmod(draw, n)
        key = subkey(self._key[source], epoch, _EPOCH)
        window = np.empty_like(place)
        pooled = n > self._block * self._pool
        whole = np.flatnonzero(~pooled)
        if len(whole):
            window[whole] = permute(place[whole], n[whole], key[whole])
        if len(whole) < len(n):
            window[pooled] = self._from_pools(place[pooled], n[pooled], key[pooled])
        return window, epoch

    def _from_pools(self, place: I64, n: I64, key: U64) -> I64:
        """(K,) windows at these places of an epoch, for sources of more than one pool."""
        block, pool = self._block, self._pool
        span = block * pool
        full, tail = np.divmod(n, block)
        # the block that is not full stands anywhere among the others, and last in its pool
        lacks = np.where(tail > 0, block - tail, 0)
        position = _below(subkey(key, full, _SHORT), full + 1)
        short = np.where(tail > 0, position // pool, full + 1)  # beyond all pools: none is short
        number = np.where(place + lacks >= (short + 1) * span, place + lacks, place) // span
        after = number > short
        slots = np.minimum(pool, full + (tail > 0) - number * pool)
        size = slots * block - np.where(number == short, lacks, 0)
        begin = number * span - np.where(after, lacks, 0)
        inside = permute(place - begin, size, subkey(key, number, _POOL))
        slot, offset = np.divmod(inside, block)
        last: BoolArray = (number == short) & (slot == slots - 1)
        rank = np.where(last, 0, number * pool + slot - after)
        chosen = np.where(last, full, permute(rank, full, subkey(key, full, _BLOCKS)))
        return chosen * block + offset


def _below(key: U64, n: I64) -> I64:
    """(K,) numbers in 0..n-1, n below 2**31."""
    high = mix64(key) >> np.uint64(32)
    return (high * n.astype(np.uint64) >> np.uint64(32)).astype(np.int64)

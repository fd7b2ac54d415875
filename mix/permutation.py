"""Keyed numbers without state: a counter-based hash and a permutation of 0..n-1.

Axes: K items asked for at once.

The permutation is a balanced Feistel network on the smallest even-bit domain that holds n, with
cycle walking back into 0..n-1 (Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA
2002). It needs no table of n entries, so any element of any epoch's order costs the same.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trimix.core.contracts import I64

U64 = npt.NDArray[np.uint64]

_ROUNDS = 10  # 4 suffice on wide domains; small ones (n < 100) need more to look uniform
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MASK64 = (1 << 64) - 1


def mix64(x: U64) -> U64:
    """(K,) -> (K,) the finalizer of splitmix64, a bijection of 64-bit words.

    Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
    """
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def counter_hash(counter: I64, key: int) -> U64:
    """(K,) uint64 for (K,) counters: equal counters under equal keys give equal numbers."""
    low, high = np.uint64(key & _MASK64), np.uint64((key >> 64) & _MASK64)
    return mix64(mix64(counter.astype(np.uint64) * _GAMMA + low) ^ high)


def permute(index: I64, n: int, key: int) -> I64:
    """Where a keyed permutation of 0..n-1 sends these indices.

    Args:
        index: (K,) in [0, n).
        n: size of the permutation, at least 1.
        key: 128 bits, from `core.seeds.key`.

    Returns:
        (K,) in [0, n); the indices 0..n-1 together give each value exactly once.
    """
    if n == 1:
        return np.zeros_like(index)
    half = np.uint64(((n - 1).bit_length() + 1) // 2)
    mask = (np.uint64(1) << half) - np.uint64(1)
    keys = counter_hash(np.arange(_ROUNDS, dtype=np.int64), key)

    def encrypt(x: U64) -> U64:
        left, right = x >> half, x & mask
        for round_key in keys:
            left, right = right, left ^ (mix64(right + round_key) & mask)
        return (left << half) | right

    out = encrypt(index.astype(np.uint64))
    outside = out >= np.uint64(n)
    while outside.any():
        out[outside] = encrypt(out[outside])
        outside = out >= np.uint64(n)
    return out.astype(np.int64)

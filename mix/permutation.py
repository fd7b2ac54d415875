"""Keyed numbers without state: a counter-based hash and permutations of 0..n-1.

Axes: K items asked for at once; each may have its own key and its own n.

A permutation is a Feistel network on two digits, left in 0..a-1 and right in 0..b-1, with a and b
near the square root of n and a * b >= n; what falls beyond n walks on along its cycle (Black and
Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002, their generalized Feistel). It needs
no table of n entries, so any element of any order costs the same.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trimix.core.contracts import I64

U64 = npt.NDArray[np.uint64]

_ROUNDS = 8
_SORTED = 64  # up to here an order is that of n hashes: networks this narrow are not uniform
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MASK64 = (1 << 64) - 1
_STRIDE = np.uint64(0xD1342543DE82EF95)
_HIGH = np.uint64(32)


def mix64(x: U64) -> U64:
    """(K,) -> (K,) the finalizer of splitmix64, a bijection of 64-bit words.

    Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
    """
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def counter_hash(counter: I64, key: int) -> U64:
    """(K,) uint64 for (K,) counters: equal counters under equal keys give equal numbers.

    Args:
        counter: (K,) non-negative.
        key: 128 bits, from `core.seeds.key`.
    """
    low, high = np.uint64(key & _MASK64), np.uint64((key >> 64) & _MASK64)
    return mix64(mix64(counter.astype(np.uint64) * _GAMMA + low) ^ high)


def fold(key: int) -> int:
    """A 64-bit key of a 128-bit one, from `core.seeds.key`."""
    return (key ^ (key >> 64)) & _MASK64


def subkey(key: U64, number: I64, purpose: int) -> U64:
    """(K,) keys derived from (K,) keys and numbers; other numbers and purposes are unrelated."""
    salt = mix64(np.array([purpose], np.uint64) * _GAMMA + _GAMMA)
    return mix64(mix64(key + number.astype(np.uint64) * _GAMMA) ^ salt)


def permute(index: I64, n: I64, key: U64) -> I64:
    """Where keyed permutations send these indices.

    Args:
        index: (K,) in [0, n).
        n: (K,) or (1,) sizes of the permutations, in 1..2**62.
        key: (K,) or (1,) 64-bit keys.

    Returns:
        (K,) in [0, n). Under one n and key, the indices 0..n-1 give each value exactly once.
    """
    sizes, keys = np.broadcast_to(n, index.shape), np.broadcast_to(key, index.shape)
    out = np.empty_like(index)
    small = sizes <= _SORTED
    if small.any():
        out[small] = _rank(index[small], sizes[small], keys[small])
    wide = np.flatnonzero(~small)
    if len(wide):
        out[wide] = _walk(index[wide], sizes[wide], keys[wide])
    return out


def _rank(index: I64, n: I64, key: U64) -> I64:
    """The rank of an index's hash among the hashes of 0..n-1."""
    numbers = np.arange(n.max())
    hashes = mix64(mix64(key)[:, None] + numbers.astype(np.uint64) * _GAMMA)
    mine = np.take_along_axis(hashes, index[:, None], axis=1)
    below: I64 = np.sum((hashes < mine) & (numbers < n[:, None]), axis=1, dtype=np.int64)
    return below


def _walk(index: I64, n: I64, key: U64) -> I64:
    """Through the network, and on along the cycle while beyond n."""
    width = np.ceil(np.sqrt(n.astype(np.float64))).astype(np.uint64)
    sizes = n.astype(np.uint64)
    out = _encrypt(index.astype(np.uint64), width, sizes, key)
    beyond = np.flatnonzero(out >= sizes)
    while len(beyond):
        out[beyond] = _encrypt(out[beyond], width[beyond], sizes[beyond], key[beyond])
        beyond = beyond[out[beyond] >= sizes[beyond]]
    return out.astype(np.int64)


def _encrypt(x: U64, width: U64, n: U64, key: U64) -> U64:
    """One pass of the network over the digits of x = right * width + left."""
    height = (n + width - np.uint64(1)) // width
    right = x // width
    left = x - right * width
    step = mix64(key)
    for _ in range(_ROUNDS // 2):
        step = step + _GAMMA
        left = _turn(left, right, width, step)
        step = step + _GAMMA
        right = _turn(right, left, height, step)
    return right * width + left


def _turn(digit: U64, other: U64, base: U64, key: U64) -> U64:
    """Add a hash of the other digit, modulo the base, which is below 2**32."""
    moved = digit + ((mix64(key + other * _STRIDE) >> _HIGH) * base >> _HIGH)
    return np.where(moved >= base, moved - base, moved)

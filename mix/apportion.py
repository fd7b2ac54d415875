"""Who gets the odd windows of a batch, over a stretch of batches with constant shares.

Axes: J steps asked for at once, a sources, nodes of a binary tree over the sources.

A source of share s is due B s windows a batch. It always gets the whole part of that; its fraction
f is made up by one window more in some of the batches. In every batch as many sources get one more
as the fractions sum up to, and over the batches each source gets as many as its fraction says. Both
hold exactly at every node of a binary tree over the sources, from the root down:

- Let the fractions of a node's two sides sum up to less than 1. Then the node has one window
  too many in some batches, and gives it to one of its sides, to the left side floor(r E + c) of the
  first E times, where r is the left side's part of the sum and c in [0, 1) is chosen at the
  stretch's begin.
- Let them sum up to 1 or more. Then the same holds of the windows that a side goes without.

So the left side is off by r times what its node is off and by the rounding, at most 1/2 when c
makes up for what was off at the begin; likewise the right side. The root is never off. After any
number of batches of constant shares a source is therefore off by at most half a window for every
level of the tree: ceil(log2(a)) / 2 windows. Nothing is summed up over the batches, so any step
costs the same. (One offset for all sources, moving from batch to batch, drifts by the logarithm
of the number of batches whatever the offsets: W. Schmidt, "Irregularities of distribution VII",
Acta Arithmetica 21, 1972.)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trimix.core.contracts import I64

# lcm(1..16) * 10**6: six-digit decimals, thirds, sevenths, ... are exact multiples of 1/PARTS, and
# batch_size * PARTS and steps * PARTS stay below 2**63 for every recipe that validates.
PARTS = 720_720_000_000


class _Level(NamedTuple):
    """The nodes of a level: r is part / whole, c is carry / whole.

    nodes: how many there are one level down; node i divides between i and i + len(part) of them.
    without: 1 where the sides share what they go without, else 0; sign: 1 - 2 * without.
    """

    nodes: int
    without: I64
    sign: I64
    part: I64
    whole: I64
    carry: I64


class Apportionment:
    """The odd windows of each source, at any step of a stretch.

    Args:
        fractions: (a,) what each source is due beside whole windows, in 1/PARTS of a window a
            batch; the sum is a multiple of PARTS.
        ahead: (a,) how much each source was drawn beyond its due before, in 1/PARTS of a window.
    """

    def __init__(self, fractions: I64, ahead: I64) -> None:
        levels = []
        while len(fractions) > 1:
            nodes = len(fractions)
            left, right = _sides(fractions)
            left_ahead, right_ahead = _sides(ahead)
            both, ahead = left + right, left_ahead + right_ahead
            without = (both >= PARTS).astype(np.int64)
            sign = 1 - 2 * without
            part = PARTS * without + sign * left
            whole = 2 * PARTS * without + sign * both
            # float64 here: IEEE's basic operations round alike on every machine
            surplus = (left_ahead * whole.astype(float) - ahead * part.astype(float)) / PARTS
            carry = np.clip(whole / 2 - sign * surplus, 0, np.maximum(whole - 1, 0))
            level = (without, sign, part, np.maximum(whole, 1), carry.astype(np.int64))
            levels.append(_Level(nodes, *level))
            fractions = both - PARTS * without
        self._levels = levels[::-1]

    def drawn(self, j: I64) -> I64:
        """(J, a) odd windows of each source in the stretch's first j batches; j is (J,)."""
        steps = j[:, None]
        given = np.zeros_like(steps)
        for nodes, without, sign, part, whole, carry in self._levels:
            flip = steps * without
            left = (sign * given + flip) * part
            left += carry
            left //= whole
            left *= sign
            left += flip
            right = given - left
            right += flip
            given = np.concatenate([left, right[:, : nodes - len(part)]], axis=1)
        return given


def _sides(values: I64) -> tuple[I64, I64]:
    """The first half, and the second, with a zero for one that has no counterpart."""
    half = (len(values) + 1) // 2
    return values[:half], np.append(values[half:], np.zeros(2 * half - len(values), np.int64))

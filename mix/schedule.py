"""How many windows of each source are in batch k: systematic sampling over cumulative shares.

Axes: K steps asked for at once, m sources, B windows a batch.

Batch k lays a comb of B points, 1/B apart, over the unit interval that the sources' shares divide.
A source of share s catches floor(B s) or ceil(B s) points whatever the comb's offset. The offset
moves by the golden ratio from batch to batch (a Kronecker sequence, the least discrepant one), so
that the realised total follows the asked one within a few samples over any stretch of training.
While shares move, their motion can beat against that sequence (drifts of 100 samples were seen), so
ramps choose each offset by what keeps the drift least.

All is integer arithmetic: shares are whole multiples of 1/PARTS. Nothing depends on rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

import numpy as np

from trimix.core.contracts import I64

# lcm(1..16) * 10**6: six-digit decimals, thirds, sevenths, ... are exact multiples of 1/PARTS, and
# B * PARTS and steps * _GOLDEN stay below 2**63 for every recipe that validates.
PARTS = 720_720_000_000
_GOLDEN = 445_429_456_379  # PARTS / golden ratio, moved to the next number coprime with PARTS
_BLOCK = 1024


def to_parts(shares: Sequence[Fraction]) -> tuple[int, ...]:
    """(m,) shares that sum to 1 as integers that sum to PARTS, by largest remainder.

    A zero stays zero and a share above zero keeps at least one part.
    """
    exact = [share * PARTS for share in shares]
    parts = [max(1, int(x)) if x > 0 else 0 for x in exact]
    by_remainder = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    positive = [i for i in by_remainder if parts[i] > 0]
    short = PARTS - sum(parts)
    for i in positive[:short] if short > 0 else ():
        parts[i] += 1
    if short < 0:
        parts[max(range(len(parts)), key=lambda i: parts[i])] += short
    assert sum(parts) == PARTS
    return tuple(parts)


@dataclass(frozen=True)
class Segment:
    """Shares of a stretch of training.

    Args:
        until_step: the first step after it.
        parts: (m,) share of each source in 1/PARTS; sums to PARTS.
    """

    until_step: int
    parts: tuple[int, ...]


@dataclass(frozen=True)
class Schedule:
    """The shares of every step.

    Args:
        batch_size: B.
        segments: in order of step; the last one's until_step is the number of steps.
        linear: whether shares move on a straight line from the segment before, reaching the
            segment's own at its end; the first segment is constant.
        offset: where in 0..PARTS-1 the comb of batch 0 begins; ramps choose their own.
    """

    batch_size: int
    segments: tuple[Segment, ...]
    linear: bool = False
    offset: int = 0

    @property
    def steps(self) -> int:
        return self.segments[-1].until_step

    def bounds(self, k: I64) -> I64:
        """(K, m + 1) cumulative shares of steps k in 1/PARTS, from 0 to PARTS."""
        ends = np.array([s.until_step for s in self.segments], np.int64)
        table = np.array([(0, *np.cumsum(s.parts)) for s in self.segments], np.int64)
        at = np.searchsorted(ends, k, side="right")
        to = table[at]
        if not self.linear:
            return to
        before = np.maximum(at - 1, 0)
        begin = np.where(at > 0, ends[before], 0)
        length = ends[at] - begin
        # floor() keeps cumulative shares in order, and keeps equal neighbours (a zero share) equal
        whole, rest = np.divmod(to - table[before], length[:, None])
        gone = (k - begin)[:, None]
        return table[before] + whole * gone + (rest * gone) // length[:, None]

    def shares(self, k: I64) -> I64:
        """(K, m) shares of steps k in 1/PARTS."""
        return np.diff(self.bounds(k), axis=1)

    def counts(self, k: I64) -> I64:
        """(K, m) windows of each source in batches k; rows sum to batch_size."""
        whole, part = np.divmod(self.bounds(k) * self.batch_size, PARTS)
        comb = self._balanced[k] if self.linear else (self.offset + (k * _GOLDEN) % PARTS) % PARTS
        # points at (j + comb) / B; those below the bound are the j < B * bound - comb
        below = whole + (part > comb[:, None])
        return np.diff(below, axis=1)

    @cached_property
    def _balanced(self) -> I64:
        """(steps,) offsets of a ramp's combs: each leaves the least sum of squared drifts.

        Sequential, about 8 us a step; it depends on the shares alone.
        """
        offsets = np.empty(self.steps, np.int64)
        drift = [0.0] * len(self.segments[0].parts)
        for begin in range(0, self.steps, _BLOCK):
            k = np.arange(begin, min(begin + _BLOCK, self.steps), dtype=np.int64)
            fractions = self.bounds(k) * self.batch_size % PARTS
            for step, row in enumerate(fractions.tolist(), begin):
                offsets[step], drift = _least_drift(row, drift)
        return offsets


def _least_drift(row: Sequence[int], drift: Sequence[float]) -> tuple[int, list[float]]:
    """The comb's offset that leaves the sources' drifts least, and those drifts.

    Args:
        row: m + 1 fractional bounds, in 1/PARTS of a sample; the outer two are 0.
        drift: m drifts so far, in samples.
    """
    best, best_cost, best_drift = 0, float("inf"), list(drift)
    for offset in sorted({*row}):
        errors = [(part > offset) - part / PARTS for part in row]
        moved = [d + hi - lo for d, (lo, hi) in zip(drift, pairwise(errors), strict=True)]
        cost = sum(d * d for d in moved)
        if cost < best_cost:
            best, best_cost, best_drift = offset, cost, moved
    return best, best_drift


class Totals:
    """Running totals of a schedule's counts, at any step, in memory of steps / 1024 rows."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        sums = [np.zeros(len(schedule.segments[0].parts), np.int64)]
        for begin in range(0, schedule.steps, _BLOCK):
            k = np.arange(begin, min(begin + _BLOCK, schedule.steps), dtype=np.int64)
            sums.append(sums[-1] + schedule.counts(k).sum(axis=0))
        self._sums = np.stack(sums)

    def before(self, k: int) -> I64:
        """(m,) windows of each source in batches 0..k-1, for k in 0..steps."""
        if k >= self.schedule.steps:
            last: I64 = self._sums[-1]
            return last
        block = k // _BLOCK
        tail = np.arange(block * _BLOCK, k, dtype=np.int64)
        total: I64 = self._sums[block] + self.schedule.counts(tail).sum(axis=0)
        return total

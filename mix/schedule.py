"""How many windows of each source are in batch k, and how many were before it.

Axes: K steps asked for at once, m sources, a of them with a share, B windows a batch.

Shares are constant over *stretches* of steps: a phase is one, and a ramp is climbed in up to STAIRS
equal stairs, each with the share that the straight line has at its middle. What is kept for each
stretch is where its sources stand when it begins; any step follows from that (see `apportion`).
All is integer arithmetic: shares are whole multiples of 1/PARTS.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

import numpy as np

from trimix.core.contracts import F64, I64
from trimix.mix.apportion import PARTS, Apportionment

STAIRS = 256
"""The most stretches that a ramp is made of: a stair is 1/256 of the way, or one step."""


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
    """Shares of a phase.

    Args:
        until_step: the first step after it.
        parts: (m,) share of each source in 1/PARTS; sums to PARTS.
    """

    until_step: int
    parts: tuple[int, ...]


@dataclass(frozen=True)
class Slice:
    """What a batch takes of each source.

    Args:
        source: (a,) the sources with a share, ascending.
        before: (a,) windows of each in the batches before.
        count: (a,) windows of each in this batch; they sum up to B.
    """

    source: I64
    before: I64
    count: I64


@dataclass(frozen=True)
class _Stretch:
    """Steps begin..end-1 of a phase, and where its (a,) sources stand at step begin.

    drawn: windows so far; ahead: windows beyond what was due so far, in 1/PARTS.
    """

    begin: int
    end: int
    phase: int
    drawn: I64
    ahead: I64


@dataclass(frozen=True)
class _Open:
    """A stretch made ready: what its sources are due a batch, and the odd windows."""

    stretch: _Stretch
    whole: I64
    odd: Apportionment

    def drawn(self, k: I64) -> I64:
        """(K, a) windows of each source before steps k of the stretch, its end included."""
        j = k - self.stretch.begin
        return self.stretch.drawn + self.whole * j[:, None] + self.odd.drawn(j)


@dataclass(frozen=True)
class Schedule:
    """The shares of every step, and the windows that follow from them.

    Args:
        batch_size: B.
        segments: the phases in order; the last one's until_step is the number of steps.
        linear: whether shares move on a straight line from the phase before, reaching the
            phase's own at its end; the first phase is constant.
    """

    batch_size: int
    segments: tuple[Segment, ...]
    linear: bool = False

    @property
    def steps(self) -> int:
        return self.segments[-1].until_step

    def at(self, k: int) -> Slice:
        """What batch k takes, k in 0..steps-1."""
        i = int(np.searchsorted(self._begins, k, side="right")) - 1
        before, after = self._open(i).drawn(np.array([k, k + 1], np.int64))
        return Slice(self._sources[self._stretches[i].phase], before, after - before)

    def before(self, k: int) -> I64:
        """(m,) windows of each source in batches 0..k-1, for k in 0..steps."""
        i = int(np.searchsorted(self._begins, k, side="right")) - 1
        phase = self._stretches[i].phase
        total = self._drawn[phase].copy()
        total[self._sources[phase]] = self._open(i).drawn(np.array([k], np.int64))[0]
        return total

    def counts(self, k: I64) -> I64:
        """(K, m) windows of each source in batches k; rows sum up to B."""
        out = np.zeros((len(k), len(self.segments[0].parts)), np.int64)
        where = np.searchsorted(self._begins, k, side="right") - 1
        for i in np.unique(where):
            rows, opened = np.flatnonzero(where == i), self._open(int(i))
            drawn = opened.drawn(np.concatenate([k[rows], k[rows] + 1]))
            taken = drawn[len(rows) :] - drawn[: len(rows)]
            out[np.ix_(rows, self._sources[opened.stretch.phase])] = taken
        return out

    def shares(self, k: I64) -> I64:
        """(K, m) shares of steps k in 1/PARTS."""
        out = np.zeros((len(k), len(self.segments[0].parts)), np.int64)
        where = np.searchsorted(self._begins, k, side="right") - 1
        for i in np.unique(where):
            stretch = self._stretches[i]
            sources = self._sources[stretch.phase]
            out[np.ix_(np.flatnonzero(where == i), sources)] = self._parts(
                stretch.begin, stretch.end, stretch.phase
            )
        return out

    def mean_shares(self) -> F64:
        """(m,) mean share of each source over the steps."""
        steps = np.array([s.end - s.begin for s in self._stretches], np.int64)
        # at most MAX_STEPS * PARTS < 2**63
        total: F64 = (steps @ self.shares(self._begins)) / (PARTS * self.steps)
        return total

    @cached_property
    def _shares(self) -> list[I64]:
        """(m,) parts of each phase."""
        return [np.array(s.parts, np.int64) for s in self.segments]

    @cached_property
    def _sources(self) -> list[I64]:
        """(a,) the sources that have a share somewhere in each phase."""
        found = []
        for phase, parts in enumerate(self._shares):
            shared = parts > 0
            if self.linear and phase:
                shared = shared | (self._shares[phase - 1] > 0)
            found.append(np.flatnonzero(shared))
        return found

    def _parts(self, begin: int, end: int, phase: int) -> I64:
        """(a,) shares in the middle of steps begin..end-1 of a phase, in 1/PARTS."""
        sources = self._sources[phase]
        to = self._shares[phase][sources]
        if not self.linear or phase == 0:
            return to
        start = self.segments[phase - 1].until_step
        length, gone = self.segments[phase].until_step - start, begin + end - 2 * start
        bounds = np.cumsum(self._shares[phase - 1][sources])
        # floor() keeps cumulative shares in order, and keeps equal neighbours (a zero share) equal
        whole, rest = np.divmod(np.cumsum(to) - bounds, 2 * length)
        parts: I64 = np.diff(bounds + whole * gone + rest * gone // (2 * length), prepend=0)
        return parts

    def _spans(self) -> list[tuple[int, int, int]]:
        """(begin, end, phase) of the stretches."""
        spans, start = [], 0
        for phase, segment in enumerate(self.segments):
            length = segment.until_step - start
            ramp = self.linear and phase and segment.parts != self.segments[phase - 1].parts
            stairs = min(STAIRS, length) if ramp else 1
            edges = [start + length * i // stairs for i in range(stairs + 1)]
            spans += [(a, b, phase) for a, b in pairwise(edges)]
            start = segment.until_step
        return spans

    @cached_property
    def _plan(self) -> tuple[list[_Stretch], list[I64]]:
        """The stretches, and the (m,) windows drawn before each phase."""
        drawn = np.zeros(len(self.segments[0].parts), np.int64)
        ahead = np.zeros_like(drawn)
        stretches: list[_Stretch] = []
        by_phase: list[I64] = []
        for begin, end, phase in self._spans():
            if phase == len(by_phase):
                by_phase.append(drawn.copy())
            sources, steps = self._sources[phase], end - begin
            stretch = _Stretch(begin, end, phase, drawn[sources], ahead[sources])
            opened, fraction = self._ready(stretch)
            drawn[sources] = opened.drawn(np.array([end], np.int64))[0]
            odd = drawn[sources] - stretch.drawn - opened.whole * steps
            ahead[sources] += odd * PARTS - steps * fraction
            stretches.append(stretch)
        return stretches, by_phase

    @property
    def _stretches(self) -> list[_Stretch]:
        return self._plan[0]

    @property
    def _drawn(self) -> list[I64]:
        return self._plan[1]

    @cached_property
    def _begins(self) -> I64:
        return np.array([s.begin for s in self._stretches], np.int64)

    @cached_property
    def _ready_ones(self) -> dict[int, _Open]:
        return {}

    def _open(self, i: int) -> _Open:
        """Stretch i made ready. The last few are kept: steps are mostly asked for in order."""
        kept = self._ready_ones
        if i not in kept:
            while len(kept) >= 4:
                del kept[next(iter(kept))]
            kept[i] = self._ready(self._stretches[i])[0]
        return kept[i]

    def _ready(self, stretch: _Stretch) -> tuple[_Open, I64]:
        """A stretch made ready, and the (a,) fractions of its sources in 1/PARTS."""
        due = self._parts(stretch.begin, stretch.end, stretch.phase) * self.batch_size
        whole, fraction = np.divmod(due, PARTS)
        return _Open(stretch, whole, Apportionment(fraction, stretch.ahead)), fraction

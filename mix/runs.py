"""Ascending whole numbers as runs of neighbours: "0-3,7" is 0, 1, 2, 3 and 7."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trimix.core.contracts import I64


@dataclass(frozen=True)
class Runs:
    """A set of numbers, e.g. of episodes: millions of neighbours take a few bytes.

    Args:
        text: the runs, ascending and apart: "0-3,7".
    """

    text: str = ""

    @classmethod
    def of(cls, numbers: npt.ArrayLike) -> Runs:
        """The set of these numbers, which are not negative; order and repeats do not matter."""
        ordered = np.asarray(numbers, np.int64)
        if not len(ordered):
            return cls()
        steps = np.diff(ordered)
        if not (steps > 0).all():
            ordered = np.sort(ordered)
            ordered = ordered[np.diff(ordered, prepend=-1) > 0]
            steps = np.diff(ordered)
        cuts = np.flatnonzero(steps > 1)
        firsts = ordered[np.concatenate([[0], cuts + 1])].tolist()
        lasts = ordered[np.concatenate([cuts, [len(ordered) - 1]])].tolist()
        pairs = zip(firsts, lasts, strict=True)
        return cls(",".join(f"{a}-{b}" if b > a else f"{a}" for a, b in pairs))

    def numbers(self) -> I64:
        """The numbers, ascending.

        Raises:
            ValueError: the text is not one of runs.
        """
        first, last = self._ends()
        count = np.maximum(last - first + 1, 0)
        begin = np.cumsum(count) - count
        out: I64 = np.repeat(first - begin, count) + np.arange(count.sum())
        if Runs.of(out) != self:
            raise ValueError(f"not ascending runs: {self.text[:40]!r}")
        return out

    def __iter__(self) -> Iterator[int]:
        return iter(self.numbers().tolist())

    def __len__(self) -> int:
        first, last = self._ends()
        return int((last - first + 1).sum())

    def _ends(self) -> tuple[I64, I64]:
        """The first and the last number of each run."""
        parts = [part.partition("-") for part in self.text.split(",")] if self.text else []
        first = np.array([int(a) for a, _, _ in parts], np.int64)
        return first, np.array([int(b or a) for a, _, b in parts], np.int64)

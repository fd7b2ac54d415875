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
        ordered = np.unique(np.asarray(numbers, np.int64))
        if not len(ordered):
            return cls()
        cuts = np.flatnonzero(np.diff(ordered) > 1)
        firsts = ordered[np.concatenate([[0], cuts + 1])].tolist()
        lasts = ordered[np.concatenate([cuts, [len(ordered) - 1]])].tolist()
        pairs = zip(firsts, lasts, strict=True)
        return cls(",".join(f"{a}-{b}" if b > a else f"{a}" for a, b in pairs))

    def numbers(self) -> I64:
        """The numbers, ascending.

        Raises:
            ValueError: the text is not one of runs.
        """
        parts = [_ends(part) for part in self.text.split(",")] if self.text else []
        out = np.concatenate([np.zeros(0, np.int64), *(np.arange(a, b + 1) for a, b in parts)])
        if Runs.of(out) != self:
            raise ValueError(f"not ascending runs: {self.text[:40]!r}")
        return out

    def __iter__(self) -> Iterator[int]:
        return iter(self.numbers().tolist())

    def __len__(self) -> int:
        return sum(b - a + 1 for a, b in map(_ends, self.text.split(","))) if self.text else 0


def _ends(part: str) -> tuple[int, int]:
    first, _, last = part.partition("-")
    return int(first), int(last or first)

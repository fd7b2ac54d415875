"""One measured figure, beside what it is to be compared with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """What a benchmark measured.

    Args:
        figure: its name, e.g. "plan.ms_per_batch.3": other tools read it.
        value: what was measured.
        unit: of the value.
        n: how many measurements, trials or experiments stand behind it.
        baseline: the ceiling or baseline measured in the same run, in the same unit; None if the
            figure is itself a rate to be held against a bound.
        about: what the baseline is, and what else a reader must know, in a few words.
    """

    figure: str
    value: float
    unit: str
    n: int
    baseline: float | None = None
    about: str = ""

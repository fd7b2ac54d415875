"""Dot plots for the report: what stands in each row, and where, on an axis that fits the values.

The page draws them itself, as text beside SVG lanes whose positions are percentages: so the text
keeps its size on a phone, and the lanes take what width there is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from trimix.evaluate.schema import Interval

MINUS = "\N{MINUS SIGN}"
# Between these percentages of a lane's width the axis runs: marks at its ends stay inside.
EDGES = (3.0, 97.0)
TICKS = 7
# Dots closer than this, in percent of the axis, would hide one another: they are set apart.
NEAR = 1.2
# The mean's mark, and what stands in its place where the value lies beyond the axis.
ARROWS = {0: "M-6 0 0-6 6 0 0 6Z", 1: "M-4-6 5 0-4 6Z", -1: "M4-6-5 0 4 6Z"}


@dataclass(frozen=True)
class Axis:
    """A stretch of numbers with its ticks.

    Args:
        low, high: its ends, low < high.
        ticks: the labelled values, ascending, within the ends.
        digits: decimals of their labels.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    digits: int

    def at(self, value: float) -> float:
        """Where the value stands, in percent of a lane; beyond the axis, at its end."""
        part = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(EDGES[0] + part * (EDGES[1] - EDGES[0]), 3)

    def beyond(self, value: float) -> int:
        """-1 below the axis, 1 above it, else 0."""
        return (value > self.high) - (value < self.low)

    def label(self, tick: float) -> str:
        """The tick as text."""
        return number(tick, self.digits)


def fit_axis(
    values: Iterable[float],
    *,
    least: float,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> Axis:
    """The axis that holds all values and little else.

    Args:
        values: what must be on it, at least one.
        least: the shortest axis: equal values get one about them.
        bounds: what no value can be beyond, e.g. (0, 100) for a rate in percent.
    """
    found = [min(max(v, bounds[0]), bounds[1]) for v in values]
    low, high = min(found), max(found)
    if high - low < least:
        middle = min(max((low + high) / 2, bounds[0] + least / 2), bounds[1] - least / 2)
        low, high = min(low, middle - least / 2), max(high, middle + least / 2)
    step = _step((high - low) / TICKS)
    low = max(bounds[0], step * math.floor(low / step + 1e-9))
    high = min(bounds[1], step * math.ceil(high / step - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return Axis(low, high, tuple(step * k for k in range(first, last + 1)), digits)


def _step(least: float) -> float:
    """The least of 1, 2 or 5 times a power of ten that is not below it."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))


@dataclass(frozen=True)
class Row:
    """One row of a dot plot.

    Args:
        name: what it is about.
        value: the mean or score, in the axis's unit.
        interval: about the value; None if none is known.
        dots: one for each training seed; () for none.
        shown: value and interval as text.
        quiet: a baseline, which is drawn hollow.
        badge: a word set beside the name, e.g. "exploratory".
        verdict: better, worse or open; "" where there is none.
    """

    name: str
    value: float
    interval: Interval | None
    dots: tuple[float, ...]
    shown: str
    quiet: bool = False
    badge: str = ""
    verdict: str = ""


@dataclass(frozen=True)
class DotPlot:
    """Rows on one axis.

    Args:
        name: its id on the page.
        axis_label: what the axis measures, with its unit.
        rows: from top to bottom.
        zero: whether a line marks 0.
        interval_label: what the bars are, e.g. "95% simultaneous interval".
    """

    name: str
    axis_label: str
    axis: Axis
    rows: tuple[Row, ...]
    interval_label: str
    zero: bool = False

    @property
    def compact(self) -> bool:
        """Whether there are so many rows that they are set closer."""
        return len(self.rows) > 7

    @property
    def dotted(self) -> bool:
        """Whether any row has dots of its own."""
        return any(row.dots for row in self.rows)

    @property
    def has_beyond(self) -> bool:
        """Whether a value lies outside of the axis, and is marked at its end."""
        return any(self.axis.beyond(row.value) for row in self.rows)

    @property
    def alt(self) -> str:
        """The whole figure in words."""
        rows = []
        for row in self.rows:
            seeds = ", ".join(number(dot, self.axis.digits + 1) for dot in row.dots)
            badge = f" ({row.badge})" if row.badge else ""
            said = [row.shown, f"seeds {seeds}" if seeds else "", row.verdict]
            rows.append(f"{row.name}{badge}: {', '.join(filter(None, said))}")
        return f"Dot plot, {self.axis_label}; {self.interval_label}. {'; '.join(rows)}."


def lane(plot: DotPlot, row: Row) -> str:
    """The row's marks as an <svg>: ticks, interval, mean, and the seeds' dots below them."""
    axis = plot.axis
    height, middle, floor = (30, 9, 23) if plot.compact else (44, 14, 34)
    if not plot.dotted:
        height, middle = (24, 12) if plot.compact else (32, 16)
    marks = [_line(axis.at(t), axis.at(t), 0, height, "grid") for t in axis.ticks]
    marks += [
        _line(axis.at(r.value), axis.at(r.value), 0, height, "baseline")
        for r in plot.rows
        if r.quiet and not axis.beyond(r.value)
    ]
    if plot.zero:
        marks.append(_line(axis.at(0), axis.at(0), 0, height, "zero"))
    if row.interval is not None:
        low, high = (axis.at(end) for end in row.interval)
        marks.append(_line(low, high, middle, middle, "interval"))
        # An interval that goes on beyond the axis ends without a cap.
        marks += [
            _line(axis.at(end), axis.at(end), middle - 5, middle + 5, "cap")
            for end in row.interval
            if not axis.beyond(end)
        ]
    mark = ARROWS[axis.beyond(row.value)]
    marks.append(
        f'<svg x="{axis.at(row.value):g}%" y="{middle}" overflow="visible">'
        f'<path class="mean" d="{mark}"/></svg>'
    )
    dots = spread(row.dots, axis)
    rise = min(5.0, (floor - middle - 9) / max(1, *(level for _, level in dots), 1))
    marks += [
        f'<circle class="seed" cx="{at:g}%" cy="{floor - rise * level:g}" r="3.6"/>'
        for at, level in dots
    ]
    quiet = " quiet" if row.quiet else ""
    return (
        f'<svg class="lane{quiet}" width="100%" height="{height}" aria-hidden="true">'
        f"{''.join(marks)}</svg>"
    )


def axis_svg(plot: DotPlot) -> str:
    """The labels of the ticks, beneath the lanes."""
    labels = [
        f'<text x="{plot.axis.at(tick):g}%" y="13" text-anchor="middle">'
        f"{plot.axis.label(tick)}</text>"
        for tick in plot.axis.ticks
    ]
    return f'<svg class="axis" width="100%" height="18" aria-hidden="true">{"".join(labels)}</svg>'


def _line(x1: float, x2: float, y1: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:g}%" x2="{x2:g}%" y1="{y1:g}" y2="{y2:g}"/>'


def spread(dots: Sequence[float], axis: Axis) -> list[tuple[float, int]]:
    """(position in percent, level) of each dot: dots that would hide one another rise a level."""
    placed: list[tuple[float, int]] = []
    for at in sorted(axis.at(dot) for dot in dots):
        taken = {level for other, level in placed if abs(other - at) < NEAR}
        placed.append((at, next(level for level in range(len(dots)) if level not in taken)))
    return placed


def number(value: float, digits: int) -> str:
    """The value with so many decimals and a true minus sign; never a negative zero."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", MINUS)


def spoken(value: float, interval: Interval | None, *, digits: int, unit: str = "") -> str:
    """ "53.0% (49.0 to 57.0)"; without an interval, the value alone."""
    said = number(value, digits) + unit
    if interval is None:
        return said
    return f"{said} ({number(interval[0], digits)} to {number(interval[1], digits)})"

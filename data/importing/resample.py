"""Putting rows recorded on a jittery clock onto a constant rate.

Axes: T recorded rows, K rows of the new clock, D channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trimix.core.contracts import F64, I64, BoolArray
from trimix.core.errors import DataError

ON_TIME = 0.05
"""A clock this close to constant (as a part of the period) is kept as it is."""


@dataclass(frozen=True)
class ClockLimits:
    """What a recorded clock may do and still be trusted.

    Args:
        rate_tolerance: how far the median step may be from 1 / fps, as a part of it.
        max_gap_s: the longest pause inside an episode.
    """

    rate_tolerance: float = 0.2
    max_gap_s: float = 1.0


def check_clock(seconds: F64, fps: float, limits: ClockLimits, where: str) -> None:
    """Refuse a clock that contradicts the declared rate.

    Args:
        seconds: (T,) timestamps as recorded.

    Raises:
        DataError: time stands still or runs back, pauses too long, or runs at another rate.
    """
    bad = np.flatnonzero(~np.isfinite(seconds))
    if len(bad):
        raise DataError("the timestamp is not a number", where=f"{where} row {bad[0]}")
    steps = np.diff(seconds)
    if not len(steps):
        return
    back = np.flatnonzero(steps <= 0)
    if len(back):
        row = int(back[0]) + 1
        raise DataError(
            f"timestamp {seconds[row]:.6g} s does not come after {seconds[row - 1]:.6g} s",
            where=f"{where} row {row}",
        )
    median = float(np.median(steps))
    if abs(median * fps - 1.0) > limits.rate_tolerance:
        raise DataError(
            f"rows are {median:.4g} s apart, at {fps:g} frames/s they would be {1 / fps:.4g} s",
            where=where,
            do="correct fps in meta/info.json",
        )
    gap = int(steps.argmax())
    if steps[gap] > limits.max_gap_s:
        raise DataError(
            f"a pause of {steps[gap]:.3g} s, longer than {limits.max_gap_s:g} s",
            where=f"{where} row {gap + 1}",
            do="raise max_gap_s, or skip the episode with skip_bad=true",
        )


def is_constant(seconds: F64, fps: float) -> bool:
    """Whether the (T,) clock already ticks at fps."""
    ideal = seconds[0] + np.arange(len(seconds)) / fps
    return bool(np.abs(seconds - ideal).max() * fps <= ON_TIME)


def new_clock(seconds: F64, fps: float) -> F64:
    """(K,) times at fps that the (T,) recorded ones cover, from the first on."""
    count = int(np.floor((seconds[-1] - seconds[0]) * fps + ON_TIME)) + 1
    times: F64 = seconds[0] + np.arange(count) / fps
    return times


def nearest(seconds: F64, times: F64) -> I64:
    """(K,) recorded row nearest to each new time; the earlier one on a tie."""
    after = np.clip(np.searchsorted(seconds, times), 1, max(len(seconds) - 1, 1))
    if len(seconds) == 1:
        return np.zeros(len(times), np.int64)
    closer = times - seconds[after - 1] <= seconds[after] - times
    return np.where(closer, after - 1, after).astype(np.int64)


def previous(seconds: F64, times: F64) -> I64:
    """(K,) last recorded row that is not after each new time."""
    rows = np.searchsorted(seconds, times + 1e-9, side="right") - 1
    return np.clip(rows, 0, len(seconds) - 1).astype(np.int64)


def channels(values: np.ndarray, hold: BoolArray, seconds: F64, times: F64) -> np.ndarray:
    """(K, D) float32: linear between rows, or the previous row's value where `hold`.

    Args:
        values: (T, D).
        hold: (D,) channels that switch and must not take values in between, such as a gripper.
    """
    held = values[previous(seconds, times)]
    out = np.empty((len(times), values.shape[1]), np.float32)
    for d in range(values.shape[1]):
        out[:, d] = held[:, d] if hold[d] else np.interp(times, seconds, values[:, d])
    return out


def displacements(
    values: np.ndarray, absolute: BoolArray, hold: BoolArray, seconds: F64, times: F64, fps: float
) -> np.ndarray:
    """(K, D) float32: what the new periods move the robot by, so that it is where it was.

    A recorded row's displacement is spread evenly until the next row (the last one's over one
    recorded period). A new row sums what falls between its time and the next one's; what was
    recorded after the last new period has no row and is left out.

    Args:
        values: (T, D).
        absolute: (D,) channels that are positions all the same, such as a gripper's opening;
            they are treated as `channels` does.
        hold: (D,) see `channels`; of absolute channels alone.
        fps: the recorded rate.
    """
    out = channels(values, hold & absolute, seconds, times)
    until = np.append(seconds, seconds[-1] + 1.0 / fps)
    edges = np.append(times, times[-1] + (times[1] - times[0] if len(times) > 1 else 1.0 / fps))
    for d in np.flatnonzero(~absolute):
        travelled = np.append(0.0, np.cumsum(values[:, d], dtype=np.float64))
        out[:, d] = np.diff(np.interp(edges, until, travelled))
    return out


def switches(values: np.ndarray) -> BoolArray:
    """(D,) whether a channel takes at most two values in all the (F, D) data."""
    return np.array([len(np.unique(values[:, d])) <= 2 for d in range(values.shape[1])], bool)


def levels(values: np.ndarray) -> BoolArray:
    """(D,) whether a channel takes the levels of a switch, 0 and 1 or -1 and 1, in (F, D) data."""
    seen = [set(np.unique(values[:, d])) for d in range(values.shape[1])]
    return np.array([s in ({0.0, 1.0}, {-1.0, 1.0}) for s in seen], bool)

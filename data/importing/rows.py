"""The rows of a foreign episode, or an error that says why they cannot be trusted.

Axes: T rows, D channels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trimix.core.errors import DataError
from trimix.data.importing.resample import ClockLimits, check_clock
from trimix.data.lerobot import layout
from trimix.data.lerobot.folder import EpisodeEntry, LeRobotFolder

_SCALARS = (*layout.COUNTERS, layout.REWARD, layout.SUCCESS, layout.DONE)


def checked_rows(
    source: LeRobotFolder, row: EpisodeEntry, vectors: Sequence[str], clock: ClockLimits
) -> dict[str, np.ndarray]:
    """The episode's columns; `vectors` as (T, D) float64, `timestamp` as (T,) float64 s.

    Raises:
        DataError: a column is missing, of another width, not finite, out of order or on a clock
            that contradicts fps; the error names file, episode and row.
    """
    where = f"{row.data} episode {row.index}"
    table = source.read_rows(row)
    for key in _SCALARS:
        if key in table and table[key].ndim > 1:
            table[key] = table[key][:, 0]
    for key in vectors:
        table[key] = _vector(source, row, table, key, where)
    counted = np.arange(row.length)
    if "frame_index" in table and not np.array_equal(table["frame_index"], counted):
        at = int(np.flatnonzero(table["frame_index"] != counted)[0])
        raise DataError(
            f"frame_index is {table['frame_index'][at]}",
            where=f"{where} row {at}",
            do="rows are out of order, doubled or missing",
        )
    seconds = table.get("timestamp", counted / source.fps).astype(np.float64)
    check_clock(seconds, source.fps, clock, where)
    table["timestamp"] = seconds
    return table


def _vector(
    source: LeRobotFolder, row: EpisodeEntry, table: dict[str, np.ndarray], key: str, where: str
) -> np.ndarray:
    if key not in table:
        raise DataError(f"column {key!r} is missing or not numeric", where=where)
    values = table[key].reshape(row.length, -1).astype(np.float64)
    declared = len(layout.channels_of(source.features[key]))
    if values.shape[1] != declared:
        raise DataError(
            f"{key!r} has {values.shape[1]} numbers a row, info.json says {declared}", where=where
        )
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        at, channel = bad[0]
        raise DataError(
            f"{key}[{channel}] is {values[at, channel]}",
            where=f"{where} row {at}",
            do="repair the recording, or leave the episode out with skip_bad=true",
        )
    return values

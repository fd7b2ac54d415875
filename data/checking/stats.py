"""Are the statistics those of the data?

Axes: F rows, D channels. Numbers are compared exactly (up to rounding), images up to what lossy
video and another choice of sampled frames change.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from trimix.core.errors import DataError
from trimix.data import files
from trimix.data.checking.finding import Findings
from trimix.data.lerobot import columns, layout, stats
from trimix.data.lerobot.folder import LeRobotFolder

_ORDER = ("min", "q01", "q10", "q50", "q90", "q99", "max")
_QUANTILE_TOLERANCE = 0.05
"""Part of the range. LeRobot's histogram quantiles stay inside it, badly merged ones do not."""

_IMAGE_TOLERANCE = 0.03
_FLOOR = 1e-4
"""Magnitude below which all numbers count as this large: 1e-5 of it is rounding."""
_SEEN = ("mean", "std")
_REDO = "an import computes them anew"


def check(
    source: LeRobotFolder,
    flat: Mapping[str, np.ndarray],
    frames: Mapping[str, Mapping[int, stats.Stats]],
    found: Findings,
) -> None:
    """Note missing or wrong statistics of the data set and of each episode.

    Args:
        flat: column -> (F,) or (F, D).
        frames: camera feature -> episode -> statistics of its decoded frames.
    """
    # Values that are not finite are noted with their row; statistics of them mean nothing.
    flat = {k: v for k, v in flat.items() if v.dtype.kind != "f" or np.isfinite(v).all()}
    path = source.root / layout.STATS
    if not path.is_file():
        found.mended("the statistics are missing", str(path), _REDO)
    else:
        try:
            _check_whole(source, files.read_json(path), flat, frames, path, found)
        except DataError as fault:
            found.mended(fault.what, fault.where, _REDO)
    _check_episodes(source, flat, frames, found)


def _check_whole(
    source: LeRobotFolder,
    raw: Mapping[str, Mapping[str, Any]],
    flat: Mapping[str, np.ndarray],
    frames: Mapping[str, Mapping[int, stats.Stats]],
    path: Path,
    found: Findings,
) -> None:
    if not isinstance(raw, dict) or not all(isinstance(entry, dict) for entry in raw.values()):
        found.mended("not a table of statistics", str(path), _REDO)
        return
    merged = []
    for key in source.features:
        if key not in flat and key not in source.camera_keys:
            continue
        if key not in raw:
            found.mended(f"no statistics of {key!r}", str(path), "import it to recompute them")
            continue
        if key in flat:
            actual = stats.numeric(flat[key])
            quantiles = Findings()
            _compare_numbers(raw[key], actual, key, str(path), found, quantiles)
            if (source.root / layout.INTERFACE).is_file():
                found.problems += quantiles.problems
            elif quantiles.problems:
                merged.append(key)
        elif len(frames.get(key, {})) == len(source.episodes):
            _compare_images(raw[key], _mean_of(frames[key]), key, str(path), found)
    if merged:
        # lerobot 0.6.1 averages the episodes' quantiles, so all its data sets have this.
        found.mended(
            f"quantiles of {len(merged)} features are not those of the data: {', '.join(merged)}",
            str(path),
            f"they are averages over episodes; {_REDO}",
        )


def _mean_of(episodes: Mapping[int, stats.Stats]) -> stats.Stats:
    """Statistics of all sampled frames from those of each episode (law of total variance)."""
    weights = np.array([float(s["count"][0]) for s in episodes.values()])
    means = np.stack([s["mean"].reshape(3) for s in episodes.values()])
    stds = np.stack([s["std"].reshape(3) for s in episodes.values()])
    mean = np.average(means, axis=0, weights=weights)
    variance = np.average(stds**2 + (means - mean) ** 2, axis=0, weights=weights)
    return {"mean": mean, "std": np.sqrt(variance)}


def _check_episodes(
    source: LeRobotFolder,
    flat: Mapping[str, np.ndarray],
    frames: Mapping[str, Mapping[int, stats.Stats]],
    found: Findings,
) -> None:
    start, rows = 0, {}
    with found.catching():
        rows = _episode_stats(source)
    for row in source.episodes:
        span = slice(start, start + row.length)
        start += row.length
        where = f"{source.root / 'meta/episodes'} episode {row.index}"
        given = rows.get(row.index, {})
        for key in source.features:
            mine = {n: given.get(f"stats/{key}/{n}") for n in stats.NAMES}
            if key in flat and len(flat[key][span]):
                _compare_numbers(mine, stats.numeric(flat[key][span]), key, where, found, found)
            elif row.index in frames.get(key, {}):
                _compare_images(mine, frames[key][row.index], key, where, found)


def _episode_stats(source: LeRobotFolder) -> dict[int, dict[str, Any]]:
    rows: dict[int, dict[str, Any]] = {}
    for path in sorted((source.root / "meta" / "episodes").glob("*/*.parquet")):
        for row in columns.read_table(path).to_pylist():
            rows[row["episode_index"]] = row
    return rows


def _array(value: Any) -> np.ndarray | None:
    """A flat float array; None if it is missing or not one."""
    if value is None:
        return None
    try:
        return np.asarray(value, np.float64).reshape(-1)
    except (TypeError, ValueError):
        return None


def _compare_numbers(
    given: Mapping[str, Any],
    actual: stats.Stats,
    key: str,
    where: str,
    found: Findings,
    quantiles: Findings,
) -> None:
    """Note what differs; wrong quantiles go to `quantiles`."""
    width = actual["mean"].size
    spread = actual["max"] - actual["min"]
    # Writers that sum in another order leave 1e-14 where a constant is 0.
    scale = np.maximum(np.abs(actual["min"]), np.abs(actual["max"])) + _FLOOR
    for name in stats.NAMES:
        value = _array(given.get(name))
        wanted = 1 if name == "count" else width
        if value is None or value.size != wanted or not np.isfinite(value).all():
            found.mended(
                f"{name} of {key!r} is missing or not {wanted} numbers", where, "recompute"
            )
            return
        if name in stats.QUANTILES:
            room = _QUANTILE_TOLERANCE * spread + 1e-5 * scale
        else:
            room = 1e-3 * spread + 1e-5 * scale
        off = np.abs(value - actual[name]) > (0.5 if name == "count" else room)
        if off.any():
            channel = int(np.flatnonzero(off)[0])
            (quantiles if name in stats.QUANTILES else found).mended(
                f"{name} of {key!r}[{channel}] is {value[channel]:.6g}, "
                f"the data's is {actual[name][channel]:.6g}",
                where,
                _REDO,
                kind=f"{'quantiles' if name in stats.QUANTILES else 'statistics'} of numbers",
            )
    _check_order(given, key, where, scale, found)


def _check_order(
    given: Mapping[str, Any], key: str, where: str, scale: np.ndarray | float, found: Findings
) -> None:
    ordered = [_array(given.get(name)) for name in _ORDER]
    present = [v for v in ordered if v is not None]
    for lower, upper in pairwise(present):
        if (lower > upper + 1e-5 * np.asarray(scale)).any():
            found.mended(
                f"quantiles of {key!r} are not in order", where, "recompute the statistics"
            )
            return


def _compare_images(
    given: Mapping[str, Any], actual: stats.Stats, key: str, where: str, found: Findings
) -> None:
    for name in stats.NAMES:
        value = _array(given.get(name))
        wanted = 1 if name == "count" else 3
        if value is None or value.size != wanted or not np.isfinite(value).all():
            found.mended(
                f"{name} of {key!r} is missing or not {wanted} numbers", where, "recompute"
            )
            return
        if name == "count":
            continue
        if (value < 0).any() or (value > 1).any():
            found.mended(f"{name} of {key!r} is outside 0..1", where, "divide it by 255")
            return
        if name in _SEEN and (np.abs(value - actual[name].reshape(3)) > _IMAGE_TOLERANCE).any():
            found.add(
                f"{name} of {key!r} is {np.round(value, 3).tolist()}, "
                f"the frames' is {np.round(actual[name].reshape(3), 3).tolist()}",
                where,
                "the video is another episode's, or the statistics are old",
            )
    _check_order(given, key, where, 1.0, found)

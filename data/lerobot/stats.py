"""Statistics of a data set as LeRobot names them: exact for numbers, of sampled frames for images.

Axes: F rows, D channels, H x W pixels. Quantiles are of all the data, never merged from
per-episode quantiles, which gives wrong ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trimix.core.contracts import F64, I64, U8

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
NAMES = ("min", "max", "mean", "std", "count", *QUANTILES)
SAMPLED_FRAMES = 16
SAMPLED_SIDE_PX = 128

Stats = dict[str, np.ndarray]


def numeric(values: np.ndarray) -> Stats:
    """Statistics over rows. values: (F,) or (F, D), any numeric or bool dtype."""
    table = values.reshape(len(values), -1).astype(np.float64)
    out: Stats = {
        "min": table.min(axis=0),
        "max": table.max(axis=0),
        "mean": table.mean(axis=0),
        "std": table.std(axis=0),
        "count": np.array([len(table)], np.int64),
    }
    quantiles = np.quantile(table, list(QUANTILES.values()), axis=0)
    return out | dict(zip(QUANTILES, quantiles, strict=True))


def sample(images: U8) -> U8:
    """Evenly spaced frames and pixels, so that large videos cost no more than small ones.

    images: (T, H, W, 3) uint8 -> (at most SAMPLED_FRAMES, ...) uint8.
    """
    picks = np.unique(np.linspace(0, len(images) - 1, SAMPLED_FRAMES).round().astype(int))
    step = max(1, max(images.shape[1:3]) // SAMPLED_SIDE_PX)
    sampled: U8 = images[picks][:, ::step, ::step]
    return sampled


def histogram(images: U8) -> I64:
    """(3, 256) int64: how often each byte value occurs in each colour of the sampled frames."""
    picked = sample(images)
    return np.stack([np.bincount(picked[..., c].ravel(), minlength=256) for c in range(3)])


def sampled_count(length: int) -> int:
    """How many frames of an episode of this length are sampled."""
    return min(length, SAMPLED_FRAMES)


def of_histogram(counts: I64, frames: int) -> Stats:
    """Image statistics in 0..1, shaped (3, 1, 1). counts: (3, 256); frames: how many sampled."""
    levels = np.arange(256) / 255.0
    total = counts.sum(axis=1)
    mean = counts @ levels / total
    variance = counts @ levels**2 / total - mean**2
    cumulative = counts.cumsum(axis=1)

    def quantile(q: float) -> F64:
        return levels[[int(np.searchsorted(row, q * row[-1])) for row in cumulative]]

    flat: Stats = {
        "min": levels[(counts > 0).argmax(axis=1)],
        "max": levels[255 - (counts[:, ::-1] > 0).argmax(axis=1)],
        "mean": mean,
        "std": np.sqrt(np.maximum(variance, 0.0)),
        **{name: quantile(q) for name, q in QUANTILES.items()},
    }
    shaped = {name: value.reshape(3, 1, 1) for name, value in flat.items()}
    return shaped | {"count": np.array([frames], np.int64)}


def to_json(stats: Mapping[str, Stats]) -> dict[str, Any]:
    """Plain lists, features in order and statistics in LeRobot's order."""
    return {key: {n: entry[n].tolist() for n in NAMES} for key, entry in stats.items()}


def from_json(raw: Mapping[str, Mapping[str, Any]]) -> dict[str, Stats]:
    """The inverse of to_json."""
    return {k: {n: np.atleast_1d(np.asarray(v)) for n, v in e.items()} for k, e in raw.items()}

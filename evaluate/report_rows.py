"""Parts of a report, made of what training and mixing give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from trimix.core.contracts import ORIGINS
from trimix.core.errors import ConfigError
from trimix.evaluate.schema import Curve, MixRow
from trimix.mix.lock import Lock


def shares_of(lock: Lock) -> dict[str, float]:
    """An arm's `shares`: the planned fraction of drawn windows by source; unused ones are 0."""
    return {s.name: s.share for s in lock.sources} | dict.fromkeys(lock.unused, 0.0)


def mix_rows(arm: str, lock: Lock) -> list[MixRow]:
    """An arm's rows of the mix table, as planned.

    A source that holds windows of several origins gets a row for each. Its draws are divided as
    its windows are: the sampler goes through a whole source before it repeats any of it.
    """
    rows: list[MixRow] = []
    for source in lock.sources:
        several = len(source.origins) > 1
        for origin in ORIGINS:
            windows = source.origins.get(origin, 0)
            if not windows:
                continue
            part = windows / source.windows
            rows.append(
                {
                    "arm": arm,
                    "source": f"{source.name} [{origin}]" if several else source.name,
                    "origin": origin,
                    "share": source.share * part,
                    "windows": windows,
                    "drawn": round(source.draws * part),
                    "repeats": source.repeats,
                }
            )
    return rows


def loss_curve(
    name: str, history: Sequence[Mapping[str, float]], *, group: str, points: int = 120
) -> Curve:
    """A training's loss as a curve of at most so many points, each the mean of its stretch.

    Args:
        name: of the curve; trainings of one name (its seeds) share a colour.
        history: train.loop.FitResult.history.
        group: heading of the figure that the curve belongs in.
        points: the most points.

    Raises:
        ConfigError: an empty history.
    """
    if not history:
        raise ConfigError(f"training {name!r} has no history to draw")
    parts = np.array_split(np.arange(len(history)), min(points, len(history)))
    loss = np.asarray([entry["loss"] for entry in history], np.float64)
    return {
        "name": name,
        "metric": "loss",
        "group": group,
        "steps": [int(history[part[-1]]["step"]) for part in parts],
        "values": [float(loss[part].mean()) for part in parts],
    }

"""Parts of a report, made of what training and mixing give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from trimix.core.contracts import ORIGINS, Origin
from trimix.core.errors import ConfigError
from trimix.evaluate.schema import Curve, MixRow
from trimix.mix.lock import Lock


def shares_of(lock: Lock) -> dict[str, float]:
    """An arm's `shares`: the planned fraction of drawn windows by source; unused ones are 0."""
    return {s.name: s.share for s in lock.sources} | dict.fromkeys(lock.unused, 0.0)


def mix_rows(
    arm: str, locks: Sequence[Lock], ledgers: Sequence[Mapping[str, Any]] = ()
) -> list[MixRow]:
    """An arm's rows of the mix table: what was planned, and what its trainings drew.

    A source that holds windows of several origins gets a row for each. Its planned draws are
    divided as its windows are: the sampler goes through a whole source before it repeats any.

    Args:
        arm: its name.
        locks: one for each of its training seeds.
        ledgers: `mix.ledger.Ledger.to_json()` of as many trainings; () where none was kept: then
            the plan stands for the draws, and the rows say that nothing was counted.

    Raises:
        ConfigError: the ledgers are not of these locks.
    """
    if ledgers and [ledger["lock"] for ledger in ledgers] != [lock.hash for lock in locks]:
        raise ConfigError(f"the ledgers of arm {arm!r} are not of its locks")
    found: dict[tuple[str, Origin], list[_Drawn]] = {}
    for i, lock in enumerate(locks):
        counted = {e["name"]: e["origins"] for e in ledgers[i]["sources"]} if ledgers else {}
        for source in lock.sources:
            for origin in ORIGINS:
                if windows := source.origins.get(origin, 0):
                    part = windows / source.windows
                    planned = source.draws * part
                    drawn = counted[source.name].get(origin, 0) if ledgers else planned
                    found.setdefault((source.name, origin), []).append(
                        _Drawn(windows, source.share * part, planned, drawn)
                    )
    several = {name for name, origin in found if sum(n == name for n, _ in found) > 1}
    return [
        {
            "arm": arm,
            "source": f"{name} [{origin}]" if name in several else name,
            "origin": origin,
            "share": sum(d.share for d in drawn) / len(locks),
            "windows": round(sum(d.windows for d in drawn) / len(drawn)),
            "planned": round(sum(d.planned for d in drawn)),
            "drawn": round(sum(d.drawn for d in drawn)),
            "counted": bool(ledgers),
            "repeats": sum(d.drawn for d in drawn) / sum(d.windows for d in drawn),
        }
        for (name, origin), drawn in found.items()
    ]


class _Drawn(NamedTuple):
    """Windows of one origin of one source in one training."""

    windows: int
    share: float
    planned: float
    drawn: float


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

"""Experiments as plain settings: built from mappings, written down, told apart."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, cast

from trimix.core import settings
from trimix.core.contracts import Json
from trimix.core.errors import ConfigError, unknown
from trimix.core.plain import plain
from trimix.experiment.config import Arm, Experiment
from trimix.experiment.source_kinds import Dream, Real, Sim, Source, StandIn

KINDS: dict[str, type[Source]] = {"real": Real, "stand-in": StandIn, "sim": Sim, "dream": Dream}
"""What a source's `origin` may be."""

_GROWS = ("seeds", "looks", "contrasts", "exploratory")
"""Settings in which two runs of one experiment may differ; plans are kept in the store."""


def source_of(name: str, raw: object) -> Source:
    """A source from {"origin": real, stand-in, sim or dream, and that source's own settings}.

    Raises:
        ConfigError: no such origin, or a setting that it does not have.
    """
    where = f"sources.{name}"
    if not isinstance(raw, Mapping) or "origin" not in raw:
        raise ConfigError("does not say its origin", where=where, do=f"one of {', '.join(KINDS)}")
    given = {str(key): value for key, value in raw.items()}
    origin = str(given.pop("origin"))
    if origin not in KINDS:
        raise unknown("origin", origin, KINDS, where=where)
    return settings.build(KINDS[origin], given, where)


def arm_of(name: str, raw: object, sources: Iterable[str], augment: str | None = None) -> Arm:
    """An arm from its shares, {source: share}, or from the settings of `Arm`.

    Raises:
        ConfigError: a source or setting that there is not.
    """
    where = f"arms.{name}"
    if not isinstance(raw, Mapping):
        raise ConfigError(f"{raw!r} is no mix", where=where, do="e.g. {real: 1, sim: 1}")
    given = {str(key): value for key, value in raw.items()}
    own = {f.name for f in fields(Arm)}
    if not own.intersection(given).difference(sources):
        given = {"shares": given}
    _require_numbers(given.get("shares", {}), f"arm {name!r}")
    arm = settings.build(Arm, {"augment": augment, **given}, where)
    arm.validate(name, sources)
    return arm


def _require_numbers(shares: Any, where: str) -> None:
    """OmegaConf would take the text 0.5 for a share."""
    for source, share in shares.items():
        if isinstance(share, bool) or not isinstance(share, (int, float)):
            raise ConfigError(f"share {share!r} of {source} is no number", where=where)


def as_settings(experiment: Experiment) -> dict[str, Any]:
    """The experiment as plain settings; every source says what it is."""
    told = cast(dict[str, Any], plain(experiment))
    for name, source in experiment.sources.items():
        kind = next(k for k, cls in KINDS.items() if type(source) is cls)
        told["sources"][name] = {"origin": kind, **told["sources"][name]}
    return told


def difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """Why two settings are not of one experiment, as a clause; None if one is the other, grown.

    An experiment grows by training seeds, arms and sources.
    """
    for key in dict.fromkeys((*before, *now)):
        if key in _GROWS:
            continue
        old, new = before.get(key), now.get(key)
        if key in ("arms", "sources") and isinstance(old, dict) and isinstance(new, dict):
            new = {name: new.get(name) for name in old}
        at = _first_difference(key, old, new)
        if at is not None:
            return at
    return None


def _first_difference(at: str, old: Json, new: Json) -> str | None:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            found = _first_difference(f"{at}.{key}", old.get(key), new.get(key))
            if found is not None:
                return found
        return None
    return None if old == new else f"{at} was {_short(old)} and is {_short(new)}"


def _short(value: Json) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

"""Why an entry is, or is not, what would be made now: the parts of its key beside others'."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import zip_longest

from trimix.core.contracts import Json
from trimix.core.errors import ConfigError, MissingError
from trimix.experiment.store import Store
from trimix.experiment.store_format import Record, key_of
from trimix.experiment.store_unit import Unit, code_parts, parts_of

_SHOWN = 12


def explain(store: Store, unit: Unit) -> list[str]:
    """Whether a unit's result is there; if not, how it differs from the nearest that is."""
    parts = parts_of(unit)
    key = key_of(parts)
    if (entry := store.find(unit)) is not None:
        return [f"{entry.label}: {key} is there, made {entry.made}"]
    if store.folder(unit.kind, key).exists():
        return [f"{unit.label}: {key} no longer holds what was made"]
    records = [r for r in store.records() if r.kind == unit.kind]
    if not records:
        return [f"{unit.label}: there is no {unit.kind}"]
    found = [(differences(r.parts, parts), r) for r in records]
    nearest, record = min(found, key=lambda pair: (len(pair[0]), pair[1].key))
    return [f"{unit.label}: {key} is not there; beside {record.key} ({record.label}):", *nearest]


def explain_prefix(store: Store, prefix: str) -> list[str]:
    """`explain_record` of the one entry whose key begins so.

    Raises:
        MissingError, ConfigError: there is none, or there are several.
    """
    found = [record for record in store.records() if record.key.startswith(prefix)]
    if not found:
        raise MissingError(f"no entry's key begins with {prefix!r}", where=str(store.root))
    if len(found) > 1:
        raise ConfigError(f"{len(found)} keys begin with {prefix!r}", do="give more digits")
    return explain_record(store, found[0])


def explain_record(store: Store, record: Record) -> list[str]:
    """What became of the code since an entry was made, and how it differs from its nearest kin."""
    lines = [f"{record.kind} {record.key}: {record.label}, made {record.made}"]
    if not record.roots:
        lines.append("a record: no code decides it")
    else:
        then = {k: v for k, v in record.parts.items() if k not in ("kind", "reads")}
        try:
            changed = differences(then, code_parts(record.roots))
        except MissingError as fault:
            changed = [f"its code is gone: {fault}"]
        lines.append("since then:" if changed else "its code and libraries are what they were")
        lines += changed
    kin = [r for r in store.records() if r.kind == record.kind and r.key != record.key]
    if kin:
        found = [(differences(r.parts, record.parts), r) for r in kin]
        nearest, other = min(found, key=lambda pair: (len(pair[0]), pair[1].key))
        lines += [f"beside {other.key} ({other.label}, made {other.made}):", *nearest]
    return lines


def differences(before: Mapping[str, Json], after: Mapping[str, Json]) -> list[str]:
    """What is not the same, a line each: a value with both, a digest as "changed"."""
    lines = []
    for name in sorted({*before, *after}):
        for where, old, new in _leaves(name, before.get(name), after.get(name)):
            if name in ("code", "files") and old is not None and new is not None:
                lines.append(f"  {where} changed")
            else:
                lines.append(f"  {where}: {_short(old)} -> {_short(new)}")
    return lines


def _leaves(where: str, old: Json, new: Json) -> Iterable[tuple[str, Json, Json]]:
    """The places where two values differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted({*old, *new}):
            yield from _leaves(f"{where} {name}", old.get(name), new.get(name))
    elif isinstance(old, list) and isinstance(new, list):
        for i, (a, b) in enumerate(zip_longest(old, new)):
            yield from _leaves(f"{where}[{i}]", a, b)
    elif old != new or type(old) is not type(new):
        yield where, old, new


def _short(value: Json) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 4 * _SHOWN else f"{text[:_SHOWN]}..."

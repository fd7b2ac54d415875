"""What is in a store, and which entries can go: old ones, that no run folder links to."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from trimix.core.errors import ConfigError, MissingError, unknown
from trimix.experiment.store import Entry, Store
from trimix.experiment.store_format import FILES


@dataclass(frozen=True)
class Choice:
    """What may go. Records, which nothing can make again, only go if their kind is named.

    Args:
        kinds: of these; empty for all.
        days: not used for so long.
        runs: folders whose links (at any depth) keep what they lead to.
    """

    kinds: Sequence[str] = ()
    days: float = 0.0
    runs: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.days < 0:
            raise ConfigError(f"days is {self.days}", do="at least 0")
        for run in self.runs:
            if not Path(run).is_dir():
                raise MissingError("is not a folder of runs", where=run)


def prunable(store: Store, choice: Choice) -> list[Entry]:
    """The entries that may go.

    Raises:
        ConfigError: a kind that the store does not have.
    """
    records = list(store.records())
    kinds = {r.kind for r in records}
    for kind in choice.kinds:
        if kind not in kinds:
            raise unknown("kind", kind, kinds, where=str(store.root))
    kept = set(linked(store.root, choice.runs))
    before = datetime.now(UTC) - timedelta(days=choice.days)
    return [
        entry
        for record in records
        if (record.kind in choice.kinds if choice.kinds else record.roots)
        and (entry := store.entry(record)).key not in kept
        and store.used(entry) <= before
    ]


def linked(root: Path, runs: Iterable[str]) -> list[str]:
    """Keys of the entries of a store that links below these folders lead to."""
    found = []
    for run in runs:
        for parent, folders, names in os.walk(run):
            for name in [*folders, *names]:
                path = Path(parent, name)
                if path.is_symlink():
                    to = path.resolve()
                    if to.is_relative_to(root.resolve()):
                        parts = to.relative_to(root.resolve()).parts
                        if len(parts) >= 3 and parts[2] == FILES:
                            found.append(parts[1])
    return found


def listing(store: Store) -> list[str]:
    """A line for every entry, and one for all."""
    lines, size = [], 0
    for record in store.records():
        used = store.used(record.entry(store.folder(record.kind, record.key), reused=True))
        size += record.contents.size
        lines.append(
            f"{record.kind:<12}{record.key[:8]}  {record.contents.size / 1e6:>8.1f} MB  "
            f"{record.seconds:>8.1f} s  made {record.made[:16]}  used {used:%Y-%m-%dT%H:%M}  "
            f"{record.label}"
        )
    return [*lines, f"{store.root}: {len(lines)} entries, {size / 1e6:.1f} MB; {rest(store)}"]


def rest(store: Store) -> str:
    """How much there is besides entries."""
    places = [*store.partials(), store.root / "damaged", store.root / "trash"]
    size = sum(p.lstat().st_size for place in places for p in place.rglob("*") if p.is_file())
    return f"{size / 1e6:.1f} MB of unfinished or damaged work"

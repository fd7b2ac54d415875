"""One store of results, shared by all runs: what was made once from the same things is not made
again.

An entry's key is the digest of what the work reads (settings, contents of its inputs, threads),
the code that makes it, the versions of the libraries which that code imports, and Python's. Entries
appear whole or not at all; while one is made, its maker has a lease on it, and other processes wait
and then use it. What is served is what was made: an entry that was emptied, cut short or edited is
made again.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from trimix.core.errors import DataError, TrimixError
from trimix.core.workers import Tick
from trimix.data.files import read_json, storage_errors, sync_folder, write_bytes
from trimix.experiment.code import reached
from trimix.experiment.code_loaded import require_loaded
from trimix.experiment.store_contents import contents_of, difference
from trimix.experiment.store_format import (
    ENTRY,
    FILES,
    KEY,
    SIDE,
    TRY,
    Entry,
    Record,
    begin_root,
    key_of,
    open_root,
    read_record,
)
from trimix.experiment.store_lease import Leases, Users
from trimix.experiment.store_unit import Unit, parts_of, require_same, roots_of

__all__ = ["Entry", "Store", "Unit"]
DEFAULT = Path("runs") / "store"
log = logging.getLogger(__name__)


class Store:
    """Results, by what they were made from.

    Args:
        root: its folder; None: $TRIMIX_STORE, else runs/store.

    Raises:
        DataError: the folder is a store of another version, or something else.
    """

    def __init__(self, root: str | Path | None = None) -> None:
        self.root = Path(root or os.environ.get("TRIMIX_STORE") or DEFAULT).absolute()
        open_root(self.root)
        self._leases = Leases(self.root / "leases")
        self._users = Users(self.root / "users", self.root / "gate.lock")

    def __reduce__(self) -> tuple[type[Store], tuple[str]]:
        """Another process opens it anew."""
        return Store, (str(self.root),)

    def key(self, unit: Unit) -> str:
        """What the unit's result is made from, as 32 hex digits."""
        return key_of(parts_of(unit))

    def find(self, unit: Unit) -> Entry | None:
        """The unit's result if it is there and holds what was made."""
        return self.serve(unit.kind, self.key(unit))

    def serve(self, kind: str, key: str) -> Entry | None:
        """`find`, by key."""
        folder = self.folder(kind, key)
        if not (folder / ENTRY).is_file():
            return None
        if os.access(self.root, os.W_OK):
            with storage_errors(self.root):
                self._users.add(key)
        record = read_record(folder)
        if record is None:
            return None
        if fault := difference(folder / FILES, record.contents, folder):
            log.info("%s: %s", folder / FILES, fault)
            return None
        with suppress(OSError):  # a store that cannot be written can be read all the same
            os.utime(folder / ENTRY)
        return record.entry(folder, reused=True)

    def make(self, unit: Unit, tick: Tick = lambda: None) -> Entry:
        """The unit's result from the store, or made.

        If another process makes it, that is waited for, and said in the log.

        Raises:
            TrimixError: the store cannot be written, the disk is full, the code was edited while
                this was running; else what making it raises. What was begun stays, to go on from.
        """
        key = self.key(unit)
        while True:
            entry = self.serve(unit.kind, key) or self.try_make(unit, key, tick)
            if entry is not None:
                return entry
            self.wait({key: unit.kind})

    def try_make(self, unit: Unit, key: str, tick: Tick) -> Entry | None:
        """Make the unit, unless another process is at it: then None.

        Args:
            key: which the unit had where it was asked for.
        """
        begin_root(self.root)
        with self._leases.hold(key, f"{unit.label} ({unit.kind} {key[:8]})") as is_ours:
            if not is_ours:
                return None
            return self.serve(unit.kind, key) or self._make(unit, key, tick)

    def wait(self, kinds: Mapping[str, str]) -> None:
        """Wait until one of some entries is there, or nobody makes it any more.

        What is waited for, and for whom, is said in the log.

        Args:
            kinds: of the entries, by key.
        """
        self._leases.wait([*kinds], lambda key: (self.folder(kinds[key], key) / ENTRY).is_file())

    def records(self) -> Iterator[Record]:
        """What is recorded of every entry, by kind and key."""
        for kind in sorted(self.root.iterdir()) if self.root.is_dir() else []:
            if kind.is_dir() and kind.name not in SIDE:
                for folder in sorted(kind.iterdir()):
                    record = read_record(folder) if KEY.fullmatch(folder.name) else None
                    if record is not None:
                        yield record

    def entry(self, record: Record) -> Entry:
        """A finished result, unverified, by what is recorded of it."""
        return record.entry(self.folder(record.kind, record.key), reused=True)

    def entries(self) -> list[Entry]:
        """Every finished result, unverified, by kind and key."""
        return [self.entry(record) for record in self.records()]

    def claim(self, keys: Iterable[str]) -> None:
        """From now on, until this process ends, these entries stay, as soon as they are there."""
        if os.access(self.root, os.W_OK):
            with storage_errors(self.root):
                for key in keys:
                    self._users.add(key)

    def used(self, entry: Entry) -> datetime:
        """When an entry was last given out, or made."""
        try:
            marked = (self.folder(entry.kind, entry.key) / ENTRY).stat().st_mtime
        except FileNotFoundError:  # somebody removed it since
            return datetime.now(UTC)
        return datetime.fromtimestamp(marked, UTC)

    def link(self, entry: Entry, at: Path, part: str = "") -> None:
        """Put a relative link to an entry's files at a path, in the place of an earlier one.

        Args:
            part: the folder among its files that is linked to; empty for all of them.

        Raises:
            DataError: something is there that is no link to an entry.
        """
        self.require_free(at)
        with storage_errors(at):
            at.parent.mkdir(parents=True, exist_ok=True)
            new = at.with_name(f".{at.name}.{os.getpid()}")
            new.unlink(missing_ok=True)
            target = entry.folder.resolve() / part
            new.symlink_to(os.path.relpath(target, at.parent.resolve()))
            new.replace(at)

    def require_free(self, at: Path) -> None:
        """Raise DataError if something is at a path that is no link to an entry."""
        if at.is_symlink():
            if not is_link(at):
                raise DataError("a link is in the way", where=str(at), do="move it away")
        elif at.exists():
            raise DataError(
                "something is there that trimix did not put there",
                where=str(at),
                do="move it away or choose another folder with out=",
            )

    def remove(self, entries: Sequence[Entry]) -> list[Entry]:
        """Delete entries, but for those that another process makes or uses.

        Returns:
            the ones that were deleted.

        Raises:
            TrimixError: the store cannot be written.
        """
        removed = []
        with storage_errors(self.root):
            for entry in entries:
                with self._leases.hold(entry.key, f"removal of {entry.label}") as is_ours:
                    if is_ours and self._move(entry.kind, entry.key, "trash"):
                        removed.append(entry)
            self._empty("trash")
        return removed

    def partials(self) -> list[Path]:
        """What interrupted tries left, and what is being made."""
        return sorted(p for p in self.root.glob("*/*.partial") if p.parent.name not in SIDE)

    def clean(self) -> None:
        """Delete what interrupted tries left and what was damaged; what is being made stays."""
        with storage_errors(self.root):
            for partial in self.partials():
                with self._leases.hold(partial.stem, "removal") as is_ours:
                    if is_ours:
                        shutil.rmtree(partial)
            self._empty("damaged", "trash")

    def _empty(self, *folders: str) -> None:
        for path in [path for folder in folders for path in (self.root / folder).glob("*")]:
            shutil.rmtree(path, ignore_errors=True)  # two processes may be at it

    def folder(self, kind: str, key: str) -> Path:
        """Where an entry is, if it is there."""
        return self.root / kind / key

    def _make(self, unit: Unit, key: str, tick: Tick) -> Entry:
        """Make an entry; its lease is ours."""
        parts, before = parts_of(unit), reached(roots_of(unit))
        if key_of(parts) != key:
            raise TrimixError(
                "its code, data or libraries are not here what they were where it was asked for",
                where=unit.label,
                do="if they were edited meanwhile, run the same command again: what is finished is "
                "kept; machines of a cluster need the same trimix and libraries",
            )
        require_loaded(before.modules)
        folder = self.folder(unit.kind, key)
        partial = folder.with_name(f"{key}.partial")
        with storage_errors(partial):
            if folder.exists():
                log.warning("%s no longer holds what was made; it is made again", folder)
                self._move(unit.kind, key, "damaged")
            (partial / FILES).mkdir(parents=True, exist_ok=True)
        spent, began = _spent(partial), time.monotonic()
        try:
            with storage_errors(partial):
                result = unit.make(partial / FILES, tick)
        finally:
            spent += time.monotonic() - began
            with suppress(OSError):  # the disk may be full, and something worse be under way
                (partial / TRY).write_text(json.dumps({"seconds": spent}))
        require_same(unit, before)
        with storage_errors(partial):
            record = Record(
                key=key,
                kind=unit.kind,
                label=unit.label,
                result=result,
                seconds=round(spent, 3),
                made=datetime.now(UTC).isoformat(timespec="seconds"),
                roots=roots_of(unit),
                parts=parts,
                contents=contents_of(partial / FILES, partial),
            )
            write_bytes(partial / ENTRY, record.text().encode())
            (partial / TRY).unlink(missing_ok=True)
            sync_folder(partial)
            partial.rename(folder)
            sync_folder(folder.parent)
            self._users.add(key)
        return record.entry(folder, reused=False)

    def _move(self, kind: str, key: str, where: str) -> bool:
        """Take an entry out of its place, under its lease; False if another process uses it."""
        with self._users.gate():
            if where == "trash" and key in self._users.others():
                return False
            away = self.root / where / f"{key}-{time.time_ns()}"
            away.parent.mkdir(exist_ok=True)
            with suppress(FileNotFoundError):
                self.folder(kind, key).rename(away)
        return True


def is_link(path: Path) -> bool:
    """Whether a path is a link that `Store.link` made."""
    names = path.readlink().parts if path.is_symlink() else ()
    return any(KEY.fullmatch(a) and b == FILES for a, b in pairwise(names))


def _spent(partial: Path) -> float:
    """Seconds that earlier tries took."""
    try:
        return float(read_json(partial / TRY)["seconds"])
    except (DataError, KeyError, TypeError, ValueError):
        return 0.0

"""The store's files: what says that a folder is a store, and what is recorded of an entry.

store.json                      {"format": 1}
<kind>/<key>/entry.json         what it is, what it was made from, the digests of its files
<kind>/<key>/files/             what was made, as it was made
<kind>/<key>.partial/           the same in the making, or what an interrupted try left
checked/<key>.json              stamps at which its files were found right; its time: last use
leases/  users/  gate.lock      who makes and who uses what, as file locks
damaged/  trash/                entries that no longer hold what they did, or are being deleted
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from trimix.core.contracts import Json
from trimix.core.errors import ConfigError, DataError
from trimix.data.files import read_json, storage_errors, text_digest
from trimix.experiment.store_contents import Contents

FORMAT = 1
MARK, ENTRY, FILES, TRY = "store.json", "entry.json", "files", "try.json"
SIDE = ("leases", "users", "damaged", "trash")
"""Folders that are no kinds."""
KEY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Entry:
    """A finished result.

    Args:
        key: what it was made from, as a digest.
        kind: folder of the store.
        label: for people.
        folder: its files; they stay as they are.
        result: what making it returned.
        seconds: what making it took, over all tries.
        made: when, in ISO 8601.
        reused: it was there before it was asked for.
        digest: of its files' names and contents: what later results that read it are keyed by.
    """

    key: str
    kind: str
    label: str
    folder: Path
    result: Json
    seconds: float
    made: str
    reused: bool
    digest: str


@dataclass(frozen=True)
class Record:
    """entry.json.

    Args:
        key, kind, label, result, seconds, made: see Entry.
        roots: where the code that made it is reached from.
        parts: what the key is the digest of.
        contents: its files.
    """

    key: str
    kind: str
    label: str
    result: Json
    seconds: float
    made: str
    roots: tuple[str, ...]
    parts: Mapping[str, Json]
    contents: Contents

    def entry(self, folder: Path, *, reused: bool) -> Entry:
        """As it is given out; `folder` is the one that holds entry.json."""
        return Entry(
            key=self.key,
            kind=self.kind,
            label=self.label,
            folder=folder / FILES,
            result=self.result,
            seconds=self.seconds,
            made=self.made,
            reused=reused,
            digest=self.contents.digest,
        )

    def text(self) -> str:
        """As JSON."""
        files = {name: list(of) for name, of in self.contents.files.items()}
        raw = {**vars(self), "contents": files}
        raw["seal"] = _seal(raw)
        return json.dumps(raw, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _seal(raw: Mapping[str, Any]) -> str:
    """Digest of what is recorded: a result lies in no file that `contents` would tell of."""
    return text_digest(json.dumps(raw, sort_keys=True, allow_nan=False))


def read_record(folder: Path) -> Record | None:
    """What is recorded of an entry; None if there is none or it is not what was written."""
    path = folder / ENTRY
    if not path.is_file():
        return None
    try:
        raw: dict[str, Any] = read_json(path)
        if raw.pop("seal") != _seal(raw):
            return None
        raw["contents"] = Contents({n: (int(s), str(d)) for n, (s, d) in raw["contents"].items()})
        raw["roots"] = tuple(raw["roots"])
        record = Record(**raw)
        datetime.fromisoformat(record.made)
    except (DataError, TypeError, ValueError, KeyError, AttributeError):
        return None
    return record if record.key == folder.name else None


def open_root(root: Path) -> None:
    """See that a folder is a store of ours, or can become one.

    Raises:
        DataError: it is of another version, or holds something else.
    """
    mark = root / MARK
    if mark.is_file():
        raw = read_json(mark)
        found = raw.get("format") if isinstance(raw, dict) else None
        if found != FORMAT:
            raise DataError(
                f"the store is of format {found}, this version of trimix keeps format {FORMAT}",
                where=str(root),
                do="name another folder with store= or TRIMIX_STORE",
            )
    elif root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise DataError(
            "is not a store of results and is not empty",
            where=str(root),
            do="name another folder with store= or TRIMIX_STORE",
        )


def begin_root(root: Path) -> None:
    """Make a folder a store.

    Raises:
        TrimixError: it cannot be written.
    """
    if not (root / MARK).is_file():
        with storage_errors(root):
            root.mkdir(parents=True, exist_ok=True)
            replace(root / MARK, json.dumps({"format": FORMAT}) + "\n")


def replace(path: Path, text: str) -> None:
    """Write a file whole, also if several processes do it at once."""
    new = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def key_of(parts: Mapping[str, Json]) -> str:
    """32 hex digits.

    Raises:
        ConfigError: what is read cannot be written as JSON without loss.
    """
    try:
        return text_digest(json.dumps(parts, sort_keys=True, allow_nan=False))
    except (TypeError, ValueError) as fault:
        raise ConfigError(f"what is read is not plain JSON: {fault}") from fault

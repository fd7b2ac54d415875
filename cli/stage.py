"""Stages of a long run, each done once: a stage whose inputs did not change is not done again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

from trimix.core.errors import DataError
from trimix.core.seeds import key
from trimix.data.files import (
    combined_digest,
    digest,
    read_json,
    remove_tree,
    storage_errors,
    write_atomic,
)
from trimix.data.lerobot.layout import partial_folder

_PACKAGE = Path(__file__).resolve().parents[1]
_ROOMS = (
    "assets",
    "core",
    "data",
    "mix",
    "policy",
    "randomization",
    "sim",
    "tasks",
    "train",
    "worldmodel",
)


class Stages:
    """The stages of one run folder.

    A stage's key is the hash of what it reads: its settings, the content hashes of its data and
    the code that makes data and policies. Its result is plain JSON, kept in stages/<name>.json
    beside what it wrote.

    Args:
        folder: of the run.
        say: prints a line for every stage.

    Raises:
        TrimixError: the folder cannot be written.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self.folder, self._say = folder, say
        self.seconds: dict[str, float] = {}
        self.reused: list[str] = []
        with storage_errors(folder):
            (folder / "stages").mkdir(parents=True, exist_ok=True)

    def run(self, name: str, reads: Any, work: Callable[[Path], Any], *, keep: bool = False) -> Any:
        """The stage's result, from its last run if it read the same.

        A stage that was stopped goes on where it was. What an earlier run with other settings
        left in the stage's folder is removed; what no stage of this run made is not.

        Args:
            name: of the stage and of the folder that it writes.
            reads: everything that decides its result: JSON, dataclasses and paths as text.
            work: called with the stage's folder; returns JSON.
            keep: leave the folder as it is; its parts are named by what they read.

        Raises:
            DataError: the stage's folder holds something that no run made.
        """
        text = json.dumps(_plain(reads), sort_keys=True)
        stamp = f"{key('stage', name, code_digest(), text):032x}"
        marker, place = self.folder / "stages" / f"{name}.json", self.folder / name
        done = _marker(marker)
        if done is not None and done["key"] == stamp and (place.exists() or not done["wrote"]):
            self.reused.append(name)
            self.seconds[name] = float(done["seconds"])
            self._say(f"{name}: unchanged")
            return done["result"]
        begun = self.folder / "stages" / f"{name}.begun"
        before = _marker(begun)
        same = before is not None and before["key"] == stamp
        if not (same or keep):
            self._clear(place, ours=marker.exists() or begun.exists())
        marker.unlink(missing_ok=True)
        spent = float(before["seconds"]) if before is not None and same else 0.0
        _write(begun, {"key": stamp, "seconds": spent, "wrote": False, "result": None})
        self._say(f"{name}: running")
        began = time.monotonic()
        try:
            result = _plain(work(place))
        finally:
            spent += time.monotonic() - began
            _write(begun, {"key": stamp, "seconds": spent, "wrote": False, "result": None})
        self.seconds[name] = spent
        wrote = place.exists()
        _write(marker, {"key": stamp, "seconds": spent, "wrote": wrote, "result": result})
        begun.unlink()
        return result

    @staticmethod
    def _clear(place: Path, ours: bool) -> None:
        for old in (place, partial_folder(place)):
            if not old.exists():
                continue
            if not ours:
                raise DataError(
                    "something is there that no run of the pipeline made",
                    where=str(old),
                    do="choose another folder with out=",
                )
            remove_tree(old)


def _marker(path: Path) -> dict[str, Any] | None:
    """A stage's record; None if there is none or it cannot be read, which makes it be done."""
    if not path.is_file():
        return None
    try:
        raw = read_json(path)
    except DataError:
        return None
    return raw if isinstance(raw, dict) and set(raw) == _FIELDS else None


_FIELDS = {"key", "seconds", "wrote", "result"}


def _write(path: Path, record: dict[str, Any]) -> None:
    write_atomic(path, (json.dumps(record, indent=1) + "\n").encode())


@cache
def code_digest() -> str:
    """Digest of the code that makes data and policies; a change of it does every stage again."""
    paths = [p for room in _ROOMS for p in sorted((_PACKAGE / room).rglob("*.py"))]
    return combined_digest({str(p.relative_to(_PACKAGE)): digest(p) for p in paths})


def _plain(value: Any) -> Any:
    """The value as JSON gives it back."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    return json.loads(json.dumps(value, default=str))

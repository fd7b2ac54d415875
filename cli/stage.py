"""Stages of a long run, each done once: a stage whose inputs did not change is not done again."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from trimix import __version__
from trimix.core.seeds import key
from trimix.data.files import read_json
from trimix.data.layout import partial_folder
from trimix.evaluate.whole import replace_whole


class Stages:
    """The stages of one run folder.

    A stage's key is the hash of what it reads: its settings, the content hashes of its data and
    trimix's version. Its result is plain JSON, kept in stages/<name>.json beside what it wrote.

    Args:
        folder: of the run.
        say: prints a line for every stage.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self.folder, self._say = folder, say
        self.seconds: dict[str, float] = {}
        self.reused: list[str] = []
        (folder / "stages").mkdir(parents=True, exist_ok=True)

    def run(
        self, name: str, reads: Any, work: Callable[[Path], Any], *, resumes: bool = True
    ) -> Any:
        """The stage's result, from its last run if it read the same.

        Args:
            name: of the stage and of the folder that it writes.
            reads: everything that decides its result: JSON, dataclasses and paths as text.
            work: called with the stage's folder; returns JSON.
            resumes: whether `work` goes on where it was stopped; otherwise its folder is emptied.
        """
        text = json.dumps(_plain(reads), sort_keys=True)
        stamp = f"{key('stage', name, __version__, text):032x}"
        marker, place = self.folder / "stages" / f"{name}.json", self.folder / name
        begun = self.folder / "stages" / f"{name}.begun"
        if marker.is_file():
            done = read_json(marker)
            if done["key"] == stamp:
                self.reused.append(name)
                self.seconds[name] = float(done["seconds"])
                self._say(f"{name}: unchanged")
                return done["result"]
            marker.unlink()
        same = begun.is_file() and begun.read_text() == stamp
        if not (same and resumes):
            for old in (place, partial_folder(place)):
                shutil.rmtree(old, ignore_errors=True)
            replace_whole(begun, stamp.encode())
        self._say(f"{name}: running")
        began = time.monotonic()
        result = _plain(work(place))
        self.seconds[name] = time.monotonic() - began
        record = {"key": stamp, "seconds": self.seconds[name], "result": result}
        replace_whole(marker, (json.dumps(record, indent=1) + "\n").encode())
        begun.unlink(missing_ok=True)
        return result


def _plain(value: Any) -> Any:
    """The value as JSON gives it back."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    return json.loads(json.dumps(value, default=str))

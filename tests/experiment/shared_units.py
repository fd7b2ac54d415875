"""Cheap units of work that other processes find by name."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from trimix.core.errors import ConfigError
from trimix.core.workers import Tick


@dataclass(frozen=True)
class Count:
    """Writes the numbers from 0 to n, one file each, and goes on where it stopped.

    Args:
        n, seed, scale, name, tags: settings of every sort.
        pause_s: between two numbers; decides nothing.
        log: a file that gets a line for every try.
    """

    kind: ClassVar[str] = "count"
    n: int = 3
    seed: int = 0
    scale: float = 1.0
    name: str = ""
    tags: tuple[str, ...] = ()
    pause_s: float = 0.0
    log: str = ""
    roots: tuple[str, ...] = field(default=("trimix.core.seeds",))

    @property
    def label(self) -> str:
        return f"count to {self.n} seed {self.seed}"

    def reads(self):
        return {
            "n": self.n,
            "seed": self.seed,
            "scale": self.scale,
            "name": self.name,
            "tags": list(self.tags),
        }

    def code(self) -> tuple[str, ...]:
        return self.roots

    def make(self, folder: Path, tick: Tick):
        note(self.log, f"{os.getpid()} begin {self.label}")
        for i in range(self.n):
            path = folder / f"{i}.txt"
            if not path.exists():
                time.sleep(self.pause_s)
                new = folder / "new"
                new.write_text(f"{i * self.scale} {self.seed} {self.name}\n")
                new.rename(path)
            tick()
        note(self.log, f"{os.getpid()} end {self.label}")
        return {"files": self.n, "last": (self.n - 1) * self.scale}


@dataclass(frozen=True)
class Sum:
    """Adds up what another entry holds."""

    kind: ClassVar[str] = "sum"
    folder: str
    digest: str

    @property
    def label(self) -> str:
        return "sum"

    def reads(self):
        return {"count": self.digest}

    def code(self) -> tuple[str, ...]:
        return ()

    def make(self, folder: Path, tick: Tick):
        numbers = [float(p.read_text().split()[0]) for p in sorted(Path(self.folder).glob("*.txt"))]
        (folder / "sum.txt").write_text(f"{sum(numbers)}\n")
        return sum(numbers)


@dataclass(frozen=True)
class Promise:
    """Keeps what it was first told."""

    kind: ClassVar[str] = "plan"
    promised: str

    @property
    def label(self) -> str:
        return "promise"

    def reads(self):
        return "what is promised"

    def code(self) -> None:
        return None

    def make(self, folder: Path, tick: Tick):
        return self.promised


@dataclass(frozen=True)
class Refuse(Count):
    """Fails as a user's mistake does."""

    def make(self, folder: Path, tick: Tick):
        raise ConfigError(f"{self.label} is refused")


@dataclass(frozen=True)
class DieOnce(Count):
    """Kills its process the first time it is tried, after some work."""

    def make(self, folder: Path, tick: Tick):
        if not (folder / "0.txt").exists():
            (folder / "0.txt").write_text(f"{0 * self.scale} {self.seed} {self.name}\n")
            os.kill(os.getpid(), signal.SIGKILL)
        return super().make(folder, tick)


@dataclass(frozen=True)
class Fill(Count):
    """Writes more than its disk takes."""

    def make(self, folder: Path, tick: Tick):
        with (folder / "much").open("wb") as file:
            for _ in range(64):
                file.write(bytes(1 << 20))
        return


def note(log: str, line: str) -> None:
    """Append a line, if there is a log."""
    if log:
        with Path(log).open("a") as file:
            file.write(line + "\n")


@contextmanager
def share(value: int) -> Iterator[int]:
    yield value


def environment(state: int, argument: int, tick: Tick) -> tuple[int, str | None]:
    return state, os.environ.get("OMP_NUM_THREADS")

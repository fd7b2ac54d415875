"""What the parts of a run share: the store, where work is done, who is told, what it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from trimix.core.workers import Executor
from trimix.experiment.executor import make_units
from trimix.experiment.store import Entry, Store, Unit


@dataclass(frozen=True)
class Event:
    """Something that a run tells of.

    Args:
        stage: what is being done, e.g. "train".
        state: it begins, goes on, ended, or was all found in the store.
        done, total: of the stage's work, in `noun`s; 0 where nothing is counted.
        noun: episode, scene, policy.
    """

    stage: str
    state: Literal["begun", "going on", "done", "unchanged"]
    done: int = 0
    total: int = 0
    noun: str = ""


Listener = Callable[[Event], None]


def _nobody(event: Event) -> None:
    del event


class Work:
    """Makes units, in the store or from it, and keeps count.

    Args:
        store: of results.
        executor: where units are made that do not share themselves out.
        listener: is told of every event.

    Attributes:
        seconds: stage -> what it took; of what was in the store, what it took when it was made.
        reused: stages that were found in the store whole.
    """

    def __init__(self, store: Store, executor: Executor, listener: Listener | None = None) -> None:
        self.store, self.executor = store, executor
        self.seconds: dict[str, float] = {}
        self.reused: list[str] = []
        self._tell = listener or _nobody

    def one(self, stage: str, unit: Unit, total: int = 0, noun: str = "") -> Entry:
        """One unit, made in this process; it may share its work out itself.

        Args:
            stage: what to call it.
            total, noun: how often it ticks, and for what.
        """
        return self._stage(stage, [unit], total, noun, here=True)[0]

    def many(
        self, stage: str, units: Sequence[Unit], each: Sequence[int], noun: str
    ) -> list[Entry]:
        """Units that do not hang on each other, made wherever the executor makes them.

        Args:
            stage: what to call them.
            each: how often each ticks.
            noun: what for.

        Returns:
            an entry for each unit, in their order.
        """
        missing = [n for u, n in zip(units, each, strict=True) if self.store.find(u) is None]
        return self._stage(stage, units, sum(missing), noun, here=False)

    def _stage(
        self, stage: str, units: Sequence[Unit], total: int, noun: str, *, here: bool
    ) -> list[Entry]:
        found = [self.store.find(unit) for unit in units]
        there = [entry for entry in found if entry is not None]
        if len(there) == len(units):
            self.reused.append(stage)
            self._add(stage, there, 0.0)
            self._tell(Event(stage, "unchanged"))
            return there
        done = 0

        def tick() -> None:
            nonlocal done
            done += 1
            self._tell(Event(stage, "going on", done, total, noun))

        self._tell(Event(stage, "begun", 0, total, noun))
        began = time.monotonic()
        if here:
            made = [self.store.make(unit, tick) for unit in units]
        else:
            made = make_units(self.store, units, self.executor, tick)
        self._add(stage, there, time.monotonic() - began)
        self._tell(Event(stage, "done", done, total, noun))
        return made

    def _add(self, stage: str, reused: Sequence[Entry], spent: float) -> None:
        shared = max(1, min(self.executor.workers, len(reused)))
        earlier = sum(entry.seconds for entry in reused) / shared
        self.seconds[stage] = self.seconds.get(stage, 0.0) + spent + earlier


def counted(tick: Callable[[], None]) -> Callable[[int, int], None]:
    """Ticks once for each more that is done: for those who tell (done, in all)."""
    before = 0

    def progress(done: int, total: int) -> None:
        nonlocal before
        for _ in range(done - before):
            tick()
        before = max(before, done)

    return progress

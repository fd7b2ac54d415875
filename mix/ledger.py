"""The ledger: what was really drawn, beside what the lock planned.

Axes: m sources.

Counted from the batches that were read, not from their plan. Memory is one byte an episode and one
a step, whatever the number of windows; everything that it tells is exact. Which windows were drawn
how often is not counted: that would take a number for each window.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trimix.core.contracts import I64, ORIGINS, BoolArray
from trimix.core.errors import ConfigError
from trimix.data.files import write_atomic
from trimix.mix.batch import MixBatch
from trimix.mix.lock import Lock
from trimix.mix.runs import Runs

NAME = "ledger.json"


@dataclass(frozen=True)
class Exposure:
    """How much of one source a training has seen so far.

    Args:
        name: the source.
        windows: draws so far.
        origins: origin -> draws of its windows so far.
        planned_windows: what the lock plans for the same steps.
        share: windows over all windows drawn so far.
        planned_share: the same of the plan.
        seconds: windows times the control period.
        episodes: how many different episodes were drawn.
        repeats: windows over the number that there are.
    """

    name: str
    windows: int
    origins: dict[str, int]
    planned_windows: int
    share: float
    planned_share: float
    seconds: float
    episodes: int
    repeats: float


class Ledger:
    """Counts draws, batch by batch. Each step counts once, in any order.

    Args:
        lock: the plan that the batches come from; they are whole ones, not one process's part.
    """

    def __init__(self, lock: Lock) -> None:
        self.lock = lock
        self._draws = np.zeros((len(lock.sources), len(ORIGINS)), np.int64)
        self._episodes = [np.zeros(0, bool) for _ in lock.sources]
        self._steps = np.zeros(lock.steps, bool)

    def record(self, batch: MixBatch) -> None:
        """Count a batch. A step that is read again after a resume counts once."""
        if self._steps[batch.step]:
            return
        self._steps[batch.step] = True
        origin = np.array([ORIGINS.index(d) for d in batch.domain], np.int64)
        np.add.at(self._draws, (batch.source, origin), 1)
        for i in np.unique(batch.source):
            drawn = batch.episode[batch.source == i]
            self._episodes[i] = _marked(self._episodes[i], drawn)

    @property
    def steps(self) -> int:
        """How many steps were counted."""
        return int(self._steps.sum())

    def exposure(self) -> tuple[Exposure, ...]:
        """One for each source of the lock, in its order."""
        planned = self._planned()
        total = max(1, int(self._draws.sum()))
        asked = max(1, sum(planned))
        return tuple(
            Exposure(
                name=source.name,
                windows=int(draws.sum()),
                origins=_by_origin(draws.tolist()),
                planned_windows=due,
                share=int(draws.sum()) / total,
                planned_share=due / asked,
                seconds=int(draws.sum()) * self.lock.interface.control_dt_s,
                episodes=int(episodes.sum()),
                repeats=int(draws.sum()) / source.windows,
            )
            for source, draws, due, episodes in zip(
                self.lock.sources, self._draws, planned, self._episodes, strict=True
            )
        )

    def differences(self) -> tuple[str, ...]:
        """One clause for each source whose draws are not the planned ones; none is as planned."""
        return tuple(
            f"{e.name}: {e.windows} windows drawn, {e.planned_windows} planned"
            for e in self.exposure()
            if e.windows != e.planned_windows
        )

    def to_json(self) -> dict[str, Any]:
        """What was counted, for people and programs.

        {"lock": its hash, "steps": counted, "windows": drawn, "origins": {origin: windows},
        "sources": [an Exposure each], "differences": [clauses]}.
        """
        return {
            "lock": self.lock.hash,
            "steps": self.steps,
            "windows": int(self._draws.sum()),
            "origins": _by_origin(self._draws.sum(axis=0).tolist()),
            "sources": [asdict(e) for e in self.exposure()],
            "differences": list(self.differences()),
        }

    def save(self, path: str | Path) -> None:
        """Write it as JSON; an interrupted write leaves the file that was there.

        Raises:
            TrimixError: the disk is full or refuses the write.
        """
        write_atomic(Path(path), (json.dumps(self.to_json(), indent=1) + "\n").encode())

    def state(self) -> dict[str, Any]:
        """All that counting goes on from, as JSON."""
        return {
            "lock": self.lock.hash,
            "steps": Runs.of(np.flatnonzero(self._steps)).text,
            "draws": self._draws.tolist(),
            "episodes": [Runs.of(np.flatnonzero(e)).text for e in self._episodes],
        }

    def restore(self, state: Mapping[str, Any] | None) -> None:
        """Take up what `state` gave, in place of what was counted here.

        Raises:
            ConfigError: nothing was counted there, or the draws of another lock.
        """
        if state is None or state["lock"] != self.lock.hash:
            raise ConfigError(
                "the run there kept no account of what it drew from this mix",
                do="give another run directory, or delete this one",
            )
        self._draws = np.array(state["draws"], np.int64)
        self._steps[:] = False
        self._steps[Runs(state["steps"]).numbers()] = True
        none = np.zeros(0, bool)
        self._episodes = [_marked(none, Runs(text).numbers()) for text in state["episodes"]]

    def _planned(self) -> list[int]:
        """(m,) windows that the lock plans for the steps counted."""
        schedule, done = self.lock.schedule, self.steps
        if self._steps[:done].all():
            return [int(n) for n in schedule.before(done)]
        steps = np.flatnonzero(self._steps)
        total = np.zeros(len(self.lock.sources), np.int64)
        for part in np.array_split(steps, -(-len(steps) // 1024)):
            total += schedule.counts(part).sum(axis=0)
        return [int(n) for n in total]


def _marked(seen: BoolArray, episodes: I64) -> BoolArray:
    """Episodes that were seen, with these among them."""
    short = int(episodes.max(initial=-1)) + 1 - len(seen)
    out = np.pad(seen, (0, short)) if short > 0 else seen
    out[episodes] = True
    return out


def _by_origin(draws: list[int]) -> dict[str, int]:
    """origin -> windows, without zeros."""
    return {o: n for o, n in sorted(zip(ORIGINS, draws, strict=True)) if n}

"""The ledger: what was really drawn, beside what the lock planned.

Axes: n windows of a source.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trimix.core.contracts import Origin
from trimix.mix.batch import MixBatch
from trimix.mix.lock import Lock


@dataclass(frozen=True)
class Exposure:
    """How much of one source a training has seen so far.

    Args:
        name: the source.
        windows: draws so far.
        planned_windows: what the lock plans up to the same steps.
        share: windows over all windows drawn so far.
        planned_share: the same of the plan.
        seconds: windows times the control period.
        distinct_windows: how many different windows were drawn.
        episodes: how many different episodes were drawn.
        repeats: windows over the number that there are.
        max_repeats: of the window drawn most often.
    """

    name: str
    windows: int
    planned_windows: int
    share: float
    planned_share: float
    seconds: float
    distinct_windows: int
    episodes: int
    repeats: float
    max_repeats: int


class Ledger:
    """Counts draws, batch by batch. Each step counts once, in any order.

    Args:
        lock: the plan that the batches come from.
    """

    def __init__(self, lock: Lock) -> None:
        self.lock = lock
        self._draws = [np.zeros(s.windows, np.int64) for s in lock.sources]
        self._episodes: list[set[int]] = [set() for _ in lock.sources]
        self._origins: Counter[Origin] = Counter()
        self._steps: set[int] = set()

    def record(self, batch: MixBatch) -> None:
        """Count a batch. A step that is read again after a resume counts once."""
        if batch.step in self._steps:
            return
        self._steps.add(batch.step)
        for i in np.unique(batch.source):
            mine = batch.source == i
            np.add.at(self._draws[i], batch.window[mine], 1)
            self._episodes[i].update(batch.episode[mine].tolist())
        self._origins.update(batch.domain)

    @property
    def steps(self) -> int:
        return len(self._steps)

    def exposure(self) -> tuple[Exposure, ...]:
        """One for each source of the lock, in its order."""
        planned = self._planned()
        total = max(1, self.steps * self.lock.batch_size)
        out = []
        for i, source in enumerate(self.lock.sources):
            draws = self._draws[i]
            windows = int(draws.sum())
            out.append(
                Exposure(
                    name=source.name,
                    windows=windows,
                    planned_windows=planned[i],
                    share=windows / total,
                    planned_share=planned[i] / total,
                    seconds=windows * self.lock.interface.control_dt_s,
                    distinct_windows=int((draws > 0).sum()),
                    episodes=len(self._episodes[i]),
                    repeats=windows / source.windows,
                    max_repeats=int(draws.max()),
                )
            )
        return tuple(out)

    def origins(self) -> dict[str, int]:
        """origin -> windows drawn."""
        return dict(sorted(self._origins.items()))

    def differences(self) -> tuple[str, ...]:
        """One clause for each source whose draws are not the planned ones; none is as planned."""
        return tuple(
            f"{e.name}: {e.windows} windows drawn, {e.planned_windows} planned"
            for e in self.exposure()
            if e.windows != e.planned_windows
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "lock": self.lock.hash,
            "steps": self.steps,
            "windows": sum(self._origins.values()),
            "origins": self.origins(),
            "sources": [asdict(e) for e in self.exposure()],
            "differences": list(self.differences()),
        }

    def save(self, path: str | Path) -> None:
        """Write it as JSON; an interrupted write leaves the file that was there."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".tmp")
        partial.write_text(json.dumps(self.to_json(), indent=1) + "\n")
        partial.replace(path)

    def _planned(self) -> Sequence[int]:
        """(m,) windows that the lock plans for the steps recorded."""
        schedule = self.lock.schedule
        steps = np.array(sorted(self._steps), np.int64)
        return [int(n) for n in schedule.counts(steps).sum(axis=0)]

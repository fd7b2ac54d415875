"""Training windows: a short history of observations and the chunk of actions that follows.

Axes: B windows, history observations (the last one is the window's own frame), chunk actions
(the first one is the action taken on that frame), H x W pixels, D state and A action channels,
S spans.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trimix.core.contracts import F32, I64, U8, BoolArray
from trimix.core.errors import ConfigError
from trimix.data.cache import FrameCache
from trimix.data.dataset import Dataset

_ROWS = 1 << 16  # looked at together where all rows have to be


@dataclass(frozen=True)
class WindowSpec:
    """How far a window reaches back (history) and ahead (chunk), in rows."""

    history: int = 2
    chunk: int = 8

    def __post_init__(self) -> None:
        if self.history < 1 or self.chunk < 1:
            raise ConfigError(
                f"a window of history {self.history} and chunk {self.chunk} is empty",
                do="both are at least 1",
            )


@dataclass(frozen=True)
class Spans:
    """Stretches of frames in episodes, in order of (episode, first): what windows are chosen.

    Args:
        episode: (S,) index of the episode.
        first: (S,) the stretch's first frame in its episode.
        count: (S,) frames in it, at least 1.
    """

    episode: I64
    first: I64
    count: I64

    def __len__(self) -> int:
        """Frames in all: each is the own frame of one window."""
        return int(self.count.sum())

    @classmethod
    def whole(cls, dataset: Dataset, episodes: Sequence[int] | None = None) -> Spans:
        """All of these episodes; None is of every one. Order and repeats do not matter.

        Raises:
            ConfigError: an episode does not exist.
        """
        every = dataset.episodes
        chosen = range(len(every)) if episodes is None else sorted(set(episodes))
        beyond = [e for e in chosen if not 0 <= e < len(every)]
        if beyond:
            raise ConfigError(
                f"episode {beyond[0]} does not exist",
                where=str(dataset.root),
                do=f"episodes 0 to {len(every) - 1} do",
            )
        count = np.array([every[e].length for e in chosen], np.int64)
        return cls(np.array(chosen, np.int64), np.zeros_like(count), count)


@dataclass(frozen=True)
class WindowBatch:
    """B windows. Rows outside the episode repeat its edge and are False in the masks.

    Args:
        images: camera -> (B, history, H, W, 3) uint8.
        state: (B, history, D) float32.
        action: (B, chunk, A) float32.
        action_valid: (B, chunk) bool.
        history_valid: (B, history) bool.
        instruction: B strings.
        episode, frame: (B,) int64, the window's own frame.
        trust: (B,) float32, of that frame.
    """

    images: dict[str, U8]
    state: F32
    action: F32
    action_valid: BoolArray
    history_valid: BoolArray
    instruction: list[str]
    episode: I64
    frame: I64
    trust: F32


class Windows:
    """One window for every chosen frame, ordered by (episode, frame).

    What is kept beside the data set's rows is six numbers a span, none a window.

    Args:
        cache: its cameras are the windows' cameras.
        chosen: episodes by index, or spans of them; None is everything.

    Raises:
        ConfigError: an episode does not exist.
    """

    def __init__(
        self,
        dataset: Dataset,
        cache: FrameCache,
        spec: WindowSpec,
        chosen: Sequence[int] | Spans | None = None,
    ) -> None:
        self.spec, self.cache = spec, cache
        self._spans = chosen if isinstance(chosen, Spans) else Spans.whole(dataset, chosen)
        rows = [dataset.episodes[e] for e in self._spans.episode]
        self._first: I64 = np.array([r.start for r in rows], np.int64)
        self._last: I64 = self._first + np.array([r.length - 1 for r in rows], np.int64)
        self._ends: I64 = np.cumsum(self._spans.count)
        self._state, self._action = dataset.state(), dataset.action()
        self._trust = dataset.trust()
        self._task = _task_of_rows(dataset)
        self._tasks = dict(dataset.source.tasks)
        self._texts = [r.tasks[0] if r.tasks else "" for r in rows]

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def gather(self, ids: I64) -> WindowBatch:
        """The windows with these numbers, 0 <= id < len(self). ids: (B,) int64."""
        ids = np.asarray(ids, np.int64)
        span = np.searchsorted(self._ends, ids, side="right")
        frame = self._spans.first[span] + ids - (self._ends[span] - self._spans.count[span])
        first, last = self._first[span, None], self._last[span, None]
        row = first + frame[:, None]
        past = row + np.arange(1 - self.spec.history, 1)
        ahead = row + np.arange(self.spec.chunk)
        history = np.maximum(past, first)
        chunk = np.minimum(ahead, last)
        row = row[:, 0]
        return WindowBatch(
            images={camera: frames[history] for camera, frames in self.cache.images.items()},
            state=self._state[history],
            action=self._action[chunk],
            action_valid=ahead <= last,
            history_valid=past >= first,
            instruction=self._instructions(row, span),
            episode=self._spans.episode[span],
            frame=frame,
            trust=self._trust[row],
        )

    def _instructions(self, row: I64, span: I64) -> list[str]:
        """What is recorded for each row, else the episode's first task."""
        if self._task is None:
            return [self._texts[s] for s in span]
        return [self._tasks[t] for t in self._task[row].tolist()]


def _task_of_rows(dataset: Dataset) -> I64 | None:
    """(F,) task of every row; None if the rows do not name tasks that there are."""
    recorded = dataset.column("task_index")
    if recorded is None:
        return None
    parts = (recorded[at : at + _ROWS] for at in range(0, len(recorded), _ROWS))
    return recorded if all(set(np.unique(p)) <= set(dataset.source.tasks) for p in parts) else None

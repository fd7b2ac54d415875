"""Training windows: a short history of observations and the chunk of actions that follows.

Axes: B windows, history observations (the last one is the window's own frame), chunk actions
(the first one is the action taken on that frame), H x W pixels, D state and A action channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trimix.core.contracts import F32, I64, U8, BoolArray
from trimix.core.errors import ConfigError
from trimix.data.cache import FrameCache
from trimix.data.dataset import Dataset


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
    """One window for every frame of the chosen episodes, ordered by (episode, frame).

    Args:
        cache: its cameras are the windows' cameras.
        episodes: indices; None for all. Order and repeats do not matter.

    Raises:
        ConfigError: an episode does not exist.
    """

    def __init__(
        self,
        dataset: Dataset,
        cache: FrameCache,
        spec: WindowSpec,
        episodes: Sequence[int] | None = None,
    ) -> None:
        self.spec, self.cache = spec, cache
        count = len(dataset.episodes)
        chosen = range(count) if episodes is None else sorted(set(episodes))
        beyond = [e for e in chosen if not 0 <= e < count]
        if beyond:
            raise ConfigError(
                f"episode {beyond[0]} does not exist",
                where=str(dataset.root),
                do=f"episodes 0 to {count - 1} do",
            )
        rows = [dataset.episodes[e] for e in chosen]
        lengths = np.array([r.length for r in rows], np.int64)
        starts = np.array([r.start for r in rows], np.int64)
        self.episode: I64 = np.repeat(np.array([r.index for r in rows], np.int64), lengths)
        self._first: I64 = np.repeat(starts, lengths)
        self._last: I64 = np.repeat(starts + lengths - 1, lengths)
        offsets = np.repeat(np.cumsum(lengths) - lengths, lengths)
        self.frame: I64 = np.arange(len(self._first)) - offsets
        self._state, self._action = dataset.state(), dataset.action()
        self._trust = dataset.trust()
        self._task, self._instructions = _instructions(dataset)

    def __len__(self) -> int:
        return len(self.episode)

    def gather(self, ids: I64) -> WindowBatch:
        """The windows with these numbers, 0 <= id < len(self). ids: (B,) int64."""
        ids = np.asarray(ids, np.int64)
        first, last = self._first[ids, None], self._last[ids, None]
        row = first + self.frame[ids, None]
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
            instruction=[self._instructions[t] for t in self._task[row]],
            episode=self.episode[ids],
            frame=self.frame[ids],
            trust=self._trust[row],
        )


def _instructions(dataset: Dataset) -> tuple[I64, dict[int, str]]:
    """(F,) task of every row, and what the tasks say."""
    recorded = dataset.column("task_index")
    tasks = dict(dataset.source.tasks)
    if recorded is not None and set(np.unique(recorded)) <= set(tasks):
        return recorded.astype(np.int64), tasks
    texts = {e.index: e.tasks[0] if e.tasks else "" for e in dataset.episodes}
    lengths = [e.length for e in dataset.episodes]
    return np.repeat(np.array(list(texts), np.int64), lengths), texts

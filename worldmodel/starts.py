"""Where dreams begin: recorded frames of some data sets, found by name or drawn by a stream."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from trimix.core.contracts import F32, I64, Parent, Start
from trimix.core.episode import Fingerprint
from trimix.core.errors import ConfigError, DataError
from trimix.core.seeds import stream
from trimix.data.dataset import EpisodeRow
from trimix.worldmodel.clips import Clip, Clips


class StartFrames:
    """The frames that dreams may begin from.

    Args:
        clips: the data sets.
        split: of the episodes from which starts are drawn; a given parent may be of any.
        room: recorded actions that should follow a drawn start, if its episode has as many.

    Raises:
        DataError: no episode of the split is in the data sets.
    """

    def __init__(self, clips: Sequence[Clips], split: str, room: int) -> None:
        self.clips = {c.dataset.content_hash: c for c in clips}
        self._drawn_from: list[tuple[str, I64]] = []
        for name, source in self.clips.items():
            chosen = [e for e in source.dataset.episodes if e.provenance.split == split]
            if chosen:
                rows = [e.start + np.arange(max(1, e.length - room)) for e in chosen]
                self._drawn_from.append((name, np.concatenate(rows)))
        if not self._drawn_from:
            raise DataError(
                f"no episode of split {split!r} to begin a dream from",
                where=", ".join(str(c.dataset.root) for c in clips) or "no data set",
            )

    def drawn_from(self) -> list[tuple[str, int]]:
        """(data set, episode) of every episode that `draw` may choose."""
        return [
            (name, episode.index)
            for name, rows in self._drawn_from
            for episode in self.clips[name].dataset.episodes
            if np.any((rows >= episode.start) & (rows < episode.start + episode.length))
        ]

    def draw(self, start: Start, among: Collection[tuple[str, int]] | None = None) -> Parent:
        """A frame drawn by the start's own stream: a data set first, then one of its frames.

        Args:
            among: (data set, episode) of those to choose, some of `drawn_from`; None for all.

        Raises:
            ConfigError: none of them is in `drawn_from`.
        """
        if among is not None and not set(among) & set(self.drawn_from()):
            raise ConfigError("no dream can begin in any of these episodes")
        rng = stream(start.seed, start.episode, "dream start")
        while True:
            name, rows = self._drawn_from[int(rng.integers(len(self._drawn_from)))]
            row = int(rows[rng.integers(len(rows))])
            episodes = self.clips[name].dataset.episodes
            episode = next(e for e in episodes if e.start <= row < e.start + e.length)
            if among is None or (name, episode.index) in among:
                frame = row - episode.start
                return Parent(name, episode.index, frame, episode.provenance.split)

    def require(self, parent: Parent) -> None:
        """Raise DataError unless the parent is a frame of the data sets and says its split."""
        clips = self.clips.get(parent.dataset)
        if clips is None:
            raise DataError(
                f"a dream's parent is in data set {parent.dataset}, which was not given",
                do=f"given: {', '.join(self.clips)}",
            )
        where = f"{clips.dataset.root} episode {parent.episode}"
        if not 0 <= parent.episode < len(clips.dataset.episodes):
            raise DataError("a dream's parent episode does not exist", where=where)
        episode = self.episode(parent)
        if not 0 <= parent.frame < episode.length:
            raise DataError(
                f"a dream's parent frame {parent.frame} does not exist",
                where=where,
                do=f"frames 0 to {episode.length - 1} do",
            )
        if parent.split != episode.provenance.split:
            raise DataError(
                f"a dream's parent says split {parent.split!r}, its episode is "
                f"{episode.provenance.split!r}",
                where=where,
            )

    def episode(self, parent: Parent) -> EpisodeRow:
        """The episode that the parent is a frame of."""
        return self.clips[parent.dataset].dataset.episodes[parent.episode]

    def fingerprint(self, parent: Parent) -> Fingerprint:
        """Of the recorded episode that the parent is a frame of, or goes back to."""
        return self.clips[parent.dataset].dataset.fingerprints[parent.episode]

    def clip(self, parent: Parent) -> Clip:
        """The frame and the one before it, as a batch of one."""
        row = self.episode(parent).start + parent.frame
        return self.clips[parent.dataset].gather(np.asarray([row]), 0)

    def actions(self, parent: Parent) -> F32:
        """(T, A): what was done from this frame to the end of its episode."""
        episode = self.episode(parent)
        rows = slice(episode.start + parent.frame, episode.start + episode.length)
        return self.clips[parent.dataset].action[rows]

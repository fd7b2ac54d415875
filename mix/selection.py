"""Which windows of a source may be drawn, and how many are left out for which reason.

Axes: F flat rows of the data set, n windows chosen.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import minimum_filter1d

from trimix.core.contracts import F32, I64, BoolArray
from trimix.data.windows import WindowSpec
from trimix.mix.heldout import HeldOut
from trimix.mix.recipe import Filter
from trimix.mix.source import EpisodeLike, SourceData


@dataclass(frozen=True)
class Selection:
    """The windows of one source that may be drawn.

    Args:
        episodes: indices of the episodes with at least one window, ascending.
        ids: (n,) which of the windows of these episodes; None is all of them.
        windows: n.
        origins: origin -> windows.
        excluded: reason -> number of episodes (of windows, for "low trust (windows)").
    """

    episodes: tuple[int, ...]
    ids: I64 | None
    windows: int
    origins: Mapping[str, int]
    excluded: Mapping[str, int]

    def identity(self, content_hash: str) -> str:
        """A name for exactly these windows of exactly this content."""
        digest = hashlib.sha256(content_hash.encode())
        digest.update(np.array(self.episodes, "<i8").tobytes())
        if self.ids is not None:
            digest.update(b"ids" + self.ids.astype("<i8").tobytes())
        return digest.hexdigest()[:32]


def select(data: SourceData, chosen: Filter, spec: WindowSpec, held: HeldOut) -> Selection:
    """Apply a filter to a source. Held-out lineage is left out whatever the filter says."""
    excluded: Counter[str] = Counter()
    kept = []
    for episode, refused in zip(data.episodes, held.refusals(data), strict=True):
        reason = refused or _refusal(episode, chosen)
        if reason is None:
            kept.append(episode)
        else:
            excluded[reason] += 1
    return choose(data, kept, chosen.min_trust, spec, excluded)


def choose(
    data: SourceData,
    episodes: Sequence[EpisodeLike],
    min_trust: float,
    spec: WindowSpec,
    excluded: Mapping[str, int],
) -> Selection:
    """The windows of these episodes that have the trust; adds to what was excluded before."""
    kept = sorted(episodes, key=lambda e: e.index)
    counted = Counter(excluded)
    if min_trust <= 0.0:
        return _selection(kept, [np.ones(e.length, bool) for e in kept], counted)
    trust = data.trust()
    masks = [
        window_trust(trust[e.start : e.start + e.length], spec) >= np.float32(min_trust)
        for e in kept
    ]
    return _selection(kept, masks, counted)


def window_trust(trust: F32, spec: WindowSpec) -> F32:
    """(T,) rows of one episode -> (T,) the least trust among the rows that each window reads."""
    size = spec.history + spec.chunk - 1
    # scipy centres its window on size // 2; the origin shifts it to history - 1 rows back
    shift = (spec.history - 1) - size // 2
    return np.asarray(minimum_filter1d(trust, size, mode="nearest", origin=shift), np.float32)


def _refusal(episode: EpisodeLike, chosen: Filter) -> str | None:
    """Why the filter leaves an episode out; None if it does not."""
    p = episode.provenance
    if p.split not in chosen.split:
        return f"split {p.split}"
    if chosen.origin and p.origin not in chosen.origin:
        return f"origin {p.origin}"
    if chosen.success is not None and p.success is not chosen.success:
        return {True: "succeeded", False: "failed", None: "success not labelled"}[p.success]
    if chosen.episodes is not None and episode.index not in chosen.episodes:
        return "not listed"
    return None


def _selection(
    kept: Sequence[EpisodeLike], masks: Sequence[BoolArray], excluded: Counter[str]
) -> Selection:
    """Count windows; drop episodes that have none left."""
    origins: Counter[str] = Counter()
    episodes, left = [], []
    for episode, mask in zip(kept, masks, strict=True):
        n = int(mask.sum())
        if n < len(mask):
            excluded["low trust (windows)"] += len(mask) - n
        if n:
            origins[episode.provenance.origin] += n
            episodes.append(episode.index)
            left.append(mask)
    everything = np.concatenate(left) if left else np.zeros(0, bool)
    return Selection(
        episodes=tuple(episodes),
        ids=None if everything.all() else np.flatnonzero(everything),
        windows=int(everything.sum()),
        origins=dict(sorted(origins.items())),
        excluded=dict(sorted(excluded.items())),
    )

"""Which windows of a source may be drawn, and how many are left out for which reason.

Axes: F flat rows of the data set, T rows of an episode, E episodes chosen, S spans of them.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import minimum_filter1d

from trimix.core.contracts import F32, I64, ORIGINS, U8, BoolArray, Origin
from trimix.core.errors import DataError
from trimix.core.seeds import key
from trimix.data.windows import Spans, WindowSpec
from trimix.mix.heldout import HeldOut
from trimix.mix.permutation import counter_hash
from trimix.mix.recipe import Filter
from trimix.mix.runs import Runs
from trimix.mix.source import EpisodeLike, SourceData


@dataclass(frozen=True)
class Selection:
    """The windows of one source that may be drawn.

    Args:
        spans: the frames whose windows they are.
        episode: (E,) indices of the episodes with at least one window, ascending.
        length: (E,) rows that they have.
        origin: (E,) where they come from, as an index into ORIGINS.
        excluded: reason -> number of episodes (of windows, for "low trust (windows)").
    """

    spans: Spans
    episode: I64
    length: I64
    origin: U8
    excluded: Mapping[str, int]

    @property
    def windows(self) -> int:
        """n, how many there are."""
        return len(self.spans)

    @property
    def cut(self) -> bool:
        """Whether some windows of these episodes are not among them."""
        return self.windows < int(self.length.sum())

    @property
    def episodes(self) -> Runs:
        """The episodes with at least one window."""
        return Runs.of(self.episode)

    def origin_of(self, episodes: I64) -> list[Origin]:
        """Where chosen episodes come from."""
        codes = self.origin[np.searchsorted(self.episode, episodes)]
        return [ORIGINS[code] for code in codes.tolist()]

    def origins(self) -> dict[str, int]:
        """origin -> windows."""
        codes = self.origin[np.searchsorted(self.episode, self.spans.episode)]
        found = {o: int(self.spans.count[codes == i].sum()) for i, o in enumerate(ORIGINS)}
        return {o: found[o] for o in sorted(found) if found[o]}

    def identity(self, content_hash: str) -> str:
        """A name for exactly these windows of exactly this content."""
        digest = hashlib.sha256(content_hash.encode())
        digest.update(self.episodes.text.encode())
        if self.cut:
            for part in (self.spans.episode, self.spans.first, self.spans.count):
                digest.update(b"spans" + part.astype("<i8").tobytes())
        return digest.hexdigest()[:32]


def select(
    data: SourceData, chosen: Filter, spec: WindowSpec, held: HeldOut, seed: int, where: str
) -> Selection:
    """Apply a filter to a source. Held-out lineage is left out whatever the filter says.

    Args:
        held: what is held out.
        seed: of the mix; it decides which episodes a filter's `sample` draws.
        where: what errors call the source.

    Raises:
        DataError: fewer episodes pass than are to be sampled.
    """
    excluded: Counter[str] = Counter()
    kept = []
    for episode, refused in zip(data.episodes, held.refusals(data), strict=True):
        reason = refused or _refusal(episode, chosen)
        if reason is None:
            kept.append(episode)
        else:
            excluded[reason] += 1
    found = choose(data, kept, chosen.min_trust, spec)
    found = replace(found, excluded=_sorted(excluded + Counter(found.excluded)))
    if chosen.sample is None:
        return found
    if len(found.episode) < chosen.sample:
        raise DataError(
            f"{len(found.episode)} episodes pass the filter, {chosen.sample} are to be drawn",
            where=where,
            do="lower `sample`, or loosen the rest of the filter",
        )
    return _sample(found, chosen.sample, key(seed, "mix sample", data.content_hash))


def choose(
    data: SourceData, episodes: Sequence[EpisodeLike], min_trust: float, spec: WindowSpec
) -> Selection:
    """The windows of these episodes whose rows all have the trust."""
    kept = sorted(episodes, key=lambda e: e.index)
    index = np.array([e.index for e in kept], np.int64)
    length = np.array([e.length for e in kept], np.int64)
    origin = np.array([ORIGINS.index(e.provenance.origin) for e in kept], np.uint8)
    whole = Spans(index, np.zeros_like(length), length)
    if min_trust <= 0.0:
        return Selection(whole, index, length, origin, {})
    trust = data.trust()
    parts = [
        _runs(window_trust(trust[e.start : e.start + e.length], spec) >= np.float32(min_trust))
        for e in kept
    ]
    numbers = np.repeat(index, [len(first) for first, _ in parts])
    none = np.zeros(0, np.int64)
    spans = Spans(
        numbers,
        np.concatenate([none, *(first for first, _ in parts)]),
        np.concatenate([none, *(count for _, count in parts)]),
    )
    left = np.isin(index, numbers)
    excluded = _sorted({"low trust (windows)": len(whole) - len(spans)})
    return Selection(spans, index[left], length[left], origin[left], excluded)


def window_trust(trust: F32, spec: WindowSpec) -> F32:
    """(T,) rows of one episode -> (T,) the least trust among the rows that each window reads."""
    size = spec.history + spec.chunk - 1
    # scipy centres its window on size // 2; the origin shifts it to history - 1 rows back
    shift = (spec.history - 1) - size // 2
    return np.asarray(minimum_filter1d(trust, size, mode="nearest", origin=shift), np.float32)


def drawn_twice(chosen: Sequence[Selection]) -> tuple[int, int, int] | None:
    """Two selections of one content that share windows, and an episode where they do.

    Returns:
        Their places among those given, and the episode; None if no window is in two of them.
    """
    edges, places = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    longest = max(int((s.spans.first + s.spans.count).max(initial=0)) for s in chosen) + 1
    for i, selection in enumerate(chosen):
        edges.append(selection.spans.episode * longest + selection.spans.first)
        places.append(np.full(len(selection.spans.episode), i))
    begin, place = np.concatenate(edges), np.concatenate(places)
    end = begin + np.concatenate([s.spans.count for s in chosen])
    order = np.argsort(begin, kind="stable")
    begin, end, place = begin[order], end[order], place[order]
    # spans of one selection are apart, so that a span which begins before the one ahead of it
    # has ended belongs to another
    met = np.flatnonzero(begin[1:] < end[:-1])
    if not len(met):
        return None
    at = int(met[0])
    return int(place[at]), int(place[at + 1]), int(begin[at + 1] // longest)


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


def _runs(mask: BoolArray) -> tuple[I64, I64]:
    """Begins and lengths of the stretches of True."""
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False))
    return edges[0::2], edges[1::2] - edges[0::2]


def _sample(found: Selection, size: int, secret: int) -> Selection:
    """So many of the episodes: those with the lowest hashes."""
    drawn = np.argsort(counter_hash(found.episode, secret))[:size]
    left = np.zeros(len(found.episode), bool)
    left[drawn] = True
    spans, of = found.spans, left[np.searchsorted(found.episode, found.spans.episode)]
    return Selection(
        spans=Spans(spans.episode[of], spans.first[of], spans.count[of]),
        episode=found.episode[left],
        length=found.length[left],
        origin=found.origin[left],
        excluded=_sorted({**found.excluded, "not sampled": int((~left).sum())}),
    )


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    """By name, without zeros."""
    return {name: counts[name] for name in sorted(counts) if counts[name]}

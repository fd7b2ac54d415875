"""What identifies a recorded episode, however it was imported, converted, renumbered or cut.

An episode's numbers are looked at as streams: its actions, each of its state vectors, its clock.
A stream is hashed whole, and in part by winnowing (Schleimer, Wilkerson and Aiken, "Winnowing:
local algorithms for document fingerprinting", SIGMOD 2003): of the hashes of all runs of RUN
rows, the smallest one in every SPAN successive runs is kept. Two episodes are one if *any* of
their streams agree, because no single digest survives everything: an import with other state
keys keeps the actions, one with another action key keeps the state, and units that were converted
keep a jittery clock. Names, numbering, videos, format version and float64 against float32 are
left out.

Streams agree if they are equal, or if they share at least two kept runs and half of those of the
shorter one. That finds copies that were cut (RUN + 2 * SPAN - 1 = 47 rows in a row are enough),
joined to others or trimmed at their ends. It does not find a clip shorter than that, a part that
makes less than half of the shorter episode, or one that was resampled by somebody else: an import
of ours remembers the fingerprints of its source.

What stands still or moves in a straight line (a clock, a saturated command) says nothing of the
episode it is in and is no evidence, nor is a channel of few values, such as a gripper.

A fingerprint is a sorted tuple of hexadecimal texts, one a stream: 16 digits of the whole, then
16 for each kept run. It is empty if nobody knows where an episode comes from.

Axes: T rows, D channels of a stream, R runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from trimix.core.contracts import F64, BoolArray
from trimix.core.episode import Fingerprint

RUN, SPAN = 16, 16
_DIGITS = 16
_VALUES = 8
"""Different values that a channel must take to be evidence, if the episode has as many rows."""
_CHANGES, _TURNS, _LEVELS = 8, 4, 5
"""How often a channel must change, how often its speed must, and how many values it must take, in
a run that is evidence."""
_STRAIGHT = 1e-5
"""Second differences below this part of a channel's range are rounding."""

_U64 = npt.NDArray[np.uint64]
_PRIME = np.uint64(0x9E3779B97F4A7C15)


def fingerprint(streams: Iterable[np.ndarray], seconds: np.ndarray | None = None) -> Fingerprint:
    """The fingerprint of one episode as it was recorded; empty if no stream is evidence.

    Args:
        streams: actions and states, (T, D) or (T,) each.
        seconds: (T,) the clock, from any zero.
    """
    texts = {_text(s) for s in streams}
    if seconds is not None and len(seconds) > 1:
        texts.add(_text(np.round(1000 * np.diff(seconds.astype(np.float64)))))
    return tuple(sorted(texts - {""}))


def named(*parts: str) -> Fingerprint:
    """A stand-in for the fingerprint of an episode whose numbers are no evidence: its name."""
    return (hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest(),)


def join(*fingerprints: Fingerprint) -> Fingerprint:
    """All streams that are known of one episode."""
    return tuple(sorted({text for f in fingerprints for text in f}))


class FingerprintSet:
    """Known episodes; `f in known` says whether one of them is the same recording.

    Args:
        fingerprints: of the known episodes; empty ones match nothing.
    """

    def __init__(self, fingerprints: Iterable[Fingerprint]) -> None:
        texts = sorted({text for f in fingerprints for text in f})
        self._whole = {text[:_DIGITS] for text in texts}
        runs = [_runs(text) for text in texts]
        self._kept = np.array([len(r) for r in runs], np.int64)
        every = np.concatenate([*runs, np.zeros(0, np.uint64)])
        order = np.argsort(every, kind="stable")
        self._runs: _U64 = every[order]
        self._stream = np.repeat(np.arange(len(runs)), self._kept)[order]
        self._answers: dict[Fingerprint, bool] = {}

    def __len__(self) -> int:
        """Streams, of all episodes."""
        return len(self._kept)

    def __contains__(self, known: Fingerprint) -> bool:
        if known not in self._answers:
            self._answers[known] = any(self._agrees(text) for text in known)
        return self._answers[known]

    def _agrees(self, text: str) -> bool:
        if text[:_DIGITS] in self._whole:
            return True
        runs = _runs(text)
        first = np.searchsorted(self._runs, runs, "left")
        last = np.searchsorted(self._runs, runs, "right")
        parts = [self._stream[a:b] for a, b in zip(first, last, strict=True) if b > a]
        if not parts:
            return False
        streams, shared = np.unique(np.concatenate(parts), return_counts=True)
        least = np.minimum(self._kept[streams], len(runs))
        return bool(((shared >= 2) & (2 * shared >= least)).any())


def _text(stream: np.ndarray) -> str:
    """One stream's part of a fingerprint; "" if it is no evidence."""
    values = stream.reshape(len(stream), -1).astype(np.float32) + np.float32(0)  # -0 is 0
    moves = values.astype(np.float64)
    lively = _lively(moves)
    if not lively.any():
        return ""
    rows = _row_hashes(values)
    whole = hashlib.blake2b(rows.astype("<u8").tobytes(), digest_size=8).hexdigest()
    kept = _winnowed(rows, _evidence(moves[:, lively]))
    return whole + kept.astype(">u8").tobytes().hex()


def _lively(values: F64) -> BoolArray:
    """(T, D) -> (D,) channels that take many values and do not move in a straight line."""
    needed = max(3, min(_VALUES, len(values) // 2))
    many = np.array([len(np.unique(column)) >= needed for column in values.T], bool)
    return np.asarray(many & _turns(values).any(axis=0), bool)


def _turns(values: F64) -> BoolArray:
    """(T, D) -> (max(T - 2, 0), D) where a channel's speed changes."""
    room = _STRAIGHT * np.ptp(values, axis=0)
    bends: BoolArray = np.abs(np.diff(values, n=2, axis=0)) > room
    return bends


def _row_hashes(values: np.ndarray) -> _U64:
    """(T, D) float32 -> (T,) hashes of the rows' bits."""
    bits = np.ascontiguousarray(values, "<f4").view("<u4").astype(np.uint64)
    factors = _mixed(np.arange(1, bits.shape[1] + 1, dtype=np.uint64)) | np.uint64(1)
    return _mixed((_mixed(bits + np.uint64(1)) * factors).sum(axis=1, dtype=np.uint64))


def _mixed(x: _U64) -> _U64:
    """The finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    x = np.asarray(x * _PRIME, np.uint64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)), np.uint64)


def _evidence(values: F64) -> BoolArray:
    """(T, D) -> (R,) runs in which some channel changes often and not in a straight line."""
    if len(values) < RUN:
        return np.zeros(0, bool)
    changes = np.diff(values, axis=0) != 0
    often = _counts(changes, RUN - 1) >= _CHANGES
    bent = _counts(_turns(values), RUN - 2) >= _TURNS
    ordered = np.sort(np.lib.stride_tricks.sliding_window_view(values, RUN, axis=0), axis=-1)
    many = (np.diff(ordered) != 0).sum(axis=-1) >= _LEVELS - 1
    return np.asarray((often & bent & many).any(axis=1), bool)


def _counts(marks: BoolArray, length: int) -> npt.NDArray[np.int64]:
    """(n, D) -> (n - length + 1, D) marks in each run of this length."""
    total = np.concatenate([np.zeros((1, marks.shape[1]), np.int64), np.cumsum(marks, axis=0)])
    counted: npt.NDArray[np.int64] = total[length:] - total[:-length]
    return counted


def _winnowed(rows: _U64, evidence: BoolArray) -> _U64:
    """(T,) row hashes, (R,) -> the kept runs' hashes, sorted."""
    if not evidence.any():
        return np.zeros(0, np.uint64)
    powers = _mixed(np.arange(RUN, dtype=np.uint64)) | np.uint64(1)
    windows = np.lib.stride_tricks.sliding_window_view(rows, RUN)
    hashes = _mixed((windows * powers).sum(axis=1, dtype=np.uint64))
    nothing = np.uint64(0xFFFFFFFFFFFFFFFF)
    hashes[~evidence] = nothing
    spans = np.lib.stride_tricks.sliding_window_view(hashes, min(SPAN, len(hashes)))
    kept: _U64 = np.unique(spans.min(axis=1))
    return np.asarray(kept[kept != nothing])


def _runs(text: str) -> _U64:
    """The kept runs of one stream."""
    raw = np.frombuffer(bytes.fromhex(text[_DIGITS:]), ">u8")
    return raw.astype(np.uint64)


def is_fingerprint(texts: object) -> bool:
    """Whether these are texts as `fingerprint` makes them."""
    if not isinstance(texts, Sequence) or isinstance(texts, str):
        return False
    return all(
        isinstance(t, str) and len(t) >= _DIGITS and len(t) % _DIGITS == 0 and _is_hex(t)
        for t in texts
    )


def _is_hex(text: str) -> bool:
    return set(text) <= set("0123456789abcdef")

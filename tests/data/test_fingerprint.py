"""Fingerprints: what they survive, and that two recordings never share one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimix.data.fingerprint import RUN, SPAN, FingerprintSet, fingerprint, is_fingerprint, join

SURE = RUN + 2 * SPAN - 1
"""Rows in a row that are always found; a clock has one step less than rows."""


def recording(seed: int, rows: int = 90) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Action (T, 3), state (T, 4) and a jittery clock (T,), as a robot gives them."""
    rng = np.random.default_rng(seed)
    action = rng.normal(size=(rows, 3))
    action[:, 2] = np.arange(rows) > rows // 2  # a gripper
    state = np.cumsum(rng.normal(size=(rows, 4)), axis=0)
    clock = np.cumsum(rng.uniform(0.02, 0.2, rows))
    return action.astype(np.float32), state.astype(np.float32), clock


def of(seed: int, rows: int = 90) -> tuple[str, ...]:
    action, state, clock = recording(seed, rows)
    return fingerprint([action, state], clock)


@given(st.integers(0, 1000), st.integers(3, 200))
@settings(max_examples=30)
def test_it_survives_what_conversions_do(seed: int, rows: int) -> None:
    """float64, another zero of the clock, another order, other keys; each stream on its own."""
    action, state, clock = recording(seed, rows)
    known = FingerprintSet([of(seed, rows), of(seed + 1, rows)])
    found = fingerprint([state.astype(np.float64), action], (clock - clock[0]).astype(np.float64))
    assert found in known and is_fingerprint(list(found)) and found == tuple(sorted(found))
    if rows >= 6:  # a switch and two channels of so few rows say little
        assert fingerprint([action]) in known
        assert fingerprint([np.concatenate([state, action], axis=1), action]) in known
    assert fingerprint([state]) in known
    assert join(of(seed + 5, rows), fingerprint([state])) in known


@given(st.integers(0, 1000), st.integers(SURE + 1, 90), st.integers(0, 40))
@settings(max_examples=60)
def test_a_copy_that_was_cut_is_found(seed: int, rows: int, first: int) -> None:
    first = min(first, 90 - rows)
    action, state, clock = recording(seed)
    part = slice(first, first + rows)
    for streams, seconds in (
        ([action[part]], None),
        ([state[part]], None),
        ([], clock[part] - clock[first]),
    ):
        assert fingerprint(streams, seconds) in FingerprintSet([of(seed)])
    longer = np.concatenate([recording(seed + 1)[1], state])
    assert of(seed) in FingerprintSet([fingerprint([longer])]), "joined to another"


def test_two_recordings_are_never_taken_for_one() -> None:
    rows = [3, 5, 8, 15, 16, 17, 31, 47, 90, 200]
    every = [of(1000 * seed + n, n) for seed in range(20) for n in rows]
    for i, one in enumerate(every):
        assert one not in FingerprintSet(every[:i] + every[i + 1 :])


def still(rows: int) -> np.ndarray:
    return np.full((rows, 2), 0.25)


def straight(rows: int) -> np.ndarray:
    return np.stack([np.arange(rows) / 30, 1 - np.arange(rows) / rows], axis=1)


def switching(rows: int) -> np.ndarray:
    return np.stack([np.arange(rows) > rows // 2, np.arange(rows) % 7 > 3], axis=1)


@pytest.mark.parametrize("dull", [still, straight, switching])
def test_what_every_episode_has_is_no_evidence(dull) -> None:
    """Standing still, a clock, a saturated command, a gripper."""
    for rows in (1, 2, 3, 40, 120):
        assert fingerprint([dull(rows)], np.arange(rows) / 30) == ()


def test_a_common_beginning_is_not_the_same_episode() -> None:
    """The same homing motion, then something else: as scripted starts do."""
    homing = recording(0, 40)[1]
    one, two = (np.concatenate([homing, homing[-1] + recording(s, 100)[1]]) for s in (1, 2))
    assert fingerprint([one]) not in FingerprintSet([fingerprint([two])])
    assert fingerprint([one]) in FingerprintSet([fingerprint([one[10:]])])


@pytest.mark.parametrize("common", [np.zeros(300), np.arange(300) / 8, np.arange(300) // 4 % 9])
def test_pauses_in_two_recordings_are_not_shared_evidence(common: np.ndarray) -> None:
    """Nor are straight motions and slow steps."""

    def paused(seed: int) -> np.ndarray:
        state = recording(seed, 60)[1]
        return np.concatenate([state, np.repeat(common[:, None], 4, axis=1), state + 5])

    assert fingerprint([paused(1)]) not in FingerprintSet([fingerprint([paused(2)])])


def test_clocks_that_are_rounded_alike_are_not_shared_evidence() -> None:
    """Whole milliseconds at 30 frames/s, with a few late frames: 33, 33, 34, 33, 38, ..."""

    def clock(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        steps = np.tile([33.0, 33.0, 34.0], 100)[:299]
        late = rng.random(len(steps)) < 0.05
        steps[late] += rng.integers(1, 9, late.sum())
        return np.concatenate([[0], np.cumsum(steps)]) / 1000

    every = [fingerprint([], clock(seed)) for seed in range(60)]
    for i, one in enumerate(every):
        assert one not in FingerprintSet(every[:i] + every[i + 1 :])


@pytest.mark.parametrize(
    ("ours", "theirs", "alike"),
    [
        ("a", "a", False),
        ("abcd", "abwxyz", True),
        ("abcde", "abwxyz", False),
        ("abcde", "abcwxyz", True),
        ("abcde", "a", False),
        ("ab", "abcdefghijkl", True),
        ("abcdefghijkl", "ab", True),
    ],
)
def test_how_much_of_two_streams_must_agree(ours: str, theirs: str, alike: bool) -> None:
    """Two kept runs at least, and half of the shorter stream's."""

    def stream(whole: str, runs: str) -> tuple[str]:
        return (whole * 16 + "".join(f"{ord(r):016x}" for r in sorted(set(runs))),)

    known = FingerprintSet([stream("1", theirs), stream("3", "z"), of(1)])
    assert (stream("2", ours) in known) is alike
    assert stream("1", ours) in known, "the whole is the same"


def test_minus_zero_is_zero() -> None:
    state = recording(1)[1].round()
    assert np.signbit(state[state == 0]).any() and not np.signbit(state[state == 0]).all()
    assert fingerprint([state]) == fingerprint([np.where(state == 0, 0.0, state)])


def test_nothing_known_matches_nothing() -> None:
    assert () not in FingerprintSet([(), of(1)])
    assert of(1) not in FingerprintSet([()])
    assert not is_fingerprint(["xyz"]) and not is_fingerprint("0" * 16) and not is_fingerprint([1])

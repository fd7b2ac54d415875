"""The laws of systematic sampling, for any shares, batch size and ramp."""

from fractions import Fraction
from math import ceil, floor, gcd

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimix.mix.schedule import _GOLDEN, PARTS, Schedule, Segment, Totals, to_parts

weights = st.lists(st.integers(0, 1000), min_size=1, max_size=6).filter(any)


def fractions(row):
    return [Fraction(w, sum(row)) for w in row]


@st.composite
def schedules(draw, max_steps=1500):
    m = draw(st.integers(1, 6))
    rows = draw(
        st.lists(
            st.lists(st.integers(0, 1000), min_size=m, max_size=m).filter(any),
            min_size=1,
            max_size=4,
        )
    )
    lengths = [draw(st.integers(1, max_steps // len(rows))) for _ in rows]
    ends = np.cumsum(lengths).tolist()
    return Schedule(
        batch_size=draw(st.integers(1, 300)),
        segments=tuple(
            Segment(end, to_parts(fractions(row))) for end, row in zip(ends, rows, strict=True)
        ),
        linear=draw(st.booleans()),
        offset=draw(st.integers(0, PARTS - 1)),
    )


def test_the_comb_moves_through_all_offsets():
    assert gcd(_GOLDEN, PARTS) == 1
    assert abs(_GOLDEN / PARTS - (5**0.5 - 1) / 2) < 1e-9


@given(weights)
def test_parts_sum_up_and_keep_zeros_and_small_shares(row):
    parts = to_parts(fractions(row))
    assert sum(parts) == PARTS
    for share, part in zip(fractions(row), parts, strict=True):
        assert (part == 0) == (share == 0)
        assert abs(part - share * PARTS) <= len(row)


def test_a_share_below_one_part_is_still_drawn_from():
    tiny = Fraction(1, PARTS * 1000)
    assert to_parts([1 - tiny, tiny]) == (PARTS - 1, 1)


@given(schedules())
@settings(max_examples=60)
def test_every_batch_is_within_floor_and_ceil_of_every_share(schedule):
    k = np.arange(schedule.steps)
    counts, shares = schedule.counts(k), schedule.shares(k)
    assert (counts.sum(axis=1) == schedule.batch_size).all()
    exact = shares * schedule.batch_size
    assert (counts >= exact // PARTS).all()
    assert (counts <= -(-exact // PARTS)).all()


@given(weights, st.integers(1, 256), st.integers(0, PARTS - 1))
@settings(max_examples=40)
def test_the_total_drifts_by_a_few_samples_only(row, batch_size, offset):
    schedule = Schedule(batch_size, (Segment(8000, to_parts(fractions(row))),), offset=offset)
    k = np.arange(8000)
    drawn = np.cumsum(schedule.counts(k), axis=0)
    asked = schedule.shares(k)[0] / PARTS * batch_size * (k + 1)[:, None]
    assert np.abs(drawn - asked).max() < 4


@given(schedules(max_steps=600))
@settings(max_examples=40)
def test_phases_and_ramps_drift_by_a_few_samples_only(schedule):
    k = np.arange(schedule.steps)
    drawn = np.cumsum(schedule.counts(k), axis=0)
    asked = np.cumsum(schedule.shares(k) / PARTS * schedule.batch_size, axis=0)
    assert np.abs(drawn - asked).max() < (2.5 if schedule.linear else 6)


@given(schedules(), st.data())
@settings(max_examples=30)
def test_totals_at_any_step_are_the_sums_before_it(schedule, data):
    k = data.draw(st.integers(0, schedule.steps))
    expected = schedule.counts(np.arange(k)).sum(axis=0)
    assert (Totals(schedule).before(k) == expected).all()


@given(schedules())
@settings(max_examples=30)
def test_a_source_without_share_in_the_neighbouring_phases_is_never_drawn(schedule):
    k = np.arange(schedule.steps)
    counts = schedule.counts(k)
    begin = 0
    for p, segment in enumerate(schedule.segments):
        around = schedule.segments[max(p - 1, 0) : p + 1] if schedule.linear else (segment,)
        for i in range(len(segment.parts)):
            if all(s.parts[i] == 0 for s in around):
                assert not counts[begin : segment.until_step, i].any()
        begin = segment.until_step


def test_a_ramp_goes_straight_from_phase_to_phase():
    schedule = Schedule(1, (Segment(10, (PARTS, 0)), Segment(110, (0, PARTS))), linear=True)
    shares = schedule.shares(np.arange(110))[:, 1] / PARTS
    assert (shares[:10] == 0).all()
    assert np.allclose(shares[10:], np.arange(100) / 100, atol=1e-9)


@pytest.mark.parametrize("share", [0.7, 0.3, 1 / 3, 0.016])
def test_a_rare_source_is_not_starved(share):
    """A multinomial draw at share 0.016 leaves a third of the batches of 64 with none."""
    exact = Fraction(share).limit_denominator(1000)
    schedule = Schedule(64, (Segment(4000, to_parts([exact, 1 - exact])),))
    counts = schedule.counts(np.arange(4000))[:, 0]
    assert set(counts.tolist()) <= {floor(64 * exact), ceil(64 * exact)}
    assert (counts == 0).sum() == 0

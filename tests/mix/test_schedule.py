"""The laws of the schedule, for any shares, batch size, phases and ramps."""

from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trimix.core.seeds import stream
from trimix.mix.apportion import PARTS, Apportionment
from trimix.mix.schedule import STAIRS, Schedule, Segment, to_parts

weights = st.lists(st.integers(0, 1000), min_size=1, max_size=9).filter(any)


def fractions(row):
    return [Fraction(int(w), int(sum(row))) for w in row]


def schedule_of(rows, ends, batch_size, linear=False):
    segments = (Segment(end, to_parts(fractions(r))) for end, r in zip(ends, rows, strict=True))
    return Schedule(batch_size, tuple(segments), linear)


@st.composite
def schedules(draw, max_steps=1500):
    m = draw(st.integers(1, 9))
    weight = st.just(0) | st.integers(0, 1000)
    row = st.lists(weight, min_size=m, max_size=m).filter(any)
    rows = draw(st.lists(row, min_size=1, max_size=4))
    lengths = [draw(st.integers(1, max_steps // len(rows))) for _ in rows]
    ends = np.cumsum(lengths).tolist()
    return schedule_of(rows, ends, draw(st.integers(1, 300)), draw(st.booleans()))


def drifts(schedule):
    """(steps, m) windows drawn beyond what was due, after every step; exact to 1e-6 windows."""
    k = np.arange(schedule.steps)
    odd = schedule.counts(k) * PARTS - schedule.shares(k) * schedule.batch_size
    return np.cumsum(odd, axis=0) / PARTS


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
    assert (shares.sum(axis=1) == PARTS).all()
    exact = shares * schedule.batch_size
    assert (counts >= exact // PARTS).all()
    assert (counts <= -(-exact // PARTS)).all()


@given(weights, st.integers(1, 256))
@example([569, 786, 542], 216)  # drifts by more than 4 windows where one moving offset serves all
@settings(max_examples=40)
def test_constant_shares_never_drift_beyond_half_a_window_a_level(row, batch_size):
    """Proved in `mix.apportion`, so there is no margin but for the rounding of this sum."""
    drift = drifts(schedule_of([row], [8000], batch_size))
    levels = (sum(w > 0 for w in row) - 1).bit_length()
    assert np.abs(drift).max() <= levels / 2 + 1e-6


@pytest.mark.parametrize("steps", [8_000, 100_000, 10_000_000])
def test_the_drift_does_not_grow_with_the_steps(steps):
    """Looked at in the last thousand steps of ever longer trainings."""
    rng = stream(steps, "drift")
    for _ in range(20):
        row = rng.integers(1, 1000, 5)
        schedule = schedule_of([row], [steps], int(rng.integers(1, 300)))
        k = np.arange(steps - 1000, steps)
        due = [Fraction(p * schedule.batch_size, PARTS) for p in schedule.segments[0].parts]
        drawn = schedule.before(steps - 1000) + np.cumsum(schedule.counts(k), axis=0)
        for at in range(0, 1000, 37):
            exact = [float(drawn[at, i] - due[i] * (int(k[at]) + 1)) for i in range(5)]
            assert np.abs(exact).max() <= 1.5 + 1e-9


@given(schedules(max_steps=800))
@settings(max_examples=60)
def test_phases_and_ramps_drift_by_a_few_windows_only(schedule):
    """2.7 were the most that 600 random schedules reached, with up to 64 sources and 8 phases."""
    assert np.abs(drifts(schedule)).max() <= 4


def test_two_sources_never_drift_beyond_half_a_window_even_on_ramps():
    rng = stream(0, "two sources")
    for _ in range(30):
        rows = rng.integers(0, 1000, (4, 2)) + 1
        ends = np.cumsum(rng.integers(1, 700, 4)).tolist()
        schedule = schedule_of(rows, ends, int(rng.integers(1, 300)), linear=True)
        assert np.abs(drifts(schedule)).max() <= 0.5 + 1e-6


def test_what_was_left_off_at_the_end_of_a_phase_is_made_up_in_the_next():
    """Two hundred phases that each begin anew would add up to dozens of windows."""
    rows = [[5, 3, 2], [3, 5, 2]] * 100
    ends = np.cumsum([7] * len(rows)).tolist()
    assert np.abs(drifts(schedule_of(rows, ends, 11))).max() <= 2


@given(schedules(), st.data())
@settings(max_examples=30)
def test_any_step_by_itself_is_what_it_is_in_order(schedule, data):
    k = data.draw(st.integers(0, schedule.steps))
    before = schedule.counts(np.arange(k)).sum(axis=0)
    assert (schedule.before(k) == before).all()
    if k < schedule.steps:
        fresh = Schedule(schedule.batch_size, schedule.segments, schedule.linear).at(k)
        assert (fresh.before == before[fresh.source]).all()
        assert (fresh.count == schedule.counts(np.array([k]))[0][fresh.source]).all()
        assert fresh.count.sum() == schedule.batch_size


@pytest.mark.parametrize("linear", [False, True])
def test_what_was_drawn_of_a_source_stays_when_its_phases_are_over(linear):
    rows, ends = [[1, 1, 0], [0, 1, 1], [0, 0, 1]], [10, 30, 90]
    schedule = schedule_of(rows, ends, 8, linear)
    counts = schedule.counts(np.arange(90))
    for k in (0, 10, 29, 30, 60, 90):
        assert (schedule.before(k) == counts[:k].sum(axis=0)).all()
    over = 30 if linear else 10
    assert not counts[over:, 0].any() and schedule.before(90)[0] == counts[:over, 0].sum() > 0
    assert 0 not in schedule.at(60).source


@given(schedules())
@settings(max_examples=30)
def test_a_source_costs_nothing_before_and_after_the_phases_that_draw_it(schedule):
    begin = 0
    for p, segment in enumerate(schedule.segments):
        around = schedule.segments[max(p - 1, 0) : p + 1] if schedule.linear else (segment,)
        drawn = [i for i in range(len(segment.parts)) if any(s.parts[i] for s in around)]
        for k in {begin, segment.until_step - 1}:
            assert schedule.at(k).source.tolist() == drawn
        begin = segment.until_step


@pytest.mark.parametrize("length", [100, 100 * STAIRS])
def test_a_ramp_goes_straight_from_phase_to_phase(length):
    """To half a stair, and its mean is half way."""
    end = 10 + length
    schedule = Schedule(1, (Segment(10, (PARTS, 0)), Segment(end, (0, PARTS))), linear=True)
    shares = schedule.shares(np.arange(end))[:, 1] / PARTS
    assert (shares[:10] == 0).all()
    straight = (np.arange(length) + 0.5) / length
    stair = max(1, length / STAIRS) / length
    assert np.abs(shares[10:] - straight).max() <= stair / 2 + 1e-9
    assert shares[10:].mean() == pytest.approx(0.5, abs=1e-9)
    assert len(np.unique(shares[10:])) == min(length, STAIRS)


def test_mean_shares_are_the_means_of_the_steps():
    schedule = schedule_of([[1, 2, 3, 0], [4, 0, 1, 1], [1, 1, 0, 9]], [40, 500, 900], 7, True)
    shares = schedule.shares(np.arange(900)).mean(axis=0) / PARTS
    assert schedule.mean_shares() == pytest.approx(shares, abs=1e-9)


@pytest.mark.parametrize("share", [0.7, 0.3, 1 / 3, 0.016])
def test_a_rare_source_is_not_starved(share):
    """A multinomial draw at share 0.016 leaves a third of the batches of 64 with none."""
    exact = Fraction(share).limit_denominator(1000)
    schedule = Schedule(64, (Segment(4000, to_parts([exact, 1 - exact])),))
    counts = schedule.counts(np.arange(4000))[:, 0]
    assert set(counts.tolist()) <= {floor(64 * exact), ceil(64 * exact)}
    assert (counts == 0).sum() == 0


@given(st.lists(st.integers(0, PARTS - 1), min_size=1, max_size=40), st.integers(0, 10**7))
def test_odd_windows_are_whole_ones_at_the_largest_numbers(fractions_of_one, steps):
    """Up to the most steps that a recipe may have: nothing overflows."""
    last = -sum(fractions_of_one) % PARTS
    due = np.array([*fractions_of_one, last], np.int64)
    odd = Apportionment(due, np.zeros_like(due))
    before, after = odd.drawn(np.array([steps, steps + 1]))
    assert set((after - before).tolist()) <= {0, 1}
    assert (after - before).sum() == due.sum() // PARTS
    exact = [
        int(n) - Fraction(int(f) * (steps + 1), PARTS) for n, f in zip(after, due, strict=True)
    ]
    assert max(abs(x) for x in exact) <= Fraction((len(due) - 1).bit_length(), 2) + Fraction(
        1, 10**6
    )

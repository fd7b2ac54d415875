"""Statistics, clocks, resizing and the held-out choice: their laws."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from trimix.core.errors import DataError
from trimix.data import images
from trimix.data.importing import resample, split
from trimix.data.importing.resample import ClockLimits
from trimix.data.lerobot import layout, stats
from trimix.data.writing.assemble import grouped

finite = st.floats(-1e3, 1e3, width=32)
tables = hnp.arrays(
    np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=20), elements=finite
)


@given(tables)
def test_statistics_are_ordered_and_scale_with_the_data(values: np.ndarray) -> None:
    one = stats.numeric(values)
    order = [one[n] for n in ("min", "q01", "q10", "q50", "q90", "q99", "max")]
    assert all((a <= b + 1e-9).all() for a, b in pairwise(order))
    assert one["count"] == [len(values)]
    two = stats.numeric(values.astype(np.float64) * 2 + 3)
    np.testing.assert_allclose(two["mean"], one["mean"] * 2 + 3, atol=1e-6)
    np.testing.assert_allclose(two["std"], one["std"] * 2, atol=1e-6)


@settings(max_examples=30)
@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 16), st.just(6), st.just(5), st.just(3))))
def test_image_statistics_are_those_of_the_pixels(frames: np.ndarray) -> None:
    """Up to 16 small frames are all sampled, so the histogram's answer is exact."""
    got = stats.of_histogram(stats.histogram(frames), len(frames))
    pixels = frames.reshape(-1, 3) / 255.0
    np.testing.assert_allclose(got["mean"].reshape(3), pixels.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(got["std"].reshape(3), pixels.std(axis=0), atol=1e-7)
    np.testing.assert_array_equal(got["min"].reshape(3), pixels.min(axis=0))
    np.testing.assert_array_equal(got["max"].reshape(3), pixels.max(axis=0))
    below = (pixels <= got["q50"].reshape(3) + 1e-12).mean(axis=0)
    assert (below >= 0.5).all()


def test_statistics_survive_json() -> None:
    before = {"action": stats.numeric(np.random.default_rng(0).normal(size=(9, 2)))}
    after = stats.from_json(stats.to_json(before))
    for name in stats.NAMES:
        np.testing.assert_array_equal(after["action"][name], before["action"][name])


clocks = st.lists(st.floats(0.01, 0.3), min_size=1, max_size=60).map(
    lambda steps: 1.5 + np.concatenate([[0.0], np.cumsum(steps)])
)


@given(clocks, st.sampled_from([5.0, 10.0, 30.0]))
def test_a_new_clock_is_constant_and_inside_the_recording(seconds: np.ndarray, fps: float) -> None:
    times = resample.new_clock(seconds, fps)
    assert times[0] == seconds[0]
    assert times[-1] <= seconds[-1] + resample.ON_TIME / fps + 1e-9
    assert times[-1] > seconds[-1] - 1 / fps
    np.testing.assert_allclose(np.diff(times), 1 / fps)
    assert resample.is_constant(times, fps)


@given(clocks, st.sampled_from([5.0, 10.0, 30.0]))
def test_nearest_and_previous_rows_are_what_they_say(seconds: np.ndarray, fps: float) -> None:
    times = resample.new_clock(seconds, fps)
    near, before = resample.nearest(seconds, times), resample.previous(seconds, times)
    distance = np.abs(seconds[:, None] - times)
    np.testing.assert_allclose(distance[near, np.arange(len(times))], distance.min(axis=0))
    assert (seconds[before] <= times + 1e-8).all()
    assert (np.diff(near) >= 0).all() and (np.diff(before) >= 0).all()


@given(clocks, st.floats(-2, 2), st.floats(-5, 5))
def test_a_straight_line_stays_one(seconds: np.ndarray, slope: float, start: float) -> None:
    times = resample.new_clock(seconds, 10.0)
    values = (slope * seconds + start)[:, None]
    got = resample.channels(values, np.array([False]), seconds, times)
    inside = np.minimum(times, seconds[-1])
    np.testing.assert_allclose(got[:, 0], slope * inside + start, atol=1e-4)


@given(clocks, st.floats(5.0, 60.0), st.integers(0, 2**31))
def test_resampled_displacements_lead_to_where_the_recorded_ones_did(
    seconds: np.ndarray, fps: float, seed: int
) -> None:
    moves = np.random.default_rng(seed).normal(size=(len(seconds), 3))
    moves[:, 1] = moves[:, 1] > 0  # a switch
    times = resample.new_clock(seconds, 10.0)
    absolute, hold = np.array([False, True, True]), np.array([True, True, False])
    got = resample.displacements(moves, absolute, hold, seconds, times, fps)
    ends = np.append(seconds, seconds[-1] + 1 / fps)
    path = np.interp(times, ends, np.append(0.0, np.cumsum(moves[:, 0])))
    np.testing.assert_allclose(np.cumsum(got[:-1, 0]), path[1:] - path[0], atol=1e-4)
    assert set(got[:, 1]) <= {0.0, 1.0}
    np.testing.assert_allclose(got[:, 2], np.interp(times, seconds, moves[:, 2]), atol=1e-5)


def test_displacements_at_a_third_of_the_rate_are_summed_by_three() -> None:
    seconds, times = np.arange(9) / 30, np.arange(3) / 10
    moves = np.stack([np.full(9, 0.01), np.tile([0.0, 0.01, 0.01], 3)], axis=1)
    held = resample.switches(moves)
    got = resample.displacements(moves, np.zeros(2, bool), held, seconds, times, 30.0)
    np.testing.assert_allclose(got, [[0.03, 0.02]] * 3, atol=1e-6)


def test_a_switch_is_told_by_its_levels() -> None:
    columns = [[0, 1, 1], [-1, 1, -1], [0, 0.01, 0], [0.5, 0.5, 0.5], [0, 0, 0], [-1, 0, 1]]
    got = resample.levels(np.array(columns, np.float32).T)
    assert got.tolist() == [True, True, False, False, False, False]


def test_switches_are_told_from_continuous_channels() -> None:
    rng = np.random.default_rng(0)
    values = np.stack([rng.normal(size=50), rng.integers(0, 2, 50), np.zeros(50)], axis=1)
    np.testing.assert_array_equal(resample.switches(values), [False, True, True])


@pytest.mark.parametrize(
    ("seconds", "message"),
    [
        ([0.0, 0.1, 0.1, 0.3], "row 2: timestamp 0.1 s does not come after 0.1 s"),
        ([0.0, 0.1, np.nan, 0.3], "row 2: the timestamp is not a number"),
        ([0.0, 0.1, 0.2, 1.5, 1.6], "row 3: a pause of 1.3 s"),
        ([0.0, 0.2, 0.4, 0.6], "rows are 0.2 s apart, at 10 frames/s they would be 0.1 s"),
    ],
)
def test_clocks_that_cannot_be_trusted(seconds: list[float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        resample.check_clock(np.array(seconds), 10.0, ClockLimits(), "here")


@given(
    st.sets(st.integers(0, 10_000), min_size=2, max_size=60), st.floats(0.01, 0.99), st.integers()
)
def test_held_out_counts_and_does_not_depend_on_order(
    indices: set[int], fraction: float, seed: int
) -> None:
    held = split.heldout(sorted(indices), fraction, seed)
    assert held == split.heldout(sorted(indices, reverse=True), fraction, seed)
    assert 1 <= len(held) <= len(indices) - 1
    assert abs(len(held) - fraction * len(indices)) <= 1
    assert held <= indices
    assert split.heldout(indices, 0.0, seed) == frozenset()
    assert split.heldout(indices, 1.0, seed) == indices


@given(st.lists(st.floats(0.01, 5), min_size=1, max_size=50), st.floats(0.5, 6))
def test_files_are_filled_in_order_and_not_overfilled(sizes: list[float], limit: float) -> None:
    places = grouped(sizes, limit)
    assert places == sorted(places)
    assert set(places) == {(0, i) for i in range(len(set(places)))}, "no number is left out"
    for place in set(places):
        held = [s for s, p in zip(sizes, places, strict=True) if p == place]
        assert len(held) == 1 or sum(held) <= limit + 1e-9


def test_cropping_keeps_shapes_and_stretching_keeps_everything() -> None:
    wide = np.zeros((1, 40, 80, 3), np.uint8)
    wide[:, :, :20] = 255  # a bar at the left edge
    stretched = images.resize(wide, (20, 20))
    cropped = images.resize(wide, (20, 20), "crop")
    assert stretched[0, :, :5].min() == 255 and stretched[0, :, 6:].max() == 0
    assert cropped.max() == 0, "the left quarter is cut off"
    assert images.resize(wide, (40, 80)) is wide
    ramp = np.tile(np.arange(0, 200, 50, dtype=np.uint8)[None, None, :, None], (1, 4, 1, 3))
    enlarged = images.resize(ramp, (8, 8))[0, 0, :, 0]
    assert (np.diff(enlarged.astype(int)) >= 0).all() and len(set(enlarged)) > 4


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a", "b"], ["a", "b"]),
        ({"motors": ["a", "b"]}, ["a", "b"]),
        ({"left": ["a"], "right": ["b"]}, ["a", "b"]),
        ([["a", "b"]], ["a", "b"]),
        ([{"motors": ["a"]}, ["b"]], ["a", "b"]),
        ({"arm": {"upper": ["a"], "lower": ["b"]}}, ["a", "b"]),
        ({"left": ["hip"], "right": ["hip"]}, ["left.hip", "right.hip"]),
        ({"b": 1, "a": 0}, ["a", "b"]),
        ([0, 1], ["0", "1"]),
        ({"a": 5, "b": 9}, ["channel_0", "channel_1"]),
        (None, ["channel_0", "channel_1"]),
        (["a"], ["channel_0", "channel_1"]),
        (["a", "a"], ["channel_0", "channel_1"]),
    ],
)
def test_channel_names_of_every_kind(names: object, expected: list[str]) -> None:
    channels = layout.channels_of({"dtype": "float32", "shape": [2], "names": names})
    assert [c.name for c in channels] == expected

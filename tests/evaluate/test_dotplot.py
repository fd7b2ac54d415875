import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimix.evaluate.dotplot import MINUS, DotPlot, Row, fit_axis, lane, number, spoken, spread

numbers = st.floats(-1e4, 1e4, allow_nan=False).map(lambda x: round(x, 4))


@given(st.lists(numbers, min_size=1, max_size=12), st.sampled_from([0.01, 1.0, 5.0]))
def test_the_axis_holds_every_value_and_little_else(values, least):
    axis = fit_axis(values, least=least)
    assert axis.low <= min(values) and max(values) <= axis.high
    assert axis.high - axis.low >= least * (1 - 1e-9)
    needed = max(max(values) - min(values), least)
    assert axis.high - axis.low <= 1.8 * needed
    assert 2 <= len(axis.ticks) <= 9
    assert all(axis.low - 1e-9 <= t <= axis.high + 1e-9 for t in axis.ticks)
    labels = [axis.label(t) for t in axis.ticks]
    assert len(set(labels)) == len(labels)
    for tick, label in zip(axis.ticks, labels, strict=True):
        assert float(label.replace(MINUS, "-")) == pytest.approx(tick, abs=1e-9)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8))
def test_a_rate_s_axis_stays_within_0_and_100(rates):
    axis = fit_axis(rates, least=5, bounds=(0, 100))
    assert 0 <= axis.low < axis.high <= 100


def test_values_of_12_to_26_are_not_drawn_on_0_to_100():
    axis = fit_axis([12, 26], least=5, bounds=(0, 100))
    assert (axis.low, axis.high) == (12, 26)


@pytest.mark.parametrize(("value", "ends"), [(0, (0, 5)), (100, (95, 100)), (50, (47, 53))])
def test_equal_values_get_an_axis_about_them(value, ends):
    axis = fit_axis([value, value, value], least=5, bounds=(0, 100))
    assert (axis.low, axis.high) == ends


@given(st.lists(numbers, min_size=2, max_size=8, unique=True))
def test_positions_keep_the_order_and_stay_in_the_lane(values):
    axis = fit_axis(values, least=1e-3)
    at = [axis.at(v) for v in sorted(values)]
    assert at == sorted(at)
    assert at[0] > 0 and at[-1] < 100


def test_what_lies_beyond_is_marked_at_the_end():
    axis = fit_axis([0.3, 0.6], least=0.01)
    assert axis.at(1.0) == axis.at(axis.high) and axis.beyond(1.0) == 1
    assert axis.at(-1.0) == axis.at(axis.low) and axis.beyond(-1.0) == -1
    assert axis.beyond(0.4) == 0
    plot = _plot([Row("mean", 1.0, None, (), "1.0")], axis)
    inside = _plot([Row("mean", 0.4, None, (), "0.4")], axis)
    assert _mark(plot) != _mark(inside)


@pytest.mark.parametrize(
    ("interval", "caps"), [((0.35, 0.5), 2), ((0.1, 0.5), 1), ((0.35, 0.9), 1), ((0.1, 0.9), 0)]
)
def test_an_interval_that_goes_on_beyond_the_axis_has_no_cap_there(interval, caps):
    axis = fit_axis([0.3, 0.6], least=0.01)
    row = Row("mean", 0.4, interval, (), "0.4")
    assert lane(_plot([row], axis), row).count('class="cap"') == caps


def _plot(rows, axis):
    return DotPlot("p", "success (%)", axis, tuple(rows), "95% interval")


def _mark(plot):
    return re.search(r'class="mean" d="([^"]+)"', lane(plot, plot.rows[0])).group(1)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=9), st.floats(0, 100))
def test_no_seed_s_dot_hides_another(values, again):
    dots = [*values, again, again]
    axis = fit_axis(dots, least=5, bounds=(0, 100))
    placed = spread(dots, axis)
    assert len(placed) == len(dots)
    assert sorted(at for at, _ in placed) == [at for at, _ in placed]
    assert len(set(placed)) == len(placed)


@pytest.mark.parametrize("n", [1, 3, 8, 12])
def test_every_mark_stays_inside_its_lane(n):
    axis = fit_axis([0], least=5, bounds=(0, 100))
    row = Row("a", 0.0, (0.0, 1.5), (0.0,) * n, "0%")
    for rows in (1, 12):
        drawn = lane(_plot([row] * rows, axis), row)
        height = float(re.search(r'height="(\d+)"', drawn).group(1))
        heights = [float(y) for y in re.findall(r' c?y[12]?="([-\d.]+)"', drawn)]
        assert all(0 <= y <= height for y in heights)
        assert drawn.count("<circle") == n
        places = re.findall(r'cx="([\d.]+)%" cy="([\d.]+)"', drawn)
        assert len(set(places)) == n


def test_the_words_say_what_the_marks_show():
    axis = fit_axis([10, 60], least=5, bounds=(0, 100))
    rows = [
        Row("a+b", 53.0, (49.0, 57.0), (52.0, 54.0), spoken(53, (49, 57), digits=1, unit="%")),
        Row("c", 12.0, None, (), "12.0%", badge="exploratory"),
    ]
    alt = _plot(rows, axis).alt
    assert "a+b: 53.0% (49.0 to 57.0), seeds 52.0, 54.0" in alt
    assert "c (exploratory): 12.0%" in alt


@given(numbers, st.integers(0, 3))
def test_numbers_read_back(value, digits):
    text = number(value, digits)
    assert "-" not in text
    assert float(text.replace(MINUS, "-")) == pytest.approx(value, abs=0.51 * 10**-digits)
    if round(value, digits) == 0:
        assert math.copysign(1, float(text.replace(MINUS, "-"))) == 1

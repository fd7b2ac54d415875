"""Laws of the small distributions."""

import json

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trimix.core.errors import ConfigError
from trimix.core.seeds import stream
from trimix.randomization import written
from trimix.randomization.distributions import Choice, Constant, LogUniform, Normal, Uniform

NUMBER = st.floats(-1e3, 1e3)
POSITIVE = st.floats(1e-3, 1e3)
PAIR = st.tuples(NUMBER, NUMBER).map(sorted)
POSITIVE_PAIR = st.tuples(POSITIVE, POSITIVE).map(sorted)
VECTORS = st.lists(PAIR, min_size=1, max_size=4)
SEED = st.integers(0, 2**32)
ANY = st.one_of(
    st.builds(Constant, NUMBER | st.text(max_size=4) | st.tuples(NUMBER, NUMBER)),
    PAIR.map(lambda p: Uniform(*p)),
    VECTORS.map(lambda v: Uniform(tuple(p[0] for p in v), tuple(p[1] for p in v))),
    POSITIVE_PAIR.map(lambda p: LogUniform(*p)),
    POSITIVE_PAIR.map(lambda p: LogUniform((p[0],) * 3, (p[1],) * 3)),
    st.builds(Normal, NUMBER, st.floats(0, 10)),
    st.tuples(NUMBER, NUMBER).map(lambda m: Normal(m, (1.0, 0.0))),
    st.builds(Choice, st.lists(st.text(max_size=4) | NUMBER, min_size=1, max_size=4).map(tuple)),
)


@given(ANY, SEED)
@example(Uniform(0.0, -0.0), 0)
def test_a_draw_is_plain_json(distribution, seed):
    value = distribution.sample(stream(seed))
    assert json.loads(json.dumps(value, allow_nan=False)) == value


@given(ANY, SEED)
def test_the_same_stream_draws_the_same(distribution, seed):
    assert distribution.sample(stream(seed)) == distribution.sample(stream(seed))


@given(ANY)
def test_what_is_written_comes_back(distribution):
    text = json.dumps(written.to_json(distribution), allow_nan=False)
    assert written.from_json(json.loads(text)) == distribution


@given(ANY, SEED)
def test_the_ends_are_of_the_shape_of_a_draw(distribution, seed):
    drawn = distribution.sample(stream(seed))
    for end in distribution.ends():
        assert json.loads(json.dumps(end, allow_nan=False)) == end
        assert isinstance(distribution, Choice) or np.shape(end) == np.shape(drawn)


@given(VECTORS, SEED)
def test_no_draw_is_outside_of_the_ends(limits, seed):
    uniform = Uniform(tuple(p[0] for p in limits), tuple(p[1] for p in limits))
    low, high = np.array(uniform.ends())
    value = np.array(uniform.sample(stream(seed)))
    assert (low <= value).all() and (value <= high).all()
    assert LogUniform(0.5, 2.0).ends() == (0.5, 2.0)
    assert Normal(1.0, 2.0).ends() == (-3.0, 5.0) and Normal(1.0, 2.0, 1.0).ends() == (-1.0, 3.0)
    assert Choice(("a", "b", "c")).ends() == ("a", "c")


@given(VECTORS, SEED)
def test_uniform_stays_within_its_limits(limits, seed):
    low, high = (tuple(p[k] for p in limits) for k in (0, 1))
    value = np.array(Uniform(low, high).sample(stream(seed)))
    assert value.shape == (len(limits),)
    assert (value >= low).all() and (value <= high).all()


@given(POSITIVE_PAIR, SEED)
def test_log_uniform_stays_within_its_limits(limits, seed):
    low, high = limits
    assert low <= LogUniform(low, high).sample(stream(seed)) <= high


@given(NUMBER, st.floats(0, 10), st.floats(0.1, 4), SEED)
def test_normal_is_cut(mean, std, cut, seed):
    value = Normal(mean, std, cut).sample(stream(seed))
    assert abs(value - mean) <= cut * std + 1e-9 * (1 + abs(mean))


@given(st.lists(st.text(max_size=4), min_size=1, max_size=5).map(tuple), SEED)
def test_a_choice_is_one_of_the_options(options, seed):
    assert Choice(options).sample(stream(seed)) in options


def test_shapes_of_the_distributions():
    """Means and medians over many draws; the tolerances are 4 standard errors."""
    rng = stream(0, "shapes")
    n = 4000
    uniform = [Uniform(2.0, 4.0).sample(rng) for _ in range(n)]
    assert np.mean(uniform) == pytest.approx(3.0, abs=4 * 2 / np.sqrt(12 * n))
    log = [LogUniform(0.25, 4.0).sample(rng) for _ in range(n)]
    assert np.mean(np.array(log) < 1) == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(n))
    normal = [Normal(1.0, 2.0).sample(rng) for _ in range(n)]
    assert np.mean(normal) == pytest.approx(1.0, abs=4 * 2 / np.sqrt(n))
    assert np.std(normal) == pytest.approx(2.0, rel=0.06)
    options = [Choice(("a", "b")).sample(rng) for _ in range(n)]
    assert options.count("a") / n == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(n))


def test_components_are_independent():
    draws = np.array([Uniform((0.0,) * 2, (1.0,) * 2).sample(stream(k)) for k in range(500)])
    assert abs(np.corrcoef(draws.T)[0, 1]) < 0.2


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Uniform(1.0, 0.0), r"\[1.0, 0.0\] is empty"),
        (lambda: Uniform((0.0, 1.0), (1.0, 0.0)), "is empty"),
        (lambda: Uniform(0.0, float("inf")), "is empty"),
        (lambda: Uniform(float("nan"), 1.0), "is empty"),
        (lambda: Uniform((0.0, 1.0), (1.0,)), "2 lower limits and 1 upper"),
        (lambda: LogUniform(0.0, 1.0), "above 0"),
        (lambda: LogUniform(2.0, 1.0), "is empty"),
        (lambda: Normal(0.0, -1.0), "std >= 0"),
        (lambda: Normal(0.0, 1.0, cut=0.0), "cut > 0"),
        (lambda: Normal((0.0, 1.0), (1.0,)), "a std for every mean"),
        (lambda: Normal(float("nan"), 1.0), "finite mean"),
        (lambda: Choice(()), "at least one option"),
    ],
)
def test_impossible_distributions_are_refused(make, named):
    with pytest.raises(ConfigError, match=named):
        make()

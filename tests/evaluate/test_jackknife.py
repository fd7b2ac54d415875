import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from trimix.core.seeds import stream
from trimix.evaluate.jackknife import jackknife_interval, leave_one_out


def of(values):
    """Means of values, all and with each left out."""
    weights = leave_one_out(len(values))
    return (weights @ values) / weights.sum(1)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=12))
def test_of_a_mean_it_is_students_interval(values):
    values = np.asarray(values)
    found = jackknife_interval(of(values))
    e = len(values)
    half = stats.t.isf(0.025, e - 1) * values.std(ddof=1) / e**0.5
    assert found == pytest.approx((values.mean() - half, values.mean() + half), abs=1e-9)


@pytest.mark.parametrize(("episodes", "least"), [(3, 0.90), (6, 0.90), (10, 0.91)])
def test_few_episodes_are_not_taken_for_many(episodes, least):
    """The cheat: resampling E of E episodes says more than they know."""
    rng = stream(episodes, "jackknife")
    held, cheat = [], []
    for _ in range(400):
        scale = rng.lognormal(0, 0.4, episodes)
        error = scale * rng.lognormal(-0.1, 0.45, episodes)
        weights = leave_one_out(episodes)
        low, high = jackknife_interval((weights @ error) / (weights @ scale), positive=True)
        truth = np.exp(-0.1 + 0.45**2 / 2)
        held.append(low <= truth <= high)
        drawn = rng.multinomial(episodes, np.full(episodes, 1 / episodes), 300)
        low, high = np.percentile((drawn @ error) / (drawn @ scale), [2.5, 97.5])
        cheat.append(low <= truth <= high)
    assert np.mean(held) >= least
    assert np.mean(cheat) < np.mean(held) - 0.015


def test_a_figure_above_0_stays_there():
    low, high = jackknife_interval(of(np.array([0.01, 0.01, 3.0])), positive=True)
    assert 0 < low < high
    assert jackknife_interval(np.zeros(4), positive=True) == (0, 0)


def test_one_episode_says_nothing():
    assert jackknife_interval(np.array([0.4, np.nan])) is None
    assert jackknife_interval(np.array([0.4, np.nan, 0.5])) is None

"""Betting against a mean difference: exact where it can be counted out, and safe under peeking."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betaln

from trimix.core.seeds import stream
from trimix.evaluate.betting import betting_interval, wealth

counts = st.tuples(*(st.integers(0, 60),) * 3)


def chances(mean, tied):
    """Of 1, 0 and -1, with this mean and this chance of 0."""
    return (1 - tied + mean) / 2, tied, (1 - tied - mean) / 2


def paths(n, chance):
    """Every path of n scenes with its probability, as (differences, probability)."""
    for path in product((1, 0, -1), repeat=n):
        yield path, float(np.prod([chance[1 - step] for step in path]))


def tally(path):
    return path.count(1), path.count(0), path.count(-1)


@pytest.mark.parametrize(("mean", "tied"), [(0.0, 0.0), (0.0, 0.6), (0.3, 0.2), (-0.5, 0.4)])
@pytest.mark.parametrize("n", [1, 4, 7])
def test_nobody_gains_on_average_against_the_truth(mean, tied, n):
    """Counted out over all 3^n paths: each side's wealth is a martingale, not only its sum."""
    mine, theirs = 0.0, 0.0
    for path, probability in paths(n, chances(mean, tied)):
        up, down = wealth(*tally(path), mean)
        mine, theirs = mine + probability * up, theirs + probability * down
    assert (mine, theirs) == pytest.approx((1, 1))


@pytest.mark.parametrize("tied", [0.0, 0.3])
def test_the_true_mean_is_ruled_out_at_some_scene_less_often_than_said(tied):
    """Counted out over all paths, looking after every scene, at a level that few scenes reach."""
    for mean in (0.0, 0.4):
        missed = 0.0
        for path, probability in paths(9, chances(mean, tied) if tied else chances(mean, 0.0)):
            looks = (betting_interval(*tally(path[: k + 1]), 0.7) for k in range(9))
            missed += probability * any(low > mean or high < mean for low, high in looks)
        assert 0 < missed <= 0.3


@given(counts)
def test_of_equal_policies_it_is_the_bet_of_krichevsky_and_trofimov(found):
    won, tied, lost = found
    n = won + lost
    exact = np.exp(n * np.log(2) + betaln(won + 0.5, lost + 0.5) - betaln(0.5, 0.5))
    assert np.mean(wealth(won, tied, lost)) == pytest.approx(exact)


@given(counts, st.sampled_from([0.5, 0.95, 0.99]))
def test_the_ends_are_where_either_side_is_rich_enough(found, level):
    """Half of the stake is on either side, so one side alone must have doubled what both need."""
    low, high = betting_interval(*found, level)
    if low > -1:
        assert wealth(*found, low)[0] == pytest.approx(2 / (1 - level), rel=1e-3)
    if high < 1:
        assert wealth(*found, high)[1] == pytest.approx(2 / (1 - level), rel=1e-3)


@given(counts)
def test_swapping_the_policies_mirrors_the_interval(found):
    won, tied, lost = found
    low, high = betting_interval(won, tied, lost)
    assert betting_interval(lost, tied, won) == (-high, -low)
    n = won + tied + lost
    assert low <= (won - lost) / max(n, 1) <= high
    assert -1 <= low <= high <= 1


@given(counts, st.floats(-0.95, 0.95), st.floats(0.0, 0.04))
def test_wealth_is_monotone_in_the_mean(found, mean, step):
    (up, down), (up_then, down_then) = wealth(*found, mean), wealth(*found, mean + step)
    assert up_then <= up * (1 + 1e-9)
    assert down_then >= down * (1 - 1e-9)


def test_more_scenes_of_the_kind_say_more():
    widths = [np.diff(betting_interval(3 * k, 5 * k, 2 * k))[0] for k in (1, 5, 20, 80)]
    assert widths == sorted(widths, reverse=True)
    assert betting_interval(0, 0, 0) == (-1, 1)
    assert betting_interval(30, 10, 2).low > 0


def test_peeking_after_every_scene_does_not_find_what_is_not_there():
    """And the interval for one look does: the cheat that betting is here to stop."""
    rng = stream(4, "peeking")
    wrong, cheat = 0, 0
    for _ in range(250):
        steps = rng.integers(0, 2, (120, 2)) @ [1, -1]
        won, lost = np.cumsum(steps == 1), np.cumsum(steps == -1)
        tied = np.arange(1, 121) - won - lost
        looks = range(9, 120, 10)
        wrong += any(
            not low <= 0 <= high
            for low, high in (
                betting_interval(int(won[k]), int(tied[k]), int(lost[k])) for k in looks
            )
        )
        z = (won - lost) / np.sqrt(np.maximum(won + lost, 1))
        cheat += bool((np.abs(z[9::10]) > 1.96).any())
    assert wrong / 250 <= 0.05
    assert cheat / 250 > 0.12


@pytest.mark.parametrize("bad", [(-1, 0, 0, 0.95), (1, 0, 0, 0.0), (1, 0, 0, 1.0)])
def test_what_is_no_comparison_is_refused(bad):
    with pytest.raises(ValueError, match="no comparison"):
        betting_interval(*bad)

"""The laws of the intervals over seeds and scenes. How often they hold is simulated in bench/."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from trimix.core.seeds import stream
from trimix.evaluate.crossed import Crossed, Family, mixes, policies, quantiles, rates

PAIRS = np.array([[-1.0, 1, 0], [-1, 0, 1], [0, -1, 1]])
FAMILY = Family(0.05, 3, 3)


def tables(*key, experiments=1, seeds=3, scenes=40, seed_sd=0.1, rates=(0.5, 0.5, 0.5)):
    """(B, S, N) of three arms: seeds that vary, scenes that are shared."""
    rng = stream("crossed", *key)
    hard = rng.normal(0, 0.15, (experiments, 1, scenes))
    return [
        rng.random((experiments, seeds, scenes))
        < np.clip(rate + hard + rng.normal(0, seed_sd, (experiments, seeds, 1)), 0, 1)
        for rate in rates
    ]


def some(seed):
    rng = stream("some", seed)
    size = {"seeds": int(rng.integers(3, 6)), "scenes": int(rng.integers(1, 30))}
    return tables(seed, **size, rates=tuple(rng.random(3)))


@settings(max_examples=40)
@given(st.integers(0, 10**6))
def test_swapping_arms_mirrors_and_the_order_of_seeds_and_scenes_changes_nothing(seed):
    given_ = some(seed)
    rng = stream("order", seed)
    scenes = rng.permutation(given_[0].shape[2])
    shuffled = [t[:, rng.permutation(t.shape[1])][:, :, scenes] for t in given_]
    for bands in (mixes, policies):
        ours = bands(Crossed.of(given_), PAIRS, FAMILY)
        mirrored = bands(Crossed.of(given_), -PAIRS, FAMILY)
        np.testing.assert_allclose(mirrored.low, -ours.high, atol=1e-12)
        other = bands(Crossed.of(shuffled), PAIRS, FAMILY)
        np.testing.assert_allclose((other.low, other.high), (ours.low, ours.high), atol=1e-9)
        assert (ours.low <= ours.delta).all()
        assert (ours.delta <= ours.high).all()
        assert (np.abs((ours.low, ours.high)) <= 1).all()


def test_many_experiments_at_once_are_each_on_its_own():
    many = tables(0, experiments=7)
    whole = mixes(Crossed.of(many), PAIRS, FAMILY)
    for e in range(7):
        one = mixes(Crossed.of([t[e : e + 1] for t in many]), PAIRS, FAMILY)
        np.testing.assert_allclose(one.low[0], whole.low[e])
        np.testing.assert_allclose(one.high[0], whole.high[e])


def test_the_parts_of_the_variance_are_what_they_were_drawn_with():
    """Seeds of known deviation, in probability, over many experiments."""
    data = Crossed.of(tables(1, experiments=3000, seeds=4, scenes=100, seed_sd=0.1))
    scenes_alone = 0.25 / 100  # at most: what chance makes of a seed's rate
    assert data.noise.mean() == pytest.approx(0.0023, abs=0.0003)
    assert data.noise.mean() < scenes_alone
    assert (data.between - data.noise).mean() == pytest.approx(0.01, rel=0.1)


def test_seeds_that_differ_widen_and_more_seeds_and_scenes_narrow():
    def width(**size):
        found = mixes(Crossed.of(tables(2, experiments=300, **size)), PAIRS, FAMILY)
        return (found.high - found.low).mean()

    assert width(seed_sd=0.15) > 1.5 * width(seed_sd=0.02)
    assert width(seeds=8) < 0.7 * width(seeds=3)
    assert width(seed_sd=0.0, scenes=400) < 0.6 * width(seed_sd=0.0, scenes=40)
    # Scenes do not make up for seeds that differ: the cheat of pooling all cells.
    assert width(seed_sd=0.15, scenes=400) > 0.8 * width(seed_sd=0.15, scenes=40)


def test_what_arms_do_to_scenes_and_what_chance_does_to_seeds_is_counted():
    """Were either left out, seeds that agree would leave no doubt where there is some."""
    data = Crossed.of(tables(4, experiments=50, seeds=8, seed_sd=0.1))
    by_scene = np.einsum("mk,bkl,ml->bm", PAIRS, data.scene, PAIRS) / data.scenes
    plain = mixes(data, PAIRS, FAMILY)
    assert (plain.lasting < by_scene).all()
    more = mixes(replace(data, scene=data.scene + 0.3 * np.eye(3)), PAIRS, FAMILY)
    assert (more.lasting > plain.lasting).all()
    assert (more.high - more.low > plain.high - plain.low).all()
    few = Crossed.of(tables(4, experiments=50, seeds=3))
    lucky = mixes(replace(few, between=0.01 * few.noise), PAIRS, FAMILY)
    floor = mixes(replace(few, between=few.noise), PAIRS, FAMILY)
    np.testing.assert_allclose((lucky.low, lucky.high), (floor.low, floor.high))
    np.testing.assert_allclose(lucky.by_seed, floor.by_seed)


def test_the_scenes_difficulty_leaves_a_difference():
    """Paired scenes: as hard as they may be, arms that do alike on each do not differ."""
    rng = stream("paired")
    alike = np.repeat(rng.random((1, 1, 200)) < 0.5, 5, 1)
    found = mixes(Crossed.of([alike, alike, ~alike]), PAIRS, FAMILY)
    assert found.high[0, 0] < 0.1
    assert found.high[0, 1] > 2 * found.high[0, 0]
    assert rates(Crossed.of([alike]), Family(0.05, 1), of_mixes=True)[0][0, 0] < 0.45


@pytest.mark.parametrize("scope", [mixes, policies])
@pytest.mark.parametrize("scenes", [1, 2, 50])
def test_outcomes_that_are_all_alike_leave_doubt(scope, scenes):
    none, all_ = (np.full((1, 3, scenes), x) for x in (False, True))
    found = scope(Crossed.of([none, none, all_]), PAIRS, FAMILY)
    assert np.isfinite(found.low).all()
    assert np.isfinite(found.high).all()
    assert found.low[0, 0] < 0 < found.high[0, 0]
    assert found.high[0, 0] == pytest.approx(-found.low[0, 0])
    assert found.high[0, 1] == 1
    assert (found.low[0, 1] > 0) == (scenes == 50)
    low, high = rates(Crossed.of([none, all_]), Family(0.05, 2), of_mixes=scope is mixes)
    assert (low[0, 0], high[0, 1]) == (0, 1)
    assert 0 < high[0, 0] < 1
    assert 0 < low[0, 1] < 1


def test_an_arm_that_never_succeeds_is_not_lent_the_others_deviation():
    """What seeds of 50% vary by is more than a rate of 0 can: its end must not fly off."""
    varied = tables(3, seeds=3, scenes=200, seed_sd=0.05)[0]
    none = np.zeros((1, 3, 200), bool)
    found = mixes(Crossed.of([none, none, varied]), PAIRS, FAMILY)
    assert found.high[0, 0] < 0.15


def test_quantiles_over_seeds():
    tukey = float(stats.studentized_range.isf(0.05, 4, 3 * 7)) / 2**0.5
    assert quantiles(Family(0.05, 6, 4), (8,) * 4)[0] == pytest.approx(tukey)
    assert tukey < stats.t.isf(0.05 / 12, 3 * 7)
    # Three seeds: one arm's deviation may be all there is, and has two degrees of freedom.
    alone = stats.t.isf(0.025, 2) / (1 + 1 / 4) ** 0.5
    assert quantiles(Family(0.05, 6, 4), (3,) * 4)[0] == pytest.approx(alone)
    # Few contrasts of many arms: Bonferroni is the smaller one.
    few = stats.t.isf(0.05 / 4, 7 * 5)
    assert quantiles(Family(0.05, 2, 6), (8,) * 6)[0] == pytest.approx(few)
    assert quantiles(Family(0.05, 1, 2), (500,) * 2) == pytest.approx((1.96, 1.96), abs=0.01)


@pytest.mark.parametrize(("seeds", "ratio"), [(3, 0.0), (5, 0.0), (5, 1.0), (8, 1 / 6), (8, 1.0)])
@pytest.mark.parametrize("large", [1, 2, 4])
def test_normal_seeds_of_any_deviations_err_no_more_than_said(seeds, ratio, large):
    """Seeds alone, of unlimited scenes: the largest of six contrasts against its quantile."""
    rng = stream("normal seeds", seeds, large)
    deviation = np.where(np.arange(4) < large, 1.0, ratio)
    mean = deviation * rng.standard_normal((20_000, 4)) / seeds**0.5
    own = deviation**2 * rng.chisquare(seeds - 1, (20_000, 4)) / (seeds - 1)
    used = np.maximum(own, own.mean(1, keepdims=True))
    a, b = np.triu_indices(4, 1)
    error = np.sqrt((used[:, a] + used[:, b]) / seeds)
    worst = (np.abs(mean[:, a] - mean[:, b]) / error).max(1)
    quantile, _ = quantiles(Family(0.05, 6, 4), (seeds,) * 4)
    assert (worst > quantile).mean() <= 0.05 + 0.004
    if large == 1 and ratio == 0 and seeds == 3:  # the worst case: nothing is given away
        assert (worst > quantile).mean() >= 0.04
    tukey = float(stats.studentized_range.isf(0.05, 4, 4 * (seeds - 1))) / 2**0.5
    if large == 1 and seeds == 3:  # the cheat that the guard is there for
        assert (worst > tukey).mean() > 0.06


def test_policies_cover_other_scenes():
    rng = stream("policies")
    held = []
    for e in range(40):
        skill = rng.random((1, 3, 1, 1)) * 0.4 + 0.3
        hard = rng.normal(0, 0.2, (50, 1, 1, 60))
        chance = np.clip(skill + hard, 0, 1)
        drawn = rng.random((50, 3, 1, 60)) < chance
        big = np.clip(skill + rng.normal(0, 0.2, (1, 1, 1, 200_000)), 0, 1).mean(-1)[0, :, 0]
        found = policies(Crossed.of([drawn[:, k] for k in range(3)]), PAIRS, FAMILY)
        truth = PAIRS @ big
        held.append(((found.low <= truth) & (truth <= found.high)).all(1).mean())
        if e == 20:
            break
    assert np.mean(held) >= 0.945
    assert np.mean(held) <= 0.985

"""The block-shuffled order: each window once an epoch, from few blocks at a time, and uniform."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from trimix.core.seeds import key, stream
from trimix.mix.permutation import counter_hash
from trimix.mix.shuffle import BLOCK, POOL, Shuffle

secrets = st.integers(0, 2**64 - 1)


def epoch_of(n, secret, epoch=0, block=BLOCK, pool=POOL):
    """The windows of one epoch, in the order in which they are drawn."""
    draws = epoch * n + np.arange(n)
    windows, epochs = Shuffle([n], [secret], block, pool).windows(np.zeros(n, np.int64), draws)
    assert (epochs == epoch).all()
    return windows


@given(st.integers(1, 400), secrets, st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 5))
@settings(max_examples=300)
def test_each_window_comes_exactly_once_an_epoch(n, secret, epoch, block, pool):
    """Whatever is left over for the last block and the last pool."""
    assert sorted(epoch_of(n, secret, epoch, block, pool).tolist()) == list(range(n))


@given(st.integers(1, 400), secrets, st.integers(1, 12), st.integers(1, 5), st.integers(1, 20))
@settings(max_examples=200)
def test_few_blocks_are_touched_at_a_time(n, secret, block, pool, batch):
    """A pool's blocks at any time, and those of the next where a batch crosses over."""
    blocks = epoch_of(n, secret, 0, block, pool) // block
    shortest = block * pool - block + 1  # a pool with the block that is not full
    crossings = -(-batch // shortest)
    for begin in range(0, n, batch):
        assert len(set(blocks[begin : begin + batch].tolist())) <= pool * (1 + crossings)


@given(st.lists(st.tuples(st.integers(1, 10**12), secrets), min_size=1, max_size=5), st.data())
@settings(max_examples=60)
def test_a_draw_does_not_depend_on_what_is_asked_beside_it(given_, data):
    draws = [data.draw(st.integers(0, 3 * n)) for n, _ in given_]
    shuffle = Shuffle([n for n, _ in given_], [s for _, s in given_])
    sources = np.arange(len(draws))
    windows, epochs = shuffle.windows(sources, np.array(draws))
    for i, (n, secret) in enumerate(given_):
        alone, epoch = Shuffle([n], [secret]).windows(np.zeros(1, np.int64), np.array([draws[i]]))
        assert (windows[i], epochs[i]) == (alone[0], epoch[0]) and 0 <= windows[i] < n
        assert epochs[i] == draws[i] // n


def test_every_epoch_and_every_source_has_its_own_order():
    orders = [epoch_of(3000, secret, epoch, 100) for secret in (1, 2) for epoch in range(3)]
    for i, a in enumerate(orders):
        for b in orders[:i]:
            assert (a == b).mean() < 0.01
            assert (a // 100 == b // 100).mean() < 0.2


@pytest.mark.parametrize("place", [0, 7, 29])
def test_any_place_of_an_order_is_uniform_over_the_windows(place):
    """Chi-square over 4,500 keys: 30 windows in blocks of 4, so that one block is not full."""
    keys = counter_hash(np.arange(4500), key(place, "places")).tolist()
    shuffle = Shuffle([30] * len(keys), keys, 4, 3)
    windows, _ = shuffle.windows(np.arange(len(keys)), np.full(len(keys), place))
    assert stats.chisquare(np.bincount(windows, minlength=30)).pvalue > 1e-3


def test_a_source_of_one_pool_is_shuffled_as_a_whole():
    """Of 50 windows, where two neighbours go: chi-square over all pairs of places."""
    keys = counter_hash(np.arange(50_000), key("small")).tolist()
    shuffle = Shuffle([50] * len(keys), keys)
    sources = np.arange(len(keys))
    a, b = (shuffle.windows(sources, np.full(len(keys), d))[0] for d in (3, 4))
    cells = np.bincount(a * 50 + b, minlength=2500).reshape(50, 50)
    assert stats.chisquare(cells[~np.eye(50, dtype=bool)]).pvalue > 1e-3


def test_within_a_pool_draws_are_serially_independent():
    """The first pool of four million windows: what draws 1 to 1,000 apart give, and the order.

    Of 300,000 draws, chance gives correlations with a deviation of 0.0018.
    """
    size = POOL * BLOCK
    windows, _ = Shuffle([4_000_000], [5]).windows(np.zeros(size, np.int64), np.arange(size))
    assert len(np.unique(windows)) == size and len(np.unique(windows // BLOCK)) == POOL
    offset = (windows % BLOCK).astype(float)
    for apart in (1, 2, 10, 341, 1000):
        assert abs(np.corrcoef(offset[apart:], offset[:-apart])[0, 1]) < 0.007
    when = np.arange(size)
    grid = np.histogram2d(when, offset, bins=40)[0]
    assert stats.chi2.sf(((grid - size / 1600) ** 2 / (size / 1600)).sum(), 39 * 39) > 1e-3
    _, slot = np.unique(windows // BLOCK, return_inverse=True)
    blocks = np.histogram2d(when, slot, bins=(100, POOL))[0]
    assert stats.chi2.sf(((blocks - BLOCK / 100) ** 2 / (BLOCK / 100)).sum(), 99 * 2) > 1e-3


def test_blocks_come_in_an_order_of_their_own():
    """Where in its epoch a block comes says nothing of which one it is."""
    rng = stream(0, "blocks")
    found = []
    for secret in rng.integers(0, 2**62, 200).tolist():
        blocks = epoch_of(120, secret, 0, 2, 3) // 2
        found.append(stats.spearmanr(np.arange(120), blocks).statistic)
    assert abs(np.mean(found)) < 0.03

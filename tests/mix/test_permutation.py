"""The keyed permutation is one, for every size, and looks like a random one."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from trimix.core.seeds import key
from trimix.mix.permutation import counter_hash, permute


@given(st.integers(1, 5000), st.integers(0, 2**128 - 1))
@settings(max_examples=80)
def test_every_value_comes_exactly_once(n, secret):
    assert sorted(permute(np.arange(n), n, secret).tolist()) == list(range(n))


@given(st.integers(1, 10**12), st.integers(0, 2**128 - 1), st.data())
@settings(max_examples=50)
def test_one_value_costs_no_table_and_does_not_depend_on_its_neighbours(n, secret, data):
    index = data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=5))
    together = permute(np.array(index), n, secret)
    alone = [permute(np.array([i]), n, secret)[0] for i in index]
    assert together.tolist() == alone
    assert ((together >= 0) & (together < n)).all()


def test_small_permutations_are_uniform():
    """Chi-square over all 24 orders of 4, with 2,400 fixed keys."""
    orders = dict.fromkeys(itertools.permutations(range(4)), 0)
    for i in range(2400):
        orders[tuple(permute(np.arange(4), 4, key(i, "uniform")).tolist())] += 1
    assert stats.chisquare(list(orders.values())).pvalue > 1e-3


def test_first_places_are_uniform_and_epochs_are_unrelated():
    n, keys = 50, 2500
    first = np.array([permute(np.array([0]), n, key(i, "first"))[0] for i in range(keys)])
    assert stats.chisquare(np.bincount(first, minlength=n)).pvalue > 1e-3
    a, b = (permute(np.arange(5000), 5000, key(i, "epoch")) for i in range(2))
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.06
    assert abs(np.corrcoef(a, np.arange(5000))[0, 1]) < 0.06


def test_counter_hashes_do_not_collide_and_depend_on_the_key():
    a, b = (counter_hash(np.arange(100_000), key(i, "hash")) for i in range(2))
    assert len(np.unique(np.concatenate([a, b]))) == 200_000
    bits = np.unpackbits(a.view(np.uint8)).mean()
    assert abs(bits - 0.5) < 0.002

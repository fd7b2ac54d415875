"""The keyed permutation is one, for every size, and looks like a random one."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from trimix.core.seeds import key
from trimix.mix.permutation import counter_hash, fold, permute, subkey

secrets = st.integers(0, 2**64 - 1)


def order(n, secret):
    """A whole permutation."""
    return permute(np.arange(n), np.array([n]), np.array([secret], np.uint64))


def many(count, *purpose):
    """(count,) unrelated keys."""
    return counter_hash(np.arange(count), key(*purpose))


@given(st.integers(1, 5000), secrets)
@settings(max_examples=80)
def test_every_value_comes_exactly_once(n, secret):
    assert sorted(order(n, secret).tolist()) == list(range(n))


@given(st.lists(st.tuples(st.integers(1, 10**12), secrets), min_size=1, max_size=6), st.data())
@settings(max_examples=50)
def test_what_an_index_becomes_does_not_depend_on_its_neighbours(given_, data):
    """Whatever the sizes and keys of the others asked for at once."""
    index = [data.draw(st.integers(0, n - 1)) for n, _ in given_]
    sizes, keys = np.array([n for n, _ in given_]), np.array([s for _, s in given_], np.uint64)
    together = permute(np.array(index), sizes, keys)
    alone = [
        permute(np.array([i]), np.array([n]), np.array([s], np.uint64))[0]
        for i, (n, s) in zip(index, given_, strict=True)
    ]
    assert together.tolist() == alone
    assert ((together >= 0) & (together < sizes)).all()


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_small_permutations_are_uniform(n):
    """Chi-square over all orders of n, each expected 100 times."""
    orders = list(itertools.permutations(range(n)))
    keys = many(100 * len(orders), n, "uniform")
    columns = [permute(np.full(len(keys), i), np.array([n]), keys) for i in range(n)]
    found = dict.fromkeys(orders, 0)
    for one in zip(*(c.tolist() for c in columns), strict=True):
        found[one] += 1
    assert stats.chisquare(list(found.values())).pvalue > 1e-3


@pytest.mark.parametrize("n", [40, 64, 65, 81, 130])
def test_pairs_of_places_are_uniform(n):
    """Chi-square over where the first two indices go, on both sides of the sorted sizes."""
    keys = many(20 * n * n, n, "pairs")
    first, second = (permute(np.full(len(keys), i), np.array([n]), keys) for i in range(2))
    cells = np.bincount(first * n + second, minlength=n * n).reshape(n, n)
    assert not np.diagonal(cells).any()
    assert stats.chisquare(cells[~np.eye(n, dtype=bool)]).pvalue > 1e-3


def test_orders_of_different_keys_are_unrelated_and_not_the_plain_one():
    a, b = (order(5000, fold(key(i, "epoch"))) for i in range(2))
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.06
    assert abs(np.corrcoef(a, np.arange(5000))[0, 1]) < 0.06
    assert abs(np.corrcoef(a[1:], a[:-1])[0, 1]) < 0.06


def test_counter_hashes_do_not_collide_and_depend_on_the_key():
    a, b = (many(100_000, i, "hash") for i in range(2))
    assert len(np.unique(np.concatenate([a, b]))) == 200_000
    bits = np.unpackbits(a.view(np.uint8)).mean()
    assert abs(bits - 0.5) < 0.002


def test_derived_keys_depend_on_the_key_the_number_and_the_purpose():
    keys, numbers = many(300, "keys"), np.arange(300)
    derived = [subkey(np.repeat(keys, 300), np.tile(numbers, 300), purpose) for purpose in range(2)]
    assert len(np.unique(np.concatenate(derived))) == 2 * 300 * 300

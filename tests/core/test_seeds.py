"""Random streams: what they hang on, and what they do not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimix.core.seeds import key, seed63, stream

PART = st.one_of(st.integers(-(2**70), 2**70), st.text(max_size=8))
PARTS = st.lists(PART, max_size=4).map(tuple)


@given(PARTS, PARTS)
def test_keys_are_equal_only_for_equal_parts(a, b):
    same = [(type(x), x) for x in a] == [(type(x), x) for x in b]
    assert (key(*a) == key(*b)) == same


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((1, 2), (2, 1)),  # place
        ((1, "2"), (1, 2)),  # type
        (("ab", "c"), ("a", "bc")),  # where a part ends
        ((1, 2, "draw"), (1, 2)),  # number of parts
        ((1, 2, "draw"), (1, 2, "start")),  # purpose
    ],
)
def test_streams_differ_by_every_part(a, b):
    assert not np.array_equal(stream(*a).random(8), stream(*b).random(8))


def test_numpy_integers_name_the_same_stream():
    assert key(np.int64(3), "x") == key(3, "x")


def test_a_stream_begins_anew_every_time():
    first = stream(5, 6, "draw")
    first.random(100)
    assert stream(5, 6, "draw").random() != first.random()
    assert np.array_equal(stream(5, 6, "draw").random(4), stream(5, 6, "draw").random(4))


def test_streams_never_change():
    """Stored episodes replay only as long as these numbers stay."""
    assert key(0, 1, "draw") == 0x4AEB5DFE0F4C6DD8B8008288CA51DAA9
    assert seed63("x") == 4317050458422493210
    assert int(stream(0, 1, "draw").integers(2**63)) == 1103438221751067372
    assert stream(0, 1, "draw").standard_normal() == pytest.approx(-2.199105278250376, abs=1e-15)


@given(PARTS)
def test_seed63_fits_an_int64(parts):
    assert 0 <= seed63(*parts) < 2**63


@pytest.mark.parametrize("part", [True, 1.0, None, b"x", (1,)])
def test_other_types_are_refused(part):
    with pytest.raises(TypeError, match=type(part).__name__):
        stream(0, part)

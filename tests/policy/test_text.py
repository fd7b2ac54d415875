"""Laws of the instruction embedding."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trimix.policy.text import BUCKETS, embed


@given(st.lists(st.text(max_size=30), max_size=4))
def test_every_text_has_unit_norm_or_is_empty(texts):
    out = embed(texts)
    assert out.shape == (len(texts), BUCKETS) and out.dtype == np.float32
    for text, row in zip(texts, out, strict=True):
        assert np.isclose(np.linalg.norm(row), 1.0 if text.split() else 0.0)


def test_case_and_spacing_do_not_matter_but_words_do():
    a, b, c, d = embed(["Put it  down", " put it down ", "put it down now", "stack the cups"])
    assert np.array_equal(a, b)
    assert a @ b > a @ c > a @ d


def test_the_hash_does_not_hang_on_the_process():
    # Python's own hash of a string differs in every process; these buckets may not.
    assert np.flatnonzero(embed(["x"])[0]).tolist() == [179, 196]

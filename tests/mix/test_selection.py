"""Which windows are chosen: spans, overlaps of two choices, and draws of episodes."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mix_fakes import FakeStore, fake, recipe, with_provenance

from trimix.core.errors import ConfigError, DataError
from trimix.data.windows import WindowSpec
from trimix.mix.compile import compile_recipe
from trimix.mix.loader import MixLoader
from trimix.mix.recipe import Filter, Source
from trimix.mix.runs import Runs
from trimix.mix.selection import choose, window_trust

trusts = st.sampled_from([0.0, 0.25, 0.5, 1.0]) | st.floats(0, 1, width=16)


def compiled(filters, data=None, **changes):
    """A lock of sources "a", "b", ... that are parts of one data set."""
    sources = {name: Source("all", chosen) for name, chosen in zip("abcd", filters, strict=False)}
    asked = recipe(dict.fromkeys(sources, 1.0), sources=sources, **changes)
    return compile_recipe(asked, FakeStore({"all": data or fake(0, (4,) * 12)}))


@given(st.sets(st.integers(0, 300)))
def test_runs_are_the_numbers(numbers):
    runs = Runs.of(list(numbers))
    assert list(runs) == sorted(numbers)
    assert len(runs) == len(numbers)
    assert Runs.of([*numbers, *numbers]) == runs == Runs(runs.text)
    assert len(runs.text) <= 8 * (len(numbers) + 1)


def test_millions_of_neighbours_are_a_few_bytes():
    assert Runs.of(np.arange(5_000_000)).text == "0-4999999"
    assert Runs.of([3, 1, 2, 7]).text == "1-3,7"


@pytest.mark.parametrize("text", ["1,0", "0-2,2", "0-1,2", "a", "3-2", "-1", "1,,2", "0-0"])
def test_what_is_no_list_of_runs_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        Runs(text).numbers()


@given(
    st.lists(st.lists(trusts, min_size=1, max_size=12), min_size=1, max_size=4),
    st.integers(1, 3),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.25, 0.5]),
)
@settings(max_examples=80)
def test_spans_are_exactly_the_trusted_windows(trust, history, chunk, least):
    data = replace(
        fake(0, [len(t) for t in trust]), row_trust=np.concatenate(trust, dtype=np.float32)
    )
    spec = WindowSpec(history, chunk)
    found = choose(data, data.episodes, least, spec)
    expected = [
        (e, t)
        for e, rows in enumerate(trust)
        for t, value in enumerate(window_trust(np.array(rows, np.float32), spec))
        if value >= least
    ]
    spans = found.spans
    stretches = zip(spans.episode, spans.first, spans.count, strict=True)
    assert [(e, t) for e, a, n in stretches for t in range(a, a + n)] == expected
    assert found.windows == len(expected)
    assert found.episodes == Runs.of([e for e, _ in expected])
    assert found.origins() == ({"real": len(expected)} if expected else {})
    assert found.cut == (len(expected) < sum(len(trust[e]) for e in found.episodes))


def test_an_uncut_choice_is_the_same_with_and_without_a_bound_on_trust():
    data = fake(0)
    a, b = (choose(data, data.episodes, least, WindowSpec()) for least in (0.0, 0.5))
    assert a.identity("x") == b.identity("x") != a.identity("y")


@given(st.sets(st.integers(0, 11), min_size=1), st.sets(st.integers(0, 11), min_size=1))
@settings(max_examples=60)
def test_sources_that_share_windows_are_refused_and_name_them(one, other):
    filters = [Filter(episodes=tuple(one)), Filter(episodes=tuple(other))]
    if one == other:
        assert compiled(filters).sources[0].names == ("a", "b")
    elif one & other:
        with pytest.raises(ConfigError) as fault:
            compiled(filters)
        episode = min(one & other)
        said = f"recipe: 'a' and 'b' both draw windows of episode {episode} of one data set; make"
        assert str(fault.value).startswith(said)
    else:
        lock = compiled(filters)
        assert sorted(e for s in lock.sources for e in s.episodes) == sorted(one | other)


@pytest.mark.parametrize(("first", "last"), [(1.0, 0.1), (0.1, 1.0)])
def test_an_overlap_of_a_part_of_an_episode_is_found_too(first, last):
    """By trust: 'a' takes all windows, 'b' the trusted ones at its begin or at its end."""
    data = replace(fake(0, (20,)), row_trust=np.linspace(first, last, 20, dtype=np.float32))
    with pytest.raises(ConfigError, match="'a' and 'b' both draw windows of episode 0"):
        compiled([Filter(), Filter(min_trust=0.5)], data)


def test_an_overlap_is_found_among_many_sources_of_one_content():
    filters = [Filter(episodes=(i, i + 1)) for i in (0, 4, 8)]
    assert len(compiled(filters).sources) == 3
    with pytest.raises(ConfigError, match="'b' and 'd' both draw windows of episode 5"):
        compiled([*filters, Filter(episodes=(5, 6, 7))])


def test_episodes_are_sampled_by_the_seed():
    draws = [compiled([Filter(sample=5)], seed=seed).sources[0] for seed in range(40)]
    assert all(len(d.episodes) == d.sample == 5 for d in draws)
    assert all(d.excluded == {"not sampled": 7} for d in draws)
    assert compiled([Filter(sample=5)], seed=3).sources[0] == draws[3]
    assert len({d.episodes for d in draws}) > 30, "seeds draw alike"
    times = np.bincount([e for d in draws for e in d.episodes], minlength=12)
    assert times.min() >= 6 and times.max() <= 30, "some episodes are hardly ever drawn"


def test_a_larger_sample_of_a_seed_holds_the_smaller_ones():
    draws = [set(compiled([Filter(sample=n)]).sources[0].episodes) for n in range(1, 13)]
    assert all(a < b for a, b in pairwise(draws))


def test_a_sample_is_of_those_that_pass_and_is_what_is_loaded():
    data = fake(0, (4,) * 12, success=True)
    for i in (1, 2, 5):
        data = with_provenance(data, i, success=False)
    data = replace(data, row_trust=np.repeat(np.float32([0.1, 1.0]), [8, 40]))
    chosen = Filter(success=True, min_trust=0.5, sample=4)
    lock = compiled([chosen], data)
    source = lock.sources[0]
    assert set(source.episodes) <= {3, 4, 6, 7, 8, 9, 10, 11} and source.windows == 16
    loader = MixLoader(lock, FakeStore({"all": data}))
    seen = {e for k in range(8) for e in loader.load(k).episode.tolist()}
    assert seen == set(source.episodes)


def test_more_episodes_than_pass_cannot_be_sampled():
    with pytest.raises(DataError, match=r"source 'a' \(all\): 12 episodes pass .* 13 are to be"):
        compiled([Filter(sample=13)])

"""The laws of the stream: exact epochs, resumable anywhere, blind to names and order."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mix_fakes import FakeStore, fake, recipe, three

from trimix.core.errors import ConfigError
from trimix.mix.compile import compile_recipe
from trimix.mix.loader import MixLoader
from trimix.mix.recipe import Phase, Source
from trimix.mix.sampler import MixSampler

share = st.floats(0.0, 1.0).map(lambda x: round(x, 3))
shares = st.fixed_dictionaries({"real": share, "sim": share, "dream": share}).filter(
    lambda s: any(s.values())
)


@st.composite
def recipes(draw):
    phased = draw(st.booleans())
    phases = (Phase(0.3, draw(shares)), Phase(1.0, draw(shares))) if phased else ()
    return recipe(
        {} if phased else draw(shares),
        phases=phases,
        ramp=draw(st.sampled_from(["piecewise", "linear"])),
        unit=draw(st.sampled_from(["windows", "episodes"])),
        batch_size=draw(st.integers(1, 24)),
        steps=draw(st.integers(1, 30)),
        seed=draw(st.integers(0, 2**40)),
    )


def same(a, b):
    """Whether two batch plans are equal in every array."""
    return a.step == b.step and all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for name in ("source", "window", "epoch", "augment_seed")
    )


@given(recipes())
@settings(max_examples=40)
def test_each_window_comes_exactly_once_an_epoch(asked):
    lock = compile_recipe(asked, three())
    sampler = MixSampler(lock)
    plans = [sampler.batch(k) for k in range(lock.steps)]
    for i, source in enumerate(lock.sources):
        drawn = Counter()
        for plan in plans:
            mine = plan.source == i
            drawn.update(zip(plan.epoch[mine].tolist(), plan.window[mine].tolist(), strict=True))
        assert not drawn or max(drawn.values()) == 1
        assert sum(drawn.values()) == source.draws
        assert source.repeats == source.draws / source.windows
        epochs = Counter(epoch for epoch, _ in drawn)
        full, rest = divmod(source.draws, source.windows)
        assert [epochs[e] for e in range(full)] == [source.windows] * full
        assert epochs[full] == rest


def test_every_epoch_and_every_source_has_its_own_order():
    store = FakeStore({"real": fake(0, (40,)), "sim": fake(1, (40,))})
    lock = compile_recipe(recipe({"real": 1, "sim": 1}, batch_size=80, steps=5), store)
    sampler = MixSampler(lock)
    orders = set()
    for k in range(5):
        plan = sampler.batch(k)
        for i in range(2):
            assert set(plan.epoch[plan.source == i]) == {k}
            orders.add(tuple(plan.window[plan.source == i].tolist()))
    assert len(orders) == 10


@given(recipes(), st.data())
@settings(max_examples=30)
def test_any_batch_is_the_same_wherever_the_training_was_stopped(asked, data):
    lock = compile_recipe(asked, three())
    ahead = MixSampler(lock)
    whole = [ahead.batch(k) for k in range(lock.steps)]
    k = data.draw(st.integers(0, lock.steps - 1))
    resumed = MixSampler(type(lock).from_json(lock.to_json()))
    assert all(same(resumed.batch(i), whole[i]) for i in (k, lock.steps - 1, 0))


@given(recipes(), st.permutations(["real", "sim", "dream"]))
@settings(max_examples=40)
def test_reordering_and_renaming_sources_changes_nothing(asked, order):
    store = three()
    new = dict(zip(("real", "sim", "dream"), ("zebra", "m", "aardvark"), strict=True))
    moved = FakeStore({f"/elsewhere/{new[n]}": d for n, d in store.data.items()})
    renamed = replace(
        asked,
        sources={new[n]: replace(asked.sources[n], path=f"/elsewhere/{new[n]}") for n in order},
        shares={new[n]: asked.shares[n] for n in order if n in asked.shares},
        phases=tuple(Phase(p.until, {new[n]: p.shares[n] for n in order}) for p in asked.phases),
    )
    a, b = compile_recipe(asked, store), compile_recipe(renamed, moved)
    assert a.hash == b.hash
    for k in {0, a.steps // 2, a.steps - 1}:
        assert same(MixSampler(a).batch(k), MixSampler(b).batch(k))


def test_one_content_under_two_names_is_one_source_with_the_sum_of_the_shares():
    store = three()
    store.data["copy"] = store.data["real"]
    once = recipe({"real": 0.8, "sim": 0.2})
    twice = replace(
        once,
        sources={**once.sources, "again": Source(path="copy")},
        shares={"real": 0.5, "again": 0.3, "sim": 0.2},
    )
    a, b = compile_recipe(once, store), compile_recipe(twice, store)
    assert a.hash == b.hash
    assert sorted(s.name for s in b.sources) == ["again+real", "sim"]


@given(shares)
@settings(max_examples=20)
def test_a_zero_share_gives_nothing_and_need_not_be_there(asked):
    store = three()
    for name, value in asked.items():
        if value == 0:
            del store.data[name]
    lock = compile_recipe(recipe(asked), store)
    store.opened.clear()
    loader = MixLoader(lock, store)
    loader.load(0)
    assert set(store.opened) == {name for name, value in asked.items() if value > 0}
    assert set(lock.unused) == {name for name, value in asked.items() if value == 0}


def test_augmentation_seeds_are_unique_over_the_training():
    lock = compile_recipe(recipe(), three())
    sampler = MixSampler(lock)
    seeds = np.concatenate([sampler.batch(k).augment_seed for k in range(lock.steps)])
    assert len(np.unique(seeds)) == lock.steps * lock.batch_size


def test_a_seed_changes_the_order_and_the_augmentation_but_not_the_exposure():
    a, b = (compile_recipe(recipe(seed=s), three()) for s in (0, 1))
    one, other = MixSampler(a), MixSampler(b)
    for k in range(a.steps):
        x, y = one.batch(k), other.batch(k)
        assert not np.array_equal(x.source, y.source) or not np.array_equal(x.window, y.window)
        assert not set(x.augment_seed.tolist()) & set(y.augment_seed.tolist())
    assert [s.draws for s in a.sources] == [s.draws for s in b.sources]


def test_a_seed_changes_which_windows_come_early_not_only_their_places_in_the_batch():
    store = FakeStore({"real": fake(0, (400,))})
    early = [
        set(MixSampler(compile_recipe(recipe({"real": 1}, seed=s), store)).batch(0).window.tolist())
        for s in range(20)
    ]
    met = [len(a & b) for i, a in enumerate(early) for b in early[:i]]
    assert np.mean(met) < 1, "two draws of 10 of 400 have a quarter of a window in common"


@given(recipes(), st.data())
@settings(max_examples=40)
def test_processes_share_a_batch_without_gaps_and_doubles(asked, data):
    lock = compile_recipe(asked, three())
    sampler, k = MixSampler(lock), data.draw(st.integers(0, lock.steps - 1))
    whole, world = sampler.batch(k), data.draw(st.integers(1, lock.batch_size))
    parts = [sampler.batch(k, rank, world) for rank in range(world)]
    sizes = {len(p.source) for p in parts}
    assert max(sizes) - min(sizes) <= 1
    for name in ("source", "window", "epoch", "augment_seed"):
        joined = np.empty_like(getattr(whole, name))
        for rank, part in enumerate(parts):
            joined[rank::world] = getattr(part, name)
        assert np.array_equal(joined, getattr(whole, name))


@pytest.mark.parametrize(("rank", "world"), [(-1, 2), (2, 2), (0, 0), (0, 11)])
def test_a_process_that_has_no_part_is_refused(rank, world):
    lock = compile_recipe(recipe(), three())
    with pytest.raises(ConfigError, match="process"):
        MixSampler(lock).batch(0, rank, world)
    with pytest.raises(ConfigError, match="process"):
        MixLoader(lock, three(), rank=rank, world=world)


def test_sources_are_shuffled_within_the_batch():
    sampler = MixSampler(compile_recipe(recipe({"real": 1, "sim": 1}, batch_size=64), three()))
    halves = [np.mean(sampler.batch(k).source[:32]) for k in range(40)]
    assert 0.4 < np.mean(halves) < 0.6
    assert len(set(halves)) > 3


@pytest.mark.parametrize("k", [-1, 40])
def test_there_is_no_batch_outside_the_training(k):
    with pytest.raises(IndexError, match="40 steps"):
        MixSampler(compile_recipe(recipe(), three())).batch(k)


def test_a_window_of_one_source_is_repeated_evenly():
    store = FakeStore({"real": fake(0, (1,)), "sim": fake(1, (3,))})
    lock = compile_recipe(recipe({"real": 0.5, "sim": 0.5}, batch_size=16), store)
    sampler = MixSampler(lock)
    plan = sampler.batch(3)
    for i, source in enumerate(lock.sources):
        times = np.bincount(plan.window[plan.source == i], minlength=source.windows)
        assert times.max() - times.min() <= 2

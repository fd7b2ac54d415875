"""Loaded batches are what the plan says, the same with any number of workers, and counted."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mix_fakes import KILL, FakeStore, fake, recipe, three, with_provenance

from trimix.core.errors import DataError, TrimixError
from trimix.mix.batch import MixBatch
from trimix.mix.compile import compile_recipe
from trimix.mix.loader import MixLoader
from trimix.mix.prefetch import Prefetcher
from trimix.mix.recipe import Filter, Source


def digest(batch: MixBatch) -> tuple:
    """Every byte of a batch."""
    arrays = [batch.images[c] for c in sorted(batch.images)]
    arrays += [getattr(batch, n) for n in ("state", "action", "action_valid", "history_valid")]
    arrays += [getattr(batch, n) for n in ("episode", "frame", "trust", "source", "window")]
    arrays += [batch.domain_shown, batch.augment_seed]
    texts = (batch.step, tuple(batch.instruction), tuple(batch.domain))
    return (*texts, *((a.shape, a.dtype.str, a.tobytes()) for a in arrays))


def test_every_field_of_a_sample_comes_from_the_same_window():
    store = three()
    lock = compile_recipe(recipe(image_hw=(4, 5)), store)
    loader = MixLoader(lock, store)
    for k in (0, 7, 39):
        batch = loader.load(k)
        for b in range(len(batch)):
            source = lock.sources[batch.source[b]]
            tag = ["real", "sim", "dream"].index(source.path)
            assert batch.instruction[b] == f"{tag} {batch.episode[b]} {batch.frame[b]}"
            assert (batch.state[b] == tag * 10_000 + batch.episode[b] * 100 + batch.frame[b]).all()
            assert (batch.images["wrist"][b] == batch.frame[b]).all()
            assert batch.domain[b] == source.path
        assert batch.images["wrist"].shape == (10, 2, 4, 5, 3)
        assert batch.action.shape == (10, 8, 1)


def test_a_source_may_keep_its_origin_to_itself():
    sources = {"real": Source("real"), "sim": Source("sim", domain=False)}
    store = three()
    lock = compile_recipe(recipe({"real": 1, "sim": 1}, sources=sources), store)
    batch = MixLoader(lock, store).load(0)
    assert batch.domain_shown.tolist() == [origin == "real" for origin in batch.domain]


def test_filtered_windows_are_never_loaded():
    data = with_provenance(fake(0, (10, 10)), 0, success=True)
    trust = np.tile(np.linspace(0.1, 1, 10, dtype=np.float32), 2)
    store = FakeStore({"a": replace(data, row_trust=trust)})
    chosen = {"a": Source("a", Filter(success=True, min_trust=0.45))}
    spec = replace(recipe().window, history=1, chunk=2)
    lock = compile_recipe(recipe({"a": 1}, sources=chosen, window=spec), store)
    loader = MixLoader(lock, store)
    seen = {
        (e, f)
        for k in range(9)
        for b in [loader.load(k)]
        for e, f in zip(b.episode, b.frame, strict=True)
    }
    assert seen == {(0, f) for f in range(4, 10)}


@given(st.lists(st.integers(0, 39), min_size=1, max_size=6))
@settings(max_examples=25)
def test_what_was_loaded_before_changes_nothing(order):
    store = three()
    lock = compile_recipe(recipe(), store)
    loader = MixLoader(lock, store)
    for k in order:
        assert digest(loader.load(k)) == digest(MixLoader(lock, store).load(k))


@pytest.mark.parametrize("workers", [0, 1, 4])
def test_the_stream_is_the_same_for_any_number_of_workers(workers):
    store = three()
    lock = compile_recipe(recipe(steps=12), store)
    loader = MixLoader(lock, store)
    expected = [digest(loader.load(k)) for k in range(12)]
    with Prefetcher(MixLoader(lock, store), workers) as stream:
        assert [digest(stream.load(k)) for k in range(12)] == expected
        assert [digest(stream.load(k)) for k in range(5, 8)] == expected[5:8]
        assert [digest(stream.load(k)) for k in (11, 2, 3, 0)] == [
            expected[k] for k in (11, 2, 3, 0)
        ]
        with pytest.raises(IndexError, match="12 steps"):
            stream.load(12)


def test_a_fault_in_a_worker_is_the_same_error_as_without_workers():
    store = three()
    store.data["sim"] = replace(store.data["sim"], broken_frame=3)
    loader = MixLoader(compile_recipe(recipe(), store), store)
    said = []
    for workers in (0, 1):
        with Prefetcher(loader, workers) as stream, pytest.raises(DataError) as fault:
            [stream.load(k) for k in range(40)]
        said.append(str(fault.value))
    assert said == ["row 3: cannot be decoded; repair it"] * 2


def test_a_worker_that_dies_is_one_clear_line():
    store = three()
    store.data["sim"] = replace(store.data["sim"], broken_frame=KILL)
    loader = MixLoader(compile_recipe(recipe(), store), store)
    with Prefetcher(loader, 1) as stream, pytest.raises(TrimixError, match="use fewer workers"):
        [stream.load(k) for k in range(40)]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_process_reads_its_own_part_alone(workers):
    store = three()
    lock = compile_recipe(recipe(batch_size=11, steps=3), store)
    whole = MixLoader(lock, store).load(1)
    for rank in range(3):
        loader = MixLoader(lock, store, rank=rank, world=3)
        with Prefetcher(loader, workers) as stream:
            part = stream.load(1)
        assert np.array_equal(part.state, whole.state[rank::3])
        assert part.instruction == whole.instruction[rank::3]
        assert part.domain == whole.domain[rank::3]


def test_windows_that_are_not_the_locks_are_refused():
    """The content says that it is the same, but another choice follows from it."""
    store = three()
    data = replace(store.data["real"], row_trust=np.linspace(0, 1, 21, dtype=np.float32))
    sources = {"real": Source("real", Filter(min_trust=0.45))}
    store.data["real"] = data
    lock = compile_recipe(recipe({"real": 1}, sources=sources), store)
    MixLoader(lock, store).load(0)
    store.data["real"] = replace(data, row_trust=data.row_trust[::-1])
    with pytest.raises(DataError, match=r"source 'real' changed .*its windows are not the lock's"):
        MixLoader(lock, store).load(0)


def test_what_a_jump_leaves_behind_is_dropped():
    store = three()
    loader = MixLoader(compile_recipe(recipe(), store), store)
    with Prefetcher(loader, 1, depth=3) as stream:
        for k in (0, 20, 5, 30):
            stream.load(k)
            assert set(stream._futures) == set(range(k + 1, k + 4))

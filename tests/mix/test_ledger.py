"""The ledger tells what was read, whatever was planned, and once a step."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mix_fakes import fake, recipe, three

from trimix.core.errors import ConfigError
from trimix.mix.compile import compile_recipe
from trimix.mix.ledger import Ledger
from trimix.mix.loader import MixLoader
from trimix.mix.recipe import Phase


def setting(**changes):
    store = three()
    lock = compile_recipe(recipe(**changes), store)
    return lock, MixLoader(lock, store)


def test_it_counts_what_was_drawn_and_agrees_with_the_plan(tmp_path):
    lock, loader = setting()
    ledger, drawn, seen = Ledger(lock), Counter(), [set() for _ in lock.sources]
    for k in range(lock.steps):
        batch = loader.load(k)
        ledger.record(batch)
        drawn.update(batch.source.tolist())
        for i, episode in zip(batch.source, batch.episode, strict=True):
            seen[i].add(int(episode))
    assert ledger.differences() == ()
    for i, (exposure, source) in enumerate(zip(ledger.exposure(), lock.sources, strict=True)):
        assert exposure.windows == drawn[i] == source.draws == exposure.planned_windows
        assert exposure.share == exposure.planned_share == source.draws / 400
        assert exposure.origins == {source.path: source.draws}
        assert exposure.repeats == source.repeats
        assert exposure.episodes == len(seen[i])
        assert exposure.seconds == pytest.approx(source.draws * 0.1)
    ledger.save(tmp_path / "run" / "ledger.json")
    saved = json.loads((tmp_path / "run" / "ledger.json").read_text())
    assert saved == json.loads(json.dumps(ledger.to_json()))
    assert saved["lock"] == lock.hash
    assert saved["origins"] == {"dream": 40, "real": 280, "sim": 80}
    assert (saved["windows"], saved["steps"]) == (400, 40)


@given(st.lists(st.integers(0, 39), max_size=30), st.integers(0, 30), st.booleans())
@settings(max_examples=30, deadline=None)
def test_a_step_counts_once_in_any_order_and_over_any_resume(order, cut, linear):
    """Recorded as they come, then saved, taken up by a new ledger, and partly read again."""
    phases = (Phase(0.3, {"sim": 1}), Phase(1.0, {"real": 0.3, "dream": 0.7}))
    lock, loader = setting(shares={}, phases=phases, ramp="linear" if linear else "piecewise")
    once, stopped = Ledger(lock), Ledger(lock)
    for k in sorted(set(order)):
        once.record(loader.load(k))
    for k in order[:cut]:
        stopped.record(loader.load(k))
    resumed = Ledger(lock)
    resumed.restore(json.loads(json.dumps(stopped.state())))
    for k in order[cut // 2 :]:
        resumed.record(loader.load(k))
    assert resumed.to_json() == once.to_json()
    assert once.differences() == ()
    assert once.steps == len(set(order))


def test_it_says_when_something_else_was_drawn():
    lock, loader = setting()
    ledger, batch = Ledger(lock), loader.load(0)
    ledger.record(replace(batch, source=np.zeros_like(batch.source), window=batch.window * 0))
    assert len(ledger.differences()) == 3
    assert "10 windows drawn" in ledger.differences()[0]


def test_it_tells_origins_by_what_was_read():
    """A source of several origins: the plan knows windows, only the batch knows whose they are."""
    lock, loader = setting()
    ledger, batch = Ledger(lock), loader.load(0)
    ledger.record(replace(batch, domain=["dream"] * len(batch)))
    assert ledger.to_json()["origins"] == {"dream": 10}


def test_an_account_of_another_lock_is_not_taken_up():
    lock, _ = setting()
    other, _ = setting(seed=1)
    for state in (None, Ledger(other).state()):
        with pytest.raises(ConfigError, match="no account of what it drew"):
            Ledger(lock).restore(state)


def test_its_memory_does_not_grow_with_the_windows():
    """A billion windows in one source: a counter for each would be 8 GB."""
    store = three()
    store.data["real"] = fake(0, (5, 5))
    lock = compile_recipe(recipe(), store)
    huge = replace(lock, sources=tuple(replace(s, windows=10**9) for s in lock.sources))
    ledger = Ledger(huge)
    ledger.record(MixLoader(lock, store).load(0))
    assert len(json.dumps(ledger.state())) < 1000

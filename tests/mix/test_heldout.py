"""What is held out is never drawn: itself, in another import, or through dreams and models."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mix_fakes import (
    MODEL,
    FakeStore,
    by_name,
    dream,
    fake,
    recipe,
    recording,
    three,
    with_provenance,
)

from trimix.core.errors import ConfigError, DataError
from trimix.data.fingerprint import join
from trimix.mix.compile import compile_recipe
from trimix.mix.heldout import learned_from
from trimix.mix.recipe import Filter, Source
from trimix.mix.runs import Runs

BOTH = {"real": 0.5, "dream": 0.5}


def compiled(store, **changes):
    """The lock of a mix of all that is in the store."""
    sources = {name: Source(name) for name in store.data}
    shares = dict.fromkeys(sources, 1.0)
    given = {"sources": sources, "lineage": (), **changes}
    return by_name(compile_recipe(recipe(shares, **given), store))


def test_held_out_episodes_are_never_chosen():
    store = three()
    store.data["real"] = with_provenance(store.data["real"], 1, split="heldout")
    source = by_name(compile_recipe(recipe(), store))["real"]
    assert tuple(source.episodes) == (0, 2)
    assert source.excluded == {"held out": 1}
    with pytest.raises(ConfigError, match="held-out"):
        compile_recipe(recipe(sources={"real": Source("real", Filter(split=("heldout",)))}), store)


def test_what_one_import_holds_out_is_drawn_from_no_other():
    """Two imports of the same episodes, in another order and with another split."""
    one = with_provenance(fake(0), 1, split="heldout")
    two = fake(5)
    for i in range(3):
        two = with_provenance(two, i, fingerprint=join(recording(0, 2 - i), recording(5, i)))
    two = with_provenance(two, 0, split="heldout")
    found = compiled(FakeStore({"one": one, "two": two}))
    assert tuple(found["one"].episodes) == (0,), "1 is held out here, 2 there"
    assert tuple(found["two"].episodes) == (2,)
    assert found["one"].excluded == found["two"].excluded == {"held out": 2}


def test_a_data_set_that_is_not_drawn_from_can_hold_episodes_out():
    store = FakeStore({"real": fake(0), "kept": with_provenance(fake(0), 2, split="heldout")})
    asked = recipe({"real": 1}, sources={"real": Source("real")}, lineage=("kept",))
    assert tuple(by_name(compile_recipe(asked, store))["real"].episodes) == (0, 1)


def test_a_source_without_a_share_holds_out_what_it_held_out_with_one():
    """The cheat: a sweep over shares, at whose end the held-out episodes are trained on."""
    store = FakeStore({"a": with_provenance(fake(0), 1, split="heldout"), "b": fake(0)})
    sources = {name: Source(name) for name in "ab"}
    for share in (1.0, 0.0):
        lock = compile_recipe(recipe({"a": share, "b": 1}, sources=sources, lineage=()), store)
        assert [tuple(source.episodes) for source in lock.sources] == [(0, 2)]
    assert lock.unused == ("a",)


@pytest.mark.parametrize(
    "leak",
    [
        {"split": "heldout"},  # the start frame, as the dream states it
        {"own_split": "heldout"},  # the world model's training data, as the dream states it
        {"learned": (recording(0, 2),)},  # the world model's training data, as it was
    ],
)
def test_a_dream_with_held_out_lineage_is_refused(leak):
    parent = with_provenance(fake(0), 2, split="heldout")
    store = FakeStore({"real": parent, "dream": dream(0, **leak)})
    with pytest.raises(DataError, match=r"source 'dream'.*no window is left.*2 held out"):
        compiled(store)


def test_the_parent_data_set_has_the_last_word_on_a_dreams_lineage():
    """The second dream says that it began in a training episode; its parent knows better."""
    parent = with_provenance(fake(0), 1, split="heldout")
    source = compiled(FakeStore({"real": parent, "dream": dream(0)}))["dream"]
    assert tuple(source.episodes) == (0,)
    assert source.excluded == {"held out": 1}


def test_a_dream_of_a_dream_inherits_the_whole_lineage():
    """real 1 is held out; dream 1 began in it, and second 1 in dream 1. All else says train."""
    parent = with_provenance(fake(0), 1, split="heldout")
    child = dream(0)
    grandchild = dream(9, tag=10)
    for i in range(2):
        grandchild = with_provenance(grandchild, i, fingerprint=child.fingerprints[i])
    found = compiled(FakeStore({"real": parent, "dream": child, "second": grandchild}))
    assert found["dream"].episodes == found["second"].episodes == Runs("0")


def test_every_model_on_a_dreams_line_counts():
    """The model that dreamed it saw nothing held out; the one that dreamed its start did."""
    parent = with_provenance(fake(0), 1, split="heldout")
    data = with_provenance(dream(0), 0, models=(MODEL, "first"))
    data = replace(data, models={MODEL: (recording(0, 0),), "first": (recording(0, 1),)})
    with pytest.raises(DataError, match="2 held out"):
        compiled(FakeStore({"real": parent, "dream": data}))


def test_what_a_policy_learned_from_is_told_through_dreams_and_their_models():
    """Not by what else lies in the data set: of its two dreams, the filter draws the second."""
    data = with_provenance(dream(0, learned=(recording(7, 7),)), 1, models=(MODEL, "first"))
    data = with_provenance(data, 0, models=("another",))
    data = replace(data, models={**data.models, "first": (recording(8, 8),), "another": ((),)})
    store = FakeStore({"real": fake(0), "dream": data})
    sources = {"dream": Source("dream", Filter(episodes=(1,)))}
    lock = compile_recipe(recipe({"dream": 1}, sources=sources, lineage=("real",)), store)
    assert set(learned_from(lock, store)) == {recording(0, 1), recording(7, 7), recording(8, 8)}


def test_what_is_known_to_be_held_out_is_called_that_whatever_else_is_unknown():
    parent = with_provenance(fake(0), 1, split="heldout")
    data = with_provenance(dream(0), 1, models=(MODEL, "nobody's"))
    found = compiled(FakeStore({"real": parent, "dream": data}))
    assert found["dream"].excluded == {"held out": 1}


@pytest.mark.parametrize(
    "forget",
    [
        lambda d: with_provenance(d, 0, fingerprint=()),  # where it began
        lambda d: with_provenance(d, 0, fingerprint=recording(3, 3)),  # what that recording is
        lambda d: with_provenance(d, 0, models=()),  # which model dreamed it
        lambda d: with_provenance(d, 0, models=(MODEL, "another")),  # what another one learned from
    ],
)
def test_what_is_not_known_of_a_dream_is_refused(forget):
    source = compiled(FakeStore({"real": fake(0), "dream": forget(dream(0))}))["dream"]
    assert tuple(source.episodes) == (1,)
    assert source.excluded == {"unknown lineage": 1}


@pytest.mark.parametrize("learned", [(), (recording(0, 0), ())])
def test_a_model_of_which_not_all_is_known_is_refused(learned):
    with pytest.raises(DataError, match="2 unknown lineage"):
        compiled(FakeStore({"real": fake(0), "dream": dream(0, learned=learned)}))


def test_a_mix_of_dreams_alone_says_what_it_needs():
    store = FakeStore({"real": fake(0), "dream": dream(0)})
    sources = {"dream": Source("dream")}
    asked = recipe({"dream": 1}, sources=sources, lineage=("real",))
    assert tuple(by_name(compile_recipe(asked, store))["dream"].episodes) == (0, 1)
    needed = "name the data sets that its dreams go back to under `lineage`"
    with pytest.raises(DataError, match=re.escape(needed)):
        compile_recipe(replace(asked, lineage=()), store)


@given(st.data())
@settings(max_examples=30)
def test_no_held_out_frame_is_drawn_whatever_the_filter(data):
    """Over random splits of recorded episodes and random training data of the world model."""
    word = st.sampled_from(["train", "heldout"])
    parent, copy = fake(0, (4,) * 4), fake(0, (4,) * 4)
    for i in range(4):
        parent = with_provenance(parent, i, split=data.draw(word))
        copy = with_provenance(copy, i, split=data.draw(word))
    learned = data.draw(st.sets(st.integers(0, 3), min_size=1))
    child = dream(0, learned=tuple(recording(0, i) for i in sorted(learned)))
    store = FakeStore({"real": parent, "copy": copy, "sim": fake(5, (4,)), "dream": child})
    chosen = Filter(episodes=data.draw(st.none() | st.just((0, 1))))
    drawn, without_share = (
        data.draw(st.sets(st.sampled_from(["real", "copy", "dream"]))) for _ in range(2)
    )
    listed = ["sim", *sorted(drawn | without_share)]
    sources = {n: Source(n, chosen if n == "dream" else Filter()) for n in listed}
    lineage = tuple(sorted(data.draw(st.sets(st.sampled_from(["real", "copy"])))))
    at_hand = [store.data[n] for n in {*listed, *lineage} if n in ("real", "copy")]
    held = {e.index for d in at_hand for e in d.episodes if e.provenance.split == "heldout"}
    shares = {name: float(name in drawn or name == "sim") for name in listed}
    try:
        lock = compile_recipe(recipe(shares, sources=sources, lineage=lineage), store)
    except DataError as fault:
        assert "held out" in str(fault) or ("unknown" in str(fault) and not at_hand)
        return
    for source in lock.sources:
        if source.path == "sim":
            continue
        assert not held & set(source.episodes)
        if source.path == "dream":
            assert at_hand and not held & learned
            assert set(source.episodes) == {0, 1} - held, "nothing else is refused"
        else:
            assert set(source.episodes) == set(range(4)) - held, "nothing else is refused"

"""What a recipe compiles to, and what is refused."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mix_fakes import INTERFACE, FakeStore, by_name, fake, recipe, three, with_provenance

from trimix.core.errors import ConfigError, InterfaceError, MissingError
from trimix.data.windows import WindowSpec
from trimix.mix.compile import compile_recipe
from trimix.mix.recipe import Filter, Phase, Recipe, Source
from trimix.mix.schedule import PARTS
from trimix.mix.selection import window_trust


def test_shares_need_not_sum_to_one():
    locks = [
        compile_recipe(recipe({"real": r, "sim": s, "dream": d}), three())
        for r, s, d in [(0.7, 0.2, 0.1), (70, 20, 10), (7, 2, 1)]
    ]
    assert len({lock.hash for lock in locks}) == 1
    assert by_name(locks[0])["real"].draws == 280
    assert sorted(locks[0].segments[0].parts) == [PARTS // 10, PARTS // 5, 7 * PARTS // 10]


def test_shares_by_episodes_draw_episodes_worth():
    """Real episodes have 7 windows on average, sim ones 20."""
    lock = compile_recipe(recipe({"real": 1, "sim": 1}, unit="episodes", steps=270), three())
    real, sim = by_name(lock)["real"], by_name(lock)["sim"]
    assert real.draws / 7 == pytest.approx(sim.draws / 20, rel=0.01)


def test_shares_by_seconds_are_refused_with_what_to_write():
    with pytest.raises(ConfigError, match="seconds are windows; write unit: windows"):
        compile_recipe(recipe(unit="seconds"), three())


def test_phases_follow_each_other():
    phases = (Phase(0.25, {"sim": 1}), Phase(1.0, {"real": 0.5, "sim": 0.5}))
    lock = compile_recipe(recipe({}, phases=phases), three())
    assert [s.until_step for s in lock.segments] == [10, 40]
    assert by_name(lock)["real"].draws == 150
    assert by_name(lock)["real"].share == pytest.approx(0.375)


@given(st.integers(1, 12), st.integers(0, 10), st.integers(1, 10), st.integers(1, 80))
@settings(max_examples=60)
def test_a_cap_is_never_passed_and_the_rest_goes_to_the_others(cap, real, dreams, steps):
    asked = recipe({"real": real, "sim": 3, "dream": dreams}, steps=steps, batch_size=13)
    sources = {
        **asked.sources,
        "real": Source("real", max_repeats=cap),
        "dream": Source("dream", max_repeats=cap / 2),
    }
    lock = compile_recipe(replace(asked, sources=sources), three())
    assert sum(s.draws for s in lock.sources) == steps * 13
    free = compile_recipe(asked, three())
    for source in lock.sources:
        uncapped = by_name(free)[source.name].draws
        if source.max_repeats is None:
            assert source.draws >= uncapped
        else:
            assert source.repeats <= source.max_repeats
            if uncapped + 3 < source.max_repeats * source.windows:
                assert source.draws >= uncapped
            elif uncapped > source.max_repeats * source.windows + 3:
                assert source.draws >= source.max_repeats * source.windows - 8


def test_a_capped_curriculum_keeps_its_shape():
    phases = (Phase(0.5, {"real": 0.8, "sim": 0.2}), Phase(1.0, {"real": 0.4, "sim": 0.6}))
    sources = {"real": Source("real", max_repeats=2), "sim": Source("sim")}
    lock = compile_recipe(recipe({}, sources=sources, phases=phases), three())
    i = [s.name for s in lock.sources].index("real")
    first, second = (segment.parts[i] / PARTS for segment in lock.segments)
    odds = (first / (1 - first)) / (second / (1 - second))
    assert odds == pytest.approx((0.8 / 0.2) / (0.4 / 0.6), rel=1e-6)
    assert lock.sources[i].draws <= 42


def test_a_cap_that_may_not_be_redistributed_or_cannot_be_is_an_error():
    sources = {"real": Source("real", max_repeats=2)}
    for changes in ({"when_capped": "error"}, {}):
        with pytest.raises(ConfigError, match=r"'real': 400 windows asked, 42 allowed"):
            compile_recipe(recipe({"real": 1}, sources=sources, **changes), three())


def test_filters_join_and_count_what_they_leave_out():
    data = fake(0, (3,) * 6, success=True)
    data = with_provenance(data, 1, success=False)
    data = with_provenance(data, 2, success=None)
    data = with_provenance(data, 3, origin="sim")
    data = with_provenance(data, 4, split="extra")
    chosen = Filter(success=True, origin=("real",), episodes=(0, 1, 2, 3, 4))
    lock = compile_recipe(
        recipe({"a": 1}, sources={"a": Source("a", chosen)}), FakeStore({"a": data})
    )
    assert tuple(lock.sources[0].episodes) == (0,)
    assert lock.sources[0].excluded == {
        "failed": 1,
        "success not labelled": 1,
        "origin sim": 1,
        "split extra": 1,
        "not listed": 1,
    }


@given(
    st.lists(st.floats(0, 1, width=16), min_size=1, max_size=12),
    st.integers(1, 4),
    st.integers(1, 6),
)
def test_a_windows_trust_is_the_least_of_the_rows_it_reads(trust, history, chunk):
    found = window_trust(np.array(trust, np.float32), WindowSpec(history, chunk))
    expected = [min(trust[max(0, t - history + 1) : t + chunk]) for t in range(len(trust))]
    assert found.tolist() == [np.float32(e) for e in expected]


def test_trust_cuts_the_end_of_a_dream():
    data = replace(fake(0, (10,)), row_trust=np.linspace(1, 0.1, 10, dtype=np.float32))
    chosen = Source("a", Filter(min_trust=0.45))
    lock = compile_recipe(
        recipe({"a": 1}, sources={"a": chosen}, window=WindowSpec(1, 2)),
        FakeStore({"a": data}),
    )
    assert lock.sources[0].windows == 5
    assert lock.sources[0].excluded == {"low trust (windows)": 5}


def other_interface(**changes):
    data = three()
    data.data["sim"] = replace(data.data["sim"], interface=replace(INTERFACE, **changes))
    return data


@pytest.mark.parametrize(
    ("changes", "differs"),
    [
        ({"cameras": {"front": (4, 6)}}, "cameras wrist 4x6 against front 4x6"),
        ({"cameras": {"wrist": (8, 6)}}, "cameras wrist 4x6 against wrist 8x6"),
        ({"control_mode": "ee_delta"}, "control mode 'joint_velocity' against 'ee_delta'"),
        ({"control_dt_s": 0.05}, "control period 0.1 s against 0.05 s"),
        ({"state": ()}, "state channels 1 [q] against 0 []"),
    ],
)
def test_an_interface_mismatch_names_the_sources_and_the_difference(changes, differs):
    with pytest.raises(InterfaceError) as fault:
        compile_recipe(recipe(), other_interface(**changes))
    assert str(fault.value) == (
        f"recipe: source 'dream' against source 'sim': interfaces differ: {differs}; import them "
        "alike, or let the recipe name `cameras` and `image_hw` they can share"
    )


def test_a_source_with_more_cameras_or_another_size_is_mixed_through_a_view():
    store = other_interface(cameras={"front": (9, 9), "wrist": (8, 12)})
    lock = compile_recipe(recipe(cameras=("wrist",), image_hw=(4, 4)), store)
    assert lock.interface.cameras == {"wrist": (4, 4)}
    with pytest.raises(InterfaceError, match="available: wrist"):
        compile_recipe(recipe(cameras=("wirst",)), three())


def test_the_joint_interface_does_not_depend_on_the_order():
    undeclared = replace(INTERFACE, action=(replace(INTERFACE.action[0], unit="", low=-2.0),))
    stores = [three(), three()]
    for store, name in zip(stores, ("real", "sim"), strict=True):
        store.data[name] = replace(store.data[name], interface=undeclared)
    found = [compile_recipe(recipe(), store).interface.action[0] for store in stores]
    assert found[0] == found[1] == replace(INTERFACE.action[0], low=-2.0)


def test_a_missing_source_with_a_share_is_an_error():
    store = three()
    del store.data["sim"]
    with pytest.raises(MissingError, match="sim"):
        compile_recipe(recipe(), store)


def test_one_content_with_two_settings_is_a_contradiction():
    sources = {"a": Source("real"), "b": Source("real", domain=False)}
    with pytest.raises(ConfigError, match=r"content with domain False and True; make them agree"):
        compile_recipe(recipe({"a": 1, "b": 1}, sources=sources), three())


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"shares": {}}, "either shares or phases"),
        ({"shares": {"rael": 1}}, "'rael' is not known; available: dream, real, sim"),
        ({"shares": {"real": -1}}, "share -1"),
        ({"shares": {"real": float("nan")}}, "share nan"),
        ({"shares": {"real": 0}}, "all shares are zero"),
        ({"unit": "minutes"}, "one of windows, episodes"),
        ({"ramp": "cosine"}, "one of piecewise, linear"),
        ({"when_capped": "stop"}, "one of redistribute, error"),
        ({"batch_size": 0}, "batch_size: 0 is not at least 1"),
        ({"steps": 0}, "steps: 0 is not at least 1"),
        ({"image_hw": (0, 4)}, "image_hw"),
        ({"sources": {}}, "no sources"),
        ({"sources": {"real": Source("real", max_repeats=0)}}, "0 repeats"),
        ({"sources": {"real": Source("real", Filter(origin=("reel",)))}}, "available: dream, real"),
        ({"sources": {"real": Source("real", Filter(min_trust=2))}}, "not in [0, 1]"),
        ({"sources": {"real": Source("real", Filter(split=()))}}, "no split"),
        ({"sources": {"real": Source("real", Filter(sample=0))}}, "sample: 0 is not at least 1"),
        ({"shares": {}, "phases": (Phase(0.5, {"real": 1}),)}, "last phase ends at 0.5"),
        (
            {"shares": {}, "phases": (Phase(0.5, {"real": 1}), Phase(0.4, {"real": 1}))},
            "phases[1]: until 0.4 is not above 0.5",
        ),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused_by_key(changes, named):
    with pytest.raises(ConfigError, match=re.escape(named)):
        recipe(**changes).validate()


def test_the_default_recipe_needs_sources():
    with pytest.raises(ConfigError, match="no sources"):
        Recipe().validate()

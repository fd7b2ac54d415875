import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_point import draw_for

from trimix.core.contracts import Parent, Start
from trimix.core.errors import ConfigError, DataError, MissingError
from trimix.evaluate.suites import PURPOSES, Suite, make_suite


def _suite(n=5, seed=7, purpose="choose", world="toy"):
    return make_suite("point", world, n, seed, purpose, draw_for=draw_for)


@given(n=st.integers(1, 20), seed=st.integers(0, 2**40), purpose=st.sampled_from(PURPOSES))
def test_a_suite_is_a_function_of_what_it_was_asked_for(n, seed, purpose):
    assert _suite(n, seed, purpose).hash == _suite(n, seed, purpose).hash
    assert _suite(n + 1, seed, purpose).scenes[:n] == _suite(n, seed, purpose).scenes
    assert _suite(n, seed + 1, purpose).hash != _suite(n, seed, purpose).hash


def test_choosing_and_confirming_share_no_stream():
    seeds = [{(s.seed, s.episode) for s in _suite(50, purpose=p).scenes} for p in PURPOSES]
    assert not seeds[0] & seeds[1]


def test_a_suite_in_memory_is_the_one_in_its_file(tmp_path):
    suite = make_suite("p", "w", 2, 0, "choose", draw_for=lambda seed, episode: {"x": (1.5, 2)})
    assert Suite.load(suite.save(tmp_path / "s.json")) == suite


def test_worlds_share_stimuli():
    ours, theirs = _suite(world="a"), _suite(world="b")
    assert ours.scenes == theirs.scenes
    assert ours.hash != theirs.hash


def test_a_saved_suite_comes_back_whole(tmp_path):
    parent = Parent("abc", 3, 14, "heldout")
    suite = make_suite("p", "dream", 3, 0, "confirm", parent_for=lambda seed, episode: parent)
    for original in (suite, _suite()):
        again = Suite.load(original.save(tmp_path / "deep" / "suite.json"))
        assert again == original
        assert again.hash == original.hash


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw["scenes"][1]["draw"].update(drag=0.5),
        lambda raw: raw["scenes"].pop(),
        lambda raw: raw["scenes"].reverse(),
        lambda raw: raw.update(world="other"),
        lambda raw: raw["scenes"][0].update(episode=9),
    ],
)
def test_a_changed_scene_changes_the_hash_and_is_refused(tmp_path, change):
    path = _suite().save(tmp_path / "suite.json")
    raw = json.loads(path.read_text())
    change(raw)
    path.write_text(json.dumps(raw))
    with pytest.raises(DataError, match="changed after the suite was frozen"):
        Suite.load(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"hash": "x", "format": "y"}', "null"])
def test_another_file_is_refused(tmp_path, text):
    path = tmp_path / "suite.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"suite\.json"):
        Suite.load(path)


def test_mistakes_are_named(tmp_path):
    with pytest.raises(MissingError):
        Suite.load(tmp_path / "none.json")
    with pytest.raises(ConfigError, match="at least one"):
        _suite(n=0)
    with pytest.raises(ConfigError, match="available: choose, confirm"):
        _suite(purpose="tune")


def test_a_draw_that_json_cannot_hold_is_refused(tmp_path):
    suite = Suite("n", "t", "w", 0, "choose", (Start(0, 0, {"x": float("nan")}),))
    with pytest.raises(ValueError, match="JSON"):
        suite.save(tmp_path / "suite.json")
    assert not list(tmp_path.glob("suite.json"))

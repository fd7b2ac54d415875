"""A lock round-trips, and is refused when it or its data is no longer what was compiled."""

import json
from dataclasses import replace

import numpy as np
import pytest
from mix_fakes import fake, recipe, three

from trimix.core.errors import DataError, MissingError
from trimix.core.seeds import stream
from trimix.mix.compile import compile_recipe
from trimix.mix.loader import MixLoader
from trimix.mix.lock import Lock
from trimix.mix.recipe import Phase
from trimix.mix.runs import Runs


def test_json_round_trips():
    phases = (Phase(0.1, {"sim": 1}), Phase(1.0, {"real": 0.3, "dream": 0.7}))
    for asked in (recipe(), recipe({}, phases=phases, ramp="linear", image_hw=(4, 4))):
        lock = compile_recipe(asked, three())
        again = Lock.from_json(lock.to_json())
        assert again == lock
        assert again.to_json() == lock.to_json()


def test_a_file_round_trips_and_a_missing_one_is_said(tmp_path):
    lock = compile_recipe(recipe(), three())
    lock.save(tmp_path / "run" / "recipe.lock")
    assert Lock.load(tmp_path / "run" / "recipe.lock") == lock
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["recipe.lock"]
    with pytest.raises(MissingError, match="no such lock"):
        Lock.load(tmp_path / "other.lock")


def test_only_a_lock_is_written_over(tmp_path):
    lock, path = compile_recipe(recipe(), three()), tmp_path / "thesis.tex"
    path.write_text("mine")
    with pytest.raises(DataError, match="is no lock"):
        lock.save(path)
    assert path.read_text() == "mine"
    path.write_text(json.dumps({**json.loads(lock.to_json()), "schema": 1}))
    lock.save(path)
    assert Lock.load(path) == lock


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (lambda raw: raw.update(batch_size=11), "edited"),
        (lambda raw: raw["sources"][0].update(windows=3), "edited"),
        (lambda raw: raw["segments"][0]["parts"].reverse(), "edited"),
        (lambda raw: raw.update(schema=99), "schema 99"),
        (lambda raw: raw.update(schema=1), r"lock: schema 1, this version reads 2; compile the"),
        (lambda raw: raw.pop("view"), "not a lock"),
        (lambda raw: raw["sources"][0].update(extra=1), "not a lock"),
        (lambda raw: raw["sources"][0].update(episodes="0"), "edited"),
        (lambda raw: raw["sources"][0].update(sample=2), "edited"),
    ],
)
def test_an_edited_lock_is_refused(edit, named):
    raw = json.loads(compile_recipe(recipe(), three()).to_json())
    edit(raw)
    with pytest.raises(DataError, match=named):
        Lock.from_json(json.dumps(raw))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"schema": 2}'])
def test_what_is_not_a_lock_is_refused(text):
    with pytest.raises(DataError, match="not a lock"):
        Lock.from_json(text)


def test_names_and_paths_are_not_part_of_the_hash():
    lock = compile_recipe(recipe(), three())
    raw = json.loads(lock.to_json())
    raw["sources"][0]["path"] = "/moved"
    assert Lock.from_json(json.dumps(raw)).hash == lock.hash


def test_changed_content_is_refused_by_name():
    store = three()
    lock = compile_recipe(recipe(), store)
    store.data["sim"] = fake(77, (30, 10), origin="sim")
    with pytest.raises(DataError, match="source 'sim' changed since the lock"):
        MixLoader(lock, store)


def test_a_moved_source_is_found_by_name():
    store = three()
    lock = compile_recipe(recipe(), store)
    store.data["/new/place"] = store.data.pop("sim")
    MixLoader(lock, store, {"sim": "/new/place"}).load(0)
    with pytest.raises(DataError, match="no source 'smi'; available: dream, real, sim"):
        MixLoader(lock, store, {"smi": "/new/place"})


def test_the_same_recipe_gives_the_same_bytes():
    texts = {compile_recipe(recipe(), three()).to_json() for _ in range(2)}
    assert len(texts) == 1
    assert compile_recipe(replace(recipe(), seed=1), three()).to_json() not in texts


def test_a_lock_of_a_billion_windows_in_five_million_episodes_is_small():
    """One episode in twenty failed, anywhere; as a list of numbers the lock would have 45 MB."""
    passed = np.flatnonzero(stream(0, "episodes").random(5_000_000) < 0.95)
    lock = compile_recipe(recipe(), three())
    source = replace(lock.sources[0], episodes=Runs.of(passed), windows=200 * len(passed))
    large = replace(lock, sources=(source, *lock.sources[1:]))
    text = large.to_json()
    assert len(text) < 5_000_000
    again = Lock.from_json(text)
    assert again == large
    assert np.array_equal(again.sources[0].episodes.numbers(), passed)

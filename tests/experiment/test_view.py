"""What `view` shows of a run: its data sets and its arms' rollouts."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "evaluate"))
from filmed import dataset, episode

from trimix.core.errors import MissingError
from trimix.experiment.film import block_name, load_rollouts, save_film
from trimix.experiment.view import view

reader = pytest.importorskip("rerun.chunk").RrdReader


def _branches(path):
    (entry,) = reader(path).recordings()
    chunks = reader(path).stream(store=entry).to_chunks()
    return {c.entity_path.split("/")[1] for c in chunks if c.entity_path.endswith("/action")}


def _film(run, arm, start, scene, **about):
    folder = run / "rollouts" / block_name(arm, start)
    folder.mkdir(parents=True, exist_ok=True)
    save_film(folder, scene, episode(scene, **about))


def test_a_run_shows_its_data_sets_and_a_success_and_a_failure_of_every_arm(tmp_path):
    run = tmp_path / "run"
    dataset(run / "sources" / "real", [episode(i) for i in range(3)])
    _film(run, "real-only", 0, 3, success=False)
    _film(run, "real-only", 50, 1, success=True)
    _film(run, "real", 0, 0, success=True)
    written = view(run)
    assert written == tmp_path / "run.rrd"
    assert _branches(written) == {
        "sources_real",
        "real-only_success",
        "real-only_failure",
        "real_success",
    }


def test_scenes_are_counted_along_the_whole_suite(tmp_path):
    """An arm whose name begins another's is not mixed up with it."""
    _film(tmp_path, "real", 0, 7, success=True)
    _film(tmp_path, "real", 50, 7, success=True)
    _film(tmp_path, "real-2", 100, 0, success=True)
    found = load_rollouts(tmp_path / "rollouts")
    assert {arm: sorted(filmed) for arm, filmed in found.items()} == {
        "real": [7, 57],
        "real-2": [100],
    }


def test_a_data_set_shows_the_episodes_that_are_asked_for(tmp_path):
    dataset(tmp_path / "set", [episode(i) for i in range(4)])
    written = view(tmp_path / "set", tmp_path / "x" / "some.rrd", [2, 0])
    assert _branches(written) == {"episode_2", "episode_0"}


def test_what_is_neither_is_named(tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in ("empty", "absent"):
        with pytest.raises(MissingError, match=folder):
            view(tmp_path / folder)
    assert [p.name for p in tmp_path.iterdir()] == ["empty"]

"""The benchmark of restoring finds what is planted: parts of the state that nobody gives back."""

import numpy as np
import pytest

from trimix.bench.restore import _same
from trimix.core.contracts import Start
from trimix.core.seeds import stream
from trimix.sim.control import Control
from trimix.sim.link import Link
from trimix.sim.physics import Physics
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS


@pytest.fixture(scope="module")
def worlds():
    """One row, and three rows on two threads."""
    made = [
        MujocoWorld(
            TASKS["lift"](),
            rows,
            randomization="strong",
            config=MujocoConfig(cameras=("front",), image_hw=(16, 16), threads=threads),
        )
        for rows, threads in ((1, 1), (3, 2))
    ]
    yield made
    for world in made:
        world.close()


def identical(worlds, episodes=6):
    """Per episode, whether it goes on as it did."""
    rng = stream("planted")
    return [_same(*worlds, Start(3, i), rng) for i in range(episodes)]


def test_a_sound_restore_is_found_identical(worlds):
    assert all(identical(worlds))


def forget(self, rows, state, *rest):
    """Gives nothing back."""


def without_speed(self, rows, state, *rest):
    """Gives back where things are, not how they move."""
    kept = set_physics(self, rows, state, *rest)
    self.qvel[list(rows)] = 0.0
    return kept


set_physics = Physics.set_state


@pytest.mark.parametrize(
    ("of", "fault"), [(Control, forget), (Link, forget), (Physics, without_speed)]
)
def test_what_is_not_given_back_is_found(worlds, monkeypatch, of, fault):
    monkeypatch.setattr(of, "set_state", fault)
    assert not all(identical(worlds))


def test_what_a_snapshot_lacks_is_found(worlds, monkeypatch):
    """Alike in both worlds, so that two restored ones would agree."""
    whole = Control.state
    monkeypatch.setattr(Control, "state", lambda self: np.zeros_like(whole(self)))
    assert not all(identical(worlds))

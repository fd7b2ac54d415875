"""stack_two: what stands there by itself and is nearly the goal is refused."""

import numpy as np
import pytest

from trimix.sim.contacts import TABLE
from trimix.tasks.tabletop import CUBE

BASE = np.array([0.02, 0.05, CUBE])
ON = np.array([0.0, 0.0, 2 * CUBE - 0.0003])  # contacts give a little
ASIDE = np.array([-0.08, -0.12, CUBE])


@pytest.fixture
def tower(staged):
    """(upper, lower, off) -> red is to go onto green, and upper lies on lower, off by so much."""

    def make(upper="red", lower="green", off=(0.0, 0.0, 0.0)):
        stage = staged("stack_two", object="red", onto="green")
        (third,) = {"red", "green", "blue"} - {upper, lower}
        stage.put(third, ASIDE).put(lower, BASE)
        return stage.put(upper, BASE + ON + off)

    return make


@pytest.mark.parametrize("off", [(0, 0, 0), (0.013, 0, 0), (0.009, -0.009, 0)])
def test_a_block_that_rests_on_the_other_is_the_goal(tower, off):
    stage = tower(off=off)
    assert stage.solved and stage.run(1.0).solved


def test_any_face_may_be_up(tower):
    stage = tower()
    assert stage.put("red", BASE + ON, np.pi / 4).solved
    assert stage.tilt("red", BASE + ON, (1, 0, 0), np.pi / 2).solved
    assert stage.tilt("red", BASE + ON, (0, 1, 0), np.pi).solved


@pytest.mark.parametrize("off", [(0.017, 0, 0), (0, -0.018, 0), (0.012, 0.012, 0)])
def test_half_on_is_refused_though_it_lasts(tower, off):
    stage = tower(off=off)
    assert not stage.solved
    stage.run(1.0)
    assert stage.physics.on("red", "green")[0] and not stage.solved


@pytest.mark.parametrize(("upper", "lower"), [("green", "red"), ("blue", "green"), ("red", "blue")])
def test_other_towers_are_refused(tower, upper, lower):
    stage = tower(upper, lower).run(0.2)
    assert stage.physics.on(upper, lower)[0] and not stage.solved


def test_a_block_3_mm_above_is_refused(tower):
    assert not tower(off=(0, 0, 0.0033)).solved


def test_a_block_that_moves_or_whose_base_does_is_refused(tower):
    for name in ("red", "green"):
        assert not tower().move(name, (0.04, 0, 0)).solved
        assert not tower().move(name, angular=(0, 0, 0.5)).solved
    assert tower().move("blue", (0.04, 0, 0)).solved  # the third has no part in it


@pytest.mark.parametrize("on", ["red", "green"])
def test_a_block_that_is_held_is_refused(tower, on):
    stage = tower()
    at = stage.physics.body_pos(on)[0]
    assert stage.tool(at).solved  # open fingers beside it that touch nothing
    assert not stage.tool(at, gap_m=2 * CUBE - 0.0006).solved
    assert stage.physics.gripped("red")[0]


def test_a_block_that_one_finger_touches_is_refused(tower):
    stage = tower()
    stage.tool(BASE + ON + [0.0427 - CUBE, 0.0, 0.01])
    assert not stage.physics.free("red")[0] and not stage.physics.gripped("red")[0]
    assert not stage.solved


def test_a_tower_on_another_block_is_refused(tower):
    stage = tower()
    stage.put("blue", BASE).put("green", BASE + ON).put("red", BASE + 2 * ON)
    assert stage.physics.on("red", "green")[0] and not stage.solved
    assert not stage.run(0.5).solved


def test_a_block_that_leans_is_refused(tower):
    """One edge on the base, one on the third block beside it, which is not a tower."""
    stage = tower()
    assert not stage.tilt("red", BASE + ON + [0, 0, 0.002], (0, 1, 0), 0.2).solved
    beside = BASE + np.array([2 * CUBE + 0.0005, 0, 0])
    assert stage.put("blue", beside).put("red", BASE + ON + [0.012, 0, 0]).solved
    assert not stage.put("red", BASE + ON + [CUBE, 0, 0]).run(0.3).solved
    assert stage.physics.on("red", "green")[0]


def test_a_base_that_is_tipped_up_is_refused(tower):
    stage = tower()
    tip = 0.2
    rise = CUBE * np.array([0, 0, np.cos(tip) + np.sin(tip) - 1]) - np.array([0, 0, 0.0005])
    stage.tilt("green", BASE + rise, (0, 1, 0), tip).put("red", BASE + rise + ON)
    assert stage.physics.on("red", "green")[0] and stage.physics.touching("green", TABLE)[0]
    assert not stage.solved

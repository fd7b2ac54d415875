"""stack_three: only the asked order, upright and let go, is a tower."""

from itertools import permutations

import numpy as np
import pytest

from trimix.tasks.tabletop import CUBE

BASE = np.array([0.02, 0.05, CUBE])
UP = np.array([0.0, 0.0, 2 * CUBE - 0.0003])  # contacts give a little
ASKED = ("red", "green", "blue")


@pytest.fixture
def tower(staged):
    """(order, offs) -> red, green, blue is asked for, and this order stands there, shifted."""

    def make(order=ASKED, offs=((0, 0, 0),) * 3):
        stage = staged("stack_three", bottom="red", middle="green", top="blue")
        for k, (name, off) in enumerate(zip(order, offs, strict=True)):
            stage.put(name, BASE + k * UP + off)
        return stage

    return make


@pytest.mark.parametrize("order", list(permutations(ASKED)))
def test_the_asked_order_alone_is_the_goal(tower, order):
    stage = tower(order)
    assert stage.solved == (order == ASKED)
    assert stage.run(0.5).solved == (order == ASKED)


@pytest.mark.parametrize(
    "offs",
    [
        ((0, 0, 0), (0.017, 0, 0), (0.017, 0, 0)),  # the lower joint half on
        ((0, 0, 0), (0, 0, 0), (0, 0.018, 0)),  # the upper one
        ((0, 0, 0), (0.008, 0, 0), (0.024, 0, 0)),
    ],
)
def test_a_tower_half_on_is_refused_though_it_lasts(tower, offs):
    stage = tower(offs=offs).run(0.5)
    assert stage.physics.on("blue", "green")[0] and stage.physics.on("green", "red")[0]
    assert not stage.solved


def test_a_top_3_mm_above_is_refused(tower):
    assert not tower(offs=((0, 0, 0), (0, 0, 0), (0, 0, 0.0033))).solved
    assert not tower(offs=((0, 0, 0), (0, 0, 0.0033), (0, 0, 0.0033))).solved


@pytest.mark.parametrize("name", ASKED)
def test_a_tower_of_which_a_block_is_held_or_moves_is_refused(tower, name):
    stage = tower()
    # From above, the fingers reach the upper two.
    at = stage.physics.body_pos(name if name != "red" else "green")[0]
    assert stage.tool(at + np.array([0, 0, 0.004])).solved
    assert not stage.tool(at + np.array([0, 0, 0.004]), gap_m=2 * CUBE - 0.0006).solved
    assert not tower().move(name, (0.04, 0, 0)).solved


def test_two_on_one_are_no_tower(tower):
    """A pyramid: red and green side by side, blue across them."""
    stage = tower()
    side = np.array([CUBE + 0.0005, 0, 0])
    stage.put("red", BASE - side).put("green", BASE + side).put("blue", BASE + UP)
    assert not stage.run(0.3).solved
    assert stage.physics.on("blue", "green")[0]


def test_two_of_three_are_no_tower(tower):
    stage = tower().put("blue", [-0.08, -0.12, CUBE])
    assert not stage.run(0.2).solved


def test_a_tower_in_the_air_is_refused(tower):
    assert not tower(offs=((0, 0, 0.004),) * 3).solved

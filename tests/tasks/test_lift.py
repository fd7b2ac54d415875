"""lift: the gripper alone bears the named block, high enough."""

import numpy as np
import pytest

from trimix.tasks.lift import HIGH_M
from trimix.tasks.tabletop import CUBE

GRIPPED = 2 * CUBE - 0.0006
AT = np.array([0.02, 0.03, 0.0])


@pytest.fixture
def lifted(staged):
    """(height of the block's lower side, gap of the fingers, name) -> that is held up."""

    def make(height=HIGH_M + 0.003, gap_m=GRIPPED, name="red"):
        stage = staged("lift", object="red")
        for k, each in enumerate(("red", "green", "blue")):
            stage.put(each, [-0.1, 0.1 * (k - 1), CUBE])
        at = AT + np.array([0.0, 0.0, height + CUBE])
        return stage.tool(at, gap_m=gap_m).put(name, at)

    return make


def test_a_block_held_high_is_the_goal(lifted):
    assert lifted().solved


def test_a_block_3_mm_too_low_is_not(lifted):
    assert lifted(HIGH_M + 0.003).solved and not lifted(HIGH_M - 0.003).solved


def test_a_block_on_the_table_or_between_open_fingers_is_not(lifted):
    assert not lifted(0.0).solved
    assert not lifted(-0.0003).solved
    assert not lifted(gap_m=None).solved  # it flies


def test_a_block_that_one_finger_touches_is_not(lifted):
    stage = lifted(gap_m=2 * CUBE + 0.01)
    at = stage.physics.tool_pos()[0]
    assert not stage.put("red", at + np.array([0.0053, 0.0, 0.0])).solved
    assert not stage.physics.free("red")[0]


def test_another_block_is_not(lifted):
    for name in ("green", "blue"):
        stage = lifted(name=name)
        assert stage.physics.held(name)[0] and not stage.solved


def test_a_block_that_lies_on_another_or_is_held_with_it_is_not(lifted):
    below = np.array([0.0, 0.0, 2 * CUBE - 0.0003])
    for side in (-1, 1):
        stage = lifted()
        at = stage.physics.body_pos("red")[0]
        assert not stage.put("green", at + side * below).solved

"""press_button: the named button stays down, the others are up, and nobody touches them."""

import numpy as np
import pytest

from trimix.tasks.press_button import BUTTONS, DOWN_M, TRAVEL, UP_M

PART = 0.0005


@pytest.fixture
def pressed(staged):
    """(button -> m in) -> the red one is asked for."""

    def make(**depth):
        stage = staged("press_button", button="red")
        for name in BUTTONS:
            stage.joint(name, -depth.get(name, 0.0))
        return stage

    return make


def test_a_pressed_button_is_the_goal_and_stays_it(pressed):
    for depth in (DOWN_M + PART, TRAVEL):
        stage = pressed(red=depth)
        assert stage.solved and stage.run(1.0).solved


@pytest.mark.parametrize("name", BUTTONS)
def test_the_named_button_alone(pressed, name):
    assert pressed(**{name: TRAVEL}).solved == (name == "red")


def test_nearly_down_is_refused_though_it_lasts(pressed):
    for depth in (DOWN_M - PART, 0.5 * TRAVEL, UP_M):
        assert not pressed(red=depth).run(1.0).solved


@pytest.mark.parametrize("other", ["green", "blue"])
def test_another_that_is_a_little_in_is_refused(pressed, other):
    assert pressed(red=TRAVEL, **{other: UP_M - PART}).solved
    assert not pressed(red=TRAVEL, **{other: UP_M + PART}).solved
    assert not pressed(red=TRAVEL, **{other: TRAVEL}).solved


@pytest.mark.parametrize("name", BUTTONS)
def test_a_button_that_is_still_touched_is_refused(pressed, name):
    """Fingers on the named one hold it down; on another they may have more in mind."""
    stage = pressed(red=TRAVEL)
    top = stage.physics.body_pos(name)[0]
    tip = np.array([0.0, 0.0, 0.008])  # fingers reach this far below the tool's place
    assert not stage.tool(top + tip - [0, 0, 0.0005], gap_m=0.0).solved
    assert not stage.physics.free(name)[0]
    assert stage.tool(top + tip + [0, 0, 0.003], gap_m=0.0).solved

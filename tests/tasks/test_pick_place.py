"""pick_place: a block lies on the floor of the named tray, and nothing less."""

import numpy as np
import pytest

from trimix.tasks.tabletop import CUBE

FLOOR = np.array([0.0, 0.0, 0.004 + CUBE - 0.0003])  # contacts give a little
WALL_TOP, INSIDE = 0.024, 0.055


@pytest.fixture
def tray(staged):
    """The staged task, red into the left tray, and that tray's place (3,) m."""
    stage = staged("pick_place", object="red", into="left")
    return stage, stage.physics.body_pos("left")[0]


@pytest.mark.parametrize("off", [(0, 0), (0.034, 0), (-0.02, 0.034)])
def test_a_block_on_its_floor_is_the_goal(tray, off):
    stage, at = tray
    stage.put("red", at + FLOOR + [*off, 0.0])
    assert stage.solved and stage.run(0.5).solved


@pytest.mark.parametrize("name", ["red", "green"])
@pytest.mark.parametrize("into", ["left", "right"])
def test_the_named_block_in_the_named_tray_alone(tray, name, into):
    stage, _ = tray
    at = stage.physics.body_pos(into)[0]
    assert stage.put(name, at + FLOOR).solved == ((name, into) == ("red", "left"))


def test_a_block_3_mm_above_the_floor_is_refused(tray):
    stage, at = tray
    assert not stage.put("red", at + FLOOR + [0, 0, 0.0033]).solved


def test_a_block_flat_on_the_rim_is_refused(tray):
    stage, at = tray
    for out in (0.040, 0.050, 0.054, 0.058, 0.070):
        stage.put("red", at + np.array([0.0, out, WALL_TOP + CUBE - 0.0003]))
        assert stage.physics.touching("red", "left")[0] and not stage.solved


def test_a_block_that_leans_on_the_rim_is_refused_though_it_lasts(tray):
    """One edge on the floor, a face on the wall's edge; its middle is inside."""
    stage, at = tray
    lean = 0.7
    edge = INSIDE - (WALL_TOP - 0.004) / np.tan(lean)
    out = edge + CUBE * (np.cos(lean) - np.sin(lean))
    up = 0.004 + CUBE * (np.sin(lean) + np.cos(lean))
    stage.tilt("red", at + np.array([out, 0.0, up]), (0, 1, 0), -lean).run(1.0)
    physics = stage.physics
    assert physics.inside("red", "left")[0] and physics.on("red", "left")[0]
    assert np.abs(physics.body_mat("red")[0, 2]).max() < 0.9
    assert not stage.solved


def test_a_block_outside_against_the_tray_is_refused(tray):
    stage, at = tray
    stage.put("red", at + np.array([0.0, -(INSIDE + 0.006 + CUBE - 0.0003), CUBE - at[2]]))
    assert stage.physics.touching("red", "left")[0] and not stage.solved


def test_a_block_on_another_in_the_tray_is_refused(tray):
    stage, at = tray
    stage.put("green", at + FLOOR).put("red", at + FLOOR + [0, 0, 2 * CUBE - 0.0003])
    assert not stage.run(0.2).solved
    assert stage.physics.inside("red", "left")[0]


def test_a_block_that_is_touched_or_moves_is_refused(tray):
    stage, at = tray
    stage.put("red", at + FLOOR)
    above = at + FLOOR + [0, 0, 0.008]
    assert not stage.tool(above, gap_m=2 * CUBE - 0.0006).solved
    assert stage.physics.gripped("red")[0]
    assert not stage.tool(above + np.array([0.0427 - CUBE, 0, 0])).solved  # one finger alone
    assert stage.tool(above).solved
    assert not stage.move("red", (0.04, 0, 0)).solved
    assert not stage.move("red", angular=(0, 0, 0.5)).solved

"""put_in_drawer: the named block lies flat on the floor of the named, open drawer."""

import numpy as np
import pytest

from trimix.tasks.drawers import FLOOR, INSIDE, OPEN_M, WALL
from trimix.tasks.tabletop import CUBE

LYING = np.array([0.0, 0.0, FLOOR + CUBE - 0.0003])  # contacts give a little
OUT = 0.09


@pytest.fixture
def drawer(staged):
    """The staged task, red into the left drawer, and that drawer's place (3,) m."""
    stage = staged("put_in_drawer", object="red", into="left")
    for side, y in (("left", 0.09), ("right", -0.09)):
        stage.put(f"{side}_chest", [-0.12, y, 0.0], 0.0).joint(side, OUT)
    for k, name in enumerate(("red", "green", "blue")):
        stage.put(name, [0.12, 0.1 * (k - 1), CUBE])
    return stage, stage.physics.body_pos("left")[0]


@pytest.mark.parametrize("off", [(0, 0), (0.015, 0.02), (-0.02, -0.015)])
def test_a_block_on_its_floor_is_the_goal(drawer, off):
    stage, at = drawer
    stage.put("red", at + LYING + [*off, 0.0])
    assert stage.solved and stage.run(0.5).solved


@pytest.mark.parametrize("name", ["red", "green"])
@pytest.mark.parametrize("into", ["left", "right"])
def test_the_named_block_in_the_named_drawer_alone(drawer, name, into):
    stage, _ = drawer
    at = stage.physics.body_pos(into)[0]
    assert stage.put(name, at + LYING).solved == ((name, into) == ("red", "left"))


def test_a_drawer_that_is_not_open_is_refused(drawer):
    """The block lies in it all the same."""
    for out in (OPEN_M + 0.001, OPEN_M - 0.001, 0.0):
        stage, _ = drawer
        stage.joint("left", out)
        stage.put("red", stage.physics.body_pos("left")[0] + LYING)
        assert stage.physics.inside("red", "left")[0]
        assert stage.solved == (out > OPEN_M)


def test_a_block_3_mm_above_the_floor_is_refused(drawer):
    stage, at = drawer
    assert not stage.put("red", at + LYING + [0, 0, 0.0033]).solved


def test_a_block_on_the_wall_the_front_or_the_chest_is_refused(drawer):
    stage, at = drawer
    beside = (INSIDE[1] + 0.0015, 0.045, 0.060)
    for off in (
        *((0.0, y, WALL + CUBE - 0.0003) for y in beside),
        *((x, 0.0, 0.05 + CUBE - 0.0003) for x in (0.045, -OUT, -0.06)),
    ):
        assert not stage.put("red", at + off).solved


def test_a_block_that_leans_on_the_wall_is_refused_though_it_lasts(drawer):
    """One edge on the floor, a face on the wall's edge; its middle is inside."""
    stage, at = drawer
    lean = 0.7
    edge = INSIDE[1] - (WALL - FLOOR) / np.tan(lean)
    out = edge + CUBE * (np.cos(lean) - np.sin(lean))
    up = FLOOR + CUBE * (np.sin(lean) + np.cos(lean))
    stage.tilt("red", at + np.array([0.0, out, up]), (1, 0, 0), lean).run(1.0)
    assert stage.physics.on("red", "left")[0]
    assert np.abs(stage.physics.body_mat("red")[0, 2]).max() < 0.95
    assert not stage.solved


def test_a_second_block_in_the_drawer_is_refused(drawer):
    stage, at = drawer
    side = np.array([0.021, 0.0, 0.0])
    stage.put("red", at + LYING + side).put("green", at + LYING - side)
    assert not stage.run(0.2).solved
    assert stage.put("green", [0.12, 0.0, CUBE]).run(0.2).solved


def test_a_block_on_another_in_the_drawer_is_refused(drawer):
    stage, at = drawer
    stage.put("green", at + LYING).put("red", at + LYING + [0, 0, 2 * CUBE - 0.0003])
    assert not stage.run(0.2).solved
    stage.put("red", at + LYING).put("green", at + LYING + [0, 0, 2 * CUBE - 0.0003])
    assert not stage.run(0.2).solved


def test_a_block_that_is_touched_or_moves_is_refused(drawer):
    stage, at = drawer
    stage.put("red", at + LYING)
    above = at + LYING + [0, 0, 0.02]
    assert not stage.tool(above, gap_m=2 * CUBE - 0.0006).solved
    assert stage.physics.gripped("red")[0]
    assert stage.tool(above + np.array([0, 0, 0.06])).solved
    assert not stage.move("red", (0.04, 0, 0)).solved
    stage.move("red")
    knob = stage.physics.site("left_handle")[0]
    assert not stage.tool(knob, gap_m=0.0094).solved  # who holds the drawer holds the block

"""sort_by_colour: the asked blocks on the floor of their tray, the others where they lay."""

import numpy as np
import pytest

from trimix.sim.contacts import TABLE
from trimix.tasks.sort_by_colour import BLOCKS, FLOOR, SLOT, TRAYS
from trimix.tasks.tabletop import CUBE

LYING = np.array([0.0, 0.0, FLOOR + CUBE - 0.0003])  # contacts give a little
WALL_TOP = 0.024
ON_TABLE = {
    name: np.array([x, y, CUBE - 0.0003])
    for name, (x, y) in zip(
        BLOCKS, ((-0.08, -0.03), (-0.08, 0.03), (0.1, -0.03), (0.1, 0.03)), strict=True
    )
}


@pytest.fixture
def laid(staged):
    """(goal's colour, block -> tray) -> the blocks lie there, the others on the table."""

    def make(colour, lay, began=()):
        params = {**dict.fromkeys(BLOCKS, TABLE), **dict(began), "colour": colour}
        stage = staged("sort_by_colour", **params)
        for tray, y in zip(TRAYS, (0.15, -0.15), strict=True):
            stage.put(tray, [0.0, y, 0.0])
        for name in BLOCKS:
            stage.put(name, slot(stage, name, lay[name]) if name in lay else ON_TABLE[name])
        return stage

    return make


def slot(stage, name, tray):
    """(3,) m: the block's own place in a tray; four fit."""
    side = SLOT * (1 if name.endswith("1") else -1)
    across = 0.024 * (1 if name.startswith("red") else -1)
    return stage.physics.body_pos(tray)[0] + LYING + [side, across, 0.0]


RED = {"red_1": "red_tray", "red_2": "red_tray"}
BLUE = {"blue_1": "blue_tray", "blue_2": "blue_tray"}


@pytest.mark.parametrize(
    ("colour", "lay"), [("red", RED), ("blue", BLUE), ("all", {**RED, **BLUE})]
)
def test_the_asked_blocks_in_their_tray_are_the_goal(laid, colour, lay):
    stage = laid(colour, lay)
    assert stage.solved and stage.run(0.5).solved


@pytest.mark.parametrize(
    ("colour", "lay"),
    [
        ("red", {}),
        ("red", {"red_1": "red_tray"}),  # one of two
        ("red", BLUE),  # the other colour
        ("red", {**RED, **BLUE}),  # more than asked
        ("red", {**RED, "blue_2": "red_tray"}),
        ("red", dict.fromkeys(RED, "blue_tray")),  # the wrong tray
        ("all", RED),
        ("all", {**RED, "blue_1": "blue_tray"}),
        ("all", dict.fromkeys(BLOCKS, "red_tray")),  # one tray for all
        ("all", {**dict.fromkeys(RED, "blue_tray"), **dict.fromkeys(BLUE, "red_tray")}),
    ],
)
def test_every_other_sorting_is_refused(laid, colour, lay):
    stage = laid(colour, lay)
    assert not stage.solved and not stage.run(0.2).solved


def test_a_block_that_is_not_asked_for_stays_in_the_tray_where_it_began(laid):
    began = {"blue_1": "red_tray"}
    assert laid("red", {**RED, **began}, began).solved
    assert not laid("red", RED, began).solved  # taken out
    assert not laid("red", {**RED, "blue_1": "blue_tray"}, began).solved  # sorted too


@pytest.mark.parametrize(
    "off",
    [
        (0.0, 0.0, 0.0033),  # 3 mm above the floor
        (0.0, 0.055 - 0.024, WALL_TOP - FLOOR),  # on the rim
        (0.0, 0.07, WALL_TOP - FLOOR + 0.003),
    ],
)
def test_a_block_nearly_in_its_tray_is_refused(laid, off):
    stage = laid("red", RED)
    assert not stage.put("red_1", slot(stage, "red_1", "red_tray") + off).solved


def test_a_block_on_another_is_neither_in_the_tray_nor_on_the_table(laid):
    up = np.array([0.0, 0.0, 2 * CUBE - 0.0003])
    stage = laid("red", RED)
    stage.put("red_1", slot(stage, "red_2", "red_tray") + up)
    assert not stage.run(0.2).solved and stage.physics.on("red_1", "red_2")[0]
    stage = laid("red", RED)
    stage.put("blue_1", slot(stage, "red_1", "red_tray") + up)
    assert not stage.run(0.2).solved and stage.physics.on("blue_1", "red_1")[0]


@pytest.mark.parametrize("name", BLOCKS)
def test_nothing_may_move_or_be_held(laid, name):
    stage = laid("all", {**RED, **BLUE})
    at = stage.physics.body_pos(name)[0] + [0.0, 0.0, 0.008]
    assert not stage.move(name, (0.04, 0.0, 0.0)).solved
    assert stage.move(name).solved
    assert not stage.tool(at, gap_m=2 * CUBE - 0.0006).solved
    assert stage.physics.gripped(name)[0]


def test_the_expert_sees_what_success_does_not_take(laid):
    """What lies on the rim, on another block or in a wrong tray is left to do."""

    def left(stage):
        expert = stage.task.expert(stage.physics, stage.goals, stage.world.interface)
        return expert.left(0)

    stage = laid("red", RED)
    assert left(stage) == []
    up = np.array([0.0, 0.0, 2 * CUBE - 0.0003])
    stage.put("red_1", slot(stage, "red_2", "red_tray") + up)
    assert left(stage) == ["red_1"]
    stage = laid("red", {**RED, "blue_1": "red_tray"})
    assert left(stage) == ["blue_1"]
    stage.put("blue_1", slot(stage, "red_1", "red_tray") + up)
    assert left(stage) == ["blue_1"]

"""sweep: all pieces of the colour in the zone, none of the other, and let go."""

import numpy as np
import pytest

from trimix.tasks.sweep import COUNT, HALF, MARGIN, PIECE, PIECES, Expert

ZONE = np.array([0.09, 0.0])
LOW = PIECE - 0.0003  # contacts give a little


@pytest.fixture
def stage(staged):
    """Red pieces are to go into the yellow zone; all pieces are in a row before it."""
    stage = staged("sweep", object="red", into="yellow").put("yellow", (*ZONE, 0.0))
    for name, y in (("white", 0.13), ("purple", -0.13)):
        stage.put(name, (0.09, y, 0.0))
    for k, name in enumerate(Expert.things):
        stage.put(name, (-0.08, 0.10 - 0.04 * k, LOW))
    return stage


def _fill(stage, colour, count=COUNT, x=0.0):
    for k, name in enumerate(PIECES[colour][:count]):
        stage.put(name, (ZONE[0] + x, 0.03 * (k - 1), LOW), 0.2 * k)
    return stage


def test_all_pieces_in_the_zone_are_the_goal(stage):
    assert not stage.solved
    assert _fill(stage, "red").solved
    assert stage.run(0.5).solved


@pytest.mark.parametrize("count", range(COUNT))
def test_fewer_are_refused(stage, count):
    assert not _fill(stage, "red", count).run(0.3).solved


def test_the_other_colour_is_refused_alone_and_beside(stage):
    assert not _fill(stage, "blue").solved
    assert not _fill(stage, "red", x=0.03).solved
    for k, name in enumerate(PIECES["blue"]):
        stage.put(name, (-0.08, 0.10 - 0.04 * k, LOW))
    assert stage.solved
    assert not stage.put("blue_1", (ZONE[0] - 0.03, 0.0, LOW)).solved


@pytest.mark.parametrize(("part", "good"), [(0.9, True), (1.1, False)])
@pytest.mark.parametrize("way", [(1, 0), (0, -1), (-1, -1)])
def test_all_of_a_piece_must_be_in(stage, part, good, way):
    _fill(stage, "red")
    x, y = ZONE + part * (HALF - MARGIN) * np.array(way)
    assert stage.put("red_0", (x, y, LOW)).solved == good


def test_a_piece_that_moves_lies_on_another_or_is_touched_is_refused(stage):
    assert not _fill(stage, "red").move("red_1", (0.05, 0, 0)).solved
    _fill(stage, "red").put("red_0", (ZONE[0], 0.0, 3 * PIECE))
    assert not stage.solved
    assert not _fill(stage, "red").tool((*ZONE, PIECE), gap_m=2 * PIECE - 0.001).solved


def test_reward_grows_with_every_piece(stage):
    rewards = []
    for count in range(COUNT + 1):
        _fill(stage, "red", count)
        rewards.append(float(stage.task.reward(stage.physics, stage.goals)[0]))
    assert rewards == sorted(set(rewards)) and rewards[-1] == 1.0

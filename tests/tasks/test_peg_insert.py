"""peg_insert: down to the floor of the named socket, upright and let go; nothing less."""

import numpy as np
import pytest

from trimix.tasks.peg_insert import DEPTH, FLOOR, HEAD_HALF, HOLE, LENGTH, PEG, RADIUS

SOCKET = np.array([0.08, 0.05, 0.0])
DOWN = FLOOR - 0.0002  # contacts give a little


@pytest.fixture
def stage(staged):
    """The peg is to go into the red socket, which stands at SOCKET."""
    stage = staged("peg_insert", into="red").put("red", SOCKET)
    return stage.put("green", (0.08, -0.07, 0.0)).put("blue", (0.08, -0.17, 0.0))


def _over(z, x=0.0, y=0.0):
    return SOCKET + np.array([x, y, z])


def test_it_fits_with_3_mm_of_air_and_sticks_out_to_be_gripped():
    air = HOLE - RADIUS
    assert air == pytest.approx(0.003) and FLOOR + LENGTH > DEPTH


@pytest.mark.parametrize("off", [(0, 0), (0.0025, 0), (-0.0015, 0.002)])
def test_a_peg_in_the_named_socket_is_the_goal(stage, off):
    assert stage.put(PEG, _over(DOWN, *off), 0.5).solved
    assert stage.run(1.0).solved


@pytest.mark.parametrize("name", ["green", "blue"])
def test_another_socket_is_refused(stage, name):
    y = {"green": -0.07, "blue": -0.17}[name]
    assert not stage.put(PEG, (0.08, y, DOWN)).run(0.3).solved


def test_half_in_falls_in(stage):
    stage.put(PEG, _over(FLOOR + 0.5 * DEPTH))
    assert not stage.solved
    assert stage.run(1.0).solved


@pytest.mark.parametrize("height", [FLOOR + 0.006, FLOOR + 0.012, DEPTH])
def test_a_peg_that_is_not_down_is_refused(stage, height):
    assert not stage.put(PEG, _over(height)).solved


def test_on_the_rim_beside_and_over_are_refused_though_they_last(stage):
    for at in (_over(DEPTH - 0.0002, HOLE + 0.005), _over(-0.0002, -0.06)):
        assert not stage.put(PEG, at).run(0.5).solved
    stage.tilt(PEG, _over(DEPTH + HEAD_HALF[0], -LENGTH), (0, 1, 0), np.pi / 2)
    assert not stage.run(1.0).solved


def test_upside_down_is_refused(stage):
    stage.tilt(PEG, _over(FLOOR + LENGTH + 2 * HEAD_HALF[2]), (1, 0, 0), np.pi)
    assert not stage.run(0.5).solved


def test_a_peg_that_is_gripped_or_moves_is_refused(stage):
    assert not stage.put(PEG, _over(DOWN)).move(PEG, (0, 0, 0.05)).solved
    stage.put(PEG, _over(DOWN))
    head = _over(DOWN + LENGTH + HEAD_HALF[2])
    assert not stage.tool(head, gap_m=2 * HEAD_HALF[0] - 0.001).solved

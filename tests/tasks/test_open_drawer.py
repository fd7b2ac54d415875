"""open_drawer: the named drawer is out far enough, the others shut, and nobody holds one."""

import numpy as np
import pytest

from trimix.tasks.drawers import CLOSED_M, OPEN_M, TRAVEL
from trimix.tasks.open_drawer import DRAWERS

MM = 0.001


@pytest.fixture
def drawers(staged):
    """(drawer -> m out) -> the red one is asked for."""

    def make(**out):
        stage = staged("open_drawer", drawer="red")
        for name in DRAWERS:
            stage.joint(name, out.get(name, 0.0))
        return stage

    return make


def test_an_open_drawer_is_the_goal_and_stays_it(drawers):
    for out in (OPEN_M + MM, TRAVEL - MM):
        stage = drawers(red=out)
        assert stage.solved and stage.run(1.0).solved


@pytest.mark.parametrize("name", DRAWERS)
def test_the_named_drawer_alone(drawers, name):
    assert drawers(**{name: OPEN_M + 0.02}).solved == (name == "red")


def test_nearly_open_is_refused(drawers):
    assert not drawers(red=OPEN_M - MM).solved
    assert not drawers(red=0.5 * OPEN_M).solved


@pytest.mark.parametrize("other", ["green", "blue"])
def test_another_that_is_ajar_is_refused(drawers, other):
    assert drawers(red=0.08, **{other: CLOSED_M - MM}).solved
    assert not drawers(red=0.08, **{other: CLOSED_M + MM}).solved
    assert not drawers(red=0.08, **{other: 0.08}).solved


@pytest.mark.parametrize("name", DRAWERS)
def test_a_drawer_that_is_held_or_touched_is_refused(drawers, name):
    stage = drawers(red=0.08)
    handle = stage.physics.site(f"{name}_handle")[0]
    yaw = float(stage.physics.yaw(name)[0])
    assert not stage.tool(handle, yaw, gap_m=0.0094).solved
    assert stage.physics.gripped(name)[0]
    way = stage.physics.body_mat(name)[0][:, 0]
    assert not stage.tool(handle + (0.0425 - 0.0047) * way, yaw).solved  # one finger leans on it
    assert stage.tool(handle, yaw).solved  # open fingers around it
    assert stage.tool(handle + np.array([0, 0, 0.05]), yaw, gap_m=0.0).solved


def test_in_words_the_places_are_as_the_robot_sees_them(staged):
    """Its left is where y is greater."""
    for episode in range(20):
        stage = staged("open_drawer")
        goal = stage.task.start(stage.row, np.random.default_rng(episode))
        stage.physics.forward([0])
        y = {name: float(stage.physics.body_pos(name)[0, 1]) for name in DRAWERS}
        order = sorted(DRAWERS, key=y.__getitem__, reverse=True)
        assert order[("left", "middle", "right").index(goal.text("place"))] == goal.text("drawer")

"""reach: the tool at the named ball and at rest, for arms and for what moves in a plane."""

import numpy as np
import pytest

from trimix.tasks.reach import NEAR_M, OBJECTS, SLOW

AT = np.array([0.02, 0.03, 0.12])
MM = 0.001
BEARINGS = [(1, 0, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1), (0.6, 0.0, 0.8)]


@pytest.fixture
def reaching(staged):
    """(the red ball's way from the tool, m) -> red is asked for; the others are far off."""

    def make(away, robot=""):
        stage = staged("reach", robot, object="red")
        for k, name in enumerate(OBJECTS):
            stage.put(name, [-0.1, 0.15 * (k - 1), 0.2])
        if robot == "gantry":
            stage.row.set_joints(AT[:2])
            stage.physics.forward([0])
        else:
            stage.tool(AT)
        at = stage.physics.tool_pos()[0] / stage.row.scale
        return stage.put("red", at + np.asarray(away))

    return make


@pytest.mark.parametrize("bearing", BEARINGS)
def test_the_tool_at_the_ball_is_the_goal_and_3_mm_beside_is_not(reaching, bearing):
    way = np.array(bearing, float)
    assert reaching((NEAR_M - MM) * way).solved
    assert not reaching((NEAR_M + 3 * MM) * way).solved


def test_another_ball_is_not(reaching):
    stage = reaching((0, 0, 0))
    at = stage.physics.body_pos("red")[0]
    for name in ("green", "blue"):
        stage.put("red", [-0.1, -0.15, 0.2]).put(name, at)
        assert not stage.solved
        stage.put(name, [-0.1, 0.15, 0.2])


def test_passing_by_is_not(reaching):
    stage = reaching((0, 0, 0))
    physics = stage.physics
    limit = np.array(physics.robot.speed_limit)
    for joint, dof in enumerate(physics.joint_dof):
        physics.qvel[0, physics.joint_dof] = 0.0
        physics.qvel[0, dof] = 0.9 * SLOW * limit[joint]
        assert stage.solved
        physics.qvel[0, dof] = -1.1 * SLOW * limit[joint]
        assert not stage.solved
    physics.qvel[0, physics.joint_dof] = 0.0


def test_a_robot_in_a_plane_is_judged_from_above(reaching):
    for height in (0.0, 0.15):
        assert reaching((NEAR_M - MM, 0, height), "gantry").solved
        assert not reaching((NEAR_M + MM, 0, height), "gantry").solved

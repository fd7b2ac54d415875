"""Moves of the tool: how they begin and end, and that feedback brings it there."""

import numpy as np
import pytest

from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks.lift import Lift
from trimix.tasks.skills import Move, ToolPolicy, _minimum_jerk, _rotation


class Visit(ToolPolicy):
    """Goes to one place; beginnings of plans are counted."""

    at = (0.05, -0.1, 0.15)
    yaw = 0.4
    planned = 0
    check = None

    def plan(self, row, rng):
        self.planned += 1
        place = np.array(self.at) * self.scale
        return [Move(place, self.yaw, 0.5, check=self.check, name="go")]


def visit(mode="joint_velocity", steps=60):
    """The policy and its world after so many steps."""
    config = MujocoConfig(draw_images=False, control_mode=mode)
    world = MujocoWorld(Lift(), 1, config=config)
    policy = Visit(world.physics, world.goals, world.interface, lambda: np.zeros(1, bool))
    obs, _ = world.reset(seed=0)
    policy.reset(np.ones(1, bool), np.zeros(1, np.int64))
    for _ in range(steps):
        obs, *_ = world.step(policy.act(obs))
    world.close()
    return policy


def test_minimum_jerk_begins_and_ends_at_rest():
    for time_s, part in ((0.0, 0.0), (3.0, 1.0), (9.0, 1.0)):
        at, rate = _minimum_jerk(time_s, 3.0)
        assert at == pytest.approx(part) and rate == pytest.approx(0.0)
    step = 1e-6
    for time_s in (0.7, 1.5, 2.4):
        at, rate = _minimum_jerk(time_s, 3.0)
        assert (_minimum_jerk(time_s + step, 3.0)[0] - at) / step == pytest.approx(rate, rel=1e-4)


def test_a_rotation_turns_about_its_vector_by_its_length():
    vector = np.array([0.3, -0.5, 0.8])
    turn = _rotation(vector)
    assert turn @ turn.T == pytest.approx(np.eye(3)) and np.linalg.det(turn) == pytest.approx(1)
    assert turn @ vector == pytest.approx(vector)
    assert np.trace(turn) == pytest.approx(1 + 2 * np.cos(np.linalg.norm(vector)))
    assert np.array_equal(_rotation(np.zeros(3)), np.eye(3))


@pytest.mark.parametrize("mode", ["joint_velocity", "joint_position", "ee_delta"])
def test_the_tool_arrives_pointing_down_in_every_control_mode(mode):
    policy = visit(mode=mode)
    physics = policy.physics
    assert physics.tool_pos()[0] == pytest.approx(Visit.at, abs=0.005)
    mat = physics.tool_mat()[0]
    assert mat[2, 2] < -0.99
    assert np.arctan2(mat[1, 0], mat[0, 0]) == pytest.approx(Visit.yaw, abs=0.05)
    assert physics.finger_opening()[0] == pytest.approx(0.5, abs=0.02)


def test_a_failed_check_plans_anew(monkeypatch):
    assert visit(steps=5).planned == 1
    monkeypatch.setattr(Visit, "check", staticmethod(lambda: False))
    assert visit(steps=5).planned == 5


def test_a_policy_that_was_pushed_far_off_plans_anew():
    config = MujocoConfig(draw_images=False)
    world = MujocoWorld(Lift(), 1, config=config)
    policy = Visit(world.physics, world.goals, world.interface, lambda: np.zeros(1, bool))
    obs, _ = world.reset(seed=0)
    policy.reset(np.ones(1, bool), np.zeros(1, np.int64))
    for _ in range(4):
        obs, *_ = world.step(policy.act(obs))
    assert policy.planned == policy.tries(0) == 1
    q = world.physics.joints()[0]
    world.physics.row(0).set_joints(q + np.array([0.3, 0, 0, 0, 0, 0]))
    world.physics.forward([0])
    policy.act(obs)
    world.close()
    assert policy.planned == policy.tries(0) == 2

"""What an action does to the joints."""

import numpy as np
import pytest

from trimix.core.contracts import Start

SECONDS = 1.0


def drive(world, action, steps, draw=None):
    """Joint positions (T + 1, D) of row 0 under one constant action."""
    world.reset(options={"starts": [Start(0, 0, draw=draw or {})] * world.num_envs})
    trace = [world.physics.joints()[0]]
    for _ in range(steps):
        world.step(np.tile(np.asarray(action, np.float32), (world.num_envs, 1)))
        trace.append(world.physics.joints()[0])
    return np.array(trace)


@pytest.mark.parametrize("joint", range(6))
@pytest.mark.parametrize("speed", [0.3, -0.3])
def test_a_velocity_integrates_to_its_displacement(make_world, joint, speed):
    world = make_world(1)
    action = np.zeros(7)
    action[joint] = speed
    trace = drive(world, action, 10)
    moved = trace[-1] - trace[0]
    others = np.delete(moved, joint)
    # The servo lags its ramp by at most one control period.
    assert moved[joint] == pytest.approx(speed * SECONDS, abs=abs(speed) * 0.1 + 0.01)
    assert np.abs(others).max() < 0.02


def test_the_stick_moves_as_commanded(make_world):
    trace = drive(make_world(1, task="push_t"), [0.05, -0.03], 10)
    assert trace[-1] - trace[0] == pytest.approx([0.05, -0.03], abs=0.008)


def test_a_zero_velocity_holds_the_pose(make_world):
    trace = drive(make_world(1), np.zeros(7), 20)
    assert np.abs(trace - trace[0]).max() < 5e-3


def test_a_position_is_reached_no_faster_than_the_limit(make_world):
    world = make_world(1, control_mode="joint_position")
    goal = drive(world, np.zeros(7), 0)[0]
    goal += [0.2, -0.2, 0.2, -0.2, 0.3, 1.2]
    trace = drive(world, [*goal, 0.0], 20)
    assert trace[-1] == pytest.approx(goal, abs=0.01)
    fastest = np.abs(np.diff(trace, axis=0)).max() / 0.1
    assert 1.0 < fastest < 1.5 * 1.2


def test_position_commands_are_clipped_to_the_joints_limits(make_world):
    world = make_world(1, control_mode="joint_position")
    assert world.interface.action[2].high == pytest.approx(2.88)
    world.reset(seed=0)
    _, _, _, _, info = world.step(np.full((1, 7), 100.0, np.float32))
    assert info["action"][0, 2] == pytest.approx(2.88) and info["action"][0, 6] == 1


def test_joint_limits_hold(make_world):
    world = make_world(1)
    trace = drive(world, [0, 0, 1.5, 0, 0, 0, 0], 25)
    assert trace[:, 2].max() <= world.physics.joint_limits[2, 1] + 0.02


def test_a_blocked_arm_does_not_wind_up(make_world):
    """A target leads its joint by what its whole force answers and a period of motion at most."""
    world = make_world(1)
    drive(world, np.zeros(7), 0)
    lead = []
    for _ in range(10):
        world.physics.qvel[0, :6] = 0
        world.physics.qpos[0, :6] = [-0.675, 0.157, 0.437, 0.603, -1.598, 0.004]  # held by a hand
        world.step(np.array([[1.0, 0, 0, 0, 0, 0, 0]], np.float32))
        lead.append(world.physics.ctrl[0, 0] - (-0.675))
    assert max(lead) == pytest.approx(150 / 6000 + 1.0 * 0.1)


def test_the_gripper_closes_and_opens(make_world):
    world = make_world(1)
    opening = {}
    for name, command in (("open", 0.0), ("closed", 1.0)):
        drive(world, [0, 0, 0, 0, 0, 0, command], 8)
        opening[name] = float(world.physics.finger_opening()[0])
    assert opening["open"] > 0.97 and opening["closed"] < 0.03
    for _ in range(8):
        world.step(np.zeros((1, 7), np.float32))
    assert world.physics.finger_opening()[0] > 0.97


def test_a_robot_without_fingers_is_open(make_world):
    assert make_world(2, task="push_t").physics.finger_opening().tolist() == [1, 1]


@pytest.mark.parametrize("latency_s", [0.03, 0.05, 0.1])
def test_latency_shifts_the_motion(make_world, latency_s):
    """Under a constant speed a delay of L is a lag of L times the speed."""
    world = make_world(1)
    action, late = [0.4, 0, 0, 0, 0, 0, 0], {"how": "set", "value": latency_s}
    on_time = drive(world, action, 8)
    delayed = drive(world, action, 8, {"action/robot/latency_s": late})
    lag = (on_time[-1] - delayed[-1])[0] / 0.4
    assert lag == pytest.approx(latency_s, abs=0.004)


def test_latency_plays_out_what_was_commanded_before(make_world):
    """A delay of one whole control period: the first period of motion is still the pose held."""
    world = make_world(1)
    late = {"action/robot/latency_s": {"how": "set", "value": 0.1}}
    trace = drive(world, [0.5, 0, 0, 0, 0, 0, 0], 3, late)
    assert abs(trace[1, 0] - trace[0, 0]) < 1e-3 < 0.02 < abs(trace[2, 0] - trace[1, 0])


def test_weak_servos_lag_more(make_world):
    world = make_world(1)
    action = [0.4, 0, 0, 0, 0, 0, 0]
    weak = {"actuator/joint_0/gain": {"how": "scale", "value": 0.3}}
    damped = {"joint/joint_0/damping": {"how": "scale", "value": 50.0}}
    nominal = drive(world, action, 3)[-1, 0]
    for draw in (weak, damped):
        assert drive(world, action, 3, draw)[-1, 0] < nominal - 1e-4


def test_action_noise_is_of_the_robot_and_not_of_the_record(make_world):
    world = make_world(1)
    action = np.array([[0.4, 0, 0, 0, 0, 0, 0]], np.float32)
    noisy = {"action/robot/noise_std": {"how": "set", "value": 0.05}}
    clean = drive(world, action[0], 5)
    shaken = drive(world, action[0], 5, noisy)
    assert not np.array_equal(clean, shaken)
    assert np.array_equal(shaken, drive(world, action[0], 5, noisy))
    assert np.array_equal(world.step(action)[4]["action"], action)

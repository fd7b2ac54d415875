"""What happens between policy and robot: each signal does what it says, by draws of its own."""

import numpy as np
import pytest

from trimix.core.contracts import Start
from trimix.sim.link import Link
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS

STEPS = 2000


@pytest.fixture(scope="module")
def world():
    """Two rows, blind."""
    made = MujocoWorld(TASKS["lift"](), 2, config=MujocoConfig(draw_images=False))
    yield made
    made.close()


@pytest.fixture
def make_link(world):
    """A link whose signals are set: make_link({"action/dropped": 0.2})."""
    signals = world.physics.parameters.signals

    def make(said, row=0, mode="joint_velocity"):
        for live in signals.values():
            live[:] = 0.0
        for name, value in said.items():
            signals[name][:] = value
        link = Link(world.physics, mode, 0.1)
        for i in range(2):
            link.reset(i, Start(5, i), world.physics.joints()[i])
        return link

    nominal = {name: live.copy() for name, live in signals.items()}
    yield make
    for name, live in signals.items():
        live[:] = nominal[name]


def commands(link, count=STEPS, row=0):
    """(count, A) what arrives of commands that count up, and (count,) which are lost."""
    arrived, lost = [], []
    for k in range(count):
        action = np.full((2, 7), float(k))
        lost.append(link.command(action, [row], np.full(2, k))[row])
        arrived.append(action[row].copy())
    return np.array(arrived), np.array(lost)


def test_a_link_without_faults_changes_nothing(make_link):
    arrived, lost = commands(make_link({}), 20)
    assert (arrived == np.arange(20.0)[:, None]).all() and not lost.any()


@pytest.mark.parametrize("part", [0.05, 0.3])
def test_as_many_commands_are_lost_as_said(make_link, part):
    arrived, lost = commands(make_link({"action/dropped": part}))
    assert lost.mean() == pytest.approx(part, abs=4 * np.sqrt(part / STEPS))
    assert (arrived == np.arange(float(STEPS))[:, None]).all()


@pytest.mark.parametrize("part", [0.05, 0.3])
def test_as_many_commands_come_again_as_said(make_link, part):
    arrived, lost = commands(make_link({"action/stuck": part}))
    again = arrived[1:, 0] == arrived[:-1, 0]
    assert not lost.any() and arrived[0, 0] == 0
    assert again.mean() == pytest.approx(part, abs=4 * np.sqrt(part / STEPS))
    fresh = arrived[1:, 0][~again]
    assert (fresh == np.arange(1.0, STEPS)[~again]).all()


@pytest.mark.parametrize("mode", ["joint_velocity", "joint_position", "ee_delta"])
def test_noise_on_commands_is_a_part_of_full_speed(make_link, world, mode):
    link = make_link({"action/noise_std": 0.02}, mode=mode)
    arrived, _ = commands(link)
    noise = arrived - np.arange(float(STEPS))[:, None]
    robot = world.physics.robot
    full = np.repeat(robot.tool_speed, 3) if mode == "ee_delta" else np.array(robot.speed_limit)
    if mode != "joint_velocity":
        full = full * 0.1
    assert noise[:, :6].std(0) == pytest.approx(0.02 * full, rel=0.08)
    assert np.abs(noise[:, :6].mean(0)).max() < 0.02 * full.max() * 0.1
    assert (noise[:, 6] == 0).all()  # the gripper's command is a word, not a speed


def test_what_happens_at_a_step_hangs_on_nothing_but_the_step(make_link):
    """Not on which steps came before, nor on the other row."""
    said = {"action/noise_std": 0.02, "action/dropped": 0.2}
    alone, lost = commands(make_link(said), 50)
    link = make_link(said)
    for k in (40, 7, 31):
        action = np.full((2, 7), float(k))
        gone = link.command(action, [1, 0], np.full(2, k))
        assert (action[0] == alone[k]).all() and gone[0] == lost[k]
        assert (action[1] != action[0]).any()


def test_readings_are_late_by_their_delay(make_link):
    link = make_link({"state/delay_s": 0.04})
    first = np.zeros((2, 6))
    link.readings([0, 1], np.zeros(2, int), first)
    told = link.readings([0, 1], np.ones(2, int), first + 1.0)
    assert told == pytest.approx(np.full((2, 6), 0.6))


def test_readings_have_a_bias_for_an_episode_and_noise_for_a_step(make_link):
    joints = np.zeros((2, 6))
    link = make_link({"state/bias_std": 0.01})
    told = [link.readings([0], np.array([k]), joints) for k in range(5)]
    assert all((t == told[0]).all() for t in told) and (told[0] != 0).all()
    link = make_link({"state/noise_std": 0.003})
    told = np.array([link.readings([0], np.array([k]), joints)[0] for k in range(STEPS)])
    assert told.std(0) == pytest.approx(np.full(6, 0.003), rel=0.1)


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ({"image/dropped": 0.25}, 0.75),
        ({"image/delay_s": 0.1}, 0.5),  # on average one control period old
        ({"image/dropped": 1.0}, 0.05),  # some picture must come
    ],
)
def test_pictures_arrive_as_often_as_said(make_link, said, part):
    link = make_link(said)
    assert link.may_be_late([0]) and link.arrives(0, 0)
    arrived = np.mean([link.arrives(0, k) for k in range(1, STEPS)])
    assert arrived == pytest.approx(part, abs=0.04)


def test_a_link_goes_on_from_its_state(make_link, world):
    said = {"action/noise_std": 0.02, "action/stuck": 0.3, "action/dropped": 0.1}
    whole, lost = commands(make_link(said), 40)
    link = make_link(said)
    for k in range(20):
        link.command(np.full((2, 7), float(k)), [0], np.full(2, k))
    state = link.state()
    other = make_link(said)
    other.set_state([0], state[[0]], world.physics.joints())
    for k in range(20, 40):
        action = np.full((2, 7), float(k))
        gone = other.command(action, [0], np.full(2, k))
        assert (action[0] == whole[k]).all() and gone[0] == lost[k]

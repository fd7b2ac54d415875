"""The banana task: its scene agrees with the recordings, and its goal with common sense."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from trimix.core.contracts import Start
from trimix.core.rollout import rollout
from trimix.core.seeds import stream
from trimix.sim.kinematics import Kinematics
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks.banana_on_plate import APART, PLATE_RADIUS, TABLE_Z, BananaOnPlate, _places
from trimix.tasks.disturbance import Disturbance, DisturbanceConfig
from trimix.tasks.waypoints import _minimum_jerk

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data" / "cr5_banana"
OVER_PLATE = TABLE_Z + 0.045


@pytest.fixture(scope="module")
def world():
    made = MujocoWorld(BananaOnPlate(), 4, config=MujocoConfig(image_hw=(8, 8)))
    yield made
    made.close()


@pytest.fixture(scope="module")
def solved():
    """Four of the expert's nominal episodes."""
    task = BananaOnPlate()
    world = MujocoWorld(task, 4, config=MujocoConfig(image_hw=(8, 8)))
    policy = task.expert(world.physics, world.goals, world.interface)
    found = dict(rollout(world, policy, [Start(11, k) for k in range(4)]))
    world.close()
    return list(found.values())


def place(world, banana, velocity=(0.0, 0.0, 0.0), steps=0):
    """Every row with its banana at the plate's middle + banana (3,) m, then some still steps."""
    world.reset(options={"starts": [Start(0, 0, draw={})] * world.num_envs})
    physics = world.physics
    rows = list(range(world.num_envs))
    plate = physics.body_pos("plate")
    for i in rows:
        physics.row(i).set_pose("banana", plate[i] + banana)
    at = physics._joint("banana", "dofadr")
    physics.qvel[:, at : at + 3] = velocity
    physics.forward(rows)
    still = np.zeros((world.num_envs, 7), np.float32)
    for _ in range(steps):
        world.step(still)
    return physics


def test_banana_and_plate_lie_apart_and_in_reach():
    for k in range(100):
        banana, plate = _places(stream(k))
        assert APART[0] < np.linalg.norm(banana - plate) < APART[1]
        assert max(np.linalg.norm(banana), np.linalg.norm(plate)) < 0.84


def test_it_starts_as_recorded(world):
    """Flange straight down over the table, joints spread as the 65 recorded starts."""
    kinematics = Kinematics(world.physics.robot)
    q = []
    for block in range(15):
        world.reset(options={"starts": [Start(0, 4 * block + i) for i in range(4)]})
        q.extend(world.physics.joints())
    assert np.mean(q, 0) == pytest.approx([-0.675, 0.157, 0.437, 0.603, -1.598, 0.004], abs=0.06)
    assert np.std(q, 0) == pytest.approx([0.08, 0.08, 0.17, 0.12, 0.05, 0.14], rel=0.4)
    for joints in q:
        position, rotation = kinematics.tool(joints)
        assert rotation[2, 2] < -0.8 and position[2] > TABLE_Z + 0.05


def test_the_banana_rests_on_the_table(world):
    world.reset(seed=3)
    before = world.physics.body_pos("banana")
    for _ in range(10):
        world.step(np.zeros((4, 7), np.float32))
    after = world.physics.body_pos("banana")
    assert np.abs(after[:, 2] - TABLE_Z - 0.018).max() < 4e-3
    assert np.abs(after - before).max() < 0.01
    assert np.linalg.norm(world.physics.body_velocity("banana"), axis=1).max() < 0.01


def test_a_banana_let_go_on_the_plate_is_the_goal(world):
    physics = place(world, (0.0, 0.0, 0.06), steps=15)
    assert world.task.success(physics).all()
    assert (world.task.reward(physics) == 1).all()


@pytest.mark.parametrize(
    ("offset", "velocity"),
    [
        ((PLATE_RADIUS, 0.0, 0.03), (0.0, 0.0, 0.0)),  # on the rim
        ((0.0, 0.2, 0.02), (0.0, 0.0, 0.0)),  # beside
        ((0.0, 0.0, 0.08), (0.0, 0.0, 0.0)),  # above
        ((0.0, 0.0, 0.03), (0.2, 0.0, 0.0)),  # sliding over it
    ],
)
def test_nothing_less_is_the_goal(world, offset, velocity):
    physics = place(world, offset, velocity)
    assert not world.task.success(physics).any()
    assert (world.task.reward(physics) < 1).all()


def test_a_banana_still_held_is_not_the_goal(world):
    """The same place counts only once the gripper is away."""
    physics = place(world, (0.0, 0.0, 0.03))
    assert world.task.success(physics).all()
    q = Kinematics(physics.robot).down(physics.body_pos("banana")[0], 0.6, physics.robot.home)
    physics.row(0).set_joints(q)
    physics.forward([0])
    assert world.task.success(physics).tolist() == [False, True, True, True]


def test_nearer_is_better(world):
    rewards = [
        world.task.reward(place(world, (0.0, away, 0.02)))[0] for away in (0.35, 0.25, 0.15, 0.1)
    ]
    assert (np.diff(rewards) > 0).all() and max(rewards) <= 0.5


def test_the_gripper_is_used_as_in_the_recordings(solved):
    """Recorded: closes at 40% and opens at 79% of an episode; lasts 18 to 32 s."""
    for episode in solved:
        assert episode.provenance.success
        closed = np.flatnonzero(episode.action[:, 6] > 0.5) / len(episode)
        assert 0.25 < closed.min() < 0.55 and 0.65 < closed.max() < 0.95
        assert 12 < len(episode) * 0.1 < 30


def test_the_expert_moves_as_slowly_as_a_hand(solved):
    speed = np.abs(np.concatenate([e.action[:, :6] for e in solved]))
    assert np.percentile(speed, 95, axis=0)[:4].max() < 0.6 and speed.max() < 1.5


def test_the_expert_recovers_when_its_banana_is_taken_away():
    """Data of recoveries: it sees that the gripper is empty, and begins again."""
    task = BananaOnPlate()
    world = MujocoWorld(task, 1, config=MujocoConfig(image_hw=(8, 8)))
    policy = task.expert(world.physics, world.goals, world.interface)
    obs, _ = world.reset(options={"starts": [Start(11, 0)]})
    policy.reset(np.ones(1, bool), np.zeros(1, np.int64))
    home, taken, success = world.physics.body_pos("banana")[0].copy(), False, False
    for _ in range(300):
        if not taken and world.physics.body_pos("banana")[0, 2] > TABLE_Z + 0.08:
            world.physics.row(0).set_pose("banana", home, 1.2)
            taken = True
        obs, _, terminated, truncated, info = world.step(policy.act(obs))
        success = bool(info["success"][0])
        if terminated[0] or truncated[0]:
            break
    world.close()
    assert taken and success


def test_minimum_jerk_begins_and_ends_at_rest():
    begin, end = np.zeros(2), np.array([1.0, -2.0])
    for time_s, at in ((0.0, begin), (3.0, end), (9.0, end)):
        position, velocity = _minimum_jerk(begin, end, time_s, 3.0)
        assert position == pytest.approx(at) and velocity == pytest.approx(np.zeros(2))
    step = 1e-6
    for time_s in (0.7, 1.5, 2.4):
        position, velocity = _minimum_jerk(begin, end, time_s, 3.0)
        ahead, _ = _minimum_jerk(begin, end, time_s + step, 3.0)
        assert (ahead - position) / step == pytest.approx(velocity, rel=1e-4)


def test_wobble_has_its_size_and_none_is_none():
    speed = np.full(6, 1.5)
    calm = Disturbance(None, speed, stream(0))
    assert np.array_equal(calm(np.ones(6), 0.1), np.ones(6))
    noise = Disturbance(DisturbanceConfig(std=0.05, push_rate=0.0), speed, stream(0))
    drawn = np.array([noise(np.zeros(6), 0.1) for _ in range(3000)])[100:]
    assert drawn.std() == pytest.approx(0.05 * 1.5, rel=0.1)
    correlation = np.corrcoef(drawn[:-5, 0], drawn[5:, 0])[0, 1]
    assert correlation == pytest.approx(np.exp(-1), abs=0.12)  # 0.5 s apart
    pushed = Disturbance(DisturbanceConfig(std=0.0, push_rate=5.0, push=0.2), speed, stream(1))
    moved = np.array([pushed(np.ones(6), 0.1) - 1 for _ in range(200)])
    sizes = np.linalg.norm(moved, axis=1)
    assert sizes.max() == pytest.approx(0.2 * 1.5, rel=1e-6) and (sizes == 0).any()
    still = Disturbance(DisturbanceConfig(std=0.0, push_rate=5.0), speed, stream(1))
    assert not any(still(np.zeros(6), 0.1).any() for _ in range(200))  # never at rest


@pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded CR5 episodes beside the checkout")
def test_it_shares_the_recordings_instruction_and_channels():
    tasks = (RECORDED / "meta" / "tasks.jsonl").read_text().splitlines()
    assert {json.loads(line)["task"] for line in tasks} == set(BananaOnPlate().instructions)
    first = pq.read_table(next(iter(sorted(RECORDED.glob("data/*/episode_*.parquet")))))
    world = MujocoWorld(BananaOnPlate(), 1)
    assert len(first["observation.state"][0]) == len(world.interface.state)
    assert len(first["action"][0]) == len(world.interface.action)

"""push_t: what counts as success, where episodes start, how its expert pushes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimix.core.contracts import Goal, Start
from trimix.core.rollout import rollout
from trimix.core.seeds import stream
from trimix.sim.contacts import TABLE
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks.push_t import (
    COVERED,
    START_M,
    STICK_CLEAR_M,
    PushT,
    coverage,
    planar_pose,
)
from trimix.tasks.push_t_expert import pose_error
from trimix.tasks.tee import BOXES, HEIGHT, UNIT, Tee, clearance

BLIND = MujocoConfig(draw_images=False)
LYING = -0.0003  # contacts give a little
GRID = 0.01
"""How far off the coverage may be: it is counted on a lattice of 48 x 48 points."""
SAMPLED = 4000
poses = st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.floats(-7, 7)).map(np.array)


def moved(pose, frame):
    """(3,) a pose given in a frame, outside of it."""
    c, s = np.cos(frame[2]), np.sin(frame[2])
    x, y = c * pose[0] - s * pose[1], s * pose[0] + c * pose[1]
    return np.array([frame[0] + x, frame[1] + y, frame[2] + pose[2]])


@pytest.fixture
def marked(staged):
    """(T's pose (3,) in the mark's frame at scale 1, robot, height) -> it lies there."""

    def make(off=(0.0, 0.0, 0.0), robot="gantry", z=LYING):
        stage = staged("push_t", robot, mark="green")
        mark = planar_pose(stage.physics, "green")[0]
        mark[:2] /= stage.row.scale
        at = moved(np.asarray(off, float), mark)
        return stage.put("tee", [*at[:2], z], at[2])

    return make


def sampled(pose, goal, rng):
    """Part of the mark at a goal (3,) that a T at a pose (3,) covers: random points, in units."""
    areas = [h[0] * h[1] for _, h in BOXES]
    box = rng.choice(len(BOXES), SAMPLED, p=np.array(areas) / sum(areas))
    center, half = np.swapaxes(np.array(BOXES), 0, 1)
    point = center[box] + rng.uniform(-1, 1, (SAMPLED, 2)) * half[box]
    c, s = np.cos(goal[2]), np.sin(goal[2])
    there = goal[:2] / UNIT + point @ np.array([[c, s], [-s, c]])
    c, s = np.cos(pose[2]), np.sin(pose[2])
    local = (there - pose[:2] / UNIT) @ np.array([[c, -s], [s, c]])
    return float((clearance(local, 1.0) == 0).mean())


@given(poses, poses, poses)
def test_the_error_is_that_of_the_relative_pose(a, b, frame):
    error = pose_error(a, b)
    assert pose_error(moved(a, frame), moved(b, frame)) == pytest.approx(error, abs=1e-9)
    assert pose_error(b, a) == pytest.approx(error, abs=1e-9)
    assert pose_error(a + np.array([0, 0, 2 * np.pi]), b) == pytest.approx(error, abs=1e-9)
    assert 0 <= error[1] <= np.pi
    assert pose_error(a, a) == pytest.approx((0, 0), abs=1e-9)


def test_the_coverage_is_that_of_a_sampled_area(marked):
    rng = stream(0, "coverage")
    for size in (0.01, 0.05, 0.2):
        for _ in range(8):
            stage = marked(rng.normal(0, size * np.array([1, 1, 10 / 3])))
            pose, goal = (planar_pose(stage.physics, n)[0] for n in ("tee", "green"))
            found = float(coverage(stage.physics, stage.goals)[0])
            noise = 3 * np.sqrt(0.25 / SAMPLED)
            assert found == pytest.approx(sampled(pose, goal, rng), abs=GRID + noise)


@pytest.mark.parametrize("robot", ["gantry", "cr5", "so101"])
def test_the_t_on_its_mark_is_the_goal(marked, robot):
    """Whatever the cell's scale."""
    stage = marked(robot=robot)
    assert coverage(stage.physics, stage.goals)[0] == 1.0
    assert stage.solved and stage.run(1.0).solved


@pytest.mark.parametrize("bearing", np.linspace(0, 2 * np.pi, 5)[:-1])
@pytest.mark.parametrize("robot", ["gantry", "so101"])
def test_success_is_coverage_of_nine_tenths(marked, bearing, robot):
    """A T moved along its own x or y uncovers 4 of its 7 square units a unit; turned, 1.18."""
    way = np.array([np.cos(bearing), np.sin(bearing), 0.0])
    for lost, good in ((1 - COVERED - GRID, True), (1 - COVERED + GRID, False)):
        assert marked(7 / 4 * lost * UNIT * way, robot).solved == good
        for turn in (lost / 1.18, -lost / 1.18):
            assert marked((0.0, 0.0, turn), robot).solved == good


def test_a_t_that_still_slides_or_turns_is_refused(marked):
    assert not marked().move("tee", (0.05, 0, 0)).solved
    assert not marked().move("tee", (0, 0, 0), (0, 0, 0.6)).solved
    assert marked().move("tee").solved


def test_a_t_that_flies_or_lies_upside_down_is_refused(marked):
    assert not marked(z=0.003).solved
    stage = marked()
    at, yaw = stage.physics.body_pos("tee")[0], float(stage.physics.yaw("tee")[0])
    # Half a turn about its bar: its yaw is the same, and its stem points the other way.
    bar = (np.cos(yaw / 2), np.sin(yaw / 2), 0.0)
    stage.tilt("tee", at + np.array([0, 0, HEIGHT]), bar, np.pi)
    assert coverage(stage.physics, stage.goals)[0] > COVERED
    assert stage.physics.touching("tee", TABLE)[0] and not stage.solved


def test_a_t_that_is_touched_is_refused_and_a_stick_above_it_is_not(marked):
    stage = marked()
    top, radius = BOXES[0][0][1] + BOXES[0][1][1], 0.0125
    for gap, good in ((-0.0005, False), (0.001, True)):
        beside = moved([0.0, top * UNIT + radius + gap, 0.0], planar_pose(stage.physics, "tee")[0])
        stage.row.set_joints(beside[:2])
        stage.physics.forward([0])
        assert stage.physics.free("tee")[0] == good == stage.solved
    stage = marked(robot="cr5")
    over = np.append(planar_pose(stage.physics, "tee")[0, :2], HEIGHT + 0.008)  # finger's length
    assert stage.tool(over + np.array([0, 0, 0.003]), gap_m=0.0).solved
    assert not stage.tool(over - [0, 0, 0.001], gap_m=0.0).solved


def test_the_stick_is_not_the_t(marked):
    """At the mark with the T elsewhere, it covers nothing."""
    stage = marked((0.15, 0.0, 0.0))
    before = coverage(stage.physics, stage.goals)[0]
    stage.row.set_joints(stage.physics.body_pos("green")[0, :2])
    stage.physics.forward([0])
    assert coverage(stage.physics, stage.goals)[0] == before < 0.2 and not stage.solved


def test_reward_grows_towards_the_goal(marked):
    rewards = []
    for part in np.linspace(1, 0, 12):
        stage = marked(part * np.array([0.15, -0.1, 3.0]))
        rewards.append(float(stage.task.reward(stage.physics, stage.goals)[0]))
    assert (np.diff(rewards) >= 0).all() and rewards[0] < 0.2 and rewards[-1] == 1.0


def test_the_mark_is_the_t_at_the_goal(marked):
    model = marked().physics.model
    for tee, goal in (("tee", "green"), ("tee_1", "green_1")):
        a, b = model.geom(tee), model.geom(goal)
        assert a.pos[:2] == pytest.approx(b.pos[:2])
        assert a.size[:2] == pytest.approx(b.size[:2])
        assert b.contype[0] == b.conaffinity[0] == 0


@pytest.mark.parametrize("robot", ["gantry", "cr5"])
@pytest.mark.parametrize("randomization", ["none", "strong"])
def test_starts_are_far_enough_and_clear_of_the_robot(robot, randomization):
    world = MujocoWorld(PushT(), 8, robot=robot, randomization=randomization, config=BLIND)
    physics = world.physics
    for block in range(4):
        world.reset(options={"starts": [Start(1, 8 * block + i) for i in range(8)]})
        tee, mark = (planar_pose(physics, name) for name in ("tee", "green"))
        apart = pose_error(tee, mark)[0]
        assert (apart > START_M[0] - 1e-9).all() and (apart < START_M[1] + 1e-9).all()
        assert (coverage(physics, world.goals) < 0.6).all()
        assert physics.free("tee").all()
        if robot == "gantry":
            for pose, stick in zip(tee, physics.joints(), strict=True):
                away = moved([*(stick - pose[:2]), 0.0], [0, 0, -pose[2]])[:2]
                assert clearance(away, UNIT) > STICK_CLEAR_M - 1e-9
    world.close()


def test_an_arm_can_do_it_too():
    world = MujocoWorld(PushT(), 3, robot="cr5", config=BLIND)
    expert = world.task.expert(world.physics, world.goals, world.interface)
    starts = [Start(3, i) for i in range(3)]
    episodes = [e for _, e in rollout(world, expert, starts, keep_images=False)]
    world.close()
    assert all(e.provenance.success for e in episodes)
    assert np.median([len(e) for e in episodes]) < 150


@given(
    st.floats(0.07, 0.12), st.floats(-3, 3), st.floats(-1.9, 1.9), st.sampled_from([0.25, -0.25])
)
@settings(max_examples=25)
def test_a_mirrored_scene_gives_a_mirrored_action(pair, apart, bearing, yaw, stick_x):
    world, physics = pair, pair.physics
    obs, _ = world.reset(options={"starts": [Start(0, 0), Start(0, 0)]})
    for i, side in enumerate((1, -1)):
        row = physics.row(i)
        row.set_pose("green", (0.0, 0.0, 0.0))
        x, y = apart * np.cos(bearing), apart * np.sin(bearing)
        row.set_pose("tee", (side * x, y, 0.0), side * yaw)
        row.set_joints((side * stick_x, 0.23))
        world.goals[i] = Goal("", {"mark": "green"})
    physics.forward([0, 1])
    left, right = world.task.expert(physics, world.goals, world.interface).act(obs)
    assert right == pytest.approx(left * [-1, 1], abs=1e-6)


@pytest.fixture(scope="module")
def pair():
    """A world of two rows."""
    world = MujocoWorld(PushT(), 2, config=BLIND)
    yield world
    world.close()


def test_pushing_is_as_in_the_quasi_static_model(marked):
    """A stick led along the path that the model gives a contact point takes the T along."""
    stage = marked()
    physics, row = stage.physics, stage.row
    tee = Tee(UNIT, float(physics.geom_size("stick", 0)[0]), 0.02)
    arcs = tee.moved(np.linspace(0, 0.02, 301))  # 1.5 s of physics
    errors, coasted = [], []
    for contact, arc in enumerate(arcs):
        at = np.append(tee.contact[contact] - tee.radius * tee.normal[contact], 0.0)
        path = np.array([moved(at, pose)[:2] for pose in arc])
        stage.begin().put("tee", (0.0, 0.0, LYING))
        row.set_joints(path[0])
        physics.step([0], path[None])
        physics.step([0], np.repeat(path[-1:], 40, 0)[None])
        pose = planar_pose(physics, "tee")[0]
        errors.append(np.abs(pose - arc[-1]))
        physics.step([0], np.repeat(path[-1:], 60, 0)[None])
        coasted.append(np.abs(planar_pose(physics, "tee")[0] - pose))
    worst, mean = np.max(errors, axis=0), np.mean(errors, axis=0)
    assert (worst < [0.011, 0.008, 0.10]).all() and (mean < [0.004, 0.004, 0.05]).all()
    assert np.abs(arcs[:, -1, 2]).max() > 0.5  # what it is asked to foresee
    assert np.max(coasted) < 1e-3  # it rests where the stick left it

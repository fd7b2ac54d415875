"""push_t: what counts as success, where episodes start, what its expert can do."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimix.core.contracts import Start
from trimix.core.episode import Episode
from trimix.core.rollout import rollout
from trimix.core.seeds import stream
from trimix.randomization.distributions import Constant
from trimix.randomization.vary import Randomizer, Vary
from trimix.sim.physics import Physics
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks.push_t import NEAR_M, NEAR_RAD, START_CLEAR_M, START_M, PushT, pose_error
from trimix.tasks.push_t_expert import PushExpert, planar_pose
from trimix.tasks.tee import Tee, clearance

CONFIG = MujocoConfig(image_hw=(16, 16))
poses = st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.floats(-7, 7)).map(np.array)


@pytest.fixture(scope="module")
def world() -> Iterator[MujocoWorld]:
    world = MujocoWorld(PushT(), 3, config=CONFIG)
    yield world
    world.close()


def _place(physics: Physics, row: int, tee: np.ndarray, stick: tuple[float, float]) -> None:
    view = physics.row(row)
    view.set_joints(np.array(stick))
    for name, value in zip(("tee_x", "tee_y", "tee_yaw"), tee, strict=True):
        view.set_joint(name, float(value))
    physics.qvel[row] = 0.0
    physics.forward([row])


def _moved(pose: np.ndarray, frame: np.ndarray) -> np.ndarray:
    c, s = np.cos(frame[2]), np.sin(frame[2])
    x, y = c * pose[0] - s * pose[1], s * pose[0] + c * pose[1]
    return np.array([frame[0] + x, frame[1] + y, frame[2] + pose[2]])


@given(poses, poses, poses)
def test_the_error_is_that_of_the_relative_pose(
    a: np.ndarray, b: np.ndarray, frame: np.ndarray
) -> None:
    error = pose_error(a, b)
    assert pose_error(_moved(a, frame), _moved(b, frame)) == pytest.approx(error, abs=1e-9)
    assert pose_error(b, a) == pytest.approx(error, abs=1e-9)
    assert pose_error(a + np.array([0, 0, 2 * np.pi]), b) == pytest.approx(error, abs=1e-9)
    assert 0 <= error[1] <= np.pi
    assert pose_error(a, a) == pytest.approx((0, 0), abs=1e-9)


@pytest.mark.parametrize("bearing", np.linspace(0, 2 * np.pi, 5)[:-1])
@pytest.mark.parametrize("sign", [-1, 1])
def test_success_is_near_in_place_and_in_angle(
    world: MujocoWorld, bearing: float, sign: int
) -> None:
    direction = np.array([np.cos(bearing), np.sin(bearing), 0])
    for part, good in ((0.95, True), (1.05, False)):
        for error in (part * NEAR_M * direction, np.array([0, 0, sign * part * NEAR_RAD])):
            _place(world.physics, 0, error, (0.28, 0.28))
            assert world.task.success(world.physics)[0] == good
            assert (world.task.reward(world.physics)[0] == 1.0) == good


def test_reward_grows_towards_the_goal_within_0_and_1(world: MujocoWorld) -> None:
    before = -1.0
    for part in np.linspace(1, 0, 12):
        _place(world.physics, 0, part * np.array([0.2, -0.1, 3.0]), (0.3, 0.3))
        reward = float(world.task.reward(world.physics)[0])
        assert before < reward <= 1.0 or reward == before == 1.0
        before = reward
    assert before == 1.0


def test_the_mark_is_the_t_at_the_goal(world: MujocoWorld) -> None:
    model = world.model
    for tee, goal in (("tee", "goal"), ("tee_1", "goal_1")):
        a, b = model.geom(tee), model.geom(goal)
        assert a.pos[:2] == pytest.approx(b.pos[:2])
        assert a.size[:2] == pytest.approx(b.size[:2])
        assert b.contype[0] == b.conaffinity[0] == 0


def test_success_needs_its_hold_time(world: MujocoWorld) -> None:
    world.reset(seed=0)
    for row in range(3):
        _place(world.physics, row, np.array([0.05 * (row == 2), 0, 0]), (0.28, 0.28))
    still = np.zeros((3, 2), np.float32)
    steps = round(world.task.hold_s / CONFIG.control_dt_s)
    for k in range(1, steps + 1):
        if k == 2:  # one row loses its hold and has to begin again
            _place(world.physics, 1, np.array([0.1, 0, 0]), (0.28, 0.28))
        elif k == 3:
            _place(world.physics, 1, np.zeros(3), (0.28, 0.28))
        *_, terminated, _, info = world.step(still)
        assert bool(terminated[0]) == bool(info["success"][0]) == (k == steps)
        assert not info["success"][1]
        assert not info["success"][2]


@pytest.mark.parametrize("randomization", ["none", "strong"])
def test_starts_are_clear_of_the_stick_and_off_the_goal(randomization: str) -> None:
    task = PushT()
    world = MujocoWorld(task, 1, randomization=randomization, config=CONFIG)
    physics = world.physics
    for episode in range(60):
        physics.reset([0])
        world.randomizer.apply(world.draw(1, episode), 0, physics.parameters)
        physics.parameters.commit([0])
        task.start(physics.row(0), stream(1, episode, "start"))
        physics.forward([0])
        tee, stick = planar_pose(physics, "tee")[0], physics.joints()[0]
        c, s = np.cos(tee[2]), np.sin(tee[2])
        x, y = stick - tee[:2]
        scale = physics.geom_size("tee", 0)[1] / 0.0225
        apart = clearance(np.array([c * x + s * y, c * y - s * x]), scale)
        assert apart > START_CLEAR_M - 1e-9
        assert START_M[0] - 1e-9 <= np.hypot(*tee[:2]) <= START_M[1] + 1e-9
        assert not task.success(physics)[0]
        assert physics.batch.bind("ncon")[0] == 0
    world.close()


def _episodes(world: MujocoWorld, starts: list[Start]) -> list[Episode]:
    expert = world.task.expert(world.physics, world.goals, world.interface)
    done = dict(rollout(world, expert, starts, keep_images=False))
    return [done[i] for i in range(len(starts))]


@pytest.mark.parametrize("randomization", ["none", "mild"])
def test_the_expert_solves_it_soon(randomization: str) -> None:
    world = MujocoWorld(PushT(), 4, randomization=randomization, config=CONFIG)
    episodes = _episodes(world, [Start(3, i) for i in range(8)])
    world.close()
    assert all(e.provenance.success for e in episodes)
    assert np.median([len(e) for e in episodes]) < 100
    assert max(len(e) for e in episodes) < 150


def test_the_experts_rows_do_not_depend_on_the_batch(world: MujocoWorld) -> None:
    starts = [Start(4, i) for i in range(4)]
    together = _episodes(world, starts)
    alone = MujocoWorld(PushT(), 1, config=CONFIG)
    for a, b in zip(together, _episodes(alone, starts), strict=True):
        np.testing.assert_array_equal(a.action, b.action)
        np.testing.assert_array_equal(a.state, b.state)
    alone.close()


@given(st.floats(0.05, 0.12), st.floats(-3, 3), st.floats(-1.9, 1.9), st.sampled_from([0.2, -0.2]))
def test_a_mirrored_scene_gives_a_mirrored_action(
    world: MujocoWorld, apart: float, bearing: float, yaw: float, stick_x: float
) -> None:
    tee = np.array([apart * np.cos(bearing), apart * np.sin(bearing), yaw])
    _place(world.physics, 0, tee, (stick_x, 0.23))
    _place(world.physics, 1, tee * [-1, 1, -1], (-stick_x, 0.23))
    expert = PushExpert(world.physics, world.interface, None)
    obs, _ = world.reset(options={"reset_mask": np.zeros(3, bool)})
    left, right, _ = expert.act(obs)
    assert right == pytest.approx(left * [-1, 1], abs=1e-6)


def test_pushing_follows_the_quasi_static_model() -> None:
    """A stick led along the path that the model gives a contact point takes the T along."""
    # The model knows no friction between stick and T: a round stick that is led along slips.
    slippery = Randomizer([Vary("geom/*/friction", "set", Constant((0.0, 0.0, 0.0)))])
    world = MujocoWorld(PushT(), 1, randomization=slippery, config=CONFIG)
    world.reset(seed=0)
    physics = world.physics
    tee = Tee(1.0, float(physics.geom_size("stick", 0)[0]), 0.02)
    arcs = tee.moved(np.linspace(0, 0.06, 301))  # 1.5 s of substeps
    for contact, arc in enumerate(arcs):
        c, s = np.cos(arc[:, 2]), np.sin(arc[:, 2])
        x, y = tee.contact[contact] - tee.radius * tee.normal[contact]
        path = arc[:, :2] + np.stack([c * x - s * y, s * x + c * y], 1)
        _place(physics, 0, np.zeros(3), tuple(path[0]))
        physics.step([0], path[None])
        physics.step([0], np.repeat(path[-1:], 60, 0)[None])
        pose = planar_pose(physics, "tee")[0]
        assert pose == pytest.approx(arc[-1], abs=5e-3)
        assert pose[:2] == pytest.approx(arc[-1, :2], abs=1e-3)
        # Nothing coasts: it rests where the stick left it.
        physics.step([0], np.repeat(path[-1:], 60, 0)[None])
        assert planar_pose(physics, "tee")[0] == pytest.approx(pose, abs=1e-3)
    world.close()

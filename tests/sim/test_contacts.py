"""Contacts: firm, lossy, and with a grip that holds."""

import mujoco
import numpy as np
import pytest

from trimix.core.contracts import Start
from trimix.core.rollout import rollout
from trimix.core.seeds import stream
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS
from trimix.tasks.cheats import cheater, until
from trimix.tasks.lift import Expert

BLIND = MujocoConfig(draw_images=False)


@pytest.mark.parametrize("restitution", [0.0, 0.2, 0.4])
@pytest.mark.parametrize("softness", [1.0, 2.5])
def test_what_lies_on_a_bouncy_table_stays_there(restitution, softness):
    """A contact too stiff for a physics step gives energy: blocks jumped 25 cm high."""
    world = MujocoWorld(TASKS["sweep"](), 1, config=BLIND)
    draw = {
        "geom/table/restitution": {"how": "set", "value": restitution},
        "geom/table/softness": {"how": "scale", "value": softness},
    }
    world.reset(options={"starts": [Start(3, 0, draw=draw)]})
    pieces = [p for p in world.props if p[-2:] in ("_0", "_1", "_2")]
    before = np.array([world.physics.body_pos(p)[0] for p in pieces])
    for _ in range(20):
        world.step(np.zeros((1, len(world.interface.action)), np.float32))
        now = np.array([world.physics.body_pos(p)[0] for p in pieces])
        assert np.abs(now - before).max() < 0.003
    world.close()


def test_fingers_do_not_sink_into_what_they_hold_nor_lose_it():
    """Held for ten seconds a block is where it was, and the pads are outside of it."""
    world = MujocoWorld(TASKS["lift"](), 2, config=BLIND)
    task = cheater("hold", Expert, until("lift"))
    policy = task.policy(world.physics, world.goals, world.interface)
    world.time_limit_s, world._max_steps = 15.0, 150
    world._hold_steps = 1000  # goes on
    data, deepest = mujoco.MjData(world.model), []
    places = []

    class Watched:
        interface = policy.interface

        def reset(self, rows, seeds):
            policy.reset(rows, seeds)

        def act(self, obs):
            if world._steps[0] >= 50:
                world.physics.batch.get_data(0, data)
                mujoco.mj_forward(world.model, data)
                deepest.append(-float(data.contact.dist.min()))
                name = world.goals[0].text("object")
                places.append((world.physics.body_pos(name) - world.physics.tool_pos())[0, 2])
            return policy.act(obs)

    list(rollout(world, Watched(), [Start(0, 0), Start(0, 1)], keep_images=False))
    world.close()
    assert len(places) == 100
    assert max(deepest) < 0.002
    assert abs(places[-1] - places[0]) < 0.001


def test_no_start_pose_bends_an_elbow_the_other_way():
    """Each joint starts within 2 of its standard deviations from home."""
    world = MujocoWorld(TASKS["lift"](), 1, config=BLIND)
    robot = world.physics.robot
    most = 2 * np.linalg.norm(np.array(robot.home_spread), axis=1) + 1e-6
    for k in range(2000):
        world.physics.row(0).set_home(stream(k))
        assert (np.abs(world.physics.joints()[0] - robot.home) <= most).all()
    world.close()

"""Hand-made states: things put where a task is nearly solved, or just solved."""

import numpy as np
import pytest

from trimix.core.contracts import Goal, Start
from trimix.sim.kinematics import Kinematics
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS


class Staged:
    """One row of a task: a start of it, then what a test puts where; lengths at scale 1."""

    def __init__(self, name, robot=""):
        self.task = TASKS[name]()
        self.world = MujocoWorld(self.task, 1, robot=robot, config=MujocoConfig(draw_images=False))
        self.physics = self.world.physics
        self.row = self.physics.row(0)
        self.kinematics = Kinematics(self.physics.robot)
        self.goals = self.world.goals

    def begin(self, **params):
        """A start, at rest, with a goal of these parameters."""
        self.world.reset(options={"starts": [Start(0, 0, draw={})]})
        self.goals[0] = Goal("", {**self.goals[0].params, **params})
        return self

    def put(self, name, pos, yaw=0.0):
        """A prop or fixture; what it was like before is forgotten."""
        self.row.set_pose(name, pos, yaw)
        self.physics.forward([0])
        return self

    def tilt(self, name, pos, axis, angle):
        """A prop turned by `angle` rad about an axis (3,)."""
        self.put(name, pos)
        at = self.physics.joint_address(name)
        turn = np.sin(angle / 2) * np.asarray(axis, float)
        self.physics.qpos[0, at + 3 : at + 7] = [np.cos(angle / 2), *turn]
        self.physics.forward([0])
        return self

    def move(self, name, linear=(0, 0, 0), angular=(0, 0, 0)):
        """A prop's velocity in m/s and rad/s."""
        model = self.physics.model
        at = int(model.jnt_dofadr[model.joint(name).id])
        self.physics.qvel[0, at : at + 6] = [*linear, *angular]
        self.physics.forward([0])
        return self

    def joint(self, name, value):
        """A fixture's slide, in m."""
        self.row.set_joint(name, value * self.row.scale)
        self.physics.forward([0])
        return self

    def tool(self, pos, yaw=0.0, gap_m=None):
        """The tool pointing down, its fingers this far apart; None is open."""
        robot = self.physics.robot
        q = self.kinematics.down(np.asarray(pos) * self.row.scale, yaw, robot.home)
        assert q is not None, f"{pos} cannot be reached"
        self.row.set_joints(q)
        if gap_m is not None:
            fingers = self.physics.finger_qpos
            self.physics.qpos[0, fingers] = (robot.gripper.width_m - gap_m) / 2
        self.physics.forward([0])
        return self

    def run(self, seconds):
        """Let it go on by itself; servos hold the robot."""
        steps = max(1, round(seconds / self.physics.model.opt.timestep))
        ctrl = np.repeat(np.array(self.physics.ctrl[:1])[:, None], steps, axis=1)
        assert not self.physics.step([0], ctrl)[0]
        return self

    @property
    def solved(self):
        """Whether the task takes it for success; its reward must agree."""
        success = bool(self.task.success(self.physics, self.goals)[0])
        assert (self.task.reward(self.physics, self.goals)[0] == 1) == success
        return success


@pytest.fixture(scope="session")
def staged():
    """(task, robot="", **goal parameters) -> a fresh start of it."""
    made = {}

    def make(task, robot="", **params):
        if (task, robot) not in made:
            made[task, robot] = Staged(task, robot)
        return made[task, robot].begin(**params)

    yield make
    for each in made.values():
        each.world.close()

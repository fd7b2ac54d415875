"""What each task looks like and how it settles, for tests/sim/test_golden.py.

Write golden.json anew, after a change that was meant: python tests/sim/golden.py
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np

from trimix.core.contracts import Start
from trimix.core.rollout import rollout
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS

FILE = Path(__file__).with_name("golden.json")
SETTLE_STEPS = 20
EXPERT_SEEDS = range(5)


def settled(task):
    """Prop or fixture -> [x, y, z, then two columns of its rotation] after 2 s of holding still."""
    world = MujocoWorld(TASKS[task](), 1, config=MujocoConfig(draw_images=False))
    world.reset(options={"starts": [Start(0, 0, draw={})]})
    still = np.zeros((1, len(world.interface.action)), np.float32)
    for _ in range(SETTLE_STEPS):
        world.step(still)
    poses = world.frame()["props"][0]
    world.close()
    return {
        name: pose.astype(float).round(5).tolist()
        for name, pose in zip(world.props, poses, strict=True)
    }


def pictures(task):
    """Camera -> mean [r, g, b] of the first frame, 64 px, under the sealed target's looks too."""
    made = TASKS[task]()
    found = {}
    for randomization in ("none", "target"):
        config = MujocoConfig(cameras=made.cameras)
        world = MujocoWorld(made, 1, randomization=randomization, config=config)
        obs, _ = world.reset(options={"starts": [Start(0, 0)]})
        world.close()
        for name, image in obs["images"].items():
            found[f"{name}, {randomization}"] = image[0].mean((0, 1)).round(2).tolist()
    return found


def expert(task):
    """Whether the expert solves each of five fixed scenes."""
    made = TASKS[task]()
    world = MujocoWorld(made, len(EXPERT_SEEDS), config=MujocoConfig(image_hw=(8, 8)))
    policy = made.expert(world.physics, world.goals, world.interface)
    starts = [Start(seed, 0) for seed in EXPERT_SEEDS]
    episodes = dict(rollout(world, policy, starts, keep_images=False))
    world.close()
    return {f"seed {s}": bool(episodes[i].provenance.success) for i, s in enumerate(EXPERT_SEEDS)}


MEASURES = {"settled": settled, "pictures": pictures, "expert": expert}


if __name__ == "__main__":
    golden = {
        "mujoco": version("mujoco"),
        "tasks": {task: {n: f(task) for n, f in MEASURES.items()} for task in sorted(TASKS)},
    }
    FILE.write_text(json.dumps(golden, indent=1) + "\n")

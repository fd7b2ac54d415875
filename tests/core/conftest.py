"""A world that counts, and a policy that doubles: all of an episode can be written down by hand.

Axes: N rows, 1 state channel, 1 action channel.
"""

import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from trimix.core.contracts import Channel, PolicyInterface, Start, World

INTERFACE = PolicyInterface(
    cameras={"eye": (2, 3)},
    state=(Channel("count"),),
    action=(Channel("step", "", -5.0, 5.0),),
    control_mode="joint_velocity",
    control_dt_s=0.1,
)

HERE = str(Path(__file__).parent)
if HERE not in sys.path:  # worker processes find shared_tasks by name
    sys.path.insert(0, HERE)


class Counter(World):
    """Row i counts up from its start's seed; an episode has 2 + episode % 4 steps.

    The arrays it gives out are written over at the next call, as a fast world's may be.
    """

    metadata = {"autoreset_mode": gym.vector.AutoresetMode.DISABLED}  # noqa: RUF012
    interface, origin, time_limit_s = INTERFACE, "sim", 1.0

    def __init__(self, n):
        self.num_envs = n
        self.starts = [Start(0, i) for i in range(n)]
        self.t = np.zeros(n, int)
        self.finished = np.ones(n, bool)
        self.steps_taken = 0
        self.obs = {
            "images": {"eye": np.zeros((n, 2, 3, 3), np.uint8)},
            "state": np.zeros((n, 1), np.float32),
            "instruction": [""] * n,
        }

    def reset(self, *, seed=None, options=None):
        for i in np.flatnonzero(options["reset_mask"]):
            self.starts[i] = options["starts"][i]
            self.t[i], self.finished[i] = 0, False
        return self._look(), self._info()

    def step(self, action):
        active = ~self.finished
        self.t[active] += 1
        self.steps_taken += int(active.sum())
        length = np.array([2 + s.episode % 4 for s in self.starts])
        terminated = active & (self.t >= length)
        self.finished |= terminated
        info = self._info() | {"action": np.clip(action, -5, 5)}
        reward = np.where(active, self.t, 0).astype(np.float32)
        return self._look(), reward, terminated, np.zeros(self.num_envs, bool), info

    def snapshot(self):
        return np.stack([self.t, [s.episode for s in self.starts]], 1).astype(np.float64)

    def provenance(self, row):
        start = self.starts[row]
        return {"origin": "sim", "task": "count", "seed": start.seed, "episode": start.episode}

    def _look(self):
        for i, start in enumerate(self.starts):
            self.obs["state"][i] = start.seed + self.t[i]
            self.obs["images"]["eye"][i] = (10 * start.episode + self.t[i]) % 256
            self.obs["instruction"][i] = f"count {start.episode}"
        return self.obs

    def _info(self):
        last = np.array([s.episode % 2 == 0 for s in self.starts]) & self.finished
        return {
            "success": last.astype(np.float32),
            "trust": (1 / (1 + self.t)).astype(np.float32),
            "abstained": np.array([s.episode == 3 for s in self.starts]) & self.finished,
        }


class Doubler:
    """Twice the state, plus a number of the row's own seed: it remembers, row by row."""

    interface = INTERFACE

    def __init__(self, n):
        self.offset = np.zeros(n)

    def reset(self, rows, seeds):
        self.offset[rows] = seeds[rows] % 3

    def act(self, obs):
        return (2 * obs["state"] + self.offset[:, None]).astype(np.float32)


@pytest.fixture(scope="session")
def counter():
    """n -> (world, policy) of n rows."""
    return lambda n: (Counter(n), Doubler(n))

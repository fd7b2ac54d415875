"""Small worlds: few rows, few pixels."""

import numpy as np
import pytest

from trimix.core.contracts import Start
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS


@pytest.fixture(scope="session")
def make_world():
    """(n, randomization, task, **MujocoConfig) -> a world; all are closed at the end."""
    made = []

    def make(n=1, randomization="none", task="banana_on_plate", **config):
        config = {"image_hw": (8, 8)} | config
        made.append(
            MujocoWorld(
                TASKS[task](), n, randomization=randomization, config=MujocoConfig(**config)
            )
        )
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture(scope="session")
def wiggle():
    """(world, starts, steps, seed) -> {start's episode: states (T + 1, S)} under random actions.

    Actions are keyed by episode and step, so that they do not depend on the row either.
    """

    def run(world, starts, steps=12, seed=0):
        low, high = world.single_action_space.low, world.single_action_space.high
        low, high = np.maximum(low, -1.0), np.minimum(high, 1.0)
        world.reset(options={"starts": starts})
        states = [world.snapshot()]
        for t in range(steps):
            action = np.stack(
                [
                    np.random.default_rng([seed, s.episode, t // 4]).uniform(low, high)
                    for s in starts
                ]
            )
            world.step(action.astype(np.float32))
            states.append(world.snapshot())
        trace = np.stack(states, 1)
        return {s.episode: trace[i] for i, s in enumerate(starts)}

    return run


@pytest.fixture(scope="session")
def starts():
    """n -> the first n starts of seed 5."""
    return lambda n: [Start(5, k) for k in range(n)]

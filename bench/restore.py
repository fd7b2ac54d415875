"""Whether the future after a restored snapshot is the future itself, to the bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trimix.bench.figure import Figure
from trimix.bench.spread import spread
from trimix.core.contracts import Obs, Start
from trimix.core.errors import ConfigError
from trimix.core.seeds import stream
from trimix.core.workers import Tick
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS

EPISODES = 500
AHEAD = 20
"""Steps that are compared after a restore."""
_ROBOTS = ("cr5", "so101", "jaco", "gantry")


@dataclass(frozen=True)
class Case:
    """Args:
    task, robot: registered.
    episodes: to be restored at a random frame each.
    """

    task: str
    robot: str
    episodes: int


def run(quick: bool) -> Iterator[Figure]:
    """`restore.identical`: per cent of episodes."""
    pairs = [(t, r) for t in TASKS for r in _ROBOTS if _meet(t, r)]
    pairs = pairs[:1] if quick else pairs
    each = 2 if quick else -(-EPISODES // len(pairs))
    good, n = 0, 0
    for case, same in spread(_measure, [Case(t, r, each) for t, r in pairs]):
        good, n = good + same, n + case.episodes
    about = f"{len(pairs)} pairs of task and robot, strong, {AHEAD} steps, other rows and threads"
    yield Figure("restore.identical", 100 * good / n, "%", n, None, about)


def _meet(task: str, robot: str) -> bool:
    try:
        MujocoWorld(TASKS[task](), 1, robot=robot, config=MujocoConfig(draw_images=False)).close()
    except ConfigError:
        return False
    return True


def _measure(_: None, case: Case, tick: Tick) -> int:
    """How many of a case's episodes go on as they did."""
    rng = stream("restore", case.task, case.robot)
    worlds = [
        MujocoWorld(
            TASKS[case.task](),
            rows,
            robot=case.robot,
            randomization="strong",
            config=MujocoConfig(cameras=("front",), image_hw=(16, 16), threads=threads),
        )
        for rows, threads in ((1, 1), (3, 2))
    ]
    one, other = worlds
    same = sum(_same(one, other, Start(3, i), rng) for i in range(case.episodes))
    for world in worlds:
        world.close()
    return same


def _same(one: MujocoWorld, other: MujocoWorld, start: Start, rng: np.random.Generator) -> bool:
    """Whether an episode goes on in another row of another world as it did in its own."""
    row, at = int(rng.integers(other.num_envs)), int(rng.integers(1, 60))
    obs, led = _lead(one, start, at)
    if led < at:  # it ended: its last frame, then
        obs, _ = _lead(one, start, led)
    # What is restored is compared with what was never interrupted: what a snapshot lacks, it would
    # lack in two restored worlds alike.
    kept = one.snapshot()
    states = np.zeros((other.num_envs, kept.shape[1]))
    states[row] = kept[0]
    starts: list[Start | None] = [None] * other.num_envs
    starts[row] = start
    # The other world is in the midst of something else.
    other.reset(seed=int(rng.integers(1000)))
    restored, _ = other.restore(starts, states)
    identical = _equal(obs, restored, row)
    low, high = one.action_range
    for _ in range(AHEAD):
        action = rng.uniform(np.maximum(low, -1), np.minimum(high, 1)).astype(np.float32)
        obs, reward, done, cut, _ = one.step(action[None])
        many = np.repeat(action[None], other.num_envs, axis=0)
        obs_2, reward_2, done_2, cut_2, _ = other.step(many)
        identical &= _equal(obs, obs_2, row)
        identical &= one.snapshot()[0].tobytes() == other.snapshot()[row].tobytes()
        identical &= (reward[0], done[0], cut[0]) == (reward_2[row], done_2[row], cut_2[row])
    return bool(identical)


def _lead(world: MujocoWorld, start: Start, steps: int) -> tuple[Obs, int]:
    """What is seen after so many of the expert's steps, and how many they were: an episode that
    ends before counts the step that ended it out."""
    expert = world.task.expert(world.physics, world.goals, world.interface)
    obs, _ = world.reset(options={"starts": [start]})
    expert.reset(np.ones(1, bool), np.zeros(1, np.int64))
    for k in range(steps):
        obs, _, terminated, truncated, _ = world.step(expert.act(obs))
        if terminated[0] or truncated[0]:
            return obs, k
    return obs, steps


def _equal(one: Obs, other: Obs, row: int) -> bool:
    """Whether row 0 and another see the same."""
    pictures = all(np.array_equal(v[0], other["images"][c][row]) for c, v in one["images"].items())
    said = one["instruction"][0] == other["instruction"][row]
    return pictures and said and one["state"][0].tobytes() == other["state"][row].tobytes()

"""Whether the start gives the goal away: what a classifier makes of a start's poses, or of its
first picture, must be chance, or language is not needed. Axes: E episodes, F features, G goals."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trimix.bench.figure import Figure
from trimix.bench.spread import spread
from trimix.core.contracts import F64, I64, Goal, Start
from trimix.core.seeds import stream
from trimix.core.workers import Tick
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS

EPISODES, LEAST_GOALS = 4000, 3
_ROWS, _PX = 50, 32
_RIDGES = (1e-2, 1.0, 100.0)
_WAVES = 400  # random Fourier features (Rahimi and Recht, NeurIPS 2007)


def run(quick: bool) -> Iterator[Figure]:
    """`leak.{task}`: points by which goals are guessed better than by the commonest; and
    `leak.tasks`, how many tasks have three goals or more."""
    names = ["reach"] if quick else list(TASKS)
    episodes = 100 if quick else EPISODES
    tasks = 0
    for (name, _), (goals, chance, accuracy) in spread(_measure, [(n, episodes) for n in names]):
        if goals < LEAST_GOALS:
            continue
        tasks += 1
        n = episodes // 2
        seen, read = max(accuracy.items(), key=lambda item: item[1])
        error = 1.96 * np.sqrt(chance * (1 - chance) / n)
        about = (
            f"{goals} goals; best of poses and picture: {seen}; "
            f"chance {100 * chance:.1f}% +- {100 * error:.1f}"
        )
        yield Figure(f"leak.{name}", 100 * (read - chance), "points", n, 0.0, about)
    yield Figure("leak.tasks", tasks, "tasks", len(names), 6.0, "baseline: the least asked")


def _measure(_: None, case: tuple[str, int], tick: Tick) -> tuple[int, float, dict[str, float]]:
    """Goals, chance, and how often each kind of look at a start finds the goal."""
    name, episodes = case
    poses, pictures, goals = starts(name, episodes)
    kinds = {goal.wordings: k for k, goal in enumerate(goals)}
    every, ids = np.unique([kinds[goal.wordings] for goal in goals], return_inverse=True)
    if len(every) < LEAST_GOALS:
        return len(every), 1.0, {}
    half = episodes // 2
    commonest = np.bincount(ids[:half]).argmax()
    chance = float((ids[half:] == commonest).mean())
    looks = {"poses": poses, "picture": pictures}
    return len(every), chance, {k: guessed(v, ids) for k, v in looks.items()}


def starts(task: str, episodes: int) -> tuple[F64, F64, list[Goal]]:
    """(E, F) poses of all things and joints, (E, F) first pictures, and goals."""
    made = TASKS[task]()
    config = MujocoConfig(cameras=("front",), image_hw=(_PX, _PX))
    world = MujocoWorld(made, min(_ROWS, episodes), config=config)
    poses, pictures, goals = [], [], []
    for at in range(0, episodes, world.num_envs):
        obs, _ = world.reset(options={"starts": [Start(23, at + i) for i in range(world.num_envs)]})
        frame = world.frame()
        things = frame["props"].reshape(world.num_envs, -1)
        poses.append(np.concatenate([things, obs["state"]], axis=1))
        pictures.append(obs["images"]["front"].reshape(world.num_envs, -1))
        goals += world.goals
    world.close()
    return (
        np.concatenate(poses)[:episodes].astype(np.float64),
        np.concatenate(pictures)[:episodes].astype(np.float64),
        goals[:episodes],
    )


def guessed(features: F64, ids: I64) -> float:
    """How often goals (E,) of the later half are guessed right by a ridge classifier on features
    and waves of them that learned from the earlier; its ridge is chosen within the earlier."""
    half = len(ids) // 2
    x = features - features[:half].mean(0)
    scale = x[:half].std(0)
    x = x[:, scale > 1e-9] / scale[scale > 1e-9]
    if x.shape[1] > _WAVES:  # pictures: their principal components
        _, _, axes = np.linalg.svd(x[:half], full_matrices=False)
        x = x @ axes[: _WAVES // 4].T
        x /= x[:half].std(0) + 1e-9
    rng = stream("waves")
    width = rng.standard_normal((x.shape[1], _WAVES)) / np.sqrt(x.shape[1])
    waves = np.cos(x @ width + rng.uniform(0, 2 * np.pi, _WAVES))
    x = np.column_stack([np.ones(len(x)), x, waves])
    fit = half * 3 // 4
    scores = [(_accuracy(x[:fit], ids[:fit], x[fit:half], ids[fit:half], r), r) for r in _RIDGES]
    best = max(scores)[1]
    return _accuracy(x[:half], ids[:half], x[half:], ids[half:], best)


def _accuracy(x: F64, ids: I64, unseen: F64, truth: I64, ridge: float) -> float:
    want = np.eye(int(ids.max()) + 1)[ids] - 0.5
    square = x.T @ x + ridge * len(x) / 100 * np.eye(x.shape[1])
    return float(((unseen @ np.linalg.solve(square, x.T @ want)).argmax(1) == truth).mean())

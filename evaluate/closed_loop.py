"""Policies in closed loop over a suite, in any World: MuJoCo and the dream share this code.

Axes: N rows of a world, S scenes of a suite, T steps of an episode.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import numpy as np
import torch

from trimix.core.contracts import Policy, Start, World
from trimix.core.episode import Episode
from trimix.core.errors import ConfigError, TrimixError
from trimix.core.rollout import rollout
from trimix.core.workers import Tick, run_tasks
from trimix.evaluate.evaluation import Evaluation, Outcome
from trimix.evaluate.suites import Suite

WorldFactory = Callable[[int], World]
"""Number of rows -> world. For worker processes: a module's function, or a named.Named."""
PolicyLoader = Callable[[World], Policy]
"""World -> policy for it; most look at its interface alone, a scripted expert at its physics."""
Progress = Callable[[int, int], None]
"""Called with (scenes done, scenes in all)."""


@dataclass(frozen=True)
class ClosedLoopConfig:
    """How an evaluation is run; none of it changes an outcome except shards and rows, which fix
    the shapes of the policy's batches and so the last bits of its arithmetic.

    Args:
        rows: rows of each world.
        workers: processes; 1 runs in this one.
        threads: torch threads of each process.
        shards: parts into which a suite is cut, whatever the number of workers.
        clips: how many of a suite's first scenes keep their images.
    """

    rows: int = 16
    workers: int = 1
    threads: int = 1
    shards: int = 2
    clips: int = 0

    def __post_init__(self) -> None:
        for name, low in (("rows", 1), ("workers", 1), ("threads", 1), ("shards", 1), ("clips", 0)):
            if getattr(self, name) < low:
                raise ConfigError(f"{name} is {getattr(self, name)}", do=f"at least {low}")


@dataclass(frozen=True)
class Job:
    """One policy to evaluate on one suite."""

    arm: str
    train_seed: int
    make_world: WorldFactory
    load_policy: PolicyLoader
    suite: Suite


def run_scenes(
    world: World,
    policy: Policy,
    starts: Sequence[Start],
    *,
    clips: int = 0,
    tick: Tick | None = None,
) -> tuple[list[Outcome], dict[int, Episode]]:
    """Run one episode for every start; the first `clips` of them keep their images.

    Args:
        tick: called after every episode.

    Returns:
        (outcomes in the order of starts with `scene` counted from 0, scene -> episode of a clip)

    Raises:
        InterfaceError: the policy's interface is not the world's.
        ConfigError: the world cannot tell success.
    """
    _require_judge(world)
    # Images cost memory, so the scenes that keep them are run apart, in whole waves of N rows.
    waves = -(-clips // world.num_envs) * world.num_envs if clips else 0
    outcomes: dict[int, Outcome] = {}
    kept: dict[int, Episode] = {}
    for first, part, keep in ((0, starts[:waves], True), (waves, starts[waves:], False)):
        if not part:
            continue
        for index, episode in rollout(world, policy, part, keep_images=keep):
            scene = first + index
            outcomes[scene] = _outcome(scene, episode)
            if tick is not None:
                tick()
            if scene < clips:
                kept[scene] = episode
    return [outcomes[i] for i in range(len(starts))], dict(sorted(kept.items()))


def evaluate(
    jobs: Sequence[Job],
    config: ClosedLoopConfig | None = None,
    *,
    progress: Progress | None = None,
) -> list[Evaluation]:
    """Evaluate every job, in this process or in several.

    Every suite is cut into the same shards whatever the number of workers, and every shard gets
    its own world and policy, so the outcomes are the same for any number of workers. Starting a
    worker takes seconds: give all policies in one call.

    Args:
        jobs: what to evaluate; with workers, their factories must be found by name.
        config: how to run.
        progress: called as scenes are done.

    Returns:
        One evaluation a job, in the order of jobs.

    Raises:
        InterfaceError: a policy's interface is not its world's.
        TrimixError: a worker process died.
    """
    config = config or ClosedLoopConfig()
    shards = [_Shard(j, *span) for j, job in enumerate(jobs) for span in _spans(job.suite, config)]
    total, done = sum(len(job.suite) for job in jobs), 0
    results: dict[_Shard, _Result] = {}

    def tick() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    died = TrimixError(
        "a worker process of the evaluation died",
        do="if memory ran out, ask for fewer workers or rows",
    )
    for at, result in run_tasks(
        _run_shard,
        [(jobs[shard.job], shard, config) for shard in shards],
        setup=partial(torch_threads, config.threads),
        workers=config.workers,
        died=died,
        tick=tick,
    ):
        results[shards[at]] = result
    evaluations = []
    for j, job in enumerate(jobs):
        outcomes: list[Outcome] = []
        clips: dict[int, Episode] = {}
        for shard in (s for s in shards if s.job == j):
            part, kept = results[shard]
            outcomes += [replace(o, scene=shard.start + o.scene) for o in part]
            clips |= {shard.start + scene: episode for scene, episode in kept.items()}
        suite = job.suite
        evaluations.append(
            Evaluation(
                job.arm,
                job.train_seed,
                suite.world,
                suite.name,
                suite.hash,
                tuple(outcomes),
                clips,
            )
        )
    return evaluations


_Result = tuple[list[Outcome], dict[int, Episode]]


@dataclass(frozen=True)
class _Shard:
    job: int
    start: int
    stop: int


def _spans(suite: Suite, config: ClosedLoopConfig) -> list[tuple[int, int]]:
    edges = np.linspace(0, len(suite), min(config.shards, len(suite)) + 1).astype(int)
    return [(int(a), int(b)) for a, b in pairwise(edges)]


def _run_shard(_: None, task: tuple[Job, _Shard, ClosedLoopConfig], tick: Tick) -> _Result:
    job, shard, config = task
    starts = job.suite.scenes[shard.start : shard.stop]
    world = job.make_world(min(config.rows, len(starts)))
    try:
        clips = min(max(0, config.clips - shard.start), len(starts))
        return run_scenes(world, job.load_policy(world), starts, clips=clips, tick=tick)
    finally:
        world.close()


def _require_judge(world: World) -> None:
    """A world model whose data had no success labels must not be read as one that fails."""
    n = world.num_envs
    nothing = {"starts": [None] * n, "reset_mask": np.zeros(n, bool)}
    _, info = world.reset(options=nothing)
    if not np.all(info.get("success_known", True)):
        raise ConfigError(
            f"this {world.origin} world cannot tell success: its training data had no labels of it",
            do="evaluate in MuJoCo, or train the world model on episodes with success labels",
        )


def _outcome(scene: int, episode: Episode) -> Outcome:
    abstained = episode.provenance.abstained
    assert episode.reward is not None and episode.trust is not None
    return Outcome(
        scene=scene,
        success=bool(episode.provenance.success) and not abstained,
        abstained=abstained,
        steps=len(episode),
        trust=float(episode.trust.mean(dtype=np.float64)),
        reward=float(episode.reward.sum(dtype=np.float64)),
    )


@contextmanager
def torch_threads(threads: int | None) -> Iterator[None]:
    """So many torch threads for a while; None leaves them."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)

"""Policies in closed loop over a suite, in any world, here or in several processes.

Axes: N rows of a world, S scenes of a suite.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from trimix.core.episode import Episode
from trimix.core.errors import ConfigError, TrimixError
from trimix.core.workers import Executor, Local, Tick
from trimix.evaluate.evaluation import Evaluation
from trimix.evaluate.suites import Suite, draw_suite
from trimix.rollout.policies import PolicySpec, policy_of
from trimix.rollout.scenes import Outcome, run_scenes
from trimix.rollout.worlds import WorldSpec
from trimix.train.device import torch_threads

Progress = Callable[[int, int], None]
"""Called with (scenes done, scenes in all)."""


@dataclass(frozen=True)
class ClosedLoopConfig:
    """How an evaluation is run; none of it changes an outcome.

    Args:
        rows: rows of each world.
        workers: processes; 1 runs in this one.
        threads: torch threads of each process.
        block: scenes that a process takes at a time.
        film: keep the images of every policy's first success and first failure.
    """

    rows: int = 16
    workers: int = 1
    threads: int = 1
    block: int = 50
    film: bool = False

    def __post_init__(self) -> None:
        for name in ("rows", "workers", "threads", "block"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}", do="at least 1")


@dataclass(frozen=True)
class Job:
    """One policy to evaluate on one suite."""

    arm: str
    train_seed: int
    world: WorldSpec
    policy: PolicySpec
    suite: Suite


def evaluate_policies(
    policies: Mapping[str, PolicySpec | str | Path],
    world: WorldSpec,
    *,
    scenes: int = 100,
    seed: int = 0,
    purpose: str = "choose",
    suite: Suite | None = None,
    config: ClosedLoopConfig | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> list[Evaluation]:
    """Every policy on the same scenes of one world.

    Args:
        policies: name -> policy; a string as in rollout.policies.policy_of.
        world: where they act.
        scenes, seed, purpose: of the suite that is drawn; see suites.draw_suite.
        suite: scenes of your own instead.
        config, executor, progress: as in `evaluate`.

    Returns:
        One evaluation a policy, in their order.
    """
    specs = {
        name: policy_of(str(given)) if isinstance(given, (str, Path)) else given
        for name, given in policies.items()
    }
    if suite is None:
        suite = draw_suite(world, scenes, seed, purpose)
    jobs = [Job(name, 0, world, policy, suite) for name, policy in specs.items()]
    return evaluate(jobs, config, executor=executor, progress=progress)


def evaluate(
    jobs: Sequence[Job],
    config: ClosedLoopConfig | None = None,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> list[Evaluation]:
    """Evaluate every job, in this process or in several.

    Every suite is cut into the same blocks wherever they run, and every block gets its own world
    and policy, so the outcomes are the same for any number of workers. Starting a worker takes
    seconds: give all policies in one call.

    Args:
        jobs: what to evaluate.
        config: how to run.
        executor: where the work runs; None is config.workers local processes.
        progress: called as scenes are done.

    Returns:
        One evaluation a job, in the order of jobs.

    Raises:
        InterfaceError: a policy's interface is not its world's.
        TrimixError: a worker process died.
    """
    config = config or ClosedLoopConfig()
    executor = executor or Local(config.workers)
    blocks = [
        _Block(j, start, min(start + config.block, len(job.suite)))
        for j, job in enumerate(jobs)
        for start in range(0, len(job.suite), config.block)
    ]
    total, done = sum(len(job.suite) for job in jobs), 0
    results: dict[_Block, _Result] = {}

    def tick() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    died = TrimixError(
        "a worker process of the evaluation died",
        do="if memory ran out, ask for fewer workers or rows",
    )
    for at, result in executor.run(
        _run_block,
        [(jobs[block.job], block, config) for block in blocks],
        setup=partial(torch_threads, config.threads),
        died=died,
        tick=tick,
    ):
        results[blocks[at]] = result
    return [
        gathered(job.arm, job.train_seed, job.suite, [results[b] for b in blocks if b.job == j])
        for j, job in enumerate(jobs)
    ]


def gathered(
    arm: str,
    train_seed: int,
    suite: Suite,
    blocks: Sequence[tuple[Sequence[Outcome], Mapping[int, Episode]]],
) -> Evaluation:
    """The evaluation of a policy from its blocks of the suite, in their order.

    Args:
        blocks: (outcomes, scene -> filmed episode) of each, its scenes counted from 0.
    """
    outcomes: list[Outcome] = []
    clips: dict[int, Episode] = {}
    for part, filmed in blocks:
        first = len(outcomes)
        outcomes += [replace(o, scene=first + o.scene) for o in part]
        clips |= {first + scene: episode for scene, episode in filmed.items()}
    firsts = {outcomes[scene].success: scene for scene in sorted(clips, reverse=True)}
    return Evaluation(
        arm,
        train_seed,
        suite.world,
        suite.name,
        suite.hash,
        tuple(outcomes),
        {scene: clips[scene] for scene in sorted(firsts.values())},
    )


_Result = tuple[list[Outcome], dict[int, Episode]]


@dataclass(frozen=True)
class _Block:
    job: int
    start: int
    stop: int


def _run_block(_: None, task: tuple[Job, _Block, ClosedLoopConfig], tick: Tick) -> _Result:
    job, block, config = task
    starts = job.suite.scenes[block.start : block.stop]
    world = job.world.make(min(config.rows, len(starts)))
    try:
        return run_scenes(world, job.policy.load(world), starts, film=config.film, tick=tick)
    finally:
        world.close()

"""A policy acts in a world, and its episodes become a data set.

Every finished episode is on disk before the next is reported, so that a run that dies goes on
where it stopped and ends with the same bytes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from trimix.core.contracts import Policy, Start, World
from trimix.core.errors import ConfigError, TrimixError
from trimix.core.plain import plain
from trimix.core.rollout import rollout
from trimix.core.workers import Executor, Local, Tick
from trimix.data.dataset import Dataset
from trimix.data.files import compact_json, text_digest
from trimix.data.writing.shard import completed_indices, write_shard
from trimix.data.writing.writer import DatasetWriter
from trimix.rollout.policies import PolicySpec
from trimix.rollout.worlds import WorldSpec

Progress = Callable[[int, int], None]
"""Called with (episodes done, episodes in all)."""


def collect(
    world: WorldSpec,
    policy: PolicySpec,
    out: str | Path,
    *,
    episodes: int,
    seed: int = 0,
    rows: int = 16,
    threads: int = 1,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Collect, or go on with a collection that was stopped.

    Args:
        world, policy: who acts where.
        out: the data set to write.
        episodes: how many, numbered from 0.
        seed: root seed; equal seeds give equal episodes.
        rows: episodes that run together in a process; they change no byte.
        threads: of torch, in each process.
        executor: where the work runs; None is this process. It changes no byte.
        progress: called as episodes are safe on disk.

    Returns:
        The finished data set.

    Raises:
        ConfigError: a number below 1, or a task, preset, camera or policy that does not exist.
        DataError: `out` holds something else.
        TrimixError: the disk is full or a worker died; what was collected stays.
    """
    for name, value in (("episodes", episodes), ("rows", rows), ("threads", threads)):
        if value < 1:
            raise ConfigError(f"{name} is {value}", do="at least 1")
    executor = executor or Local(1)
    job = _Job(world, policy, policy.name, seed, threads, str(out))
    first = world.make(1)
    try:
        policy.load(first)  # fail here, not in a worker
        interface, model, models = first.interface, first.model_hash, first.models
    finally:
        first.close()
    identity = {
        "world": world.reads(),
        "model": model,
        "policy": policy.reads(),
        "seed": seed,
        "episodes": episodes,
    }
    plan = text_digest("collect " + compact_json(plain(identity)))
    with DatasetWriter(
        out, interface, robot_type=world.robot_type, plan_hash=plan, models=models
    ) as writer:
        left = [i for i in range(episodes) if i not in writer.completed]
        if left and not writer.finished:
            _run(job, left, episodes, rows, executor, progress)
        return writer.finalize()


@dataclass(frozen=True)
class _Job:
    """What a process needs to make episodes: all of it can be sent to one."""

    world: WorldSpec
    policy: PolicySpec
    name: str
    seed: int
    threads: int
    out: str


@contextmanager
def _maker(job: _Job, rows: int) -> Iterator[tuple[_Job, World, Policy]]:
    """A world and a policy that make episodes."""
    world = job.world.make(rows)
    try:
        policy = job.policy.load(world)
        with _threads(job.threads):
            yield job, world, policy
    finally:
        world.close()


def _threads(count: int) -> AbstractContextManager[None]:
    """Of torch, if the policy brought it: its import takes longer than all the rest of a start."""
    if "torch" not in sys.modules:
        return nullcontext()
    from trimix.train.device import torch_threads

    return torch_threads(count)


def _make(maker: tuple[_Job, World, Policy], indices: Sequence[int], tick: Tick) -> None:
    """Make these episodes; calls tick after each is safe on disk.

    What a process that died had made of them is kept.
    """
    job, world, policy = maker
    safe = completed_indices(Path(job.out))
    for _ in safe.intersection(indices):
        tick()
    left = [i for i in indices if i not in safe]
    starts = [Start(job.seed, i) for i in left]
    for at, episode in rollout(world, policy, starts, policy_name=job.name):
        write_shard(Path(job.out), left[at], episode)
        tick()


def _run(
    job: _Job,
    left: Sequence[int],
    episodes: int,
    rows: int,
    executor: Executor,
    progress: Progress | None,
) -> None:
    # Long blocks keep all rows busy; several a worker even out episodes of unequal length.
    size = max(1, min(16 * rows, -(-len(left) // executor.workers)))
    blocks = [left[i : i + size] for i in range(0, len(left), size)]
    done = episodes - len(left)

    def tick() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, episodes)

    died = TrimixError(
        "a collecting process died",
        where=job.out,
        do="run the same command again to go on; if memory ran out, with fewer rows",
    )
    setup = partial(_maker, job, min(rows, size))
    for _ in executor.run(_make, blocks, setup=setup, died=died, tick=tick):
        pass

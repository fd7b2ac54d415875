"""trimix collect: episodes from MuJoCo or from a world model, into a data set.

Every finished episode is on disk before the next is reported, so that a run that dies goes on
where it stopped and ends with the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from trimix.cli.acting import RESERVED, Place, name_of, policy_at, world_at
from trimix.cli.progress import Report, bar
from trimix.cli.verb import Verb
from trimix.core.contracts import Policy, Start, World
from trimix.core.errors import ConfigError, TrimixError
from trimix.core.rollout import rollout
from trimix.core.seeds import key
from trimix.core.workers import Tick, run_tasks
from trimix.data.dataset import Dataset
from trimix.data.files import combined_digest, digest, files_below
from trimix.data.writing.shard import write_shard
from trimix.data.writing.writer import DatasetWriter
from trimix.evaluate.closed_loop import torch_threads
from trimix.evaluate.named import Named
from trimix.tasks import TASKS


@dataclass(frozen=True)
class CollectConfig(Place):
    """What to collect.

    Args:
        out: the data set to write.
        episodes: how many, numbered from 0.
        policy: expert (mujoco), perturbed recorded actions (dream), random, mean:<data set>,
            replay:<data set>, or a trained policy's folder; empty: expert or perturbed.
        seed: root seed; equal seeds give equal episodes.
        rows: episodes that run together in a process.
        workers: processes.
        world, task, randomization, cameras, image_hw, control_mode, dream: see Place.
    """

    randomization: str = "mild"
    out: str = "datasets/sim"
    episodes: int = 100
    policy: str = ""
    seed: int = 0
    rows: int = 16
    workers: int = 2

    def __post_init__(self) -> None:
        for name in ("episodes", "rows", "workers"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}", do="at least 1")
        super().__post_init__()


def collect(config: CollectConfig, report: Report | None = None) -> Dataset:
    """Collect, or go on with a collection that was stopped.

    Returns:
        The finished data set at config.out.

    Raises:
        ConfigError: a task, preset, camera or policy that does not exist.
        DataError: config.out holds something else.
        TrimixError: the disk is full or a worker died; what was collected stays.
    """
    job = _Job.of(config)
    world = job.world(1)
    try:
        robot = TASKS[config.task]().robot if config.world == "mujoco" else "dream"
        identity = {**_identity(config), "model": world.model_hash}
        interface = world.interface
        job.policy(world)  # fail here, not in a worker
    finally:
        world.close()
    models = world.models
    plan = f"{key('collect', repr(sorted(identity.items()))):032x}"
    with DatasetWriter(
        config.out, interface, robot_type=robot, plan_hash=plan, models=models
    ) as writer:
        left = [i for i in range(config.episodes) if i not in writer.completed]
        if left and not writer.finished:
            _run(config, job, left, report)
        return writer.finalize()


@dataclass(frozen=True)
class _Job:
    """What a process needs to make episodes: all of it can be sent to one."""

    world: Named
    policy: Named
    name: str
    seed: int
    out: str

    @classmethod
    def of(cls, config: CollectConfig) -> _Job:
        chosen = config.policy or ("perturbed" if config.world == "dream" else "expert")
        policy = policy_at(config, chosen)
        return cls(world_at(config, "train"), policy, name_of(chosen), config.seed, config.out)


def _identity(config: CollectConfig) -> dict[str, Any]:
    """What decides the episodes: not where they go, nor how the work is shared out."""
    given = asdict(config)
    for name in ("out", "workers", "rows"):
        del given[name]
    if config.world == "mujoco":
        del given["dream"]
    else:
        # The model is known by its hash; data by what it holds, wherever it lies.
        del given["dream"]["worldmodel"]
        roots = config.dream.datasets
        given["dream"]["datasets"] = [Dataset.open(root).content_hash for root in roots]
    kind, _, data = config.policy.partition(":")
    if data:
        given["policy"] = f"{kind}:{Dataset.open(data).content_hash}"
    elif kind and kind not in RESERVED:
        paths = files_below(Path(config.policy), ".")
        named = {p.relative_to(config.policy).as_posix(): digest(p) for p in paths}
        given["policy"] = combined_digest(named)
    return given


@contextmanager
def _maker(job: _Job, rows: int, threads: int | None) -> Iterator[tuple[_Job, World, Policy]]:
    """A world and a policy that make episodes."""
    world = job.world(rows)
    try:
        with torch_threads(threads):
            yield job, world, job.policy(world)
    finally:
        world.close()


def _make(maker: tuple[_Job, World, Policy], indices: Sequence[int], tick: Tick) -> None:
    """Make these episodes; calls tick after each is safe on disk."""
    job, world, policy = maker
    starts = [Start(job.seed, i) for i in indices]
    for at, episode in rollout(world, policy, starts, policy_name=job.name):
        write_shard(job.out, indices[at], episode)
        tick()


def _run(config: CollectConfig, job: _Job, left: Sequence[int], report: Report | None) -> None:
    # Long blocks keep all rows busy; several a worker even out episodes of unequal length.
    size = max(1, min(4 * config.rows, -(-len(left) // config.workers)))
    blocks = [left[i : i + size] for i in range(0, len(left), size)]
    done = config.episodes - len(left)

    def tick() -> None:
        nonlocal done
        done += 1
        if report is not None:
            report(done, config.episodes)

    died = TrimixError(
        "a collecting process died",
        where=config.out,
        do="run the same command again to go on; if memory ran out, with fewer rows",
    )
    threads = None if config.workers == 1 else 1
    setup = partial(_maker, job, min(config.rows, size), threads)
    for _ in run_tasks(_make, blocks, setup=setup, workers=config.workers, died=died, tick=tick):
        pass


def _command(config: CollectConfig) -> None:
    with bar(f"collect {config.out}", "episode") as report:
        dataset = collect(config, report)
    good = sum(bool(e.provenance.success) for e in dataset.episodes)
    print(
        f"{config.out}: {len(dataset.episodes)} episodes, {dataset.n_frames} frames, "
        f"{good} succeeded"
    )


VERB = Verb("collect", CollectConfig, _command)

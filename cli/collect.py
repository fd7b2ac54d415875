"""trimix collect: episodes from MuJoCo or from a world model, into a data set.

Every finished episode is on disk before the next is reported, so that a run that dies goes on
where it stopped and ends with the same bytes.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from trimix.cli.progress import Report, bar
from trimix.cli.verb import Verb
from trimix.core.contracts import Start
from trimix.core.errors import ConfigError, TrimixError, unknown
from trimix.core.rollout import rollout
from trimix.core.seeds import key
from trimix.data.dataset import Dataset
from trimix.data.files import combined_digest, digest, files_below
from trimix.data.shard import write_shard
from trimix.data.writer import DatasetWriter
from trimix.evaluate.named import Named
from trimix.sim.world import MujocoConfig
from trimix.tasks import TASKS
from trimix.worldmodel.drive import PerturbConfig

_MUJOCO = MujocoConfig()
_POLL_S = 0.5


@dataclass(frozen=True)
class DreamStarts:
    """Where dreams begin and how long they last.

    Args:
        worldmodel: folder of a trained world model.
        datasets: folders of the data sets whose training frames they begin at.
        seconds: longest dream.
        abstain_below: trust below which a dream is cut.
        perturb: noise on the recorded actions that drive them.
    """

    worldmodel: str = ""
    datasets: tuple[str, ...] = ()
    seconds: float = 3.0
    abstain_below: float = 0.1
    perturb: PerturbConfig = field(default_factory=PerturbConfig)


@dataclass(frozen=True)
class CollectConfig:
    """What to collect.

    Args:
        out: the data set to write.
        task: registered task; dreams take theirs from the data they begin at.
        episodes: how many, numbered from 0.
        world: mujoco or dream.
        policy: "expert" (mujoco), "perturbed" recorded actions (dream), or a policy's folder.
        randomization: none, mild, strong or target (mujoco).
        seed: root seed; equal seeds give equal episodes.
        cameras, image_hw, control_mode: what the policy sees and gives (mujoco).
        dream: see DreamStarts.
        rows: episodes that run together in a process.
        workers: processes.
    """

    out: str = "datasets/sim"
    task: str = "banana_on_plate"
    episodes: int = 100
    world: str = "mujoco"
    policy: str = ""
    randomization: str = "mild"
    seed: int = 0
    cameras: tuple[str, ...] = _MUJOCO.cameras
    image_hw: tuple[int, int] = _MUJOCO.image_hw
    control_mode: str = _MUJOCO.control_mode
    dream: DreamStarts = field(default_factory=DreamStarts)
    rows: int = 16
    workers: int = 2

    def __post_init__(self) -> None:
        for name in ("episodes", "rows", "workers"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}", do="at least 1")
        if self.world not in ("mujoco", "dream"):
            raise unknown("world", self.world, ("mujoco", "dream"))
        if self.world == "dream" and not (self.dream.worldmodel and self.dream.datasets):
            raise ConfigError("dreams need dream.worldmodel and dream.datasets")


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
    plan = f"{key('collect', repr(sorted(identity.items()))):032x}"
    with DatasetWriter(config.out, interface, robot_type=robot, plan_hash=plan) as writer:
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
        if config.world == "mujoco":
            world = Named.of(
                "trimix.evaluate.loaders:mujoco",
                {
                    "task": config.task,
                    "randomization": config.randomization,
                    "cameras": list(config.cameras),
                    "image_hw": list(config.image_hw),
                    "control_mode": config.control_mode,
                },
            )
            default, scripted = "expert", {"expert": Named("trimix.evaluate.loaders:expert")}
        else:
            world = Named.of(
                "trimix.evaluate.loaders:dream",
                {
                    "path": config.dream.worldmodel,
                    "datasets": list(config.dream.datasets),
                    "split": "train",
                    "time_limit_s": config.dream.seconds,
                    "abstain_below": config.dream.abstain_below,
                },
            )
            default = "perturbed"
            noise = Named.of("trimix.evaluate.loaders:perturbed", asdict(config.dream.perturb))
            scripted = {"perturbed": noise}
        chosen = config.policy or default
        trained = Named.of("trimix.evaluate.loaders:trained", {"path": chosen})
        if chosen not in scripted and not Path(chosen).is_dir():
            raise ConfigError(
                f"policy {chosen!r} is neither {default!r} nor a folder", do="train one, or name it"
            )
        policy = scripted.get(chosen, trained)
        return cls(world, policy, Path(chosen).name, config.seed, config.out)


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
    if config.policy and Path(config.policy).is_dir():
        paths = files_below(Path(config.policy), ".")
        named = {p.relative_to(config.policy).as_posix(): digest(p) for p in paths}
        given["policy"] = combined_digest(named)
    return given


class _Maker:
    """A world and a policy that make episodes and put them on disk."""

    def __init__(self, job: _Job, rows: int) -> None:
        self._job, self._world = job, job.world(rows)
        self._policy = job.policy(self._world)

    def make(self, indices: Sequence[int], tick: Callable[[], None]) -> None:
        """Make these episodes; calls tick after each is safe."""
        job = self._job
        starts = [Start(job.seed, i) for i in indices]
        for at, episode in rollout(self._world, self._policy, starts, policy_name=job.name):
            write_shard(job.out, indices[at], episode)
            tick()

    def close(self) -> None:
        self._world.close()


_WORKER: dict[str, Any] = {}


def _start_worker(job: _Job, rows: int, done: Any) -> None:
    # llvmpipe's own threads scale worse than one renderer a process.
    os.environ["LP_NUM_THREADS"] = "0"
    torch.set_num_threads(1)
    _WORKER.update(maker=_Maker(job, rows), done=done)


def _run_block(indices: Sequence[int]) -> None:
    done = _WORKER["done"]

    def tick() -> None:
        with done.get_lock():
            done.value += 1

    _WORKER["maker"].make(indices, tick)


def _run(config: CollectConfig, job: _Job, left: Sequence[int], report: Report | None) -> None:
    # Long blocks keep all rows busy; several a worker even out episodes of unequal length.
    size = max(1, min(4 * config.rows, -(-len(left) // config.workers)))
    blocks = [left[i : i + size] for i in range(0, len(left), size)]
    rows, before = min(config.rows, size), config.episodes - len(left)
    if config.workers == 1:
        _run_here(job, rows, blocks, before, config.episodes, report)
        return
    context = multiprocessing.get_context("spawn")
    done = context.Value("q", before)
    with ProcessPoolExecutor(
        min(config.workers, len(blocks)),
        mp_context=context,
        initializer=_start_worker,
        initargs=(job, rows, done),
    ) as pool:
        waiting = {pool.submit(_run_block, block) for block in blocks}
        try:
            while waiting:
                ended, waiting = wait(waiting, timeout=_POLL_S)
                for future in ended:
                    future.result()
                if report is not None:
                    report(int(done.value), config.episodes)
        except BrokenProcessPool as error:
            raise TrimixError(
                "a collecting process died",
                where=config.out,
                do="run the same command again to go on; if memory ran out, with fewer rows",
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _run_here(
    job: _Job,
    rows: int,
    blocks: Sequence[Sequence[int]],
    done: int,
    total: int,
    report: Report | None,
) -> None:
    maker = _Maker(job, rows)

    def tick() -> None:
        nonlocal done
        done += 1
        if report is not None:
            report(done, total)

    try:
        for block in blocks:
            maker.make(block, tick)
    finally:
        maker.close()


def _command(config: CollectConfig) -> None:
    with bar(f"collect {config.out}", "episode") as report:
        dataset = collect(config, report)
    good = sum(bool(e.provenance.success) for e in dataset.episodes)
    print(
        f"{config.out}: {len(dataset.episodes)} episodes, {dataset.n_frames} frames, "
        f"{good} succeeded"
    )


VERB = Verb(
    "collect", CollectConfig, _command, "make episodes in MuJoCo or in a world model's dreams"
)

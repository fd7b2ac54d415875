"""Bringing a LeRobot data set of any robot into trimix.

Clocks become constant, cameras get the asked-for names and size, what cannot be trusted is
refused with its file, episode and row. The original numbers stay in `trimix/source_index`.
Episodes are decoded in several processes; the bytes do not depend on how many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial

from trimix.core.errors import DataError, TrimixError
from trimix.core.workers import Executor, Local, Tick
from trimix.data import files
from trimix.data.dataset import Dataset
from trimix.data.importing.convert import convert
from trimix.data.importing.plan import ImportConfig, ImportPlan, plan_import
from trimix.data.lerobot.folder import EpisodeEntry, LeRobotFolder
from trimix.data.lineage import read_models
from trimix.data.writing.shard import write_shard, write_skip
from trimix.data.writing.writer import DatasetWriter

__all__ = ["ImportConfig", "import_dataset"]

Progress = Callable[[int, int], None]
_BLOCKS = 4
"""Blocks of episodes a worker: several even out videos of unequal length."""
_LEAST_ROWS = 400
"""Rows that are worth a process: one takes a second to start."""


def import_dataset(
    config: ImportConfig, progress: Progress | None = None, executor: Executor | None = None
) -> Dataset:
    """Import; the data set appears at config.out whole or not at all.

    An import that was killed goes on where it stopped when it is run again.

    Args:
        progress: called with (episodes done, episodes in all).
        executor: where episodes are decoded; None is config.workers processes of this machine.

    Returns:
        The data set; its `skipped` says what was left out and why.

    Raises:
        MissingError: the source is not there.
        ConfigError: a camera, feature or option does not exist.
        DataError: something cannot be trusted; the error names file, episode and row.
        TrimixError: the disk is full, or processes died time and again; what these imported stays.
    """
    source = LeRobotFolder.open(config.path)
    plan, bad = plan_import(config, source)
    identity = source.contents.hash()
    described = files.compact_json({"import": _settings(config), "source": identity})
    writer = DatasetWriter(
        config.out,
        plan.interface,
        robot_type=source.robot_type if config.robot_type is None else config.robot_type,
        plan_hash=files.text_digest(described),
        models={} if config.stand_in else read_models(source.contents),
    )
    if writer.finished:
        return Dataset.open(config.out)
    died = TrimixError(
        "an importing process died",
        where=config.out,
        do="run the same command again to go on; if memory ran out, with fewer workers",
    )
    try:
        for index, reason in bad.items():
            writer.skip(index, _relative(source, reason))
        left = [row for row in source.episodes if row.index not in writer.completed]
        _bring(_Job(plan, identity), left, executor or Local(config.workers), died, progress)
        return writer.finalize(plan.notes)
    except DataError:
        writer.discard()
        raise


@dataclass(frozen=True)
class _Job:
    """What a process needs to import episodes: all of it can be sent to one."""

    plan: ImportPlan
    identity: str


def _bring(
    job: _Job,
    left: Sequence[EpisodeEntry],
    executor: Executor,
    died: TrimixError,
    progress: Progress | None,
) -> None:
    """Put these episodes on disk, in any process."""
    total = len(job.plan.source.episodes)
    done = total - len(left)

    def tell() -> None:
        if progress is not None:
            progress(done, total)

    def tick() -> None:
        nonlocal done
        done += 1
        tell()

    tell()
    for _ in executor.run(
        _import_block,
        _blocks(left, executor.workers),
        setup=partial(_ready, job),
        died=died,
        tick=tick,
    ):
        pass


def _blocks(left: Sequence[EpisodeEntry], workers: int) -> list[list[EpisodeEntry]]:
    """Neighbours together: they share files. A small import is one block, for one process."""
    rows = sum(row.length for row in left)
    size = max(_LEAST_ROWS, rows / (workers * _BLOCKS))
    blocks: list[list[EpisodeEntry]] = []
    for row in left:
        if not blocks or sum(r.length for r in blocks[-1]) >= size:
            blocks.append([])
        blocks[-1].append(row)
    return blocks


@contextmanager
def _ready(job: _Job) -> Iterator[_Job]:
    """The job as the tasks of one process share it: its source keeps what it read last."""
    yield job


def _import_block(job: _Job, rows: Sequence[EpisodeEntry], tick: Tick) -> None:
    """Import these episodes; one that is already on disk is left as it is."""
    config, source = job.plan.config, job.plan.source
    for row in rows:
        try:
            write_shard(config.out, row.index, convert(job.plan, row, job.identity))
        except DataError as fault:
            if not config.skip_bad:
                raise
            write_skip(config.out, row.index, _relative(source, str(fault)))
        tick()


def _relative(source: LeRobotFolder, reason: str) -> str:
    """The reason without the place of the source, which the data set must not depend on."""
    return reason.replace(f"{source.root}/", "")


def _settings(config: ImportConfig) -> dict[str, object]:
    """What decides the result: not where it is read from or written to, nor by how many."""
    settings = asdict(config)
    for name in ("path", "out", "workers"):
        del settings[name]
    return settings

"""Replaying a data set's sim episodes from their provenance, to the bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import numpy as np

from trimix.core.episode import Episode
from trimix.core.errors import ConfigError, DataError
from trimix.data.dataset import Dataset
from trimix.sim.replay import deviation, replay
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS

Progress = Callable[[int, int], None]
"""Called with (replays done, replays in all)."""


def verify(
    data: str | Path,
    *,
    episodes: int = 0,
    threads: Sequence[int] = (1, 2),
    rows: Sequence[int] = (1, 8),
    progress: Progress | None = None,
) -> int:
    """Replay under every combination of threads and rows.

    Args:
        data: the data set.
        episodes: how many of its sim episodes, evenly spread; 0 for all.
        threads: of the physics.
        rows: batch sizes.

    Returns:
        How many episodes were replayed, all of them bit-identical.

    Raises:
        ConfigError: threads or rows below 1.
        DataError: there is no sim episode, or one came out different; the error names it.
    """
    for name, given in (("threads", threads), ("rows", rows)):
        if min(given, default=0) < 1:
            raise ConfigError(f"{name} are {list(given)}", do="at least 1 each")
    dataset = Dataset.open(data)
    sim = [e.index for e in dataset.episodes if e.provenance.origin == "sim"]
    if not sim:
        raise DataError("there is no sim episode to replay", where=str(data))
    count = min(episodes or len(sim), len(sim))
    chosen = [sim[round(i)] for i in np.linspace(0, len(sim) - 1, count)]
    read = [(i, dataset.read_episode(i, cameras=())) for i in chosen]
    conditions = list(product(threads, rows))
    for at, (thread, row) in enumerate(conditions):
        worlds: dict[tuple[str, str], MujocoWorld] = {}
        try:
            for start in range(0, len(read), row):
                block = read[start : start + row]
                for made in sorted({_made_in(e) for _, e in block}):
                    same = [(i, e) for i, e in block if _made_in(e) == made]
                    if made not in worlds:
                        worlds[made] = _world(*made, dataset, row, thread)
                    _require_identical(worlds[made], same, str(data), thread, row)
                if progress is not None:
                    progress(at * len(read) + start + len(block), len(conditions) * len(read))
        finally:
            for world in worlds.values():
                world.close()
    return len(read)


def _made_in(episode: Episode) -> tuple[str, str]:
    """Task and robot."""
    return episode.provenance.task, episode.provenance.robot


def _world(task: str, robot: str, dataset: Dataset, rows: int, threads: int) -> MujocoWorld:
    config = MujocoConfig(
        control_mode=dataset.interface.control_mode,
        control_dt_s=dataset.interface.control_dt_s,
        threads=threads,
        draw_images=False,
    )
    return MujocoWorld(TASKS[task](), rows, robot=robot, config=config)


def _require_identical(
    world: MujocoWorld, episodes: Sequence[tuple[int, Episode]], data: str, threads: int, rows: int
) -> None:
    states = replay(world, [e for _, e in episodes])
    for (index, episode), state in zip(episodes, states, strict=True):
        apart = deviation(episode, state)
        if apart:
            raise DataError(
                f"with {threads} threads and {rows} rows, replayed states differ by {apart:g}",
                where=f"{data} episode {index}",
                do=f"it was made by {dict(episode.provenance.versions)}; other builds may differ",
            )

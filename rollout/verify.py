"""Replaying a data set's sim episodes from their provenance, to the bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from trimix.core.episode import Episode
from trimix.core.errors import ConfigError, DataError, MissingError
from trimix.data.dataset import Dataset
from trimix.sim.replay import difference, pictured, replay
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS

Progress = Callable[[int, int], None]
"""Called with (replays done, replays in all)."""


@dataclass(frozen=True)
class Verified:
    """What was found the same.

    Args:
        episodes: replayed, under every combination.
        pictures: of them, how many had their pictures compared.
    """

    episodes: int
    pictures: int


def verify(
    data: str | Path,
    *,
    episodes: int = 0,
    threads: Sequence[int] = (1, 2),
    rows: Sequence[int] = (1, 8),
    progress: Progress | None = None,
) -> Verified:
    """Replay under every combination of threads and rows.

    Args:
        data: the data set.
        episodes: how many of its sim episodes, evenly spread; 0 for all.
        threads: of the physics.
        rows: batch sizes.

    Returns:
        How many episodes were replayed: states, rewards and success bit-identical; and pictures,
        where they can be compared.

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
    pictures = 0
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
                    seen = _require_identical(worlds[made], same, str(data), thread, row)
                    pictures += seen if at == 0 else 0
                if progress is not None:
                    progress(at * len(read) + start + len(block), len(conditions) * len(read))
        finally:
            for world in worlds.values():
                world.close()
    return Verified(len(read), pictures)


def _made_in(episode: Episode) -> tuple[str, str]:
    """Task and robot."""
    return episode.provenance.task, episode.provenance.robot


def _world(task: str, robot: str, dataset: Dataset, rows: int, threads: int) -> MujocoWorld:
    cameras = dataset.interface.cameras if _can_draw(task, robot, dataset) else {}
    config = MujocoConfig(
        control_mode=dataset.interface.control_mode,
        control_dt_s=dataset.interface.control_dt_s,
        threads=threads,
        cameras=tuple(cameras),
        image_hw=next(iter(cameras.values()), (64, 64)),
        draw_images=bool(cameras),
    )
    return MujocoWorld(TASKS[task](), rows, robot=robot, config=config)


def _can_draw(task: str, robot: str, dataset: Dataset) -> bool:
    """Whether its pictures can be drawn again: all of one size, and there is an OpenGL."""
    sizes = set(dataset.interface.cameras.values())
    if len(sizes) != 1:
        return False
    config = MujocoConfig(cameras=tuple(dataset.interface.cameras), image_hw=sizes.pop())
    try:
        world = MujocoWorld(TASKS[task](), 1, robot=robot, config=config)
        drawn = bool(world.gl)
        world.close()
    except MissingError:
        return False
    return drawn


def _require_identical(
    world: MujocoWorld, episodes: Sequence[tuple[int, Episode]], data: str, threads: int, rows: int
) -> int:
    """How many episodes had their pictures compared; raises DataError where anything differs."""
    found, pictures = replay(world, [e for _, e in episodes]), 0
    for (index, episode), again in zip(episodes, found, strict=True):
        if wrong := difference(episode, again):
            raise DataError(
                f"with {threads} threads and {rows} rows, {wrong}",
                where=f"{data} episode {index}",
                do=f"it was made by {dict(episode.provenance.versions)}; other builds may differ",
            )
        pictures += pictured(episode, again)
    return pictures

"""trimix verify: replay a data set's sim episodes from their provenance, to the bit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from trimix.cli.progress import Report, bar
from trimix.cli.verb import Verb
from trimix.core.episode import Episode
from trimix.core.errors import ConfigError, DataError
from trimix.data.dataset import Dataset
from trimix.sim.replay import deviation, replay
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS


@dataclass(frozen=True)
class VerifySettings:
    """Which data set, and under which conditions its episodes are run again.

    Args:
        data: the data set.
        episodes: how many, evenly spread; 0 for all.
        threads: of the physics.
        rows: batch sizes.
    """

    data: str = "???"
    episodes: int = 0
    threads: tuple[int, ...] = (1, 2)
    rows: tuple[int, ...] = (1, 8)

    def __post_init__(self) -> None:
        for name in ("threads", "rows"):
            if min(getattr(self, name), default=0) < 1:
                raise ConfigError(f"{name} are {list(getattr(self, name))}", do="at least 1 each")


def verify(settings: VerifySettings, report: Report | None = None) -> int:
    """Replay under every combination of threads and rows.

    Returns:
        How many episodes were replayed, all of them bit-identical.

    Raises:
        DataError: there is no sim episode, or one came out different; the error names it.
    """
    dataset = Dataset.open(settings.data)
    sim = [e.index for e in dataset.episodes if e.provenance.origin == "sim"]
    if not sim:
        raise DataError("there is no sim episode to replay", where=settings.data)
    count = min(settings.episodes or len(sim), len(sim))
    chosen = [sim[round(i)] for i in np.linspace(0, len(sim) - 1, count)]
    episodes = [(i, dataset.read_episode(i, cameras=())) for i in chosen]
    conditions = list(product(settings.threads, settings.rows))
    for at, (threads, rows) in enumerate(conditions):
        worlds: dict[str, MujocoWorld] = {}
        for start in range(0, len(episodes), rows):
            block = episodes[start : start + rows]
            for task in sorted({e.provenance.task for _, e in block}):
                same = [(i, e) for i, e in block if e.provenance.task == task]
                if task not in worlds:
                    worlds[task] = _world(task, dataset, rows, threads)
                _require_identical(worlds[task], same, settings.data, threads, rows)
            if report is not None:
                report(at * len(episodes) + start + len(block), len(conditions) * len(episodes))
        for world in worlds.values():
            world.close()
    return len(episodes)


def _world(task: str, dataset: Dataset, rows: int, threads: int) -> MujocoWorld:
    config = MujocoConfig(
        control_mode=dataset.interface.control_mode,
        control_dt_s=dataset.interface.control_dt_s,
        threads=threads,
        draw_images=False,
    )
    return MujocoWorld(TASKS[task](), rows, config=config)


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


def _command(settings: VerifySettings) -> None:
    with bar("verify", "episode") as report:
        count = verify(settings, report)
    print(
        f"{settings.data}: {count} episodes replayed bit-identically "
        f"(threads {list(settings.threads)}, rows {list(settings.rows)})"
    )


VERB = Verb("verify", VerifySettings, _command)

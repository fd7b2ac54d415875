"""trimix verify: replay a data set's sim episodes from their provenance, to the bit."""

from __future__ import annotations

from dataclasses import dataclass

from trimix.cli.progress import bar
from trimix.cli.verb import Verb
from trimix.rollout.verify import verify


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


def _command(settings: VerifySettings) -> None:
    with bar("verify", "episode") as progress:
        count = verify(
            settings.data,
            episodes=settings.episodes,
            threads=settings.threads,
            rows=settings.rows,
            progress=progress,
        )
    pictures = "pictures too" if count.pictures == count.episodes else "not all pictures compared"
    print(
        f"{settings.data}: {count.episodes} episodes replayed bit-identically, {pictures} "
        f"(threads {list(settings.threads)}, rows {list(settings.rows)})"
    )


VERB = Verb("verify", VerifySettings, _command)

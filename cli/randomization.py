"""trimix randomization: which axes there are, and what each does."""

from __future__ import annotations

from dataclasses import dataclass

from trimix.bench.effects import EPISODES, effects
from trimix.cli.verb import Verb
from trimix.core.errors import unknown
from trimix.sim.axes import AXES

_WHAT = ("list", "effects")


@dataclass(frozen=True)
class RandomizationSettings:
    """What to show.

    Args:
        what: list names every kind of axis with its unit and range; effects measures what the ends
            of strong's ranges do in a task, to motion, to pictures and to the expert.
        task: registered, or "module:class" of your own.
        episodes: of the expert, at each end of each kind.
    """

    what: str = "list"
    task: str = "banana_on_plate"
    episodes: int = EPISODES


def _command(settings: RandomizationSettings) -> None:
    if settings.what not in _WHAT:
        raise unknown("word", settings.what, _WHAT, where="trimix randomization")
    if settings.what == "list":
        for name in AXES:
            axis = AXES[name]
            print(f"{name:<24}{axis.label:<44}{axis.span:<28}{' '.join(axis.hows)}")
        return
    print(f"{'kind':<24}{'mm':>8}{'mrad':>8}{'% pixels':>10}{'% solved':>10}")
    for e in effects(settings.task, episodes=settings.episodes):
        said = f"{e.mm:>8.1f}{e.milli:>8.1f}{100 * e.pixels:>10.1f}{100 * e.solved:>10.0f}"
        print(f"{e.kind:<24}{said}{'  words' if e.words else ''}{'' if e.acts else '  nothing'}")


VERB = Verb("randomization", RandomizationSettings, _command, bare="what")

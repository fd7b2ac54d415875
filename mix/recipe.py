"""The asked-for mix: sources, shares, phases. What YAML configures and `compile_recipe` reads.

A share is a *weight*: any non-negative number, divided by the sum of its phase. So 0.7/0.2/0.1,
70/20/10 and 7/2/1 are one mix, and no sum has to come out as exactly 1.0 in floating point.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from trimix.core.contracts import ORIGINS
from trimix.core.episode import HELDOUT
from trimix.core.errors import ConfigError, unknown
from trimix.data.windows import WindowSpec

UNITS = ("windows", "episodes")
RAMPS = ("piecewise", "linear")
WHEN_CAPPED = ("redistribute", "error")
MAX_STEPS = 10_000_000
MAX_BATCH = 1_000_000


@dataclass(frozen=True)
class Filter:
    """Which of a source's episodes and windows may be drawn. Conditions are joined by "and".

    Args:
        split: the splits to keep. "heldout" is refused: what is held out is never trained on.
        success: True or False keeps the episodes with that label; None keeps all.
        origin: the origins to keep; empty keeps all.
        episodes: the episode indices to keep; None keeps all.
        min_trust: keeps a window if every row that it reads has at least this trust, in [0, 1].
        sample: of the episodes that pass, keep so many, drawn by the recipe's seed; None keeps
            all. A larger draw of the same seed holds every smaller one.
    """

    split: tuple[str, ...] = ("train",)
    success: bool | None = None
    origin: tuple[str, ...] = ()
    episodes: tuple[int, ...] | None = None
    min_trust: float = 0.0
    sample: int | None = None

    def __post_init__(self) -> None:
        for name in ("split", "origin"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.episodes is not None:
            object.__setattr__(self, "episodes", tuple(int(e) for e in self.episodes))

    def validate(self, where: str) -> None:
        """Raise ConfigError for a value that no data could satisfy."""
        if HELDOUT in self.split:
            raise ConfigError(
                "a training mix cannot draw held-out episodes",
                where=f"{where}.split",
                do="remove 'heldout'; evaluation reads the held-out split",
            )
        if not self.split:
            raise ConfigError("no split is chosen", where=f"{where}.split", do="e.g. [train]")
        for origin in self.origin:
            if origin not in ORIGINS:
                raise unknown("origin", origin, ORIGINS, where=f"{where}.origin")
        if not 0.0 <= self.min_trust <= 1.0:
            raise ConfigError(
                f"trust {self.min_trust:g} is not in [0, 1]", where=f"{where}.min_trust"
            )
        if self.sample is not None:
            _between(self.sample, 1, None, f"{where}.sample")


@dataclass(frozen=True)
class Source:
    """One data set, or a filtered part of one.

    Args:
        path: the data set's directory, from the working directory if it is relative. Not touched
            while the source's shares are all zero.
        filter: what of it may be drawn.
        max_repeats: how often its windows may be drawn over the whole training, on average;
            None is no limit. 1 draws no window twice.
        domain: whether the policy is told the origin of these samples (the domain tag).
    """

    path: str
    filter: Filter = field(default_factory=Filter)
    max_repeats: float | None = None
    domain: bool = True


@dataclass(frozen=True)
class Phase:
    """The shares of a part of the training.

    Args:
        until: where the phase ends, as a fraction of the training's steps, in (0, 1].
        shares: source name -> weight; a source that is not named has none.
    """

    until: float
    shares: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """The asked-for mix of one training.

    Args:
        sources: name -> source. Names are for people: they do not change what is drawn.
        shares: name -> weight over the whole training; or else `phases`.
        phases: in order, the last until 1.0.
        ramp: "piecewise": a phase's shares hold throughout it. "linear": they are reached at
            its end, on a straight line from the phase before; the first phase holds its own.
        unit: what shares count. "windows" are training samples. "episodes" weighs each source
            by its mean number of windows an episode, so that equal shares draw equal numbers of
            episodes' worth. (Sources that can be mixed share their control period, so that
            windows are seconds too.)
        when_capped: what happens when a source would pass its max_repeats. "redistribute"
            lowers its share throughout and gives the rest to the other sources of each phase,
            in proportion to their shares; "error" refuses the recipe.
        batch_size: B, windows a batch.
        steps: batches in the training.
        seed: root of every random stream of the mix.
        window: observation history and action chunk.
        cameras: the cameras to use; None uses all, which every source must then have.
        image_hw: (height, width) px that all cameras are resized to; None keeps them.
        lineage: paths of data sets that are opened only to know which recordings there are and
            which of them are held out. A dream is drawn only if the recording that it goes back
            to is in one of these or in a source with a share.
    """

    sources: dict[str, Source] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)
    phases: tuple[Phase, ...] = ()
    ramp: str = "piecewise"
    unit: str = "windows"
    when_capped: str = "redistribute"
    batch_size: int = 64
    steps: int = 1000
    seed: int = 0
    window: WindowSpec = field(default_factory=WindowSpec)
    cameras: tuple[str, ...] | None = None
    image_hw: tuple[int, int] | None = None
    lineage: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("phases", "lineage"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.cameras is not None:
            object.__setattr__(self, "cameras", tuple(self.cameras))
        if self.image_hw is not None:
            object.__setattr__(self, "image_hw", tuple(self.image_hw))

    def all_phases(self) -> tuple[Phase, ...]:
        """The phases; `shares` alone are one phase."""
        return self.phases or (Phase(1.0, dict(self.shares)),)

    def active(self) -> tuple[str, ...]:
        """Names of the sources with a share above zero in some phase, sorted."""
        return tuple(
            sorted(
                name
                for name in self.sources
                if any(phase.shares.get(name, 0.0) > 0 for phase in self.all_phases())
            )
        )

    def validate(self, where: str = "recipe") -> None:
        """Raise ConfigError, naming the key, for a recipe that cannot be compiled."""
        _one_of(self.ramp, RAMPS, f"{where}.ramp")
        if self.unit == "seconds":
            raise ConfigError(
                "'seconds' is not a unit: sources that can be mixed share their control period, so "
                "that seconds are windows",
                where=f"{where}.unit",
                do="write unit: windows",
            )
        _one_of(self.unit, UNITS, f"{where}.unit")
        _one_of(self.when_capped, WHEN_CAPPED, f"{where}.when_capped")
        _between(self.batch_size, 1, MAX_BATCH, f"{where}.batch_size")
        _between(self.steps, 1, MAX_STEPS, f"{where}.steps")
        _between(self.window.history, 1, None, f"{where}.window.history")
        _between(self.window.chunk, 1, None, f"{where}.window.chunk")
        for side in self.image_hw or ():
            _between(side, 1, None, f"{where}.image_hw")
        if not self.sources:
            raise ConfigError("there are no sources", where=f"{where}.sources", do="name one")
        for name, source in self.sources.items():
            source.filter.validate(f"{where}.sources.{name}.filter")
            cap = source.max_repeats
            if cap is not None and not (math.isfinite(cap) and cap > 0):
                raise ConfigError(
                    f"{cap:g} repeats cannot be drawn",
                    where=f"{where}.sources.{name}.max_repeats",
                    do="give a number above 0, or null for no limit",
                )
        self._validate_shares(where)

    def _validate_shares(self, where: str) -> None:
        if bool(self.shares) == bool(self.phases):
            raise ConfigError(
                "a recipe has either shares or phases",
                where=where,
                do="give one of them",
            )
        before = 0.0
        for i, phase in enumerate(self.all_phases()):
            at = f"{where}.phases[{i}]" if self.phases else where
            if not before < phase.until <= 1.0:
                raise ConfigError(
                    f"until {phase.until:g} is not above {before:g} and at most 1", where=at
                )
            before = phase.until
            for name, share in phase.shares.items():
                if name not in self.sources:
                    raise unknown("source", name, self.sources, where=f"{at}.shares")
                if not (math.isfinite(share) and share >= 0):
                    raise ConfigError(
                        f"share {share:g} of {name!r} is not a non-negative number",
                        where=f"{at}.shares",
                    )
            if not any(share > 0 for share in phase.shares.values()):
                raise ConfigError("all shares are zero", where=f"{at}.shares", do="raise one")
        if before != 1.0:
            raise ConfigError(
                f"the last phase ends at {before:g} of the training",
                where=f"{where}.phases",
                do="let the last phase have until: 1.0",
            )


def _one_of(value: str, known: Iterable[str], where: str) -> None:
    if value not in known:
        raise ConfigError(f"{value!r} is not known", where=where, do=f"one of {', '.join(known)}")


def _between(value: int, low: int, high: int | None, where: str) -> None:
    if value < low or (high is not None and value > high):
        limits = f"at least {low}" + (f" and at most {high}" if high is not None else "")
        raise ConfigError(f"{value} is not {limits}", where=where)

"""From outcome tables and a plan to intervals that hold together, and what each may claim.

Axes: B experiments, S training seeds of an arm, N scenes that all arms meet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, get_args

import numpy as np
import numpy.typing as npt
from scipy import stats

from trimix.core.contracts import BoolArray
from trimix.core.errors import ConfigError
from trimix.evaluate.crossed import Bands, Crossed, Family, mixes, policies, quantiles, rates
from trimix.evaluate.planned import (
    MOST_SEEDS,
    SEEDS_FOR_MIXES,
    ComparisonPlan,
    Scope,
    Status,
    Verdict,
)

POWER = 0.8

METHODS: Mapping[Scope, str] = {
    "mixes": (
        "seeds crossed with scenes; each arm's variance over seeds, or the pooled one if larger; "
        "studentized range, or Student's t of one arm's seeds if larger; score intervals combined; "
        "they hold if seeds that were not run are like these"
    ),
    "these policies": "paired scenes, two more added, one won by each side; Bonferroni",
}


class Contrast(NamedTuple):
    """Success of arm a minus success of arm b.

    Args:
        delta: the difference of their means over seeds and scenes.
        low, high: its interval, simultaneous with those of all contrasts of its status.
        scope: what the interval is of: the mixes, or only the policies that were trained.
        status: planned, or exploratory and then never a claim.
        seeds: training seeds of the arm that has fewer.
        scenes: N.
        by_seed, lasting: the variances of delta; see crossed.Bands.
    """

    a: str
    b: str
    delta: float
    low: float
    high: float
    scope: Scope
    status: Status
    seeds: int
    scenes: int
    by_seed: float
    lasting: float

    @property
    def verdict(self) -> Verdict:
        """Of a against b: what was not planned stays open, wherever its interval lies."""
        if self.status == "exploratory" or self.low <= 0 <= self.high:
            return "open"
        return "better" if self.low > 0 else "worse"

    def seeds_needed(self, plan: ComparisonPlan) -> int | None:
        """Training seeds per arm with which a new run, looked at once, would show a true delta.

        With probability POWER, if the difference and the variances are those seen here.

        Returns:
            At least SEEDS_FOR_MIXES; None if MOST_SEEDS would not do.
        """
        if self.scope == "these policies":
            return None
        family = Family(1 - plan.level, len(plan.contrasts))  # Bonferroni alone: quick, if wide
        for seeds in range(SEEDS_FOR_MIXES, MOST_SEEDS + 1):
            over_seeds, over_scenes = quantiles(family, (seeds,) * len(plan.arms))
            by_seed = self.by_seed * self.seeds / seeds
            half = np.hypot(over_seeds * by_seed**0.5, over_scenes * self.lasting**0.5)
            power = stats.norm.ppf(POWER) * np.sqrt(by_seed + self.lasting)
            if half + power <= abs(self.delta):
                return seeds
        return None


class Rate(NamedTuple):
    """Success of an arm, with an interval that is simultaneous over the arms."""

    mean: float
    low: float
    high: float
    scope: Scope


@dataclass(frozen=True)
class Inference:
    """Everything that is concluded from the outcomes of all arms.

    Args:
        plan: what was to be compared; None for a single arm.
        contrasts: the plan's contrasts that were measured, in its order.
        rates: by arm.
    """

    plan: ComparisonPlan | None
    contrasts: tuple[Contrast, ...]
    rates: Mapping[str, Rate]

    @property
    def status(self) -> Status:
        """Planned if every contrast was."""
        return "planned" if all(c.status == "planned" for c in self.contrasts) else "exploratory"

    @property
    def scope(self) -> Scope:
        """What all of it is about: the narrowest of its scopes."""
        found = {c.scope for c in self.contrasts} | {r.scope for r in self.rates.values()}
        return "mixes" if found == {"mixes"} else "these policies"

    @property
    def look(self) -> int | None:
        """The planned number of seeds that was looked at; None if none was."""
        return max((c.seeds for c in self.contrasts if c.status == "planned"), default=None)


def infer(
    tables: Mapping[str, npt.ArrayLike], plan: ComparisonPlan | None, *, registered: bool = True
) -> Inference:
    """Intervals of every contrast and every arm, each family holding together.

    Args:
        tables: arm -> (S, N) successes; the N scenes are the same and in one order for all arms.
        plan: what to compare; None compares nothing.
        registered: the plan was written down before the first scene was seen; if not, all of it
            is exploratory.

    Raises:
        ConfigError: a table is empty, not of 0 and 1, or of other scenes than the rest.
    """
    batch = {}
    for arm, table in tables.items():
        given = np.atleast_2d(np.asarray(table))
        if given.ndim != 2 or given.size == 0 or not np.isin(given, (0, 1)).all():
            raise ConfigError(
                f"outcomes of arm {arm!r} have shape {given.shape} or are not 0 and 1",
                do="give (seeds, scenes) successes",
            )
        batch[arm] = given[None].astype(bool)
    return infer_many(batch, plan, registered=registered)[0]


def infer_many(
    tables: Mapping[str, BoolArray], plan: ComparisonPlan | None, *, registered: bool = True
) -> list[Inference]:
    """`infer` for B experiments of one layout at once: arm -> (B, S, N) bool."""
    scenes = {table.shape[2] for table in tables.values()}
    if len(scenes) != 1:
        raise ConfigError(
            f"the arms met {' and '.join(map(str, sorted(scenes))) or 'no'} scenes",
            do="compare arms on the same scenes",
        )
    asked = [] if plan is None else _asked(tables, plan, registered)
    at: dict[_Asked, list[Contrast]] = {}
    for family in dict.fromkeys((x.scope, x.alpha) for x in asked):
        assert plan is not None
        members = [x for x in asked if (x.scope, x.alpha) == family]
        bands = _bands(tables, plan, members)
        at |= {x: _contrasts(x, bands, m) for m, x in enumerate(members)}
    level = 0.95 if plan is None else plan.level
    rates_of = _rates(tables, 1 - level)
    experiments = len(next(iter(tables.values())))
    return [
        Inference(
            plan,
            tuple(at[x][e] for x in asked),
            {arm: found[e] for arm, found in rates_of.items()},
        )
        for e in range(experiments)
    ]


class _Asked(NamedTuple):
    a: str
    b: str
    scope: Scope
    status: Status
    seeds: int
    scenes: int
    alpha: float


def _asked(tables: Mapping[str, BoolArray], plan: ComparisonPlan, registered: bool) -> list[_Asked]:
    """The plan's contrasts that were measured, and the error rate of each one's family."""
    found = []
    for a, b in plan.contrasts:
        if a not in tables or b not in tables:
            continue
        (_, s_a, n), (_, s_b, _) = tables[a].shape, tables[b].shape
        status = plan.status(a, b, s_a, s_b, n) if registered else "exploratory"
        alpha = plan.alpha(s_a) if status == "planned" else 1 - plan.level
        found.append(_Asked(a, b, _scope(min(s_a, s_b)), status, min(s_a, s_b), n, alpha))
    return found


def _bands(
    tables: Mapping[str, BoolArray], plan: ComparisonPlan, members: Sequence[_Asked]
) -> Bands:
    """Intervals of the contrasts of one scope and error rate.

    The adjustment counts all that was planned: what was not measured was promised as well.
    """
    scope, alpha = members[0].scope, members[0].alpha
    arms = [
        arm
        for arm in plan.arms
        if arm in tables and (scope == "these policies" or _scope(tables[arm].shape[1]) == scope)
    ]
    weights = np.zeros((len(members), len(arms)))
    for row, x in zip(weights, members, strict=True):
        row[arms.index(x.a)], row[arms.index(x.b)] = 1, -1
    data = Crossed.of([tables[arm] for arm in arms])
    family = Family(alpha, len(plan.contrasts), len(plan.arms))
    return (mixes if scope == "mixes" else policies)(data, weights, family)


def _contrasts(asked: _Asked, bands: Bands, m: int) -> list[Contrast]:
    """Contrast m of every experiment."""
    of = (bands.delta, bands.low, bands.high, bands.by_seed, bands.lasting)
    a, b, scope, status, seeds, scenes, _ = asked
    return [
        Contrast(a, b, delta, low, high, scope, status, seeds, scenes, by_seed, lasting)
        for delta, low, high, by_seed, lasting in np.stack([x[:, m] for x in of], 1).tolist()
    ]


def _rates(tables: Mapping[str, BoolArray], alpha: float) -> dict[str, list[Rate]]:
    """Every arm's success in every experiment; those of few seeds are of their policies alone."""
    found: dict[str, list[Rate]] = {}
    scopes: tuple[Scope, ...] = get_args(Scope)
    for scope in scopes:
        arms = [arm for arm, table in tables.items() if _scope(table.shape[1]) == scope]
        if not arms:
            continue
        data = Crossed.of([tables[arm] for arm in arms])
        low, high = rates(data, Family(alpha, len(tables)), of_mixes=scope == "mixes")
        for k, arm in enumerate(arms):
            ends = np.stack([data.mean[:, k], low[:, k], high[:, k]], 1).tolist()
            found[arm] = [Rate(p, below, above, scope) for p, below, above in ends]
    return {arm: found[arm] for arm in tables}


def _scope(seeds: int) -> Scope:
    return "mixes" if seeds >= SEEDS_FOR_MIXES else "these policies"

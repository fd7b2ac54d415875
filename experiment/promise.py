"""What was promised before scenes were seen, kept where no other run can pass it by.

Before the first confirming scene of a run, its plan is written into the store under every pair of
policies that it compares. Whoever comes later with the same policies and scenes, into whatever
folder, finds it there: other contrasts, looks or scenes are then no plan any more. Nor can two
policies be planned for whose rates are known, though not from one comparison: of each policy is
kept on which scenes it was seen. Policies are known by their bytes, however they were asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any, ClassVar, cast

from trimix.core.contracts import Json
from trimix.core.errors import ConfigError
from trimix.core.plain import plain
from trimix.core.workers import Tick
from trimix.evaluate.planned import ComparisonPlan
from trimix.evaluate.suites import Suite
from trimix.experiment.store import Store

NO_PLAN: Json = "exploratory"
"""What is kept of scenes that were looked at without a plan."""


@dataclass(frozen=True)
class PromiseUnit:
    """The plan under which two policies were first compared; or that one was seen.

    Args:
        label: for people.
        pair: what the two are known by; or the one.
        scenes: what the scenes are known by, however many there are.
        promised: the plan, in terms of what its arms are known by; whoever comes first decides.
    """

    kind: ClassVar[str] = "plan"

    label: str
    pair: tuple[str, ...]
    scenes: Json
    promised: Json

    def reads(self) -> Json:
        """What is compared, and not how: that is what is looked up."""
        return {"pair": plain(sorted(self.pair)), "scenes": self.scenes}

    def code(self) -> None:
        """It is the same promise whatever becomes of the code."""

    def make(self, folder: Path, tick: Tick) -> Json:
        """Keep it."""
        del folder
        tick()
        return self.promised


def register(
    store: Store,
    plan: ComparisonPlan,
    policies: Mapping[str, str],
    suite: Suite,
    *,
    looks_given: bool,
    exploratory: bool,
) -> tuple[ComparisonPlan, bool]:
    """Write the plan down, or find the one that was.

    Args:
        plan: of this run.
        policies: arm -> digest of its policy of the first training seed.
        suite: the scenes that have not been looked at yet.
        looks_given: this run asks for looks of its own; if not, it takes those that were planned.
        exploratory: go on without a plan where there is another one.

    Returns:
        (the plan, whether it was written down before these scenes were seen)

    Raises:
        ConfigError: these policies were seen on these scenes under another plan.
    """
    units = [
        PromiseUnit(f"plan of {a} and {b}", (policies[a], policies[b]), _scenes_of(suite), NO_PLAN)
        for a, b in combinations(policies, 2)
    ]
    known = [_promised(store, unit, suite) for unit in units]
    found = [result for result in known if result is not None]
    earlier = next((result for result in found if result != _terms(plan, policies)), None)
    if isinstance(earlier, dict) and not looks_given:
        looks = cast(list[int], earlier["looks"])
        plan = replace(plan, looks=tuple(looks))
        earlier = next((result for result in found if result != _terms(plan, policies)), None)
    if earlier is not None and not exploratory:
        raise ConfigError(
            f"these policies were seen on these scenes {_difference(earlier, plan, policies)}",
            do="keep to the plan, or set exploratory=true, or seed= for new policies and scenes",
        )
    new = exploratory and len(found) < len(units)
    terms = NO_PLAN if new or earlier is not None else _terms(plan, policies)
    kept = [store.make(replace(unit, promised=terms)).result for unit in units]
    note_seen(store, policies, suite)
    return plan, all(result == _terms(plan, policies) for result in kept)


def note_seen(store: Store, policies: Mapping[str, str], suite: Suite) -> None:
    """Write down that these policies are seen on these scenes, be it without a comparison.

    Args:
        policies, suite: see `register`.
    """
    for arm, digest in policies.items():
        store.make(_sight(f"sight of {arm}", digest, suite))


def _sight(label: str, digest: str, suite: Suite) -> PromiseUnit:
    return PromiseUnit(label, (digest,), _scenes_of(suite), NO_PLAN)


def _promised(store: Store, unit: PromiseUnit, suite: Suite) -> Json:
    """What was promised of a pair; None if one of the two has not been seen."""
    if (entry := store.find(unit)) is not None:
        return entry.result
    seen = [store.find(_sight(unit.label, digest, suite)) for digest in unit.pair]
    return None if None in seen else NO_PLAN


def _scenes_of(suite: Suite) -> Json:
    return {"task": suite.task, "world": suite.world, "seed": suite.seed, "of": suite.purpose}


def _terms(plan: ComparisonPlan, policies: Mapping[str, str]) -> Json:
    """The plan by what is compared and not by what it is called."""
    raw = plan.to_json()
    pairs = [sorted((policies[a], policies[b])) for a, b in plan.contrasts]
    return plain({**raw, "contrasts": sorted(pairs)})


def _difference(earlier: Json, plan: ComparisonPlan, policies: Mapping[str, str]) -> str:
    if not isinstance(earlier, dict):
        return "before there was a plan"
    terms = cast(dict[str, Any], _terms(plan, policies))
    for name, value in terms.items():
        before = cast(Any, earlier[name])
        if value == before:
            continue
        if name == "contrasts":
            return f"under a plan of {len(before)} contrasts, and now there are {_count(value)}"
        return f"under a plan with {name} {before}, and now they are {value}"
    return "under another plan"


def _count(pairs: list[Any]) -> str:
    return f"{len(pairs)} others"

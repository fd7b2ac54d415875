"""What was promised before scenes were seen, kept where no other run can pass it by.

Before the first confirming scene of a run, its plan is written into the store under every pair of
policies that it compares. Whoever comes later with the same policies and scenes, into whatever
folder, finds it there: other contrasts, looks or scenes are then no plan any more.
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
    """The plan under which two policies were first compared.

    Args:
        label: for people.
        pair: what the two are known by.
        scenes: what the scenes are known by, however many there are.
        promised: the plan, in terms of what its arms are known by; whoever comes first decides.
    """

    kind: ClassVar[str] = "plan"

    label: str
    pair: tuple[str, str]
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
        policies: arm -> what its policy of the first training seed is known by.
        suite: the scenes that have not been looked at yet.
        looks_given: this run asks for looks of its own; if not, it takes those that were planned.
        exploratory: go on without a plan where there is another one.

    Returns:
        (the plan, whether it was written down before these scenes were seen)

    Raises:
        ConfigError: these policies were seen on these scenes under another plan.
    """
    units = [
        PromiseUnit(
            f"plan of {a} and {b}",
            (policies[a], policies[b]),
            {"task": suite.task, "world": suite.world, "seed": suite.seed, "of": suite.purpose},
            NO_PLAN,
        )
        for a, b in combinations(policies, 2)
    ]
    found = [entry.result for unit in units if (entry := store.find(unit)) is not None]
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
    return plan, all(result == _terms(plan, policies) for result in kept)


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

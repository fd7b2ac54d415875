"""What was promised before policies were seen, kept where no other run can pass it by.

Before the first confirming scene of a run, its plan is written into the store under every policy
that it compares. Whoever comes later with one of these policies, into whatever folder and on
whatever scenes, finds it there: another plan is then no plan any more. A policy that did well or
badly by luck of its training does so again on other scenes, beside whatever it is set; so a
comparison is planned only if none of its policies was ever seen under other terms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, cast

from trimix.core.contracts import Json
from trimix.core.errors import ConfigError
from trimix.core.plain import plain
from trimix.core.workers import Tick
from trimix.evaluate.planned import ComparisonPlan
from trimix.evaluate.suites import Suite
from trimix.experiment.store import Store

NO_PLAN: Json = "exploratory"
"""What is kept of a policy that was looked at without a plan."""


class Known(NamedTuple):
    """By what a policy is known, however it was asked for.

    Args:
        weights: digest of what was trained. It is bound to a plan.
        acts: digest of that and of how it acts. It is what is compared.
    """

    weights: str
    acts: str


@dataclass(frozen=True)
class PromiseUnit:
    """The plan under which a policy was first seen.

    Args:
        label: for people.
        weights: the policy; see Known.
        promised: the plan, in terms of what its arms are known by; whoever comes first decides.
    """

    kind: ClassVar[str] = "plan"

    label: str
    weights: str
    promised: Json

    def reads(self) -> Json:
        """Who was seen, and not how: that is what is looked up."""
        return {"weights": self.weights}

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
    policies: Mapping[str, Known],
    suite: Suite,
    *,
    looks_given: bool,
    exploratory: bool,
) -> tuple[ComparisonPlan, bool]:
    """Write the plan down, or find the one that was.

    Args:
        plan: of this run.
        policies: arm -> its policy of the first training seed.
        suite: the scenes that have not been looked at yet.
        looks_given: this run asks for looks of its own; if not, it takes those that were planned.
        exploratory: go on without a plan where there is another one.

    Returns:
        (the plan, whether it was written down before any of these policies was seen)

    Raises:
        ConfigError: a policy was seen under another plan.
    """
    units = {arm: _unit(arm, known, NO_PLAN) for arm, known in policies.items()}
    found = {arm: entry.result for arm, unit in units.items() if (entry := store.find(unit))}
    first = next((terms for terms in found.values() if isinstance(terms, dict)), None)
    if first is not None and not looks_given:
        plan = replace(plan, looks=tuple(cast(list[int], first["looks"])))
    terms = _terms(plan, policies, suite)
    other = next((arm for arm, earlier in found.items() if earlier != terms), None)
    if other is not None and not exploratory:
        raise ConfigError(
            f"the policy of arm {other} was seen {_difference(found[other], terms)}",
            do="keep to the plan, or set exploratory=true, or seed= for new policies and scenes",
        )
    kept_to = other is None and not (exploratory and len(found) < len(units))
    promised = terms if kept_to else NO_PLAN
    kept = [store.make(replace(unit, promised=promised)).result for unit in units.values()]
    return plan, all(result == terms for result in kept)


def note_seen(store: Store, policies: Mapping[str, Known]) -> None:
    """Write down that policies are seen, be it without a comparison.

    Args:
        policies: see `register`.
    """
    for arm, known in policies.items():
        store.make(_unit(arm, known, NO_PLAN))


def other_plans(store: Store, plan: ComparisonPlan, policies: Mapping[str, Known]) -> int:
    """How many further plans the store holds: each may err, and one of many is likelier to."""
    kept = [record.result for record in store.records() if record.kind == PromiseUnit.kind]
    plans = [terms for terms in kept if isinstance(terms, dict)]
    ours = _contrasts(plan, policies)
    return len({str(terms) for terms in plans if terms["contrasts"] != ours})


def _unit(arm: str, known: Known, promised: Json) -> PromiseUnit:
    return PromiseUnit(f"plan for {arm}", known.weights, promised)


def _terms(plan: ComparisonPlan, policies: Mapping[str, Known], suite: Suite) -> Json:
    """The plan by what is compared and not by what it is called."""
    scenes = {"task": suite.task, "world": suite.world, "seed": suite.seed, "of": suite.purpose}
    return plain({**plan.to_json(), "contrasts": _contrasts(plan, policies), "suite": scenes})


def _contrasts(plan: ComparisonPlan, policies: Mapping[str, Known]) -> Json:
    return plain(sorted(sorted((policies[a].acts, policies[b].acts)) for a, b in plan.contrasts))


def _difference(earlier: Json, terms: Json) -> str:
    if not isinstance(earlier, dict):
        return "before there was a plan"
    for name, value in cast(dict[str, Any], terms).items():
        before = cast(Any, earlier[name])
        if value == before:
            continue
        if name == "contrasts":
            return f"under a plan of {len(before)} contrasts, and now there are {len(value)} others"
        if name == "suite":
            return f"under a plan for {_scenes(before)}, and these scenes are {_scenes(value)}"
        return f"under a plan with {name} {before}, and now they are {value}"
    return "under another plan"


def _scenes(suite: Mapping[str, Any]) -> str:
    return f"{suite['task']}/{suite['world']}/{suite['of']} (seed {suite['seed']})"

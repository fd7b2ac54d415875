"""One policy acts, another says what should have been done: rounds of DAgger as data sets."""

from __future__ import annotations

from dataclasses import dataclass

from trimix.core.contracts import Json, Policy, World
from trimix.policy.labelled import Labelled
from trimix.rollout.policies import PolicySpec


@dataclass(frozen=True)
class LabelledSpec:
    """A policy whose frames another labels.

    Args:
        policy: acts.
        labeller: labels every frame; an expert sees what the policy got itself into.
    """

    policy: PolicySpec
    labeller: PolicySpec

    @property
    def name(self) -> str:
        """Both."""
        return f"{self.policy.name} labelled by {self.labeller.name}"

    def load(self, world: World) -> Policy:
        """Both policies for this world.

        Raises:
            TrimixError: one of them is not there, or cannot act in this world.
        """
        return Labelled(self.policy.load(world), self.labeller.load(world))

    def reads(self) -> Json:
        """What both read."""
        return ["labelled", self.policy.reads(), self.labeller.reads()]

    def code(self) -> tuple[str, ...]:
        """This module, and both policies'."""
        return (__name__, *self.policy.code(), *self.labeller.code())

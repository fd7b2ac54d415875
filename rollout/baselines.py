"""Policies that nothing was trained for: the registered ones, and a user's own."""

from __future__ import annotations

from dataclasses import dataclass

from trimix.core.contracts import Json, Policy, World
from trimix.core.errors import ConfigError
from trimix.data.dataset import Dataset
from trimix.policy import POLICIES
from trimix.policy.make import PolicyParts
from trimix.train.policy import mix_normalization


@dataclass(frozen=True)
class BaselineSpec:
    """A policy of POLICIES that is made of a data set's training episodes, or of nothing.

    Args:
        kind: random, mean or replay; or "module:function" of your own.
        data: folder of the data set whose training episodes it knows; random can do without.
    """

    kind: str
    data: str = ""

    @property
    def name(self) -> str:
        """Its kind."""
        return self.kind

    def load(self, world: World) -> Policy:
        """The policy.

        Raises:
            ConfigError: it needs a data set and none is given.
            MissingError, DataError, InterfaceError: the data set cannot be read or is another
                robot's.
        """
        if not self.data and self.kind in ("mean", "replay"):
            raise ConfigError(
                f"policy {self.kind!r} needs a data set", do=f"write {self.kind}:<data set>"
            )
        policy: Policy = POLICIES[self.kind](world.interface, self._parts(world))
        return policy

    def reads(self) -> Json:
        """Its kind, what that stands for, and what its data set holds."""
        where = POLICIES.where(self.kind)
        return [self.kind, where, Dataset.open(self.data).content_hash if self.data else ""]

    def code(self) -> tuple[str, ...]:
        """This module and the policy's."""
        return (__name__, POLICIES.where(self.kind).partition(":")[0])

    def _parts(self, world: World) -> PolicyParts:
        if not self.data:
            return PolicyParts()
        dataset = Dataset.open(self.data)
        seen = dataset.interface.select(list(world.interface.cameras))
        world.interface.require_same(seen, where=self.data)
        train = [e for e in dataset.episodes if e.provenance.split == "train"]
        action = dataset.action()
        return PolicyParts(
            normalization=mix_normalization([(dataset, [e.index for e in train], 1.0)]),
            recordings=[action[e.start : e.start + e.length] for e in train],
        )

"""What a run set out to compare, fixed before its scenes were seen.

A claim is only as good as the promise behind it: whoever picks the contrasts after seeing the
scores, or adds training seeds until one of them looks significant, finds a difference between
equal arms almost surely. So the contrasts and the seed counts at which the scores will be looked
at are written down and hashed first; every look spends a part of the error rate; what was not
planned is called exploratory and shows nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any, Literal

from trimix.core.errors import ConfigError

Status = Literal["planned", "unregistered", "exploratory"]
"""Unregistered: no plan was kept, but the interval holds at any look and over all that is compared.
"""
Scope = Literal["mixes", "these policies"]
"""What a figure is of: the mixes, over training seeds and scenes, or only the policies that were
trained, over scenes."""
Verdict = Literal["better", "worse", "open"]

SEEDS_FOR_MIXES = 3
"""Fewer training seeds than these say nothing of other seeds, so nothing of a mix."""
MOST_SEEDS = 64
"""No larger number of training seeds is suggested."""


@dataclass(frozen=True)
class ComparisonPlan:
    """Which arms are compared, and after how many training seeds.

    Args:
        contrasts: pairs of arms (a, b) whose difference a - b is of interest.
        looks: training seeds per arm at which the scores are looked at, ascending.
        level: probability that all intervals, of all contrasts at all looks, hold the truth.
        scenes: how many scenes every policy meets; None leaves it open, and then nothing guards
            against adding scenes until a difference shows.

    Raises:
        ConfigError: no contrast or look, an arm against itself, a pair named twice, looks that do
            not ascend, a level outside (0, 1).
    """

    contrasts: tuple[tuple[str, str], ...]
    looks: tuple[int, ...]
    level: float = 0.95
    scenes: int | None = None

    def __post_init__(self) -> None:
        named = [frozenset(pair) for pair in self.contrasts]
        if not named or any(len(pair) < 2 for pair in named) or len(set(named)) < len(named):
            raise ConfigError(
                f"contrasts {list(self.contrasts)} are not pairs of different arms, each once",
                do="name every pair of arms that matters, e.g. [[real+sim, real-only]]",
            )
        if not self.looks or self.looks[0] < 1 or any(a >= b for a, b in pairwise(self.looks)):
            raise ConfigError(
                f"looks {list(self.looks)} are not ascending seed counts", do="e.g. [3, 5, 8]"
            )
        if not 0 < self.level < 1:
            raise ConfigError(f"level {self.level} is not between 0 and 1", do="e.g. 0.95")
        if self.scenes is not None and self.scenes < 1:
            raise ConfigError(f"{self.scenes} scenes are none", do="plan at least one")

    @classmethod
    def all_pairs(
        cls, arms: Sequence[str], looks: Iterable[int], *, scenes: int | None = None
    ) -> ComparisonPlan:
        """Every later arm against every earlier one: what finding the best arm takes."""
        pairs = tuple((b, a) for a, b in combinations(arms, 2))
        return cls(pairs, tuple(looks), scenes=scenes)

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that the contrasts name, in their order."""
        return tuple(dict.fromkeys(arm for pair in self.contrasts for arm in pair))

    @property
    def hash(self) -> str:
        """Of what was promised: neither the order of contrasts nor their direction matters."""
        promised = {**self.to_json(), "contrasts": sorted(map(sorted, self.contrasts))}
        return hashlib.sha256(json.dumps(promised, sort_keys=True).encode()).hexdigest()

    def status(self, a: str, b: str, seeds_a: int, seeds_b: int, scenes: int) -> Status:
        """Whether comparing a with b after so many training seeds and scenes was planned."""
        named = (a, b) in self.contrasts or (b, a) in self.contrasts
        seen = seeds_a == seeds_b and seeds_a in self.looks
        return "planned" if named and seen and self.scenes in (None, scenes) else "exploratory"

    def alpha(self, look: int) -> float:
        """The error rate that this look alone may use; those of all looks add up to 1 - level.

        By the fraction of all seeds that are seen, squared (the power family of Kim and DeMets,
        Biometrika 1987): an early look, whose few seeds could show little anyway, costs the last
        one little. Looks are treated as if they erred apart (Bonferroni), which needs nothing of
        how their estimates depend on each other.

        Raises:
            ConfigError: the look is not planned.
        """
        if look not in self.looks:
            raise ConfigError(f"no look is planned at {look} seeds", do=f"planned: {self.looks}")
        before = max((seeds for seeds in self.looks if seeds < look), default=0)
        return (1 - self.level) * (look**2 - before**2) / self.looks[-1] ** 2

    def spent(self, look: int) -> float:
        """The error rate that this look and all before it may use."""
        return sum(self.alpha(seeds) for seeds in self.looks if seeds <= look)

    def to_json(self) -> dict[str, Any]:
        return {
            "contrasts": [list(pair) for pair in self.contrasts],
            "looks": list(self.looks),
            "level": self.level,
            "scenes": self.scenes,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> ComparisonPlan:
        contrasts = tuple((a, b) for a, b in raw["contrasts"])
        return cls(contrasts, tuple(raw["looks"]), raw["level"], raw["scenes"])

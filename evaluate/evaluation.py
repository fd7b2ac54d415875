"""What came of one policy on one suite.

Axes: S scenes of the suite, T steps of an episode.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from trimix.core.contracts import BoolArray
from trimix.core.episode import Episode
from trimix.evaluate.statistics import wilson


@dataclass(frozen=True)
class Outcome:
    """What came of one scene.

    Args:
        scene: its place in the suite.
        success: the task was done; never true of an episode that was abstained from.
        abstained: the world or the policy said "I don't know" and the episode was cut.
        steps: T.
        trust: mean over the steps, 1 in MuJoCo.
        reward: summed over the steps.
    """

    scene: int
    success: bool
    abstained: bool
    steps: int
    trust: float
    reward: float


@dataclass(frozen=True)
class Evaluation:
    """One policy over one suite.

    Args:
        arm, train_seed: which policy.
        world, suite, suite_hash: on what.
        outcomes: S outcomes in the suite's order.
        clips: scene -> episode with images, for the suite's first scenes.
    """

    arm: str
    train_seed: int
    world: str
    suite: str
    suite_hash: str
    outcomes: tuple[Outcome, ...]
    clips: dict[int, Episode] = field(default_factory=dict, repr=False)

    @property
    def success(self) -> BoolArray:
        """(S,) bool."""
        return np.asarray([o.success for o in self.outcomes], bool)

    def to_json(self) -> dict[str, Any]:
        """The counts, the interval and every outcome, without the images."""
        n, k = len(self.outcomes), int(self.success.sum())
        return {
            "arm": self.arm,
            "train_seed": self.train_seed,
            "world": self.world,
            "suite": self.suite,
            "suite_hash": self.suite_hash,
            "n": n,
            "success": k / n,
            "wilson95": list(wilson(k, n)),
            "abstained": sum(o.abstained for o in self.outcomes),
            "outcomes": [asdict(o) for o in self.outcomes],
        }

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Evaluation:
        outcomes = tuple(Outcome(**o) for o in raw["outcomes"])
        names = ("arm", "train_seed", "world", "suite", "suite_hash")
        return cls(**{k: raw[k] for k in names}, outcomes=outcomes)

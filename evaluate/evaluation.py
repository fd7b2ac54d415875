"""What came of one policy on one suite.

Axes: S scenes of the suite, T steps of an episode.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from trimix.core.contracts import BoolArray
from trimix.core.episode import Episode
from trimix.data.files import write_atomic
from trimix.evaluate.statistics import wilson
from trimix.rollout.scenes import Outcome


@dataclass(frozen=True)
class Evaluation:
    """One policy over one suite.

    Args:
        arm, train_seed: which policy.
        world, suite, suite_hash: on what.
        outcomes: S outcomes in the suite's order.
        clips: scene -> episode with images: the first success and the first failure, if filmed.
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


def save_evaluations(path: Path, evaluations: Sequence[Evaluation]) -> None:
    """Every outcome, as JSON."""
    text = json.dumps([e.to_json() for e in evaluations], indent=1, allow_nan=False)
    write_atomic(path, (text + "\n").encode())

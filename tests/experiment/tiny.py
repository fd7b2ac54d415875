"""Comparisons that are made in seconds: too little of everything to say anything."""

from __future__ import annotations

from typing import Any

from trimix.experiment.config import Arm, Experiment, Scoring
from trimix.experiment.source_kinds import Sim, StandIn
from trimix.experiment.work import Event
from trimix.policy.chunk import ActConfig
from trimix.train.loop import LoopConfig
from trimix.train.policy import PolicyTrainConfig

ARMS = {"real": Arm({"real": 1}), "both": Arm({"real": 1, "sim": 1})}


def tiny(**changes: Any) -> Experiment:
    """An experiment without dreams; `changes` are fields of it."""
    given = {
        "sources": {"real": StandIn(4, heldout=0.5), "sim": Sim(3)},
        "arms": ARMS,
        "seeds": 1,
        "task": "push_t",
        "image_hw": (16, 16),
        "policy": PolicyTrainConfig(
            width=32, loop=LoopConfig(steps=3, warmup_steps=1), act=ActConfig()
        ),
        "batch_size": 4,
        "scoring": Scoring(scenes=2, expert_presets=(), rows=2, offline_windows=20),
        **changes,
    }
    return Experiment(**given)


class Told:
    """Which stages were run, and which were found in the store."""

    def __init__(self) -> None:
        self.run: dict[str, int] = {}
        self.unchanged: set[str] = set()

    def __call__(self, event: Event) -> None:
        if event.state == "begun":
            self.run[event.stage] = event.total
        elif event.state == "unchanged":
            self.unchanged.add(event.stage)

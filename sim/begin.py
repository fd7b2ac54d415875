"""Start states and goals: free of what stands by, and not solved already. Axes: N rows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from trimix.core.contracts import BoolArray, Goal, Start
from trimix.core.errors import ConfigError
from trimix.core.seeds import stream
from trimix.sim.physics import Physics
from trimix.sim.scene import Inventory
from trimix.sim.task import Task

_TRIES = 20


def begin(
    task: Task,
    physics: Physics,
    things: Inventory,
    starts: Sequence[Start],
    goals: list[Goal],
    rows: Sequence[int],
) -> None:
    """Put rows, which were reset, at their starts, and their goals into goals (N).

    Raises:
        ConfigError: no start in a bounded number of tries.
    """
    said = physics.parameters.signals["words/paraphrase"]
    left = list(rows)
    for attempt in range(_TRIES):
        for i in left:
            rng = stream(starts[i].seed, starts[i].episode, "start", attempt)
            goals[i] = task.start(physics.row(i), rng).worded(float(said[i]))
        physics.forward(left)
        solved, crowded = task.success(physics, goals), _crowded(physics, things)
        left = [i for i in left if solved[i] or crowded[i]]
        if not left:
            return
        physics.reset(left)
    start = starts[left[0]]
    raise ConfigError(
        f"no start in {_TRIES} tries that is free and not solved already",
        where=f"task {task.name!r}, seed {start.seed}, episode {start.episode}",
        do="let its start lay things out farther from the goal, and from what stands by",
    )


def _crowded(physics: Physics, things: Inventory) -> BoolArray:
    """(N,) whether a distractor stands where something is."""
    out = np.zeros(physics.n, bool)
    for pair in itertools.product((*things.props, *things.fixtures), things.distractors):
        out |= physics.touching(*pair)
    return out

"""Ways to look successful, made from experts: cut short, aimed elsewhere, or scripted anew.

Axes: N rows, A action channels. A cheater plans once and then stays where it is: what it reached
must not count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from trimix.core.contracts import BoolArray, Goal, Policy, PolicyInterface
from trimix.sim.physics import Physics
from trimix.sim.task import Cheater, Goals
from trimix.tasks.skills import Change, Move, ToolPolicy


def cheater(
    name: str,
    expert: type[ToolPolicy],
    change: Change,
    *,
    aim: Callable[[Goal], Goal] | None = None,
    tries: int = 1,
) -> Cheater:
    """A cheater whose moves are made from the expert's.

    Args:
        name: what it does.
        expert: whose class plans.
        change: what becomes of the plan; checks are dropped, so that it goes through with it.
        aim: the goal that it pursues instead of the row's.
        tries: how often it plans; afterwards it stays where it is.
    """

    def make(physics: Physics, goals: Goals, interface: PolicyInterface) -> Policy:
        def never() -> BoolArray:
            return np.zeros(physics.n, bool)

        def amended(
            moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator
        ) -> list[Move]:
            if policy.tries(row) > tries:
                return []
            return [replace(move, check=None) for move in change(moves, policy, row, rng)]

        cheat = expert(physics, goals if aim is None else _Aimed(goals, aim), interface, never)
        cheat.amend = amended
        return cheat

    return Cheater(name, make)


def until(move: str) -> Change:
    """The expert's plan up to the first move of this name, that one included."""

    def cut(
        moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator
    ) -> list[Move]:
        names = [m.name for m in moves]
        return moves[: names.index(move) + 1] if move in names else moves

    return cut


def whole(moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator) -> list[Move]:
    """The expert's plan as it is: for one that is aimed elsewhere."""
    return moves


def other(name: str, choices: Sequence[str]) -> Callable[[Goal], Goal]:
    """The goal with the next of the choices for a parameter."""

    def aimed(goal: Goal) -> Goal:
        at = choices.index(goal.text(name))
        return Goal(goal.instruction, {**goal.params, name: choices[(at + 1) % len(choices)]})

    return aimed


class _Aimed(Sequence[Goal]):
    """Goals as a cheater sees them."""

    def __init__(self, goals: Goals, aim: Callable[[Goal], Goal]) -> None:
        self._goals, self._aim = goals, aim

    def __getitem__(self, index: int) -> Goal:  # type: ignore[override]
        return self._aim(self._goals[index])

    def __iter__(self) -> Iterator[Goal]:
        return (self._aim(goal) for goal in self._goals)

    def __len__(self) -> int:
        return len(self._goals)

"""Stack one of three blocks on another, as the words say.

Axes: N rows. Lengths are m of a cell of scale 1 where the scene is laid out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from trimix.core.contracts import F64, BoolArray, Goal, Policy, PolicyInterface
from trimix.sim.physics import Physics, Row
from trimix.sim.scene import Scene
from trimix.sim.task import Cheater, Goals
from trimix.tasks.blocks import Builder, lay_out, stacked, standing
from trimix.tasks.cheats import cheater, until, whole
from trimix.tasks.skills import Change, Move, ToolPolicy
from trimix.tasks.tabletop import COLOURS, CUBE, Phrases, Tabletop, block, near, spread, texts

OBJECTS = ("red", "green", "blue")
GOALS = tuple((a, b) for a in OBJECTS for b in OBJECTS if a != b)
PLACING = ("carry", "lower", "open", "away")
PHRASES = Phrases(
    train=(
        "stack the {object} block on the {onto} block",
        "put the {object} cube on top of the {onto} cube",
        "set the {object} block down on the {onto} one",
        "place the {object} block on the {onto} block",
    ),
    heldout=(
        "the {object} block goes on top of the {onto} one",
        "make a tower with {onto} below and {object} above",
    ),
)


@dataclass(frozen=True)
class StackTwo(Tabletop):
    """One block on another; three colours make six goals."""

    name: str = "stack_two"
    time_limit_s: float = 25.0

    @property
    def cheaters(self) -> tuple[Cheater, ...]:
        """Held above or on it, the other way round, other blocks, half on, beside, thrown."""
        return (
            cheater("hover", Expert, until("carry")),
            cheater("hold on top", Expert, until("lower")),
            cheater("upside down", Expert, whole, aim=_swapped),
            cheater("wrong block", Expert, whole, aim=_another("object")),
            cheater("wrong base", Expert, whole, aim=_another("onto")),
            cheater("half on", Expert, _aside(0.0185)),
            cheater("hold half on", Expert, _aside(0.022, last="lower")),
            cheater("lean", Expert, _aside(0.031)),
            cheater("beside", Expert, _beside),
            cheater("drop on the edge", Expert, _drop),
            cheater("on a stack", _Tall, whole, tries=2),
        )

    def compose(self, scene: Scene) -> None:
        """Three blocks on a table."""
        scene.add_room()
        for colour in OBJECTS:
            block(scene, colour, COLOURS[colour])

    def start(self, row: Row, rng: np.random.Generator) -> Goal:
        """Blocks anywhere, apart."""
        row.set_home(rng)
        lay_out(row, rng, OBJECTS, spread(rng, len(OBJECTS), 0.095, half=(0.12, 0.18)))
        upper, lower = GOALS[int(rng.integers(len(GOALS)))]
        return PHRASES.goal(rng, object=upper, onto=lower)

    def success(self, physics: Physics, goals: Goals) -> BoolArray:
        """The block rests on the other, aligned, that one on the table; the robot has let go."""
        upper, lower = texts(goals, "object"), texts(goals, "onto")
        return np.asarray(stacked(physics, upper, lower) & standing(physics, lower))

    def progress(self, physics: Physics, goals: Goals) -> F64:
        """Tool to block, lifted, block to its place on the other."""
        upper, lower = texts(goals, "object"), texts(goals, "onto")
        s, at = physics.scale, physics.body_pos(upper)
        to = physics.body_pos(lower) + np.array([0.0, 0.0, 2 * CUBE * s])
        reach = np.linalg.norm(physics.tool_pos() - at, axis=1)
        way = near(np.linalg.norm(to - at, axis=1), 0.06 * s)
        placed = stacked(physics, upper, lower)
        part = 0.25 * near(reach, 0.08 * s) + 0.1 * physics.held(upper) + 0.5 * way
        return np.where(placed, 0.95, part)

    def subgoals(self, physics: Physics, goals: Goals) -> Mapping[str, BoolArray]:
        """Lifted, over the other, let go on it."""
        upper, lower = texts(goals, "object"), texts(goals, "onto")
        apart = physics.body_pos(upper) - physics.body_pos(lower)
        aside = np.linalg.norm(apart[:, :2], axis=1)
        s = physics.scale
        return {
            "lifted": physics.held(upper),
            "over": np.asarray((aside < CUBE * s) & (apart[:, 2] > 1.5 * CUBE * s)),
            "success": self.success(physics, goals),
        }

    def expert(self, physics: Physics, goals: Goals, interface: PolicyInterface) -> Policy:
        """Clear both, pick, carry, set down, let go."""
        return Expert(physics, goals, interface, lambda: self.success(physics, goals))


class Expert(Builder):
    """Builds a tower of the two named blocks."""

    blocks = OBJECTS

    def order(self, row: int) -> Sequence[str]:
        goal = self.goals[row]
        return goal.text("onto"), goal.text("object")


class _Tall(Expert):
    """Puts the third block below the two."""

    def order(self, row: int) -> Sequence[str]:
        goal = self.goals[row]
        return _third(goal, "object", "onto"), goal.text("onto"), goal.text("object")


def _third(goal: Goal, *names: str) -> str:
    """The colour that a goal does not name in these parameters."""
    return next(c for c in OBJECTS if c not in [goal.text(n) for n in names])


def _swapped(goal: Goal) -> Goal:
    params = {"object": goal.text("onto"), "onto": goal.text("object")}
    return Goal(goal.instruction, {**goal.params, **params})


def _another(name: str) -> Callable[[Goal], Goal]:
    """The goal with the colour that it does not name in place of one that it does."""
    return lambda goal: Goal(
        goal.instruction, {**goal.params, name: _third(goal, "object", "onto")}
    )


def _aside(offset_m: float, *, last: str = "away") -> Change:
    """Sets the block down beside where it belongs, as far as that move."""

    def change(
        moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator
    ) -> list[Move]:
        yaw = next(m.yaw for m in moves if m.name == "lower")
        out = offset_m * policy.scale * np.array([-np.sin(yaw), np.cos(yaw), 0.0])
        kept = until(last)(moves, policy, row, rng)
        return [replace(m, pos=m.pos + out) if m.name in PLACING else m for m in kept]

    return change


def _beside(
    moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator
) -> list[Move]:
    """Sets the block down on the table, against the other."""
    yaw = next(m.yaw for m in moves if m.name == "lower")
    out = policy.scale * np.array([-0.042 * np.sin(yaw), 0.042 * np.cos(yaw), -2 * CUBE])
    return [replace(m, pos=m.pos + out) if m.name in PLACING else m for m in moves]


def _drop(moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator) -> list[Move]:
    """Lets the block fall onto the other's edge from above."""
    kept = until("carry")(_aside(0.03)(moves, policy, row, rng), policy, row, rng)
    return [*kept, replace(kept[-1], grip=0.0, seconds=0.6, name="drop")]

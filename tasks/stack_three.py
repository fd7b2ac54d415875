"""Stack three blocks in an order of colours, as the words say.

Axes: N rows. Lengths are m of a cell of scale 1 where the scene is laid out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

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
LEVELS = ("bottom", "middle", "top")
GOALS = tuple(permutations(OBJECTS))
PLACING = ("carry", "lower", "open", "away")
PHRASES = Phrases(
    train=(
        "build a tower: {bottom}, then {middle}, then {top} on top",
        "stack the {middle} block on the {bottom} one and the {top} one on the {middle} one",
        "make a stack of {bottom}, {middle} and {top}, from the bottom up",
        "pile up the blocks with {top} on {middle} on {bottom}",
    ),
    heldout=(
        "from top to bottom the tower is {top}, {middle}, {bottom}",
        "start with {bottom}, put {middle} on it, and finish with {top}",
    ),
)


@dataclass(frozen=True)
class StackThree(Tabletop):
    """A tower of three blocks; their orders make six goals."""

    name: str = "stack_three"
    time_limit_s: float = 45.0

    @property
    def cheaters(self) -> tuple[Cheater, ...]:
        """Two of three, the last one held or half on, wrong orders, a tower of two beside one."""
        return (
            cheater("two of three", Expert, whole),
            cheater("hover", Expert, _last(until("carry")), tries=2),
            cheater("hold the top", Expert, _last(until("lower")), tries=2),
            cheater("half on", Expert, _last(_shift(0.0185)), tries=2),
            cheater("over the edge", Expert, _last(_shift(0.027)), tries=2),
            cheater("beside", Expert, _last(_shift(0.042, down=2)), tries=2),
            cheater("upside down", Expert, whole, aim=_order(2, 1, 0), tries=2),
            cheater("last two swapped", Expert, whole, aim=_order(0, 2, 1), tries=2),
            cheater("first two swapped", Expert, whole, aim=_order(1, 0, 2), tries=2),
            cheater("two on one", _TwoOnOne, whole, tries=2),
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
        order = GOALS[int(rng.integers(len(GOALS)))]
        return PHRASES.goal(rng, **dict(zip(LEVELS, order, strict=True)))

    def success(self, physics: Physics, goals: Goals) -> BoolArray:
        """The tower rests on the table, aligned and level, and the robot has let go."""
        bottom, middle, top = (texts(goals, level) for level in LEVELS)
        return np.asarray(
            stacked(physics, middle, bottom)
            & stacked(physics, top, middle)
            & standing(physics, bottom)
        )

    def progress(self, physics: Physics, goals: Goals) -> F64:
        """A third for each block that is where it belongs, and part of the next one's way."""
        bottom, middle, top = (texts(goals, level) for level in LEVELS)
        first = stacked(physics, middle, bottom) & standing(physics, bottom)
        both = first & stacked(physics, top, middle)
        part = np.where(
            first,
            0.5 + 0.45 * _way(physics, top, middle),
            0.5 * _way(physics, middle, bottom),
        )
        return np.where(both, 0.98, part)

    def subgoals(self, physics: Physics, goals: Goals) -> Mapping[str, BoolArray]:
        """The middle one lifted, on the bottom one, the top one lifted, on it."""
        bottom, middle, top = (texts(goals, level) for level in LEVELS)
        first = stacked(physics, middle, bottom)
        return {
            "middle lifted": physics.held(middle),
            "two stacked": first,
            "top lifted": np.asarray(first & physics.held(top)),
            "success": self.success(physics, goals),
        }

    def expert(self, physics: Physics, goals: Goals, interface: PolicyInterface) -> Policy:
        """Clear what is in the way, then one block after the other."""
        return Expert(physics, goals, interface, lambda: self.success(physics, goals))


class Expert(Builder):
    """Builds the tower of all three blocks."""

    blocks = OBJECTS

    def order(self, row: int) -> Sequence[str]:
        return [self.goals[row].text(level) for level in LEVELS]


class _TwoOnOne(Expert):
    """Lays two blocks side by side and the third across them."""

    def plan(self, row: int, rng: np.random.Generator) -> list[Move]:
        bottom, middle, top = self.order(row)
        below = self.physics.body_pos(bottom)[row]
        if self.tries(row) == 1:
            yaw = self.clear_yaw(row, middle)
            face = self.face_yaw(row, bottom)
            turned = yaw + float((face - yaw + np.pi / 4) % (np.pi / 2) - np.pi / 4)
            # Beside it along the tool's y: the fingers have room, and open away from it.
            out = 0.043 * self.scale * np.array([-np.sin(turned), np.cos(turned), 0.0])
            to = below + out
            return [
                *self.rise(row, 0.10),
                *self.take(row, middle, rng, lift=0.10),
                *self.put(row, middle, to, turned, hover=0.07),
            ]
        to = 0.5 * (below + self.physics.body_pos(middle)[row])
        to = to + np.array([0.0, 0.0, 2 * CUBE * self.scale])
        return [
            *self.rise(row, 0.10),
            *self.take(row, top, rng, lift=0.11),
            *self.put(row, top, to, self.clear_yaw(row, top), hover=0.06),
        ]


def _way(physics: Physics, upper: Sequence[str], lower: Sequence[str]) -> F64:
    """(N,) in [0, 1]: tool to block, block to its place on another."""
    s, at = physics.scale, physics.body_pos(upper)
    to = physics.body_pos(lower) + np.array([0.0, 0.0, 2 * CUBE * s])
    reach = near(np.linalg.norm(physics.tool_pos() - at, axis=1), 0.08 * s)
    way = near(np.linalg.norm(to - at, axis=1), 0.06 * s)
    return np.asarray(0.3 * reach + 0.15 * physics.held(upper) + 0.55 * way)


def _last(change: Change) -> Change:
    """Changes the second plan, that for the top block, alone."""

    def changed(
        moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator
    ) -> list[Move]:
        return moves if policy.tries(row) == 1 else change(moves, policy, row, rng)

    return changed


def _shift(offset_m: float, *, down: int = 0) -> Change:
    """Sets the block down beside where it belongs, some blocks' heights lower."""

    def change(
        moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator
    ) -> list[Move]:
        yaw = next((m.yaw for m in moves if m.name == "lower"), 0.0)
        out = np.array([-offset_m * np.sin(yaw), offset_m * np.cos(yaw), -2 * CUBE * down])
        shifted = policy.scale * out
        return [replace(m, pos=m.pos + shifted) if m.name in PLACING else m for m in moves]

    return change


def _order(*places: int) -> Callable[[Goal], Goal]:
    """The goal with its blocks in another order."""

    def aimed(goal: Goal) -> Goal:
        order = [goal.text(LEVELS[k]) for k in places]
        return Goal(goal.instruction, {**goal.params, **dict(zip(LEVELS, order, strict=True))})

    return aimed

"""Lift one of three blocks, as the words say, and hold it.

Axes: N rows. Lengths are m of a cell of scale 1 where the scene is laid out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from trimix.core.contracts import F64, BoolArray, Goal, Policy, PolicyInterface
from trimix.sim.physics import Physics, Row
from trimix.sim.scene import Scene
from trimix.sim.task import Cheater, Goals
from trimix.tasks.blocks import BlockPolicy, lay_out
from trimix.tasks.cheats import cheater, other, until, whole
from trimix.tasks.skills import Move, ToolPolicy
from trimix.tasks.tabletop import (
    COLOURS,
    CUBE,
    Phrases,
    Tabletop,
    block,
    near,
    spread,
    texts,
)

OBJECTS = ("red", "green", "blue")
HIGH_M = 0.08
"""Of the block's lower side above the table."""
PHRASES = Phrases(
    train=(
        "lift the {object} block",
        "pick up the {object} cube",
        "raise the {object} block off the table",
        "grasp the {object} block and hold it up",
    ),
    heldout=(
        "take the {object} one into the air",
        "get the {object} cube up from the table",
    ),
)


@dataclass(frozen=True)
class Lift(Tabletop):
    """A block held above the table; three blocks make three goals."""

    name: str = "lift"
    time_limit_s: float = 15.0
    lets_go: bool = False

    @property
    def cheaters(self) -> tuple[Cheater, ...]:
        """Above it, gripped but down, too low, dragged, tossed, another block, beside it."""
        return (
            cheater("hover", Expert, until("above")),
            cheater("grip on the table", Expert, until("close")),
            cheater("too low", Expert, _too_low),
            cheater("wrong block", Expert, whole, aim=other("object", OBJECTS)),
            cheater("toss", Expert, _toss),
            cheater("drag", Expert, _drag),
            cheater("empty fingers", Expert, _empty),
            cheater("tip over an edge", Expert, _tip),
        )

    def compose(self, scene: Scene) -> None:
        """Three blocks on a table."""
        scene.add_room()
        for colour in OBJECTS:
            block(scene, colour, COLOURS[colour])

    def start(self, row: Row, rng: np.random.Generator) -> Goal:
        """Blocks anywhere, apart."""
        row.set_home(rng)
        lay_out(row, rng, OBJECTS, spread(rng, len(OBJECTS), 0.09, half=(0.12, 0.18)))
        return PHRASES.goal(rng, object=str(rng.choice(OBJECTS)))

    def success(self, physics: Physics, goals: Goals) -> BoolArray:
        """The gripper alone bears the block, high above the table."""
        name = texts(goals, "object")
        alone = np.ones(physics.n, bool)
        for k in (1, 2):
            alone &= ~physics.touching(name, [_next(goal, k) for goal in goals])
        return np.asarray(
            physics.held(name) & alone & (_height(physics, goals) > HIGH_M * physics.scale)
        )

    def progress(self, physics: Physics, goals: Goals) -> F64:
        """Tool to block, gripped, up."""
        name, s = texts(goals, "object"), physics.scale
        reach = np.linalg.norm(physics.tool_pos() - physics.body_pos(name), axis=1)
        up = np.clip(_height(physics, goals) / (HIGH_M * s), 0.0, 1.0)
        gripped = physics.gripped(name)
        return np.asarray(0.4 * near(reach, 0.08 * s) + gripped * (0.1 + 0.5 * up))

    def subgoals(self, physics: Physics, goals: Goals) -> Mapping[str, BoolArray]:
        """Gripped, off the table, high."""
        name = texts(goals, "object")
        return {
            "gripped": physics.gripped(name),
            "off the table": physics.held(name),
            "success": self.success(physics, goals),
        }

    def expert(self, physics: Physics, goals: Goals, interface: PolicyInterface) -> Policy:
        """Grip it, lift it, hold it."""
        return Expert(physics, goals, interface, lambda: self.success(physics, goals))


class Expert(BlockPolicy):
    """Lifts the named block; puts another one down first, or what lies on it."""

    blocks = OBJECTS

    def plan(self, row: int, rng: np.random.Generator) -> list[Move]:
        name, held = self.goals[row].text("object"), self.held_block(row)
        if held == name:
            at = self.physics.tool_pos()[row]
            to = np.array([at[0], at[1], max(at[2] + 0.02 * self.scale, 0.14 * self.scale)])
            keeps = self.keeps(row, name)
            return [Move(to, self.tool_yaw(row), 1.0, 0.4, 0.2 * self.scale, keeps, "lift")]
        first = self.rise(row, 0.10)
        if held is not None:
            return [*first, *self.put_aside(row, held, rng, self.tool_yaw(row))]
        covering = self.on_top(row, name)
        if covering:
            yaw = self.clear_yaw(row, covering[0])
            taken = self.take(row, covering[0], rng, lift=0.10)
            return [*first, *taken, *self.put_aside(row, covering[0], rng, yaw)]
        return [*first, *self.take(row, name, rng, lift=rng.uniform(0.11, 0.15))]


def _next(goal: Goal, k: int) -> str:
    """The k-th other block."""
    at = OBJECTS.index(goal.text("object"))
    return OBJECTS[(at + k) % len(OBJECTS)]


def _height(physics: Physics, goals: Goals) -> F64:
    """(N,) m of the block's lower side above the table, as it stood there."""
    return np.asarray(physics.body_pos(texts(goals, "object"))[:, 2] - CUBE * physics.scale)


def _too_low(
    moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator
) -> list[Move]:
    """Lifts it by 6 cm."""
    low = policy.scale * (CUBE + 0.06)
    return [replace(m, pos=np.array([*m.pos[:2], low])) if m.name == "lift" else m for m in moves]


def _toss(moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator) -> list[Move]:
    """Lets go while the arm goes up fast."""
    closed = until("close")(moves, policy, row, rng)[-1]
    up = policy.scale * np.array([0.0, 0.0, 0.05])
    return [
        *until("close")(moves, policy, row, rng),
        replace(closed, pos=closed.pos + up, seconds=0.2, speed=0.6 * policy.scale),
        replace(closed, pos=closed.pos + 4 * up, grip=0.0, seconds=0.2, speed=0.6 * policy.scale),
    ]


def _drag(moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator) -> list[Move]:
    """Drags the gripped block over the table."""
    closed = until("close")(moves, policy, row, rng)[-1]
    away = policy.scale * np.array([0.0, -0.08 * np.sign(closed.pos[1]), 0.0])
    return [
        *until("close")(moves, policy, row, rng),
        replace(closed, pos=closed.pos + away, speed=0.1 * policy.scale, name="drag"),
    ]


def _empty(moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator) -> list[Move]:
    """Closes above the block, and lifts nothing."""
    up = policy.scale * np.array([0.0, 0.0, 0.045])
    return [replace(m, pos=m.pos + up) if m.name in ("down", "close") else m for m in moves]


def _tip(moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator) -> list[Move]:
    """Grips the block by its upper edge beside its middle, and tilts it up on the table."""
    closed = until("close")(moves, policy, row, rng)[-1]
    side = policy.scale * 0.015 * np.array([-np.sin(closed.yaw), np.cos(closed.yaw), 0.0])
    up = policy.scale * np.array([0.0, 0.0, 0.025])
    moved = [
        replace(m, pos=m.pos + side) if m.name in ("above", "down", "close") else m
        for m in until("close")(moves, policy, row, rng)
    ]
    return [*moved, replace(closed, pos=closed.pos + side + up, seconds=1.0, name="tip")]

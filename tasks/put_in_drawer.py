"""Put one of three blocks into one of two open drawers, as the words say.

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
from trimix.tasks.blocks import BlockPolicy, lay_out, level
from trimix.tasks.cheats import cheater, other, until, whole
from trimix.tasks.drawers import FLOOR, INSIDE, OPEN_M, WALL, DrawerPolicy, chest, drawn
from trimix.tasks.skills import Change, Move, ToolPolicy
from trimix.tasks.tabletop import COLOURS, Phrases, Tabletop, block, near, spread, texts

OBJECTS = ("red", "green", "blue")
DRAWERS = ("left", "right")
"""As the robot sees them."""
PHRASES = Phrases(
    train=(
        "put the {object} block into the {into} drawer",
        "place the {object} cube in the drawer on the {into}",
        "lay the {object} block in the {into} drawer",
    ),
    heldout=(
        "the {object} block belongs in the {into} drawer",
        "drop the {object} one into the {into}-hand drawer",
    ),
)
_OUT = (0.085, 0.095)
_KNOB = (0.82, 0.82, 0.80, 1.0)
_CARRY = 0.10
_TABLE_X = 0.11  # in front of the drawers
_PLACING = ("carry", "lower", "open", "away")


@dataclass(frozen=True)
class PutInDrawer(Tabletop):
    """A block into an open drawer; three blocks and two drawers make six goals."""

    name: str = "put_in_drawer"

    @property
    def cheaters(self) -> tuple[Cheater, ...]:
        """Held over it or in it, the wrong one, on or beside the chest, shut, with another."""
        return (
            cheater("hover", Expert, until("carry")),
            cheater("hold inside", Expert, until("lower")),
            cheater("wrong block", Expert, whole, aim=other("object", OBJECTS)),
            cheater("wrong drawer", Expert, whole, aim=other("into", DRAWERS)),
            cheater("over the wall", Expert, _aside(0.0, 0.058)),
            cheater("on the front", Expert, _aside(0.048, 0.0)),
            cheater("on the chest", Expert, _aside(-0.095, 0.0, 0.035)),
            cheater("in front", Expert, _aside(0.085, 0.0)),
            cheater("shut first", Expert, _shut),
            cheater("with another", _Both, whole, tries=3),
        )

    def compose(self, scene: Scene) -> None:
        """Two chests and three blocks."""
        scene.add_room()
        for colour in OBJECTS:
            block(scene, colour, COLOURS[colour])
        for side in DRAWERS:
            chest(scene, side, _KNOB)

    def start(self, row: Row, rng: np.random.Generator) -> Goal:
        """The chests at the robot's side of the table, blocks in front of their open drawers."""
        row.set_home(rng)
        for side, y in zip(DRAWERS, (0.09, -0.09), strict=True):
            at = (rng.uniform(-0.13, -0.11), y + rng.uniform(-0.02, 0.02), 0.0)
            row.set_pose(f"{side}_chest", at, rng.uniform(-0.12, 0.12))
            row.set_joint(side, row.scale * rng.uniform(*_OUT))
        places = spread(rng, len(OBJECTS), 0.085, half=(0.025, 0.18), center=(0.105, 0.0))
        lay_out(row, rng, OBJECTS, places)
        return PHRASES.goal(rng, object=str(rng.choice(OBJECTS)), into=str(rng.choice(DRAWERS)))

    def success(self, physics: Physics, goals: Goals) -> BoolArray:
        """The block lies flat in the open drawer, no other block does, and the robot has let go."""
        name, into = texts(goals, "object"), texts(goals, "into")
        lies = physics.inside(name, into) & physics.touching(name, into) & level(physics, name)
        out = drawn(physics, DRAWERS)[_named(goals, "into", DRAWERS)] >= OPEN_M
        return np.asarray(
            lies & out & ~_stray(physics, goals) & physics.resting(name) & physics.free(into)
        )

    def progress(self, physics: Physics, goals: Goals) -> F64:
        """Tool to block, then block to drawer."""
        name, into = texts(goals, "object"), texts(goals, "into")
        at, s = physics.body_pos(name), physics.scale
        way = np.linalg.norm(at[:, :2] - physics.body_pos(into)[:, :2], axis=1)
        reach = np.linalg.norm(physics.tool_pos() - at, axis=1)
        part = 0.25 * near(reach, 0.08 * s) + 0.6 * near(way, 0.08 * s)
        part = np.where(physics.inside(name, into), 0.9, part)
        return np.where(_stray(physics, goals), 0.5 * part, part)

    def subgoals(self, physics: Physics, goals: Goals) -> Mapping[str, BoolArray]:
        """Gripped, in the drawer, let go."""
        name, into = texts(goals, "object"), texts(goals, "into")
        return {
            "gripped": physics.held(name),
            "inside": physics.inside(name, into),
            "success": self.success(physics, goals),
        }

    def expert(self, physics: Physics, goals: Goals, interface: PolicyInterface) -> Policy:
        """Pick, carry over the drawer, lower, let go."""
        return Expert(physics, goals, interface, lambda: self.success(physics, goals))


def _named(goals: Goals, key: str, choices: tuple[str, ...]) -> BoolArray:
    """(N, len(choices)) which of them each row's goal names, one a row."""
    return np.array([[goal.text(key) == each for each in choices] for goal in goals])


def _stray(physics: Physics, goals: Goals) -> BoolArray:
    """(N,) whether a block that is not meant lies in the drawer, or on the one that is."""
    name, into = texts(goals, "object"), texts(goals, "into")
    there, out = physics.inside(name, into), np.zeros(physics.n, bool)
    for k in (1, 2):
        each = [OBJECTS[(OBJECTS.index(n) + k) % len(OBJECTS)] for n in name]
        out |= physics.inside(each, into) | (there & physics.touching(each, name))
    return out


class Expert(BlockPolicy, DrawerPolicy):
    """Puts the named block into the named drawer; takes out others, opens it where it is shut."""

    blocks = OBJECTS
    walls = tuple((side, INSIDE) for side in DRAWERS)

    def plan(self, row: int, rng: np.random.Generator) -> list[Move]:
        physics, goal = self.physics, self.goals[row]
        name, into = goal.text("object"), goal.text("into")
        held = self.held_block(row)
        if drawn(physics, [into])[row, 0] < OPEN_M + 0.005:
            return self.lay_down(row, held) if held else self.slide(row, into, _OUT[1])
        if held:
            return self.drop_in(row, held, into) if held == name else self.lay_down(row, held)
        others = [b for b in OBJECTS if b != name and physics.inside(b, into)[row]]
        if others:
            return [*self.fetch(row, others[0], rng), *self.lay_down(row, others[0])]
        return [*self.fetch(row, name, rng), *self.drop_in(row, name, into)]

    def fetch(self, row: int, name: str, rng: np.random.Generator) -> list[Move]:
        """Grip a block, wherever it lies, and lift it."""
        moves = [*self.rise(row, _CARRY), *self.take(row, name, rng, lift=_CARRY)]
        into = next((d for d in DRAWERS if self.physics.inside(name, d)[row]), None)
        gripper = self.physics.robot.gripper
        if into is None or gripper is None:
            return moves
        # Between a drawer's walls there is no room for open fingers.
        s, wide = self.scale, 2 * self.half(row, name) + 0.012 * self.scale
        part = float(np.clip(1 - wide / gripper.width_m, 0.0, 0.5))
        up = np.array([0.0, 0.0, 0.008 * s])
        return [
            replace(m, pos=m.pos + up, grip=m.grip or part)
            if m.name in ("above", "down", "close")
            else m
            for m in moves
        ]

    def drop_in(self, row: int, name: str, into: str) -> list[Move]:
        """Let go of a block just above a drawer's floor, the fingers over its side walls."""
        physics, s = self.physics, self.scale
        yaw = self.grasp_yaw(row, float(physics.yaw(into)[row]) + np.pi / 2, np.pi)
        high = s * FLOOR + self.half(row, name)
        grip = float((physics.tool_pos()[row] - physics.body_pos(name)[row])[2])
        over = s * (WALL + 0.012) - (grip if self.holds(row, name) else 0.0)
        to = physics.body_pos(into)[row] + np.array([0.0, 0.0, max(high + 0.005 * s, over)])
        there = self.put(row, name, to, yaw, hover=_CARRY + 0.03 - float(to[2]) / s)
        return [*self.rise(row, _CARRY), *there] if self.holds(row, name) else there

    def lay_down(self, row: int, name: str) -> list[Move]:
        """Set a block down on the table in front of the drawers, away from the other blocks."""
        physics, s = self.physics, self.scale
        others = [physics.body_pos(b)[row][1] for b in OBJECTS if b != name]
        spots = s * np.linspace(-0.18, 0.18, 13)
        room = [min(abs(y - at) for at in others) for y in spots]
        to = np.array([s * _TABLE_X, spots[int(np.argmax(room))], self.half(row, name)])
        there = self.put(row, name, to, self.tool_yaw(row), hover=_CARRY)
        return [*self.rise(row, _CARRY), *there] if self.holds(row, name) else there


class _Both(Expert):
    """Puts another block into the drawer first, then the named one beside it."""

    def plan(self, row: int, rng: np.random.Generator) -> list[Move]:
        goal = self.goals[row]
        name, into = goal.text("object"), goal.text("into")
        extra = OBJECTS[OBJECTS.index(name) - 1]
        first = not self.physics.inside(extra, into)[row]
        chosen = extra if first else name
        moves = [*self.fetch(row, chosen, rng), *self.drop_in(row, chosen, into)]
        way = self.scale * 0.022 * self.physics.body_mat(into)[row][:, 0]
        return [
            replace(m, pos=m.pos + (way if first else -way)) if m.name in _PLACING else m
            for m in moves
        ]


def _aside(x: float, y: float, z: float = 0.015) -> Change:
    """Lets go this far beside the drawer's middle, in its frame, and higher."""

    def change(
        moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator
    ) -> list[Move]:
        turn = policy.physics.body_mat(policy.goals[row].text("into"))[row]
        off = policy.scale * (turn @ np.array([x, y, z]))
        return [replace(m, pos=m.pos + off) if m.name in _PLACING else m for m in moves]

    return change


def _shut(moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator) -> list[Move]:
    """Shuts the drawer, then puts the block to where it was."""
    if not isinstance(policy, DrawerPolicy):
        raise TypeError(f"{type(policy).__name__} has no skills with drawers")
    return [*policy.slide(row, policy.goals[row].text("into"), 0.0), *moves]

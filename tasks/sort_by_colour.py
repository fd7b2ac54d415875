"""Sort blocks by colour into two trays, all of them or those of one colour, as the words say.

Axes: N rows, B = 4 blocks. Lengths are m of a cell of scale 1 where the scene is laid out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from trimix.core.contracts import F64, BoolArray, Goal, Policy, PolicyInterface
from trimix.sim.contacts import TABLE
from trimix.sim.physics import Physics, Row
from trimix.sim.scene import Scene
from trimix.sim.task import Cheater, Goals
from trimix.tasks.blocks import LOW_M, BlockPolicy, lay_out, level, lying_in
from trimix.tasks.cheats import cheater, until, whole
from trimix.tasks.skills import Change, Move, ToolPolicy
from trimix.tasks.tabletop import (
    COLOURS,
    Phrases,
    Tabletop,
    block,
    near,
    spread,
    texts,
    tray,
)

SORTED = ("red", "blue")
BLOCKS = ("red_1", "red_2", "blue_1", "blue_2")
TRAYS = ("red_tray", "blue_tray")
HALF = (0.08, 0.055)
FLOOR = 0.004
SLOT = 0.05
"""Beside a tray's middle, along its x: three blocks fit, as one may lie there already."""
ONE = Phrases(
    train=(
        "put the {colour} blocks into the {colour} tray",
        "move both {colour} cubes to the {colour} tray",
        "collect the {colour} blocks in the tray of their colour",
    ),
    heldout=(
        "the {colour} blocks belong in the {colour} tray",
        "gather the {colour} cubes in the {colour} tray and leave the others",
    ),
)
ALL = Phrases(
    train=(
        "sort all blocks by colour",
        "put every block into the tray of its colour",
        "sort the cubes into the trays by colour",
    ),
    heldout=(
        "each block goes into the tray that looks like it",
        "tidy up: red with red and blue with blue",
    ),
)
PLACING = ("carry", "lower", "open", "away")


@dataclass(frozen=True)
class SortByColour(Tabletop):
    """Two red and two blue blocks, a red and a blue tray; three goals.

    Blocks of a colour that is not asked for stay as they lay: on the table, or in a tray. A goal's
    params say so: {"colour": "red" | "blue" | "all", "red_1": where it lay at the start, ...}.
    """

    name: str = "sort_by_colour"
    time_limit_s: float = 75.0

    @property
    def cheaters(self) -> tuple[Cheater, ...]:
        """The last held, on the rim or beside; wrong trays, wrong colours, more than asked."""
        return (
            cheater("hover", Expert, _last(until("carry")), tries=6),
            cheater("hold inside", Expert, _last(until("lower")), tries=6),
            cheater("on the rim", Expert, _last(_shift(HALF[1] + 0.005, 0.02)), tries=6),
            cheater("beside the tray", Expert, _last(_shift(HALF[1] + 0.035, 0.0)), tries=6),
            cheater("wrong trays", _Swapped, whole, tries=6),
            cheater("one tray for all", _OneTray, whole, tries=6),
            cheater("other colour", Expert, whole, aim=_other_colour, tries=6),
            cheater("the others too", _OthersFirst, whole, tries=6),
        )

    def compose(self, scene: Scene) -> None:
        """Four blocks between two trays."""
        scene.add_room()
        for name in BLOCKS:
            block(scene, name, COLOURS[_colour(name)])
        for name in TRAYS:
            paint = 0.55 * np.array(COLOURS[_colour(name)]) + 0.45 * np.array([0.8, 0.8, 0.8, 1.0])
            tray(scene, name, [float(c) for c in paint], HALF)

    def start(self, row: Row, rng: np.random.Generator) -> Goal:
        """Trays at the sides, blocks between them; sometimes one is in a tray, right or wrong."""
        row.set_home(rng)
        middles = {}
        for name, side in zip(TRAYS, rng.permutation([1.0, -1.0]), strict=True):
            middles[name] = np.array([rng.uniform(-0.03, 0.03), 0.15 * side])
            row.set_pose(name, (*middles[name], 0.0))
        places = spread(rng, len(BLOCKS), 0.078, half=(0.12, 0.055))
        lay_out(row, rng, BLOCKS, places)
        lay = dict.fromkeys(BLOCKS, TABLE)
        if rng.random() < 0.5:
            name, into = str(rng.choice(BLOCKS)), str(rng.choice(TRAYS))
            lay[name] = into
            height = FLOOR + float(row.geom_size(name)[2]) / row.scale
            at = middles[into] + [SLOT * rng.choice([-1.0, 1.0]), 0.0]
            row.set_pose(name, (*at, height), rng.uniform(-0.2, 0.2))
        colour = str(rng.choice([*SORTED, "all"]))
        said = ALL.goal(rng) if colour == "all" else ONE.goal(rng, colour=colour)
        return replace(said, params={"colour": colour, **lay})

    def success(self, physics: Physics, goals: Goals) -> BoolArray:
        """Every block lies where it should, and the robot has let go."""
        return np.asarray(_placed(physics, goals).all(axis=1))

    def progress(self, physics: Physics, goals: Goals) -> F64:
        """The part of the asked blocks that is placed, and of the way of the next; less others."""
        placed, asked = _placed(physics, goals), _asked(goals)
        s, tool, way = physics.scale, physics.tool_pos(), np.zeros((physics.n, len(BLOCKS)))
        for k, name in enumerate(BLOCKS):
            at, to = physics.body_pos(name), physics.body_pos(_own_tray(name))
            reach = near(np.linalg.norm(tool - at, axis=1), 0.08 * s)
            there = near(np.linalg.norm((to - at)[:, :2], axis=1), 0.08 * s)
            way[:, k] = 0.3 * reach + 0.15 * physics.held(name) + 0.5 * there
        following = np.where(asked & ~placed, way, 0.0).max(axis=1)
        done = ((asked & placed).sum(axis=1) + following) / asked.sum(axis=1)
        return np.asarray(done - 0.25 * (~asked & ~placed).sum(axis=1))

    def subgoals(self, physics: Physics, goals: Goals) -> Mapping[str, BoolArray]:
        """One asked block placed, half of them, all of them."""
        asked = _asked(goals)
        part = (asked & _placed(physics, goals)).sum(axis=1) / asked.sum(axis=1)
        return {
            "one": np.asarray(part > 0),
            "half": np.asarray(part >= 0.5),
            "success": self.success(physics, goals),
        }

    def expert(self, physics: Physics, goals: Goals, interface: PolicyInterface) -> Policy:
        """One block after the other, those in wrong trays first."""
        return Expert(physics, goals, interface, lambda: self.success(physics, goals))


def _colour(name: str) -> str:
    """Of a block or a tray."""
    return name.split("_")[0]


def _own_tray(name: str) -> str:
    return f"{_colour(name)}_tray"


def _wanted(goal: Goal, name: str) -> str:
    """Where a block should be: a tray, or the table."""
    asked = goal.params.get("colour") in ("all", _colour(name))
    return _own_tray(name) if asked else str(goal.params.get(name, TABLE))


def _asked(goals: Goals) -> BoolArray:
    """(N, B) whether a block is of an asked colour."""
    colours = texts(goals, "colour")
    return np.array([[c in ("all", _colour(b)) for b in BLOCKS] for c in colours])


def _placed(physics: Physics, goals: Goals) -> BoolArray:
    """(N, B) whether a block rests where it should."""
    out = np.zeros((physics.n, len(BLOCKS)), bool)
    for k, name in enumerate(BLOCKS):
        want = np.array([_wanted(goal, name) for goal in goals])
        there = (want == TABLE) & physics.touching(name, TABLE)
        for into in TRAYS:
            there |= (want == into) & lying_in(physics, name, into)
        out[:, k] = there & physics.resting(name)
    return out


class Expert(BlockPolicy):
    """Brings each block where it should be."""

    blocks = BLOCKS
    walls = tuple((name, HALF) for name in TRAYS)

    def wanted(self, row: int, name: str) -> str:
        """Where a block should be: a tray, or the table."""
        return _wanted(self.goals[row], name)

    def left(self, row: int) -> list[str]:
        """Blocks that are not where they should be; those in a wrong tray first, then the
        nearest."""
        tool = self.physics.tool_pos()[row]
        found = []
        for name in self.blocks:
            into = self.inside(row, name)
            if into != self.wanted(row, name) or self.holds(row, name):
                apart = float(np.linalg.norm(self.physics.body_pos(name)[row] - tool))
                found.append((into == TABLE, apart, name))
        return [name for _, _, name in sorted(found)]

    def asked_left(self, row: int) -> int:
        """How many of the asked blocks are not where they should be."""
        colour = self.goals[row].text("colour")
        return sum(colour in ("all", _colour(name)) for name in self.left(row))

    def inside(self, row: int, name: str) -> str:
        """The tray that a block lies in, or the table; "" where it lies on something else."""
        physics = self.physics
        low = physics.body_pos(name)[row, 2] < LOW_M * self.scale
        if not (low and level(physics, name)[row]):
            return ""
        return next((t for t in TRAYS if physics.inside(name, t)[row]), TABLE)

    def plan(self, row: int, rng: np.random.Generator) -> list[Move]:
        held = self.held_block(row)
        if held is not None:
            yaw = self.tool_yaw(row)
            return [*self.rise(row, 0.12), *self.bring(row, held, rng, yaw)]
        left = self.left(row)
        if not left:
            return self.rise(row, 0.12)
        name = next(iter(self.on_top(row, left[0])), left[0])
        yaw = self.clear_yaw(row, name)
        taken = self.take(row, name, rng, lift=0.10)
        return [*self.rise(row, 0.10), *taken, *self.bring(row, name, rng, yaw)]

    def bring(self, row: int, name: str, rng: np.random.Generator, yaw: float) -> list[Move]:
        """Set a gripped block down where it should be."""
        into, s, physics = self.wanted(row, name), self.scale, self.physics
        if into == TABLE:
            return self.put_aside(row, name, rng, yaw)
        middle, turn = physics.body_pos(into)[row], float(physics.yaw(into)[row])
        along = np.array([np.cos(turn), np.sin(turn)])
        slots = [middle[:2] + s * x * along for x in (SLOT, -SLOT, 0.0, 0.03, -0.03)]
        others = [physics.body_pos(b)[row][:2] for b in self.blocks if b != name]
        room = [min(min(np.linalg.norm(o - at) for o in others), 0.9 * SLOT * s) for at in slots]
        at = slots[int(np.argmax(np.array(room) - 1e-4 * np.arange(len(slots))))]
        to = np.array([*at, middle[2] + s * (FLOOR + 0.004) + self.half(row, name)])
        # The fingers close along the tray's y, where they have room between its walls.
        across = turn + np.pi / 2
        turned = yaw + float((across - yaw + np.pi / 2) % np.pi - np.pi / 2)
        return self.put(row, name, to, turned, hover=0.07)


class _Swapped(Expert):
    """Takes red for blue and blue for red."""

    def wanted(self, row: int, name: str) -> str:
        into = super().wanted(row, name)
        asked = self.goals[row].text("colour") in ("all", _colour(name))
        return TRAYS[1 - TRAYS.index(into)] if asked else into


class _OneTray(Expert):
    """Puts all blocks into the same tray."""

    def wanted(self, row: int, name: str) -> str:
        colour = self.goals[row].text("colour")
        return f"{'red' if colour == 'all' else colour}_tray"

    def left(self, row: int) -> list[str]:
        return _asked_last(super().left(row), self.goals[row])


class _OthersFirst(Expert):
    """Sorts the colour that was not asked for, and then the other; of both, one alone."""

    def wanted(self, row: int, name: str) -> str:
        colour = self.goals[row].text("colour")
        if colour == "all" and _colour(name) == "red":
            return str(self.goals[row].params[name])
        return _own_tray(name)

    def left(self, row: int) -> list[str]:
        return _asked_last(super().left(row), self.goals[row])


def _asked_last(names: list[str], goal: Goal) -> list[str]:
    """What was asked for would be done, and end the episode, before the rest is spoilt."""
    return sorted(names, key=lambda name: _colour(name) == goal.text("colour"))


def _other_colour(goal: Goal) -> Goal:
    """The other colour's goal; of both, one alone."""
    colour = "blue" if goal.text("colour") == "red" else "red"
    return Goal(goal.instruction, {**goal.params, "colour": colour})


def _last(change: Change) -> Change:
    """Changes all plans once one of the asked blocks alone is left, whatever else lies wrong."""

    def changed(
        moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator
    ) -> list[Move]:
        if not isinstance(policy, Expert) or policy.asked_left(row) > 1:
            return moves
        return change(moves, policy, row, rng)

    return changed


def _shift(out_m: float, up_m: float) -> Change:
    """Sets the block down farther out from the middle of the table, and higher."""

    def change(
        moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator
    ) -> list[Move]:
        side = next((np.sign(m.pos[1]) for m in moves if m.name == "lower"), 1.0)
        out = policy.scale * np.array([0.0, -side * out_m, up_m])
        return [replace(m, pos=m.pos + out) if m.name in PLACING else m for m in moves]

    return change

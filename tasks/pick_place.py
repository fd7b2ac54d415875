"""Put one of three blocks into one of two trays, as the words say.

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
from trimix.tasks.blocks import BlockPolicy, lying_in
from trimix.tasks.cheats import cheater, other, until, whole
from trimix.tasks.skills import Move, ToolPolicy
from trimix.tasks.tabletop import (
    COLOURS,
    CUBE,
    TRAY,
    Phrases,
    Tabletop,
    block,
    near,
    spread,
    texts,
    tray,
)

OBJECTS = ("red", "green", "blue")
TRAYS = ("left", "right")
PHRASES = Phrases(
    train=(
        "put the {object} block into the {into} tray",
        "place the {object} cube in the {into} tray",
        "move the {object} block to the tray on the {into}",
    ),
    heldout=(
        "the {object} block belongs in the {into} tray",
        "drop the {object} one into the {into}-hand tray",
    ),
)


@dataclass(frozen=True)
class PickPlace(Tabletop):
    """A block into a tray; three blocks and two trays make six goals."""

    name: str = "pick_place"

    @property
    def cheaters(self) -> tuple[Cheater, ...]:
        """Held over the tray, held in it, on its rim, the wrong block, the wrong tray, pushed."""
        return (
            cheater("hover", Expert, until("carry")),
            cheater("hold inside", Expert, until("lower")),
            cheater("on the rim", Expert, _rim),
            cheater("wrong block", Expert, whole, aim=other("object", OBJECTS)),
            cheater("wrong tray", Expert, whole, aim=other("into", TRAYS)),
            cheater("shove", Expert, _shove),
        )

    def compose(self, scene: Scene) -> None:
        """Three blocks between two trays."""
        scene.add_room()
        for colour in OBJECTS:
            block(scene, colour, COLOURS[colour])
        for side in TRAYS:
            tray(scene, side, (0.55, 0.56, 0.58, 1.0))

    def start(self, row: Row, rng: np.random.Generator) -> Goal:
        """Trays at the sides, blocks in the middle, apart."""
        row.set_home(rng)
        for side, y in zip(TRAYS, (0.16, -0.16), strict=True):
            row.set_pose(side, (rng.uniform(-0.04, 0.05), y + rng.uniform(-0.015, 0.015), 0.0))
        places = spread(rng, len(OBJECTS), 0.075, half=(0.12, 0.06))
        for colour, place in zip(OBJECTS, places, strict=True):
            row.set_pose(colour, (*place, CUBE), rng.uniform(-np.pi, np.pi))
        return PHRASES.goal(rng, object=str(rng.choice(OBJECTS)), into=str(rng.choice(TRAYS)))

    def success(self, physics: Physics, goals: Goals) -> BoolArray:
        """The block lies in the tray, on its floor, and the robot has let go."""
        name, into = texts(goals, "object"), texts(goals, "into")
        return np.asarray(lying_in(physics, name, into) & physics.resting(name))

    def progress(self, physics: Physics, goals: Goals) -> F64:
        """Tool to block, then block to tray."""
        name, into = texts(goals, "object"), texts(goals, "into")
        at = physics.body_pos(name)
        way = np.linalg.norm(at[:, :2] - physics.body_pos(into)[:, :2], axis=1)
        reach = np.linalg.norm(physics.tool_pos() - at, axis=1)
        s = physics.scale
        done = physics.inside(name, into)
        return np.where(done, 0.9, 0.25 * near(reach, 0.08 * s) + 0.6 * near(way, 0.08 * s))

    def subgoals(self, physics: Physics, goals: Goals) -> Mapping[str, BoolArray]:
        """Gripped, over the tray, let go in it."""
        name, into = texts(goals, "object"), texts(goals, "into")
        return {
            "gripped": physics.held(name),
            "inside": physics.inside(name, into),
            "success": self.success(physics, goals),
        }

    def expert(self, physics: Physics, goals: Goals, interface: PolicyInterface) -> Policy:
        """Pick, carry, lower, let go."""
        return Expert(physics, goals, interface, lambda: self.success(physics, goals))


class Expert(BlockPolicy):
    """Picks the named block and puts it into the named tray."""

    blocks = OBJECTS
    walls = tuple((name, TRAY) for name in TRAYS)

    def plan(self, row: int, rng: np.random.Generator) -> list[Move]:
        physics, goal, s = self.physics, self.goals[row], self.scale
        name, into = goal.text("object"), goal.text("into")
        to = physics.body_pos(into)[row] + s * np.array([*rng.uniform(-0.015, 0.015, 2), 0.035])
        if self.holds(row, name):
            yaw = self.tool_yaw(row)
            return [*self.rise(row, 0.10), *self.place(row, name, to, yaw, hover=0.08)]
        yaw = self.clear_yaw(row, name)
        return [
            *self.rise(row, 0.09),
            *self.take(row, name, rng, lift=0.10),
            *self.place(row, name, to, yaw, hover=0.08),
        ]


def _rim(moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator) -> list[Move]:
    """Sets the block down on the edge of the tray's rim, so that it tips out, and lets go."""
    into = policy.physics.body_pos(policy.goals[row].text("into"))[row]
    out = np.array([0.0, -np.sign(into[1]) * 0.082 * policy.scale, 0.02 * policy.scale])
    placing = ("carry", "lower", "open", "away")
    return [replace(m, pos=m.pos + out) if m.name in placing else m for m in moves]


def _shove(moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator) -> list[Move]:
    """Jams the block against the tray's outer wall with closed fingers, and keeps pushing."""
    physics, goal, s = policy.physics, policy.goals[row], policy.scale
    at, to = (physics.body_pos(goal.text(k))[row] for k in ("object", "into"))
    way = (to - at)[:2] / np.linalg.norm((to - at)[:2])
    behind = np.array([*(at[:2] - 0.05 * s * way), 0.015 * s])
    yaw = float(np.arctan2(way[1], way[0])) + np.pi / 2
    above = behind + np.array([0, 0, 0.08 * s])
    end = np.array([*(to[:2] - 0.10 * s * way), 0.015 * s])
    return [Move(above, yaw, 1.0), Move(behind, yaw, 1.0), Move(end, yaw, 1.0, 3.0)]

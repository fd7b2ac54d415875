"""Push the named one of three blocks into the named one of three zones.

Axes: N rows. Lengths are m of a cell of scale 1 where the scene is laid out.
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
from trimix.tasks.cheats import cheater, other, until, whole
from trimix.tasks.shoving import Job, ShovePolicy
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
    zone,
)

OBJECTS = ("red", "green", "blue")
ZONES = {
    "yellow": (0.86, 0.70, 0.20, 1.0),
    "white": (0.92, 0.92, 0.90, 1.0),
    "purple": (0.48, 0.25, 0.58, 1.0),
}
HALF = 0.05
MARGIN = 0.022
_OFTEN = 99
PHRASES = Phrases(
    train=(
        "push the {object} block into the {into} zone",
        "slide the {object} cube onto the {into} square",
        "move the {object} block across the table to the {into} zone",
    ),
    heldout=(
        "the {into} square is where the {object} block belongs: push it there",
        "shove the {object} one into the {into} area",
    ),
)


@dataclass(frozen=True)
class PushToZone(Tabletop):
    """A block pushed into a zone; three blocks and three zones make nine goals."""

    name: str = "push_to_zone"
    gripper: bool = False
    time_limit_s: float = 40.0
    hold_s: float = 1.0

    @property
    def cheaters(self) -> tuple[Cheater, ...]:
        """Held over the zone, in it, half in, taken back, the wrong block, the wrong zone."""
        return (
            cheater("hover", _Hand, until("carry")),
            cheater("hold inside", _Hand, until("lower")),
            cheater("half in", _HalfIn, whole, tries=_OFTEN),
            cheater("take back", _Hand, _take_back),
            cheater("wrong block", Expert, whole, aim=other("object", OBJECTS), tries=_OFTEN),
            cheater("wrong zone", _WrongZone, whole, tries=_OFTEN),
        )

    def compose(self, scene: Scene) -> None:
        """Three blocks, three zones."""
        scene.add_room()
        for colour in OBJECTS:
            block(scene, colour, COLOURS[colour])
        for name, rgba in ZONES.items():
            zone(scene, name, rgba, (HALF, HALF))

    def start(self, row: Row, rng: np.random.Generator) -> Goal:
        """Zones left, right and ahead in any order, blocks between them, apart."""
        spots = np.array([[-0.05, 0.155], [-0.05, -0.155], [0.10, 0.0]])
        for name, spot in zip(rng.permutation(list(ZONES)), spots, strict=True):
            row.set_pose(str(name), (*(spot + rng.uniform(-0.01, 0.01, 2)), 0.0))
        places = spread(rng, len(OBJECTS), 0.09, half=(0.075, 0.085), center=(-0.045, 0.0))
        for colour, place in zip(OBJECTS, places, strict=True):
            row.set_pose(colour, (*place, CUBE), rng.uniform(-np.pi, np.pi))
        if row.physics.robot.planar:
            stick = spread(rng, 1, 0.0, half=(0.25, 0.25), clear=places, clear_m=0.06)[0]
            row.set_joints(stick)
        else:
            row.set_home(rng)
        return PHRASES.goal(rng, object=str(rng.choice(OBJECTS)), into=str(rng.choice(list(ZONES))))

    def success(self, physics: Physics, goals: Goals) -> BoolArray:
        """The block rests in the zone alone, all of it, and no other block has its middle there."""
        name, into = texts(goals, "object"), texts(goals, "into")
        s = physics.scale
        good = (
            physics.inside(name, into, MARGIN * s)
            & physics.resting(name)
            & physics.touching(name, TABLE)
        )
        for colour in OBJECTS:
            other = np.array([colour != n for n in name])
            good = good & ~(other & physics.inside(colour, into, -CUBE * s))
        return np.asarray(good)

    def progress(self, physics: Physics, goals: Goals) -> F64:
        """Tool to block, then block to zone."""
        name, into = texts(goals, "object"), texts(goals, "into")
        at, s = physics.body_pos(name), physics.scale
        way = np.linalg.norm(at[:, :2] - physics.body_pos(into)[:, :2], axis=1)
        reach = np.linalg.norm(physics.tool_pos() - at, axis=1)
        done = physics.inside(name, into, MARGIN * s)
        return np.where(done, 0.9, 0.25 * near(reach, 0.08 * s) + 0.6 * near(way, 0.08 * s))

    def subgoals(self, physics: Physics, goals: Goals) -> Mapping[str, BoolArray]:
        """Inside, and let go there."""
        name, into = texts(goals, "object"), texts(goals, "into")
        return {
            "inside": physics.inside(name, into, MARGIN * physics.scale),
            "success": self.success(physics, goals),
        }

    def expert(self, physics: Physics, goals: Goals, interface: PolicyInterface) -> Policy:
        """Comes down behind the block and pushes it."""
        return Expert(physics, goals, interface, lambda: self.success(physics, goals))


class Expert(ShovePolicy):
    """Pushes the named block to the middle of the named zone; clears others out of it first."""

    things = OBJECTS

    def job(self, row: int) -> Job | None:
        goal, s = self.goals[row], self.scale
        name, into = goal.text("object"), goal.text("into")
        to = self.at(row, into)
        for each in OBJECTS:
            if each != name and np.abs(self.at(row, each) - to).max() < (HALF + CUBE + 0.004) * s:
                return Job(each, self.beside(row, each, to, (HALF + CUBE + 0.02) * s), self.things)
        if np.abs(self.at(row, name) - to).max() > 0.018 * s:
            return Job(name, to, self.things)
        return None


class _Hand(ToolPolicy):
    """Carries the block."""

    def plan(self, row: int, rng: np.random.Generator) -> list[Move]:
        physics, goal = self.physics, self.goals[row]
        name = goal.text("object")
        at, to = physics.body_pos(name)[row], physics.body_pos(goal.text("into"))[row]
        yaw = self.grasp_yaw(row, float(physics.yaw(name)[row]), np.pi / 2)
        return [
            *self.pick(row, name, at, yaw, hover=0.08, lift=0.10),
            *self.place(row, name, np.array([*to[:2], at[2]]), yaw, hover=0.08),
        ]


class _HalfIn(Expert):
    """Stops when the block's middle is on the zone's edge."""

    def job(self, row: int) -> Job | None:
        goal = self.goals[row]
        name, zone = goal.text("object"), self.at(row, goal.text("into"))
        away = self.at(row, name) - zone
        to = zone + away * (HALF * self.scale / max(float(np.abs(away).max()), 1e-9))
        if np.abs(away).max() < (HALF + 0.01) * self.scale:
            return None
        return Job(name, to, self.things)


class _WrongZone(Expert):
    """Pushes it into the nearest other zone; stops if that leads over the edge of the right one."""

    def job(self, row: int) -> Job | None:
        goal = self.goals[row]
        name, right = goal.text("object"), goal.text("into")
        at = self.at(row, name)
        if np.abs(at - self.at(row, right)).max() < (HALF + 0.01) * self.scale:
            return None
        zones = [self.at(row, zone) for zone in ZONES if zone != right]
        to = min(zones, key=lambda zone: float(np.linalg.norm(zone - at)))
        return Job(name, to, self.things) if np.abs(at - to).max() > 0.018 * self.scale else None


def _take_back(
    moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator
) -> list[Move]:
    """Lets go in the zone for a moment only."""
    there = until("open")(moves, policy, row, rng)
    if len(there) < 2:
        return there
    below, above = there[-1], there[-3]
    there[-1] = replace(below, seconds=0.4)
    return [*there, replace(below, grip=1.0), replace(above, seconds=0.5)]

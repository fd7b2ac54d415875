"""Sweep all pieces of the named colour into the named one of three zones.

Axes: N rows, P pieces. Lengths are m of a cell of scale 1 where the scene is laid out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from trimix.core.contracts import F64, I64, BoolArray, Goal, Policy, PolicyInterface
from trimix.sim.contacts import TABLE
from trimix.sim.physics import Physics, Row
from trimix.sim.scene import Scene
from trimix.sim.task import Cheater, Goals
from trimix.tasks.cheats import cheater, other, whole
from trimix.tasks.pushing import End, Steer
from trimix.tasks.shoving import Job, ShovePolicy
from trimix.tasks.tabletop import COLOURS, Phrases, Tabletop, block, near, spread, texts, zone

SWEPT = ("red", "blue")
COUNT = 3
PIECES = {colour: tuple(f"{colour}_{k}" for k in range(COUNT)) for colour in SWEPT}
ZONES = {
    "yellow": (0.86, 0.70, 0.20, 1.0),
    "white": (0.92, 0.92, 0.90, 1.0),
    "purple": (0.48, 0.25, 0.58, 1.0),
}
PIECE = 0.011
"""Half of a piece's edge."""
HALF, MARGIN = 0.055, 0.012
"""Of a zone, and how far inside of it a piece's middle must be."""
_SPOTS = ((0.095, 0.13), (0.095, 0.0), (0.095, -0.13))
_HEAPS = ((-0.055, 0.065), (-0.055, -0.065))
_APART = 0.044
_DEEPER = 0.006
_OFTEN = 99
PHRASES = Phrases(
    train=(
        "sweep the {object} pieces into the {into} zone",
        "push all {object} cubes onto the {into} square",
        "gather the {object} pieces in the {into} zone",
    ),
    heldout=(
        "all {object} bits belong on the {into} square",
        "clear the {object} pieces away into the {into} area",
    ),
)


@dataclass(frozen=True)
class Sweep(Tabletop):
    """Three pieces into a zone, and none of the other colour; six goals."""

    name: str = "sweep"
    gripper: bool = False
    time_limit_s: float = 60.0
    hold_s: float = 1.0

    @property
    def cheaters(self) -> tuple[Cheater, ...]:
        """The other colour, another zone, one left out, on the edge, with the others, through."""
        return (
            cheater("wrong colour", Expert, whole, aim=other("object", SWEPT), tries=_OFTEN),
            cheater("wrong zone", Expert, whole, aim=other("into", tuple(ZONES)), tries=_OFTEN),
            cheater("all but one", _AllButOne, whole, tries=_OFTEN),
            cheater("on the edge", _OnTheEdge, whole, tries=_OFTEN),
            cheater("everything", _Everything, whole, tries=_OFTEN),
            cheater("push through", _Through, whole, tries=_OFTEN),
        )

    def compose(self, scene: Scene) -> None:
        """Two heaps of three pieces, three zones."""
        scene.add_room()
        for colour, names in PIECES.items():
            for name in names:
                block(scene, name, COLOURS[colour], (PIECE, PIECE, PIECE))
        for name, rgba in ZONES.items():
            zone(scene, name, rgba, (HALF, HALF))

    def start(self, row: Row, rng: np.random.Generator) -> Goal:
        """Zones in a row in any order, heaps on the robot's side of them."""
        for name, spot in zip(rng.permutation(list(ZONES)), _SPOTS, strict=True):
            row.set_pose(str(name), (*(np.array(spot) + rng.uniform(-0.008, 0.008, 2)), 0.0))
        every: list[F64] = []
        for names, heap in zip(PIECES.values(), rng.permutation(_HEAPS), strict=True):
            center = heap + rng.uniform(-0.01, 0.01, 2)
            places = spread(rng, COUNT, _APART, half=(0.038, 0.042), center=center)
            every.extend(places)
            for name, place in zip(names, places, strict=True):
                height = float(row.geom_size(name)[2]) / row.scale
                row.set_pose(name, (*place, height), rng.uniform(-np.pi, np.pi))
        if row.physics.robot.planar:
            row.set_joints(spread(rng, 1, 0.0, half=(0.25, 0.25), clear=every, clear_m=0.05)[0])
        else:
            row.set_home(rng)
        return PHRASES.goal(rng, object=str(rng.choice(SWEPT)), into=str(rng.choice(list(ZONES))))

    def success(self, physics: Physics, goals: Goals) -> BoolArray:
        """All pieces of the colour rest on the zone, and no other has its middle there."""
        into, margin = texts(goals, "into"), MARGIN * physics.scale
        good = np.ones(physics.n, bool)
        for colour, names in PIECES.items():
            named = np.array([text == colour for text in texts(goals, "object")])
            for name in names:
                lies = physics.inside(name, into, margin) & physics.touching(name, TABLE)
                wanted = lies & physics.resting(name)
                good &= np.where(named, wanted, ~physics.inside(name, into))
        return good

    def progress(self, physics: Physics, goals: Goals) -> F64:
        """How many pieces are in, and how far the others are; less for each wrong one."""
        into, s = texts(goals, "into"), physics.scale
        middle = physics.body_pos(into)[:, :2]
        part, reach = np.zeros(physics.n), np.full(physics.n, np.inf)
        for colour, names in PIECES.items():
            named = np.array([text == colour for text in texts(goals, "object")])
            for name in names:
                at = physics.body_pos(name)
                inside = physics.inside(name, into, MARGIN * s)
                way = near(np.linalg.norm(at[:, :2] - middle, axis=1), 0.08 * s)
                part += np.where(named, np.where(inside, 1.0, 0.7 * way), -0.5 * inside) / COUNT
                apart = np.linalg.norm(physics.tool_pos() - at, axis=1)
                reach = np.where(named, np.minimum(reach, apart), reach)
        return np.clip(0.1 * near(reach, 0.08 * s) + 0.85 * part, 0.0, 0.95)

    def subgoals(self, physics: Physics, goals: Goals) -> Mapping[str, BoolArray]:
        """One, two and all pieces in, and let go there."""
        into, margin = texts(goals, "into"), MARGIN * physics.scale
        count = np.zeros(physics.n, int)
        for k in range(COUNT):
            names = [PIECES[text][k] for text in texts(goals, "object")]
            count += physics.inside(names, into, margin)
        found = {f"{k} in": np.asarray(count >= k) for k in range(1, COUNT + 1)}
        return {**found, "success": self.success(physics, goals)}

    def expert(self, physics: Physics, goals: Goals, interface: PolicyInterface) -> Policy:
        """Pushes the pieces in, the last first, so that they take others along."""
        return Expert(physics, goals, interface, lambda: self.success(physics, goals))


class Expert(ShovePolicy):
    """Pushes wrong pieces out of the zone, then the named ones in."""

    things = tuple(name for names in PIECES.values() for name in names)
    push_m_s = 0.10

    def job(self, row: int) -> Job | None:
        goal, s = self.goals[row], self.scale
        zone_at = self.at(row, goal.text("into"))
        mine = PIECES[goal.text("object")]
        wrong = [name for name in self.things if name not in mine]
        out = (HALF + PIECE + 0.015) * s
        for name in wrong:
            if self.off(row, name, zone_at) < (HALF + 0.004) * s:
                return Job(name, self.beside(row, name, zone_at, out), self.things)
        left = [n for n in mine if self.off(row, n, zone_at) > (HALF - MARGIN - _DEEPER) * s]
        return self.nearest(row, left, zone_at, wrong)

    def nearest(self, row: int, left: list[str], to: F64, around: list[str]) -> Job | None:
        """The piece that is farthest away; the one begun with, as long as it lasts."""
        if not left:
            return None
        begun = self.busy(row)
        far = max(left, key=lambda n: float(np.linalg.norm(self.at(row, n) - to)))
        return Job(begun if begun in left else far, to, around)

    def off(self, row: int, name: str, middle: F64) -> float:
        """m from a zone's middle, in x or y."""
        return float(np.abs(self.at(row, name) - middle).max())


class _AllButOne(Expert):
    """Leaves the last piece where it is."""

    def job(self, row: int) -> Job | None:
        job = super().job(row)
        last = PIECES[self.goals[row].text("object")][-1]
        if job is None or job.name == last:
            return None
        return replace(job, around=[*job.around, last])


class _OnTheEdge(Expert):
    """Stops with the pieces on the zone's edge."""

    def job(self, row: int) -> Job | None:
        goal, s = self.goals[row], self.scale
        middle = self.at(row, goal.text("into"))
        mine = PIECES[goal.text("object")]
        left = [n for n in mine if self.off(row, n, middle) > HALF * s]
        return self.nearest(row, left, middle, [n for n in self.things if n not in mine])


class _Everything(Expert):
    """Sweeps the other colour in as well."""

    def job(self, row: int) -> Job | None:
        middle = self.at(row, self.goals[row].text("into"))
        limit = (HALF - MARGIN - _DEEPER) * self.scale
        mine = PIECES[self.goals[row].text("object")]
        for names in ([n for n in self.things if n not in mine], list(mine)):
            left = [n for n in names if self.off(row, n, middle) > limit]
            if left:
                return self.nearest(row, left, middle, [])
        return None


class _Through(Expert):
    """Goes on pushing when all pieces are in, and out of the zone again."""

    _through: frozenset[int] = frozenset()

    def reset(self, rows: BoolArray, seeds: I64) -> None:
        super().reset(rows, seeds)
        self._through -= frozenset(np.flatnonzero(rows).tolist())

    def steer(self, row: int, tip: F64, end: End, solved: bool) -> Steer:
        goal = self.goals[row]
        names, middle = PIECES[goal.text("object")], self.at(row, goal.text("into"))
        if all(self.off(row, n, middle) < (HALF - MARGIN + 0.002) * self.scale for n in names):
            self._through |= {row}
        if row not in self._through:
            return super().steer(row, tip, end, solved)
        to = min((self.at(row, n) for n in names), key=lambda a: float(np.linalg.norm(a - tip[:2])))
        away = to - tip[:2]
        return Steer(0.12 * self.scale * away / max(float(np.linalg.norm(away)), 1e-9))

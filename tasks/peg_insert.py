"""Put a peg with a round shaft into the named one of three square sockets.

Axes: N rows. Lengths are m of a cell of scale 1 where the scene is laid out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from trimix.core.contracts import F64, BoolArray, Goal, Policy, PolicyInterface
from trimix.sim.physics import Physics, Row
from trimix.sim.queries import Names_
from trimix.sim.scene import GEOM, Scene
from trimix.sim.task import Cheater, Goals
from trimix.tasks.cheats import cheater, other, until, whole
from trimix.tasks.skills import Change, Move, ToolPolicy
from trimix.tasks.tabletop import (
    COLOURS,
    Phrases,
    Tabletop,
    near,
    room,
    solid,
    spread,
    texts,
)

PEG, HEAD = "peg", "peg_head"
SOCKETS = ("red", "green", "blue")
RADIUS, LENGTH = 0.014, 0.034
"""Of the peg's shaft. Its origin is the middle of the lower end."""
HEAD_HALF = (0.015, 0.015, 0.012)
"""Of the square head that it is gripped by, and whose middle is a site."""
HOLE, DEPTH, FLOOR = 0.017, 0.030, 0.004
"""Of a socket: half of the hole's width, height of the walls and of the floor above the table."""
SEATED_M = 0.004
"""How far above the floor the lower end of a peg may be that is in."""
UPRIGHT_RAD = 0.2
_WALL = 0.014
_DENSITY = 1200.0  # kg/m^3, of hard plastic: fingers sink into what is lighter
_OVER_M = 0.020  # the lower end over the socket on the way
_ALIGNED_M = 0.002
_PLACING = ("lower", "open", "away")
PHRASES = Phrases(
    train=(
        "put the peg into the {into} socket",
        "insert the peg in the {into} hole",
        "plug the peg into the {into} block",
    ),
    heldout=(
        "the peg belongs in the {into} socket",
        "stick the peg in the {into} one",
    ),
)


@dataclass(frozen=True)
class PegInsert(Tabletop):
    """A peg into a socket, with 3 mm of air on either side; three sockets make three goals."""

    name: str = "peg_insert"
    time_limit_s: float = 25.0

    @property
    def cheaters(self) -> tuple[Cheater, ...]:
        """Held over it, in it, half in; another socket; on the rim, beside, over; taken back."""
        return (
            cheater("hover", Expert, until("carry"), tries=2),
            cheater("hold inside", Expert, until("lower"), tries=3),
            cheater("hold half in", Expert, _half_in, tries=3),
            cheater("wrong socket", Expert, whole, aim=other("into", SOCKETS), tries=3),
            cheater("on the rim", Expert, _off(HOLE + _WALL / 2, DEPTH - FLOOR), tries=3),
            cheater("beside", Expert, _off(HOLE + _WALL + RADIUS + 0.003, -FLOOR), tries=3),
            cheater("take back", Expert, _take_back, tries=3),
            cheater("knock over", Expert, _knock_over),
        )

    def compose(self, scene: Scene) -> None:
        """A peg and three sockets."""
        scene.add_room()
        _peg(scene)
        for colour in SOCKETS:
            _socket(scene, colour)

    def start(self, row: Row, rng: np.random.Generator) -> Goal:
        """Sockets side by side in any order, the peg upright on the robot's side of them."""
        row.set_home(rng)
        for colour, y in zip(rng.permutation(SOCKETS), (-0.13, 0.0, 0.13), strict=True):
            at = (rng.uniform(0.04, 0.10), y + rng.uniform(-0.02, 0.02), 0.0)
            row.set_pose(str(colour), at, rng.uniform(-0.4, 0.4))
        place = spread(rng, 1, 0.0, half=(0.045, 0.15), center=(-0.075, 0.0))[0]
        row.set_pose(PEG, (*place, 0.0), rng.uniform(-np.pi, np.pi))
        return PHRASES.goal(rng, into=str(rng.choice(SOCKETS)))

    def success(self, physics: Physics, goals: Goals) -> BoolArray:
        """The peg rests upright on the socket's floor, and the robot has let go."""
        into = texts(goals, "into")
        return np.asarray(
            seated(physics, into) & physics.touching(PEG, into) & physics.resting(PEG)
        )

    def progress(self, physics: Physics, goals: Goals) -> F64:
        """Tool to head, then the peg's lower end over the socket, then down."""
        into, s = texts(goals, "into"), physics.scale
        away = physics.body_pos(PEG) - physics.body_pos(into)
        reach = np.linalg.norm(physics.tool_pos() - physics.site(HEAD), axis=1)
        aside = np.linalg.norm(away[:, :2], axis=1)
        within = (aside < HOLE * s) & (away[:, 2] < DEPTH * s) & upright(physics)
        down = np.clip(1.0 - (away[:, 2] / s - FLOOR) / DEPTH, 0.0, 1.0)
        part = 0.25 * near(reach, 0.08 * s) + 0.4 * near(aside, 0.08 * s)
        return np.where(within, 0.65 + 0.3 * down, part)

    def subgoals(self, physics: Physics, goals: Goals) -> Mapping[str, BoolArray]:
        """Gripped, down in the socket, let go there."""
        return {
            "gripped": physics.held(PEG),
            "seated": seated(physics, texts(goals, "into")),
            "success": self.success(physics, goals),
        }

    def expert(self, physics: Physics, goals: Goals, interface: PolicyInterface) -> Policy:
        """Pick, carry over the socket, align, lower, let go."""
        return Expert(physics, goals, interface, lambda: self.success(physics, goals))


def upright(physics: Physics) -> BoolArray:
    """(N,) whether the peg's shaft points down."""
    return physics.upright(PEG, UPRIGHT_RAD)


def seated(physics: Physics, into: Names_) -> BoolArray:
    """(N,) whether the peg stands in a socket, down to its floor."""
    return np.asarray(physics.inside(PEG, into) & upright(physics))


def _peg(scene: Scene) -> None:
    """A square head on a round shaft."""
    body = scene.add_prop(PEG, (0.86, 0.78, 0.62, 1.0))
    radius, half, middle = scene.size(RADIUS, LENGTH / 2, LENGTH + HEAD_HALF[2])
    solid(body, PEG, GEOM.mjGEOM_CYLINDER, (radius, half), pos=(0, 0, half), density=_DENSITY)
    head = scene.size(*HEAD_HALF)
    at = (0, 0, middle)
    solid(body, f"{PEG}_1", GEOM.mjGEOM_BOX, head, pos=at, material=PEG, density=_DENSITY)
    body.add_site(name=HEAD, pos=[0, 0, middle], group=4)


def _socket(scene: Scene, name: str) -> None:
    """A block with a square hole; the site of its name is where a seated peg's lower end is."""
    body = scene.add_fixture(name, COLOURS[name])
    hole, wall, floor, depth = scene.size(HOLE, _WALL / 2, FLOOR / 2, DEPTH / 2)
    solid(body, name, GEOM.mjGEOM_BOX, (hole, hole, floor), pos=(0, 0, floor), material=name)
    for k, (sx, sy) in enumerate(((1, 0), (-1, 0), (0, 1), (0, -1))):
        size = (wall if sx else hole + 2 * wall, wall if sy else hole, depth)
        at = (sx * (hole + wall), sy * (hole + wall), depth)
        solid(body, f"{name}_{k + 1}", GEOM.mjGEOM_BOX, size, pos=at, material=name)
    seat = scene.size(SEATED_M, FLOOR)
    room(body, name, (hole, hole, seat[0]), z=seat[1])


class Expert(ToolPolicy):
    """Puts the peg into the named socket. A peg that has fallen over is beyond it."""

    def plan(self, row: int, rng: np.random.Generator) -> list[Move]:
        physics, s = self.physics, self.scale
        seat = physics.body_pos(self.goals[row].text("into"))[row] + [0.0, 0.0, FLOOR * s]
        low, head = physics.body_pos(PEG)[row], physics.site(HEAD)[row]
        if physics.gripped(PEG)[row] and physics.finger_opening()[row] < 0.98:
            return self._insert(row, seat, low)
        if physics.body_mat(PEG)[row, 2, 2] < 0.9:
            return self.rise(row, 0.15)
        lift = DEPTH + _OVER_M - float(low[2]) / s
        yaw = self.grasp_yaw(row, float(physics.yaw(PEG)[row]), np.pi / 2)
        return [*self.rise(row, 0.11), *self.pick(row, PEG, head, yaw, hover=0.07, lift=lift)]

    def _insert(self, row: int, seat: F64, low: F64) -> list[Move]:
        """One step further with the peg in hand: up, over the socket, or down into it."""
        physics, into = self.physics, self.goals[row].text("into")
        s, tool, yaw = self.scale, physics.tool_pos()[row], self.tool_yaw(row)
        keeps, held = self.keeps(row, PEG), tool - low
        aside = float(np.linalg.norm((low - seat)[:2]))
        over = seat[2] + (DEPTH - FLOOR + _OVER_M) * s
        if aside > 0.5 * HOLE * s and low[2] < over - 0.006 * s:
            up = np.array([*tool[:2], over + held[2]])
            return [Move(up, yaw, 1.0, 0.3, 0.2 * s, keeps, "lift")]
        if aside > _ALIGNED_M * s and low[2] > seat[2] + (DEPTH - FLOOR) * s:
            there = np.array([*seat[:2], over]) + held
            return [Move(there, yaw, 1.0, 0.5, check=keeps, name="carry")]
        down = np.array([*seat[:2], seat[2] + 0.001 * s]) + held
        away = down + np.array([0.0, 0.0, 0.06 * s])
        return [
            Move(down, yaw, 1.0, 0.5, 0.08 * s, keeps, "lower"),
            Move(
                down,
                yaw,
                0.0,
                self._close_s(),
                0.0,
                lambda: bool(seated(physics, into)[row]),
                "open",
            ),
            Move(away, yaw, 0.0, 0.4, 0.15 * s, name="away"),
        ]


def _half_in(
    moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator
) -> list[Move]:
    """Holds the peg half-way down in the hole."""
    up = np.array([0.0, 0.0, 0.5 * DEPTH * policy.scale])
    kept = until("lower")(moves, policy, row, rng)
    return [replace(m, pos=m.pos + up) if m.name == "lower" else m for m in kept]


def _off(aside: float, higher: float) -> Change:
    """Sets the peg down beside where it belongs."""

    def change(
        moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator
    ) -> list[Move]:
        away = policy.scale * np.array([-aside, 0.0, higher])
        over = policy.scale * np.array([-aside, 0.0, 0.0])
        out = []
        for move in moves:
            if move.name == "lower":
                out.append(replace(move, pos=move.pos + over + [0, 0, 0.05 * policy.scale]))
            out.append(replace(move, pos=move.pos + away) if move.name in _PLACING else move)
        return out

    return change


def _take_back(
    moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator
) -> list[Move]:
    """Lets go in the socket for a moment only."""
    if moves[-1].name != "away":
        return moves
    opened = replace(moves[-2], seconds=0.15)
    return [*moves[:-2], opened, replace(opened, grip=1.0, seconds=0.4), replace(moves[-1], grip=1)]


def _knock_over(
    moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator
) -> list[Move]:
    """Topples the peg towards the socket with closed fingers."""
    physics, s = policy.physics, policy.scale
    at, to = physics.body_pos(PEG)[row], physics.body_pos(policy.goals[row].text("into"))[row]
    way = (to - at)[:2] / np.linalg.norm((to - at)[:2])
    behind = np.array([*(at[:2] - 0.05 * s * way), 0.05 * s])
    yaw = float(np.arctan2(way[1], way[0])) + np.pi / 2
    end = np.array([*(to[:2] - 0.05 * s * way), 0.05 * s])
    up = np.array([0.0, 0.0, 0.08 * s])
    return [Move(behind + up, yaw, 1.0), Move(behind, yaw, 1.0), Move(end, yaw, 1.0, 1.0)]

"""Move the tool to one of three floating balls, as the words say, and stay there.

Axes: N rows. Lengths are m of a cell of scale 1 where the scene is laid out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from trimix.core.contracts import F64, BoolArray, Goal, Policy, PolicyInterface
from trimix.sim.physics import Physics, Row
from trimix.sim.scene import GEOM, Scene
from trimix.sim.task import Cheater, Goals
from trimix.tasks.cheats import cheater, other, whole
from trimix.tasks.skills import Change, Move, ToolPolicy
from trimix.tasks.tabletop import COLOURS, Phrases, Tabletop, near, spread, texts

OBJECTS = ("red", "green", "blue")
RADIUS = 0.016
NEAR_M = 0.02
SLOW = 0.1
"""Of each joint's speed limit: what imprecise servos make of standing still stays below."""
HEIGHTS = (0.06, 0.20)
PHRASES = Phrases(
    train=(
        "move the gripper to the {object} ball",
        "go to the {object} ball",
        "reach the {object} marker",
        "bring the tool to the {object} ball and stay there",
    ),
    heldout=(
        "stop at the {object} sphere",
        "the {object} ball is where the tool should be",
    ),
)


@dataclass(frozen=True)
class Reach(Tabletop):
    """The tool at a marker; three markers make three goals. Needs no gripper."""

    name: str = "reach"
    gripper: bool = False
    time_limit_s: float = 10.0
    hold_s: float = 1.0
    lets_go: bool = False

    @property
    def cheaters(self) -> tuple[Cheater, ...]:
        """Too short, too low, above, another ball, between balls, through it and around it."""
        return (
            cheater("wrong ball", Expert, whole, aim=other("object", OBJECTS)),
            cheater("stop short", Expert, _short),
            cheater("above it", Expert, _beside((0.0, 0.0, 0.035))),
            cheater("below it", Expert, _beside((0.0, 0.0, -0.035))),
            cheater("behind it as seen from the front", Expert, _beside((-0.03, 0.0, -0.032))),
            cheater("pass through", Expert, _through),
            cheater("creep through", Expert, _creep),
            cheater("circle", Expert, _circle),
            cheater("tremble", Expert, _tremble),
        )

    def compose(self, scene: Scene) -> None:
        """Three balls that nothing touches."""
        scene.add_room()
        radius = scene.size(RADIUS)[0]
        for colour in OBJECTS:
            scene.add_fixture(colour, COLOURS[colour]).add_geom(
                name=colour,
                type=GEOM.mjGEOM_SPHERE,
                size=[radius, 0.0, 0.0],
                material=colour,
                contype=0,
                conaffinity=0,
            )

    def start(self, row: Row, rng: np.random.Generator) -> Goal:
        """Balls at different places and heights."""
        row.set_home(rng)
        for colour, place in zip(OBJECTS, spread(rng, len(OBJECTS), 0.11), strict=True):
            row.set_pose(colour, (*place, rng.uniform(*HEIGHTS)))
        return PHRASES.goal(rng, object=str(rng.choice(OBJECTS)))

    def success(self, physics: Physics, goals: Goals) -> BoolArray:
        """The tool is at the ball and all joints are slow; for a second, so it does not pass by."""
        speed = np.abs(physics.joint_velocities()) / np.array(physics.robot.speed_limit)
        slow = (speed < SLOW).all(axis=1)
        return np.asarray(slow & (_apart(physics, goals) < NEAR_M * physics.scale))

    def progress(self, physics: Physics, goals: Goals) -> F64:
        """How near the tool is."""
        return near(_apart(physics, goals), 0.08 * physics.scale)

    def subgoals(self, physics: Physics, goals: Goals) -> Mapping[str, BoolArray]:
        """Near it, at it, at rest there."""
        apart = _apart(physics, goals)
        return {
            "near": np.asarray(apart < 3 * NEAR_M * physics.scale),
            "there": np.asarray(apart < NEAR_M * physics.scale),
            "success": self.success(physics, goals),
        }

    def expert(self, physics: Physics, goals: Goals, interface: PolicyInterface) -> Policy:
        """Straight there."""
        return Expert(physics, goals, interface, lambda: self.success(physics, goals))


def _apart(physics: Physics, goals: Goals) -> F64:
    """(N,) m from the tool to the ball; seen from above for a robot that moves in a plane."""
    off = physics.tool_pos() - physics.body_pos(texts(goals, "object"))
    return np.asarray(np.linalg.norm(off[:, : 2 if physics.robot.planar else 3], axis=1))


class Expert(ToolPolicy):
    """Moves straight to the named ball, and keeps still where it is near enough."""

    def plan(self, row: int, rng: np.random.Generator) -> list[Move]:
        physics, s = self.physics, self.scale
        if _apart(physics, self.goals)[row] < 0.6 * NEAR_M * s:
            return []
        at = physics.body_pos(self.goals[row].text("object"))[row] + s * rng.normal(0, 0.002, 3)
        if physics.robot.planar:
            at[2] = physics.tool_pos()[row][2]
        return [Move(at, self.tool_yaw(row), 0.0, 0.6, 0.2 * s, name="go")]


def _beside(offset_m: tuple[float, float, float]) -> Change:
    """Goes to a place beside it."""

    def change(
        moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator
    ) -> list[Move]:
        return [replace(m, pos=m.pos + policy.scale * np.array(offset_m)) for m in moves]

    return change


def _short(moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator) -> list[Move]:
    """Stops 3.5 cm before it."""
    (go,) = moves
    way = go.pos - policy.physics.tool_pos()[row]
    back = way / max(float(np.linalg.norm(way)), 1e-9)
    return [replace(go, pos=go.pos - 0.035 * policy.scale * back)]


def _through(
    moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator
) -> list[Move]:
    """Goes to and fro through it, and stops beyond."""
    return _swing(moves, policy, ((0.0, 0.1), (0.0, -0.1)) * 6, 0.25)


def _creep(moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator) -> list[Move]:
    """Goes slowly through it, 7 cm/s, without a stop."""
    (go,) = moves
    side = 0.12 * policy.scale * np.array([0.0, 1.0, 0.0])
    return [
        replace(go, pos=go.pos - side),
        replace(go, pos=go.pos + side, speed=0.05 * policy.scale),
    ]


def _circle(
    moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator
) -> list[Move]:
    """Circles around it, its middle the circle's own."""
    turns = [0.045 * np.array([np.cos(a), np.sin(a)]) for a in np.arange(0, 8 * np.pi, 0.5)]
    return _swing(moves, policy, [(float(x), float(y)) for x, y in turns], 0.1)


def _tremble(
    moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator
) -> list[Move]:
    """Shakes at the ball and never rests, then leaves."""
    shakes = ((0.018, 0.0), (-0.018, 0.0)) * 12
    return _swing(moves, policy, (*shakes, (0.0, 0.1)), 0.1)


def _swing(
    moves: list[Move], policy: ToolPolicy, places: Sequence[tuple[float, float]], least_s: float
) -> list[Move]:
    """From place to place (x, y) m beside the ball, fast."""
    (go,) = moves
    return [
        replace(go, pos=go.pos + policy.scale * np.array([*p, 0.0]), seconds=least_s, speed=0.4)
        for p in places
    ]

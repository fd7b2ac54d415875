"""Put the banana on the plate: the digital cousin of 65 recorded CR5 episodes.

Instruction, workspace, start poses, wrist camera and gripper timing follow the recordings
(docs/design.md, "Cousins"). Axes: N rows. Lengths are m of a cell of scale 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from trimix.assets.props import banana, banana_texture
from trimix.core.contracts import F64, BoolArray, Goal, Policy, PolicyInterface
from trimix.sim.contacts import TABLE
from trimix.sim.physics import Physics, Row
from trimix.sim.scene import GEOM, Scene
from trimix.sim.task import Cheater, Goals
from trimix.tasks.cheats import cheater, until
from trimix.tasks.skills import Move, ToolPolicy
from trimix.tasks.tabletop import Phrases, Tabletop, near, solid

PLATE_RADIUS = 0.10
PLATE_TOP = 0.014
BANANA_RADIUS = 0.021
BANANA_DENSITY = 550.0
# Recorded grasp and release points: mean and spread of the tool's x, y, turned from the robot's
# base frame into the workspace's.
BANANA_MEAN, BANANA_STD = (0.062, -0.081), (0.066, 0.064)
PLATE_MEAN, PLATE_STD = (0.097, 0.145), (0.052, 0.047)
APART = (0.20, 0.38)
REACH_M = 0.20
"""How far from the robot the recordings went, in x beyond the middle."""
# The banana's long axis lies across the gripper's closing axis at the recorded grasps.
BANANA_YAW, BANANA_YAW_SPREAD = -0.51, 0.45
PHRASES = Phrases(
    train=(
        "put the banana on the plate",
        "place the banana on the plate",
        "lay the banana onto the plate",
    ),
    heldout=("the banana goes on the plate", "move the fruit onto the dish"),
)


@dataclass(frozen=True)
class BananaOnPlate(Tabletop):
    """Pick up the banana and leave it lying on the plate."""

    name: str = "banana_on_plate"
    time_limit_s: float = 30.0
    cameras: tuple[str, ...] = ("wrist", "front")

    @property
    def cheaters(self) -> tuple[Cheater, ...]:
        """Held over the plate or on it, by an end, dropped beside it, shoved, pressed."""
        return (
            cheater("hover", Expert, until("carry")),
            cheater("hold on the plate", Expert, until("lower")),
            cheater("hover by an end", Expert, _by_an_end),
            cheater("on the rim", Expert, _rim),
            cheater("plate to banana", Expert, _plate),
            cheater("press from above", Expert, _press),
        )

    def compose(self, scene: Scene) -> None:
        """A dark table, a white plate, a banana of capsules, and what stands behind the table."""
        scene.add_room((0.17, 0.19, 0.20, 1.0), (0.16, 0.16, 0.17, 1.0))
        scene.add_backdrop(
            "monitor", (0.63, -0.28, 0.185), (0.03, 0.28, 0.20), (0.04, 0.04, 0.05, 1)
        )
        _plate_body(scene)
        _banana_body(scene)

    def start(self, row: Row, rng: np.random.Generator) -> Goal:
        """Banana and plate where the recordings had them, apart; arm near the recorded starts."""
        row.set_home(rng)
        banana, plate = _places(rng)
        yaw = BANANA_YAW + rng.uniform(-BANANA_YAW_SPREAD, BANANA_YAW_SPREAD)
        radius = float(row.geom_size("banana")[0]) / row.scale
        row.set_pose("banana", (*banana, radius + 0.001), yaw)
        row.set_pose("plate", (*plate, 0.0), 0.0)
        return PHRASES.goal(rng)

    def success(self, physics: Physics, goals: Goals) -> BoolArray:
        """The banana lies still on the plate, the plate on the table, and the robot has let go."""
        return np.asarray(
            physics.on("banana", "plate")
            & physics.touching("plate", TABLE)
            & ~physics.touching("banana", TABLE)
            & (_apart(physics) < 0.75 * PLATE_RADIUS * physics.scale)
            & physics.upright("plate")
        )

    def progress(self, physics: Physics, goals: Goals) -> F64:
        """Tool to banana, then banana to plate."""
        s = physics.scale
        reach = np.linalg.norm(physics.tool_pos() - physics.body_pos("banana"), axis=1)
        on = physics.touching("banana", "plate") & ~physics.touching("banana", TABLE)
        way = 0.25 * near(reach, 0.08 * s) + 0.6 * near(_apart(physics), 0.08 * s)
        return np.where(on, 0.85 + 0.1 * near(_apart(physics), 0.08 * s), way)

    def subgoals(self, physics: Physics, goals: Goals) -> Mapping[str, BoolArray]:
        """Lifted, over the plate, let go on it."""
        return {
            "lifted": physics.held("banana"),
            "over": _apart(physics) < 0.75 * PLATE_RADIUS * physics.scale,
            "success": self.success(physics, goals),
        }

    def expert(self, physics: Physics, goals: Goals, interface: PolicyInterface) -> Policy:
        """Pick, carry, lower, let go."""
        return Expert(physics, goals, interface, lambda: self.success(physics, goals))


def _apart(physics: Physics) -> F64:
    """(N,) m between the middles of banana and plate, from above."""
    offset = physics.body_pos("banana") - physics.body_pos("plate")
    return np.asarray(np.linalg.norm(offset[:, :2], axis=1))


def _plate_body(scene: Scene) -> None:
    body = scene.add_prop("plate", (0.80, 0.80, 0.79, 1.0))
    # A foot, and a rim that catches what slides: two discs are enough at 64 px.
    s = scene.scale
    for k, (radius, low, high) in enumerate(
        ((0.6 * PLATE_RADIUS, 0.0, 0.008), (PLATE_RADIUS, 0.008, PLATE_TOP))
    ):
        solid(
            body,
            "plate" if k == 0 else f"plate_{k}",
            GEOM.mjGEOM_CYLINDER,
            (s * radius, s * (high - low) / 2),
            pos=(0, 0, s * (low + high) / 2),
            material="plate",
            density=1800.0,
        )
    scene.add_material("plate_well", (0.74, 0.74, 0.73, 1.0))
    body.add_geom(
        name="plate_well",
        type=GEOM.mjGEOM_CYLINDER,
        size=[s * 0.72 * PLATE_RADIUS, s * 0.0005, 0],
        pos=[0, 0, s * (PLATE_TOP + 0.0005)],
        mass=0.0,
        contype=0,
        conaffinity=0,
        material="plate_well",
    )


def _banana_body(scene: Scene) -> None:
    body = scene.add_prop("banana", (0.92, 0.72, 0.05, 1.0))
    # An arc of 100 degrees, radius 0.10 m, in the horizontal plane, thick in the middle; the
    # body's origin is the middle of the arc, its x the long axis.
    s, bend, count = scene.scale, 0.10, 5
    angles = np.radians(np.linspace(-50, 50, count + 1))
    x, y = s * bend * np.sin(angles), s * bend * (1 - np.cos(angles))
    radii = s * BANANA_RADIUS * np.array([0.80, 0.95, 1.0, 0.95, 0.80])
    order = [2, 0, 1, 3, 4]  # the middle one carries the body's name
    for k in order:
        body.add_geom(
            name="banana" if k == 2 else f"banana_{k}",
            type=GEOM.mjGEOM_CAPSULE,
            fromto=[x[k], y[k], 0, x[k + 1], y[k + 1], 0],
            size=[radii[k], 0, 0],
            density=BANANA_DENSITY,
            material="banana",
            condim=6,
            friction=[0.8, 0.01, 0.002],
        )
    scene.clothe(body, banana(BANANA_RADIUS), banana_texture())


def _places(rng: np.random.Generator) -> tuple[F64, F64]:
    """(2,), (2,) m: banana and plate, as far apart as in the recordings."""
    while True:
        banana = rng.normal(BANANA_MEAN, BANANA_STD)
        plate = rng.normal(PLATE_MEAN, PLATE_STD)
        apart = float(np.linalg.norm(banana - plate))
        from_robot = [float(np.hypot(0.64 + p[0], p[1])) for p in (banana, plate)]
        if APART[0] < apart < APART[1] and max(from_robot) < 0.64 + REACH_M:
            return banana, plate


class Expert(ToolPolicy):
    """Picks the banana across its middle and lays it down on the plate."""

    def plan(self, row: int, rng: np.random.Generator) -> list[Move]:
        physics, s = self.physics, self.scale
        plate = physics.body_pos("plate")[row]
        rest = PLATE_TOP + BANANA_RADIUS + 0.004
        to = np.array([*(plate[:2] + s * rng.normal(0, 0.010, 2)), plate[2] + s * rest])
        if self.holds(row, "banana"):
            return [
                *self.rise(row, 0.10),
                *self.place(row, "banana", to, self.tool_yaw(row), hover=0.09),
            ]
        at = physics.body_pos("banana")[row] + s * np.array([*rng.normal(0, 0.003, 2), 0.0])
        long_axis = float(physics.yaw("banana")[row])
        yaw = self.grasp_yaw(row, long_axis + np.pi / 2 + rng.normal(0, 0.05), np.pi)
        high = rng.uniform(0.09, 0.14)
        return [
            *self.rise(row, 0.09),
            *self.pick(row, "banana", at, yaw, hover=0.08, lift=high),
            *self.place(row, "banana", to, yaw, hover=high - 0.02, up=0.09),
        ]


def _by_an_end(
    moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator
) -> list[Move]:
    """Grips the banana near its end and hangs it over the plate, the gripper closed beside it."""
    axis = policy.physics.body_mat("banana")[row][:, 0]
    end = axis * 0.06 * policy.scale
    kept = until("carry")(moves, policy, row, rng)
    grasping = ("above", "down", "close", "lift")
    return [replace(m, pos=m.pos + end) if m.name in grasping else m for m in kept]


def _rim(moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator) -> list[Move]:
    """Lays the banana half on the plate, half on the table."""
    away = policy.physics.body_pos("plate")[row] - policy.physics.body_pos("banana")[row]
    out = np.array([*(away[:2] / np.linalg.norm(away[:2])), 0.0]) * 0.125 * policy.scale
    placing = ("carry", "lower", "open", "away")
    return [replace(m, pos=m.pos - out) if m.name in placing else m for m in moves]


def _plate(moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator) -> list[Move]:
    """Pushes the plate against the banana, and on."""
    physics, s = policy.physics, policy.scale
    plate, banana = physics.body_pos("plate")[row], physics.body_pos("banana")[row]
    way = (banana - plate)[:2] / np.linalg.norm((banana - plate)[:2])
    yaw = float(np.arctan2(way[1], way[0]))
    begin = np.array([*(plate[:2] - 0.13 * s * way), 0.011 * s])
    end = np.array([*(banana[:2] - 0.12 * s * way), 0.011 * s])
    above = begin + np.array([0, 0, 0.10 * s])
    return [Move(above, yaw, 1.0), Move(begin, yaw, 1.0), Move(end, yaw, 1.0, 3.0)]


def _press(moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator) -> list[Move]:
    """Holds the banana on the plate's edge, pressed down so that it is still."""
    placing = ("carry", "lower", "open")
    down = np.array([0.0, 0.0, -0.012 * policy.scale])
    kept = until("lower")(moves, policy, row, rng)
    return [replace(m, pos=m.pos + down) if m.name in placing else m for m in kept]

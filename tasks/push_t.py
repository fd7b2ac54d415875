"""Push the T onto its mark: planar pushing from pixels, after Push-T.

Push-T is of Florence et al. (Implicit Behavioral Cloning, CoRL 2021) and Chi et al. (Diffusion
Policy, RSS 2023): there as here success is coverage of the mark. The T is a free body that table
friction holds. Frames: the workspace's; lengths are m of a cell of scale 1 where the scene is laid
out. Axes: N rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimix.core.contracts import F64, I64, BoolArray, Goal, Policy, PolicyInterface
from trimix.sim.contacts import TABLE
from trimix.sim.physics import Physics, Row
from trimix.sim.scene import GEOM, Scene
from trimix.sim.task import Cheater, Goals
from trimix.tasks.push_t_expert import PushExpert, pose_error
from trimix.tasks.pushing import End, Steer
from trimix.tasks.tabletop import COLOURS, Phrases, Tabletop, solid, texts
from trimix.tasks.tee import BOXES, HEIGHT, TEE, UNIT, clearance

COVERED = 0.90
MARK = "green"
START_M, START_RAD = (0.06, 0.15), np.radians(90.0)
AREA_M = (0.05, 0.12)  # half extents of where the T's middle starts: an arm reaches all around it
MARK_M, MARK_RAD = 0.02, 0.35
STICK_M = 0.26
STICK_CLEAR_M = 0.035  # from the stick's axis to the T; its radius is 0.0125
_PACE = 0.08  # m/s, of one that pushes on
PHRASES = Phrases(
    train=(
        "push the T onto its mark",
        "slide the T-shaped block onto the T-shaped mark",
        "move the T until it covers the mark",
    ),
    heldout=(
        "the T belongs on its mark: push it there",
        "make the T block lie exactly on its outline",
    ),
)


@dataclass(frozen=True)
class PushT(Tabletop):
    """Push the T-block onto the T-shaped mark, position and rotation."""

    name: str = "push_t"
    robot: str = "gantry"
    gripper: bool = False
    time_limit_s: float = 60.0
    hold_s: float = 1.0
    cameras: tuple[str, ...] = ("front",)

    @property
    def cheaters(self) -> tuple[Cheater, ...]:
        """Half of it covered, three quarters, beside it, askew, backwards, and over it."""
        return (
            _cheater("half covered", _Early, covered=0.5),
            _cheater("three quarters covered", _Early, covered=0.75),
            _cheater("beside", _Aside, off=(0.025, 0.0, 0.0)),
            _cheater("askew", _Aside, off=(0.0, 0.0, 0.35)),
            _cheater("backwards", _Aside, off=(0.0, 0.0, np.pi)),
            _cheater("push on", _Onward, covered=0.85),
        )

    def compose(self, scene: Scene) -> None:
        """A T-shaped mark, and a T as high as a finger is thick."""
        scene.add_room((0.62, 0.60, 0.57, 1.0))
        _mark(scene, MARK, 0.0004)
        body = scene.add_prop(TEE, (0.55, 0.10, 0.12, 1.0))
        for name, (center, half) in zip((TEE, f"{TEE}_1"), BOXES, strict=True):
            x, y, z, hx, hy = scene.size(
                center[0] * UNIT, center[1] * UNIT, HEIGHT / 2, half[0] * UNIT, half[1] * UNIT
            )
            solid(body, name, GEOM.mjGEOM_BOX, (hx, hy, z), pos=(x, y, z), material=TEE)

    def start(self, row: Row, rng: np.random.Generator) -> Goal:
        """The mark near the middle, the T some way off and turned, the stick beside it."""
        mark = np.array([*rng.uniform(-MARK_M, MARK_M, 2), rng.uniform(-MARK_RAD, MARK_RAD)])
        row.set_pose(MARK, (*mark[:2], 0.0), mark[2])
        tee = mark
        while not START_M[0] < np.linalg.norm((tee - mark)[:2]) < START_M[1]:
            tee = np.append(rng.uniform(-1, 1, 2) * AREA_M, mark[2])
        tee[2] += rng.uniform(-START_RAD, START_RAD)
        row.set_pose(TEE, (*tee[:2], 0.0), tee[2])
        _stand(row, rng, tee)
        return PHRASES.goal(rng, mark=MARK)

    def success(self, physics: Physics, goals: Goals) -> BoolArray:
        """The T rests on the table and covers nine tenths of the mark."""
        return np.asarray(
            (coverage(physics, goals) >= COVERED)
            & physics.upright(TEE, 0.1)
            & physics.touching(TEE, TABLE)
            & physics.resting(TEE)
        )

    def progress(self, physics: Physics, goals: Goals) -> F64:
        """By how far the T is off and turned."""
        apart, turned = pose_error(planar_pose(physics, TEE), mark_pose(physics, goals))
        return np.asarray(np.exp(-(apart / (0.10 * physics.scale) + turned / 1.0)))

    def subgoals(self, physics: Physics, goals: Goals) -> Mapping[str, BoolArray]:
        """Half of the mark covered, and as much of it as counts."""
        covered = coverage(physics, goals)
        return {
            "half covered": covered >= 0.5,
            "covered": covered >= COVERED,
            "success": self.success(physics, goals),
        }

    def expert(self, physics: Physics, goals: Goals, interface: PolicyInterface) -> Policy:
        """Touches the T where a push helps most, pushes, steps back and looks again."""
        return PushExpert(physics, goals, interface, lambda: self.success(physics, goals))


class _Cheat(PushExpert):
    """An expert that no success stops; what it is after is another pose or a part of the way.

    Args:
        covered: part of the mark.
        off: m, m and rad from the mark, in its frame.
    """

    def __init__(
        self,
        physics: Physics,
        goals: Goals,
        interface: PolicyInterface,
        covered: float = COVERED,
        off: Sequence[float] = (0.0, 0.0, 0.0),
    ) -> None:
        super().__init__(physics, goals, interface, lambda: np.zeros(physics.n, bool))
        self._covered, self._off = covered, off
        self._reached = np.zeros(physics.n, bool)

    def reset(self, rows: BoolArray, seeds: I64) -> None:
        super().reset(rows, seeds)
        self._reached[rows] = False

    def reached(self, row: int) -> bool:
        """Whether as much as it is after was covered once in this episode."""
        if coverage(self.physics, self.goals)[row] >= self._covered:
            self._reached[row] = True
        return bool(self._reached[row])

    def aside(self, row: int, off: Sequence[float]) -> F64:
        """(3,) the mark's pose, moved in its frame."""
        x, y, yaw = super().goal(row)
        c, s, scale = np.cos(yaw), np.sin(yaw), self.scale
        dx, dy = off[0] * scale, off[1] * scale
        return np.array([x + c * dx - s * dy, y + s * dx + c * dy, yaw + off[2]])


class _Early(_Cheat):
    """Leaves when a part of the mark is covered."""

    def steer(self, row: int, tip: F64, end: End, solved: bool) -> Steer:
        return super().steer(row, tip, end, self.reached(row))


class _Aside(_Cheat):
    """Puts the T where the mark nearly is."""

    def goal(self, row: int) -> F64:
        return self.aside(row, self._off)


class _Onward(_Cheat):
    """Pushes over the mark and past it, never slower."""

    def reset(self, rows: BoolArray, seeds: I64) -> None:
        super().reset(rows, seeds)
        self._last = np.zeros((self.physics.n, 2))

    def steer(self, row: int, tip: F64, end: End, solved: bool) -> Steer:
        if self.reached(row):
            return Steer(self._last[row])
        steer = super().steer(row, tip, end, solved)
        pace = float(np.linalg.norm(steer.velocity))
        self._last[row] = steer.velocity / max(pace, 1e-9) * _PACE * self.scale
        return steer


def _cheater(name: str, kind: type[_Cheat], **given: Any) -> Cheater:
    return Cheater(name, lambda physics, goals, seen: kind(physics, goals, seen, **given))


def coverage(physics: Physics, goals: Goals) -> F64:
    """(N,) part of the named mark that the T covers."""
    u = UNIT * physics.scale
    outline = [((c[0] * u, c[1] * u), (h[0] * u, h[1] * u)) for c, h in BOXES]
    return physics.coverage(TEE, outline, mark_pose(physics, goals))


def mark_pose(physics: Physics, goals: Goals) -> F64:
    """(N, 3) x, y in m and yaw in rad of the named marks."""
    return planar_pose(physics, texts(goals, "mark"))


def planar_pose(physics: Physics, name: str | Sequence[str]) -> F64:
    """(N, 3) x, y in m and yaw in rad of a body that lies flat."""
    return np.column_stack([physics.body_pos(name)[:, :2], physics.yaw(name)])


def _mark(scene: Scene, name: str, z: float) -> None:
    body = scene.add_fixture(name, COLOURS[name])
    for geom, (center, half) in zip((name, f"{name}_1"), BOXES, strict=True):
        x, y, hx, hy = scene.size(*(UNIT * v for v in (*center, *half)))
        body.add_geom(
            name=geom,
            type=GEOM.mjGEOM_BOX,
            size=[hx, hy, 0.0002],
            pos=[x, y, z],
            material=name,
            contype=0,
            conaffinity=0,
        )


def _stand(row: Row, rng: np.random.Generator, tee: F64) -> None:
    """The robot at its home, or a stick that cannot rise somewhere beside the T."""
    if not row.physics.robot.planar:
        row.set_home(rng)
        return
    c, s = np.cos(tee[2]), np.sin(tee[2])
    while True:
        stick = rng.uniform(-STICK_M, STICK_M, 2)
        x, y = stick - tee[:2]
        if clearance(np.array([c * x + s * y, c * y - s * x]), UNIT) > STICK_CLEAR_M:
            break
    row.set_joints(stick)

"""What tasks on a table share: words for goals, props of plain shapes, a dense reward.

Axes: N rows. Frames: the workspace's; lengths that tasks give are m of a cell of scale 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from trimix.core.contracts import F32, F64, BoolArray, Goal
from trimix.randomization.vary import Vary
from trimix.sim.cell import REACH_M
from trimix.sim.physics import Physics
from trimix.sim.scene import FRICTION, GEOM, Scene
from trimix.sim.task import Cheater, Goals

COLOURS: dict[str, tuple[float, float, float, float]] = {
    "red": (0.72, 0.16, 0.13, 1.0),
    "green": (0.20, 0.52, 0.24, 1.0),
    "blue": (0.15, 0.30, 0.66, 1.0),
    "yellow": (0.88, 0.71, 0.18, 1.0),
}
CUBE = 0.02
"""Half of a block's edge."""
TRAY = (0.055, 0.055)
"""Half of a tray's inside."""
DENSITY = 450.0  # kg/m^3, of light wood


@dataclass(frozen=True)
class Phrases:
    """Ways to say a goal: templates that its parameters fill, e.g. "lift the {object} block".

    Args:
        train: that training draws from.
        heldout: that it never does.
    """

    train: tuple[str, ...]
    heldout: tuple[str, ...]

    def goal(self, rng: np.random.Generator, **params: str) -> Goal:
        """One of the training phrasings of these parameters, and all the others."""
        train, heldout = (
            tuple(text.format(**params) for text in texts) for texts in (self.train, self.heldout)
        )
        return Goal(train[int(rng.integers(len(train)))], dict(params), (train, heldout))


@dataclass(frozen=True)
class Tabletop:
    """Defaults of a task; subclasses give compose, start, success, progress and expert."""

    name: str = ""
    robot: str = "cr5"
    gripper: bool = True
    time_limit_s: float = 20.0
    hold_s: float = 0.5
    lets_go: bool = True
    cameras: tuple[str, ...] = ("front", "wrist")

    @property
    def cheaters(self) -> tuple[Cheater, ...]:
        """None of which may score."""
        return ()

    def success(self, physics: Physics, goals: Goals) -> BoolArray:
        """(N,) whether the goal holds."""
        raise NotImplementedError

    def progress(self, physics: Physics, goals: Goals) -> F64:
        """(N,) in [0, 1], how far along."""
        raise NotImplementedError

    def reward(self, physics: Physics, goals: Goals) -> F32:
        """(N,) 1 where success holds, else 0.9 of the progress."""
        part = 0.9 * np.clip(self.progress(physics, goals), 0.0, 1.0)
        return np.where(self.success(physics, goals), 1.0, part).astype(np.float32)

    def subgoals(self, physics: Physics, goals: Goals) -> Mapping[str, BoolArray]:
        """Success alone."""
        return {"success": self.success(physics, goals)}

    def axes(self) -> tuple[Vary, ...]:
        return ()


def near(apart: F64, half_m: float) -> F64:
    """(N,) 1 at no distance, a half every half_m."""
    return np.asarray(0.5 ** (apart / half_m))


def texts(goals: Goals, name: str) -> list[str]:
    """(N,) a parameter of each row's goal; "" of a row without one."""
    return [str(goal.params.get(name, "")) for goal in goals]


def spread(
    rng: np.random.Generator,
    count: int,
    apart: float,
    *,
    half: Sequence[float] = REACH_M,
    center: Sequence[float] = (0.0, 0.0),
    clear: Iterable[Sequence[float] | F64] = (),
    clear_m: float = 0.0,
) -> F64:
    """(count, 2) places in a rectangle, at least `apart` from each other and clear_m from `clear`.

    Draws until it fits: a rectangle too small for the asked would never end, so it gives up and
    says so.
    """
    for _ in range(2000):
        found = np.asarray(center) + rng.uniform(-1, 1, (count, 2)) * np.asarray(half)
        gaps = np.linalg.norm(found[:, None] - found[None], axis=-1)
        fits = (gaps[np.triu_indices(count, 1)] >= apart).all()
        if fits and all(
            np.linalg.norm(found - np.asarray(c), axis=1).min() >= clear_m for c in clear
        ):
            return np.asarray(found)
    raise ValueError(f"{count} places {apart} m apart do not fit {half}")


def solid(
    body: mujoco.MjsBody,
    name: str,
    kind: mujoco.mjtGeom,
    size: Sequence[float],
    *,
    pos: Sequence[float] = (0.0, 0.0, 0.0),
    material: str = "",
    density: float = DENSITY,
    friction: Sequence[float] = FRICTION,
) -> mujoco.MjsGeom:
    """A geom that collides; size and pos in m of this cell."""
    return body.add_geom(
        name=name,
        type=kind,
        size=[*size, *[0.0] * (3 - len(size))],
        pos=list(pos),
        material=material or name,
        density=density,
        friction=list(friction),
        condim=4,
    )


def block(
    scene: Scene,
    name: str,
    rgba: Sequence[float],
    half: Sequence[float] = (CUBE, CUBE, CUBE),
    kind: mujoco.mjtGeom = GEOM.mjGEOM_BOX,
) -> None:
    """A free block; its origin is its middle."""
    solid(scene.add_prop(name, rgba), name, kind, scene.size(*half))


def zone(scene: Scene, name: str, rgba: Sequence[float], half: Sequence[float]) -> None:
    """A mark on the table that nothing can touch, with a site of its name above it."""
    x, y = scene.size(*half)
    body = scene.add_fixture(name, rgba)
    body.add_geom(
        name=name,
        type=GEOM.mjGEOM_BOX,
        size=[x, y, 0.0005],
        pos=[0, 0, 0.0006],
        material=name,
        contype=0,
        conaffinity=0,
    )
    room(body, name, (x, y, scene.size(0.06)[0]))


def tray(scene: Scene, name: str, rgba: Sequence[float], half: Sequence[float] = TRAY) -> None:
    """A shallow box that stands fast, with a site of its name that fills its inside."""
    x, y = scene.size(*half)
    wall, height, floor = scene.size(0.003, 0.012, 0.002)
    body = scene.add_fixture(name, rgba)
    solid(body, name, GEOM.mjGEOM_BOX, (x, y, floor), pos=(0, 0, floor), material=name)
    for k, (sx, sy) in enumerate(((1, 0), (-1, 0), (0, 1), (0, -1))):
        size = (wall if sx else x + wall * 2, wall if sy else y, height)
        at = (sx * (x + wall), sy * (y + wall), height)
        solid(body, f"{name}_{k + 1}", GEOM.mjGEOM_BOX, size, pos=at, material=name)
    room(body, name, (x, y, scene.size(0.05)[0]))


def room(body: mujoco.MjsBody, name: str, half: Sequence[float], z: float | None = None) -> None:
    """A site that fills a box, from the body's origin up unless its middle's height is given."""
    body.add_site(
        name=name,
        type=GEOM.mjGEOM_BOX,
        size=list(half),
        pos=[0, 0, half[2] if z is None else z],
        group=4,
    )

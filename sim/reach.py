"""Whether a robot reaches what tasks ask of it: its cell's area, the tool pointing straight down.

Frames: the workspace's (see sim.cell); m, rad.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from trimix.core.errors import ConfigError
from trimix.sim.cell import REACH_M
from trimix.sim.kinematics import Kinematics
from trimix.sim.robots.robot import Robot

HEIGHTS_M = (0.01, 0.10, 0.20)
NEAR_M, NEAR_RAD = 0.02, 0.15
"""At scale 1; a tool that leans by 9 degrees still grasps."""
_LOWEST = HEIGHTS_M[0]


@dataclass(frozen=True)
class Miss:
    """A place that the tool cannot be at, pointing down.

    Args:
        pos: m in the workspace.
        off_m, tilt_rad: what is missing.
    """

    pos: tuple[float, float, float]
    off_m: float
    tilt_rad: float


@dataclass(frozen=True)
class Reach:
    """What `reach_report` found.

    Args:
        robot: its name.
        scale: of its cell.
        places: how many were asked for.
        missed: those that it does not reach.
        turns: whether its tool can be turned about the vertical in the middle of the area.
        home: m, where the tool starts.
        home_tilt_rad: by which it leans there.
    """

    robot: str
    scale: float
    places: int
    missed: tuple[Miss, ...]
    turns: bool
    home: tuple[float, float, float]
    home_tilt_rad: float

    @property
    def able(self) -> bool:
        """Whether tasks can be tried: most of the area is reached, and all of its middle."""
        middle = any(np.abs(m.pos[:2]).max() < 1e-9 for m in self.missed if self._low(m))
        return not middle and 3 * len(self.missed) <= self.places

    def line(self) -> str:
        """All of it in one line."""
        said = []
        if self.missed:
            worst = max(self.missed, key=lambda m: m.off_m / NEAR_M + m.tilt_rad / NEAR_RAD)
            low = sum(self._low(m) for m in self.missed)
            at = ", ".join(f"{x:.2f}" for x in worst.pos)
            said.append(
                f"reaches {self.places - len(self.missed)} of {self.places} places of its cell"
                f" pointing down, misses {low} of them at the table; worst at ({at}) m, by"
                f" {1e3 * worst.off_m:.0f} mm and {np.degrees(worst.tilt_rad):.0f} degrees"
            )
        else:
            said.append(f"reaches all {self.places} places of its cell, pointing down")
        if not self.turns:
            said.append("cannot turn its tool about the vertical")
        if self.home_tilt_rad > 0.5:
            said.append(f"starts {np.degrees(self.home_tilt_rad):.0f} degrees off the vertical")
        return f"robot {self.robot!r} " + "; ".join(said)

    def _low(self, miss: Miss) -> bool:
        return miss.pos[2] < 2 * _LOWEST * self.scale


def reach_report(robot: Robot) -> Reach:
    """Ask for a grid of places over the cell's area, at three heights, by inverse kinematics.

    A planar robot is not asked: its tool only slides.

    Raises:
        ConfigError: a joint, site or body that the robot names is not in its model.
    """
    kinematics, scale = Kinematics(robot), robot.cell.scale
    home, turn = kinematics.tool(robot.home)
    tilt = float(np.arccos(np.clip(-turn[2, 2], -1.0, 1.0)))
    grid = [
        np.array([x * REACH_M[0], y * REACH_M[1], z]) * scale
        for z, x, y in product(HEIGHTS_M, (-1, 0, 1), (-1, 0, 1))
    ]
    missed, turns = [], True
    if not robot.planar:
        seeds = _seeds(kinematics, robot, scale)
        for place in grid:
            off, lean = min(
                (kinematics.towards(place, None, seed)[1:3] for seed in seeds),
                key=lambda miss: miss[0] / NEAR_M + miss[1] / NEAR_RAD,
            )
            if off > NEAR_M * scale or lean > NEAR_RAD:
                missed.append(Miss((*map(float, place),), off, lean))  # type: ignore[arg-type]
        above = np.array([0.0, 0.0, HEIGHTS_M[0] * scale])
        turns = all(
            kinematics.down(above, yaw, seeds[-1], within_m=NEAR_M * scale, within_rad=NEAR_RAD)
            is not None
            for yaw in (0.0, np.pi / 4, np.pi / 2)
        )
    at = (float(home[0]), float(home[1]), float(home[2]))
    return Reach(robot.name, scale, len(grid), tuple(missed), turns, at, tilt)


def require_reach(robot: Robot, where: str = "") -> Reach:
    """The report of a robot that tasks can be tried with.

    Raises:
        ConfigError: it reaches too little of its cell.
    """
    report = reach_report(robot)
    if not report.able:
        raise ConfigError(
            report.line(),
            where=where,
            do="move cell.base, lower cell.scale, or choose a home whose tool points down",
        )
    return report


def _seeds(kinematics: Kinematics, robot: Robot, scale: float) -> list[np.ndarray]:
    """Home, and what puts the tool over the middle of the table."""
    home = np.array(robot.home)
    middle, *_ = kinematics.towards((0.0, 0.0, HEIGHTS_M[1] * scale), None, home)
    return [home, middle]

"""Blocks on a table: how they lie and stand on each other, and a policy that moves them.

Axes: N rows. Frames: the workspace's; lengths that tasks give are m of a cell of scale 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from trimix.core.contracts import F64, BoolArray
from trimix.sim.contacts import TABLE
from trimix.sim.physics import Physics, Row
from trimix.sim.queries import Names_
from trimix.tasks.skills import Move, ToolPolicy
from trimix.tasks.tabletop import CUBE, spread

ALIGNED_M = 0.015
"""How far a block's middle may lie beside that of the block below it."""
LEVEL_RAD = 0.15
LOW_M = 0.034
"""A block whose middle is higher than this above the table lies on a tray's rim, or on another."""
_GAP = (1.7, 2.4)  # of CUBE: between the middles of two stacked blocks, sizes being randomized
_FINGER_M = 0.012  # half of an open finger's footprint, and a little air
_BLOCK_M = 0.025  # half of a block's edge, somewhat towards its corner
_ABOVE_WALLS_M = 0.033  # of the tool, where its fingers pass over a tray's walls
_ASIDE_M = (0.11, 0.16)  # half of where blocks are put aside
_MOVED_M = 0.012  # a block that is farther from where it was planned for has been knocked away


def lay_out(
    row: Row,
    rng: np.random.Generator,
    names: Sequence[str],
    places: Sequence[Sequence[float]] | F64,
) -> None:
    """Blocks flat on the table at places (count, 2), each turned at random."""
    for name, place in zip(names, places, strict=True):
        height = float(row.geom_size(name)[2]) / row.scale
        row.set_pose(name, (place[0], place[1], height), rng.uniform(-np.pi, np.pi))


def level(physics: Physics, name: Names_) -> BoolArray:
    """(N,) whether some face of a block points up."""
    steepest = np.abs(physics.body_mat(name)[:, 2]).max(axis=1)
    return np.asarray(steepest > np.cos(LEVEL_RAD))


def over(physics: Physics, upper: Names_, lower: Names_) -> BoolArray:
    """(N,) whether a block's middle lies above another's, a block's height higher."""
    apart = physics.body_pos(upper) - physics.body_pos(lower)
    low, high = (g * CUBE * physics.scale for g in _GAP)
    aside = np.linalg.norm(apart[:, :2], axis=1)
    return np.asarray(
        (aside < ALIGNED_M * physics.scale) & (apart[:, 2] > low) & (apart[:, 2] < high)
    )


def stacked(physics: Physics, upper: Names_, lower: Names_) -> BoolArray:
    """(N,) whether a block rests on another, level and aligned, and the robot touches neither."""
    return np.asarray(
        over(physics, upper, lower)
        & physics.touching(upper, lower)
        & ~physics.touching(upper, TABLE)
        & level(physics, upper)
        & physics.resting(upper)
        & physics.resting(lower)
    )


def standing(physics: Physics, name: Names_) -> BoolArray:
    """(N,) whether a block lies on the table, on a face."""
    return np.asarray(physics.touching(name, TABLE) & level(physics, name))


def lying_in(physics: Physics, name: Names_, into: Names_) -> BoolArray:
    """(N,) whether a block lies on a tray's floor, on a face: not over its rim, nor on another."""
    high = (physics.body_pos(name) - physics.body_pos(into))[:, 2]
    return np.asarray(
        physics.inside(name, into)
        & physics.touching(name, into)
        & level(physics, name)
        & (high < LOW_M * physics.scale)
    )


class BlockPolicy(ToolPolicy):
    """Skills with blocks, for experts to plan with.

    Attributes:
        blocks: all that there are.
        walls: fixtures that fingers must keep clear of: (name, half extents (2,) m of the inside).
    """

    blocks: Sequence[str] = ()
    walls: Sequence[tuple[str, tuple[float, float]]] = ()

    def held_block(self, row: int) -> str | None:
        """The block in the row's gripper."""
        return next((b for b in self.blocks if self.holds(row, b)), None)

    def on_top(self, row: int, name: str) -> list[str]:
        """Blocks above a block, the highest first."""
        at = self.physics.body_pos(name)[row]
        found = []
        for other in self.blocks:
            apart = self.physics.body_pos(other)[row] - at
            aside = float(np.linalg.norm(apart[:2]))
            if other != name and aside < 2 * CUBE * self.scale and apart[2] > CUBE * self.scale:
                found.append((float(apart[2]), other))
        return [other for _, other in sorted(found, reverse=True)]

    def face_yaw(self, row: int, name: str) -> float:
        """rad, the direction of a face of a block, whichever side it lies on."""
        axes = self.physics.body_mat(name)[row]
        flattest = axes[:, int(np.abs(axes[2]).argmin())]
        return float(np.arctan2(flattest[1], flattest[0]))

    def clear_yaw(self, row: int, name: str) -> float:
        """A grasp's yaw, across faces of a block, where the open fingers have room."""
        face = self.face_yaw(row, name)
        own, best, most = self.tool_yaw(row), face, -np.inf
        for yaw in (self.grasp_yaw(row, face + k * np.pi / 2, np.pi) for k in (0, 1)):
            room = min(self._room(row, name, yaw), 0.006 * self.scale)
            value = room - 0.001 * self.scale * abs(yaw - own)
            if value > most:
                best, most = yaw, value
        return best

    def take(
        self, row: int, name: str, rng: np.random.Generator, *, lift: float, hover: float = 0.07
    ) -> list[Move]:
        """Grip a block across two of its faces, and lift it."""
        physics, s = self.physics, self.scale
        at = physics.body_pos(name)[row] + s * np.array([*rng.normal(0, 0.0015, 2), 0.0])
        yaw = self.clear_yaw(row, name)
        if self.walls and self._room(row, name, yaw) < 0:
            at[2] = max(at[2], _ABOVE_WALLS_M * s)
        moves = self.pick(row, name, at, yaw, hover=hover, lift=lift)
        there = self.unmoved(row, name)
        return [replace(m, check=there) if m.name in ("above", "down") else m for m in moves]

    def put(
        self,
        row: int,
        name: str,
        to: F64,
        yaw: float,
        *,
        hover: float,
        up: float | None = None,
        check: Callable[[], bool] | None = None,
    ) -> list[Move]:
        """Set a block down with its middle at `to` (3,) m, the tool at a yaw.

        Args:
            check: asked on the way, beside whether the block is still in the gripper.
        """
        at = to + self.scale * np.array([0.0, 0.0, 0.003])
        if self.holds(row, name):
            physics = self.physics
            inside = physics.tool_pos()[row] - physics.body_pos(name)[row]
            turn = yaw - self.tool_yaw(row)
            c, s = np.cos(turn), np.sin(turn)
            at = at + np.array(
                [c * inside[0] - s * inside[1], s * inside[0] + c * inside[1], inside[2]]
            )
        keeps = self.keeps(row, name)
        both = keeps if check is None else lambda: keeps() and check()
        moves = self.place(row, name, at, yaw, hover=hover, up=up)
        return [replace(m, check=both) if m.check is not None else m for m in moves]

    def put_aside(self, row: int, name: str, rng: np.random.Generator, yaw: float) -> list[Move]:
        """Set a block down on the table, away from everything."""
        physics, s = self.physics, self.scale
        others = [physics.body_pos(b)[row][:2] / s for b in self.blocks if b != name]
        others += [physics.body_pos(w)[row][:2] / s for w, _ in self.walls]
        clear = 0.14 if self.walls else 0.10
        spot = _free_spot(rng, others, clear)
        to = np.array([*(s * spot), self.half(row, name)])
        return self.put(row, name, to, yaw, hover=0.07)

    def half(self, row: int, name: str) -> float:
        """m, half of a block's height, randomization included."""
        return float(self.physics.geom_size(name, row)[2])

    def unmoved(self, row: int, name: str) -> Callable[[], bool]:
        """A check that a block is where it is now."""
        physics, before = self.physics, self.physics.body_pos(name)[row]
        far = _MOVED_M * self.scale
        return lambda: bool(np.linalg.norm(physics.body_pos(name)[row] - before) < far)

    def _room(self, row: int, name: str, yaw: float) -> float:
        """m between the open fingers around a block and what stands beside it."""
        physics, s = self.physics, self.scale
        gripper = physics.robot.gripper
        at = physics.body_pos(name)[row]
        out = 0.5 * (gripper.width_m if gripper else 0.0) + 0.004 * s
        way = out * np.array([np.cos(yaw), np.sin(yaw)])
        fingers = np.array([at[:2] + way, at[:2] - way])
        room = np.inf
        for other in self.blocks:
            there = physics.body_pos(other)[row]
            if other != name and there[2] > at[2] - CUBE * s:
                gap = np.linalg.norm(fingers - there[:2], axis=1).min()
                room = min(room, float(gap) - (_BLOCK_M + _FINGER_M) * s)
        for wall, half in self.walls:
            there, turn = physics.body_pos(wall)[row], physics.body_mat(wall)[row][:2, :2]
            # Distance to the rectangle's line, from inside and from outside.
            beyond = np.abs((fingers - there[:2]) @ turn) - s * np.asarray(half)
            outside = np.linalg.norm(np.maximum(beyond, 0.0), axis=1)
            line = np.where((beyond < 0).all(1), -beyond.max(1), outside)
            room = min(room, float(line.min()) - _FINGER_M * s)
        return room


class Builder(BlockPolicy):
    """Builds a tower: subclasses say of what."""

    def order(self, row: int) -> Sequence[str]:
        """The tower's blocks, from the table up."""
        raise NotImplementedError

    def plan(self, row: int, rng: np.random.Generator) -> list[Move]:
        order, held = list(self.order(row)), self.held_block(row)
        done = self._built(row, order)
        if done == len(order):
            return self.rise(row, 0.16) if held is None else []
        want = order[done]
        base = order[done - 1] if done else None
        if held is not None:
            covered = base is not None and any(b != held for b in self.on_top(row, base))
            first = self.rise(row, 0.12)
            if held != want or base is None or covered:
                return [*first, *self.put_aside(row, held, rng, self.tool_yaw(row))]
            return [*first, *self._onto(row, held, base, self.tool_yaw(row))]
        first = self.rise(row, 0.10)
        in_the_way = [*self.on_top(row, want), *(self.on_top(row, base) if base else [])]
        in_the_way = [b for b in in_the_way if b != want]
        if in_the_way or base is None:
            name = in_the_way[0] if in_the_way else want
            yaw = self.clear_yaw(row, name)
            taken = self.take(row, name, rng, lift=0.10)
            return [*first, *taken, *self.put_aside(row, name, rng, yaw)]
        lift = 0.04 * done + 0.07
        yaw = self.clear_yaw(row, want)
        taken = self.take(row, want, rng, lift=lift)
        return [*first, *taken, *self._onto(row, want, base, yaw)]

    def _onto(self, row: int, name: str, base: str, yaw: float) -> list[Move]:
        """Set a block down on another, face along face."""
        below = self.physics.body_pos(base)[row]
        to = below + np.array([0.0, 0.0, self.half(row, base) + self.half(row, name)])
        face = self.face_yaw(row, base)
        turned = yaw + float((face - yaw + np.pi / 4) % (np.pi / 2) - np.pi / 4)
        return self.put(row, name, to, turned, hover=0.06, up=0.06, check=self.unmoved(row, base))

    def _built(self, row: int, order: Sequence[str]) -> int:
        """How many blocks of the tower, from the table up, stand where they should."""
        held = self.held_block(row)
        if held == order[0] or not standing(self.physics, order[0])[row]:
            return 0
        done = 1
        for upper, lower in zip(order[1:], order[:-1], strict=True):
            if held == upper or not over(self.physics, upper, lower)[row]:
                break
            done += 1
        return done


def _free_spot(rng: np.random.Generator, others: Sequence[F64], clear_m: float) -> F64:
    """(2,) a place on the table with that much room around it; with less if there is none."""
    for part in (1.0, 0.75, 0.5, 0.25):
        with suppress(ValueError):
            return np.asarray(
                spread(rng, 1, 0.0, half=_ASIDE_M, clear=others, clear_m=part * clear_m)[0]
            )
    return np.asarray(spread(rng, 1, 0.0, half=_ASIDE_M)[0])

"""A task of one's own, outside of trimix: put the tool over the coin that the words name.

    cd examples/own_task
    trimix collect task=coin:Coin episodes=20 out=datasets/coin
    trimix evaluate task=coin:Coin policies.expert=expert policies.chance=random scenes=20

trimix finds the class by its name, module:class. What it must have is sim.task.Task; the defaults
of tasks.tabletop.Tabletop do for most of it. It runs on any robot: `robot=cr5`. Frames: the
workspace's, table top at z = 0. Axes: N rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trimix.core.contracts import F64, BoolArray, Goal, Policy, PolicyInterface
from trimix.sim.physics import Physics, Row
from trimix.sim.scene import Scene
from trimix.sim.task import Cheater, Goals
from trimix.tasks.cheats import cheater, other, whole
from trimix.tasks.skills import Move, ToolPolicy
from trimix.tasks.tabletop import COLOURS, Phrases, Tabletop, near, spread, texts, zone

COINS = ("yellow", "red")
NEAR_M = 0.02
HIGH_M = 0.02
PHRASES = Phrases(
    train=("go to the {coin} coin", "put the tip over the {coin} coin", "point at the {coin} one"),
    heldout=("the {coin} coin, please", "show me the {coin} coin"),
)


@dataclass(frozen=True)
class Coin(Tabletop):
    """Move the tool over a coin and keep it there."""

    name: str = "coin"
    robot: str = "gantry"
    gripper: bool = False
    lets_go: bool = False
    time_limit_s: float = 8.0
    cameras: tuple[str, ...] = ("front",)

    @property
    def cheaters(self) -> tuple[Cheater, ...]:
        """The other coin, beside it, past it."""
        return (
            cheater("wrong coin", _Straight, whole, aim=other("coin", COINS)),
            cheater("beside", _Straight, _beside),
        )

    def compose(self, scene: Scene) -> None:
        """A table with two coins that nothing can touch.

        Presets of randomization vary what `scene` has: tables, lights, backdrops, props, fixtures.
        """
        scene.add_room()
        for coin in COINS:
            zone(scene, coin, COLOURS[coin], (0.025, 0.025))

    def start(self, row: Row, rng: np.random.Generator) -> Goal:
        """Coins apart; the goal is drawn by itself, so that the scene does not give it away.

        A start that is solved already is drawn again.
        """
        row.set_home(rng)
        for coin, place in zip(COINS, spread(rng, 2, 0.10), strict=True):
            row.set_pose(coin, (*place, 0.0), 0.0)
        return PHRASES.goal(rng, coin=str(rng.choice(COINS)))

    def success(self, physics: Physics, goals: Goals) -> BoolArray:
        """Within 2 cm of the coin's middle, seen from above; the world adds that it must last."""
        return np.asarray(_away(physics, goals) < NEAR_M * physics.scale)

    def progress(self, physics: Physics, goals: Goals) -> F64:
        """Halves every 8 cm."""
        return near(_away(physics, goals), 0.08 * physics.scale)

    def expert(self, physics: Physics, goals: Goals, interface: PolicyInterface) -> Policy:
        """Straight to the coin."""
        return _Straight(physics, goals, interface, lambda: self.success(physics, goals))


class _Straight(ToolPolicy):
    """A scripted policy: it sees the simulator's state, and plans one move."""

    def plan(self, row: int, rng: np.random.Generator) -> list[Move]:
        to = self.physics.body_pos(self.goals[row].text("coin"))[row]
        return [Move(to + np.array([0, 0, HIGH_M * self.scale]), self.tool_yaw(row), 1.0)]


def _beside(
    moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator
) -> list[Move]:
    """Stops 4 cm before it."""
    move = moves[0]
    way = move.pos - policy.physics.tool_pos()[row]
    short = way / np.linalg.norm(way) * 0.04 * policy.scale
    return [Move(move.pos - short, move.yaw, move.grip)]


def _away(physics: Physics, goals: Goals) -> F64:
    """(N,) m from the tool to the coin, seen from above."""
    offset = physics.body_pos(texts(goals, "coin")) - physics.tool_pos()
    return np.asarray(np.linalg.norm(offset[:, :2], axis=1))

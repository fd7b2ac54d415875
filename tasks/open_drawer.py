"""Open one of three drawers that stand side by side, as the words say.

Axes: N rows. Lengths are m of a cell of scale 1 where the scene is laid out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from trimix.core.contracts import F64, BoolArray, Goal, Policy, PolicyInterface
from trimix.sim.physics import Physics, Row
from trimix.sim.scene import Scene
from trimix.sim.task import Cheater, Goals
from trimix.tasks.cheats import cheater, other, until, whole
from trimix.tasks.drawers import CLOSED_M, OPEN_M, WIDTH, DrawerPolicy, chest, drawn
from trimix.tasks.skills import Move, ToolPolicy
from trimix.tasks.tabletop import COLOURS, Phrases, Tabletop, near, texts

DRAWERS = ("red", "green", "blue")
PLACES = ("left", "middle", "right")
"""As the robot sees them."""
PHRASES = Phrases(
    train=(
        "open the drawer with the {drawer} handle",
        "pull the {drawer} handle",
        "open the {place} drawer",
        "pull out the {place} drawer",
    ),
    heldout=(
        "the {drawer} drawer should be open",
        "get the drawer on the {place} open",
    ),
)
_PULLED = 0.085  # where the expert stops


@dataclass(frozen=True)
class OpenDrawer(Tabletop):
    """One of three drawers, in any order."""

    name: str = "open_drawer"

    @property
    def cheaters(self) -> tuple[Cheater, ...]:
        """Too little, held, wrong, several, opened and shut, from the side."""
        return (
            cheater("grip", Expert, until("close")),
            cheater("hold open", Expert, until("slide")),
            cheater("half open", Expert, _half),
            cheater("wrong drawer", Expert, whole, aim=other("drawer", DRAWERS)),
            cheater("all drawers", Expert, _all),
            cheater("open and shut", Expert, _shut),
            cheater("others ajar", Expert, _ajar),
            cheater("sweep", Expert, _sweep),
        )

    def compose(self, scene: Scene) -> None:
        """Three chests."""
        scene.add_room()
        for colour in DRAWERS:
            chest(scene, colour, COLOURS[colour])

    def start(self, row: Row, rng: np.random.Generator) -> Goal:
        """The chests in a row at the robot's side of the table, opening away from it."""
        row.set_home(rng)
        yaw = rng.uniform(-0.25, 0.25)
        across = np.array([-np.sin(yaw), np.cos(yaw)])
        middle = np.array([rng.uniform(-0.10, -0.03), rng.uniform(-0.04, 0.04)])
        order = rng.permutation(len(DRAWERS))
        for place, k in enumerate(order):
            at = middle + (1 - place) * (WIDTH + 0.002) * across
            row.set_pose(f"{DRAWERS[k]}_chest", (*at, 0.0), yaw)
        place = int(rng.integers(len(DRAWERS)))
        return PHRASES.goal(rng, drawer=DRAWERS[order[place]], place=PLACES[place])

    def success(self, physics: Physics, goals: Goals) -> BoolArray:
        """The drawer is open and the others are closed, none of them touched."""
        out, named = drawn(physics, DRAWERS), _named(goals)
        fine = np.where(named, out >= OPEN_M, out < CLOSED_M).all(axis=1)
        free = np.stack([physics.free(drawer) for drawer in DRAWERS], axis=1).all(axis=1)
        return np.asarray(fine & free)

    def progress(self, physics: Physics, goals: Goals) -> F64:
        """Tool to handle, then how far the drawer is out; what else is open counts against it."""
        out, named = drawn(physics, DRAWERS), _named(goals)
        handle = physics.site([f"{drawer}_handle" for drawer in texts(goals, "drawer")])
        reach = np.linalg.norm(physics.tool_pos() - handle, axis=1)
        part = np.clip(out[named] / OPEN_M, 0.0, 1.0)
        others = np.clip(np.where(named, 0.0, out) / OPEN_M, 0.0, 1.0).max(axis=1)
        return np.asarray(0.25 * near(reach, 0.08 * physics.scale) + 0.65 * part * (1 - others))

    def subgoals(self, physics: Physics, goals: Goals) -> Mapping[str, BoolArray]:
        """Gripped, out, let go."""
        drawer = texts(goals, "drawer")
        return {
            "gripped": physics.gripped(drawer),
            "out": drawn(physics, DRAWERS)[_named(goals)] >= OPEN_M,
            "success": self.success(physics, goals),
        }

    def expert(self, physics: Physics, goals: Goals, interface: PolicyInterface) -> Policy:
        """Grip the handle, pull, let go."""
        return Expert(physics, goals, interface, lambda: self.success(physics, goals))


def _named(goals: Goals) -> BoolArray:
    """(N, 3) which of DRAWERS each row's goal names, one a row."""
    return np.array([[goal.text("drawer") == drawer for drawer in DRAWERS] for goal in goals])


class Expert(DrawerPolicy):
    """Closes what should not be open, then opens the named drawer."""

    def plan(self, row: int, rng: np.random.Generator) -> list[Move]:
        name = self.goals[row].text("drawer")
        out = dict(zip(DRAWERS, drawn(self.physics, DRAWERS)[row], strict=True))
        for drawer in DRAWERS:
            if drawer != name and out[drawer] >= CLOSED_M:
                return self.slide(row, drawer, 0.0)
        if out[name] < OPEN_M + 0.005:
            return self.slide(row, name, _PULLED)
        return self.leave(row)


_PULLING = ("slide", "open", "away")


def _half(moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator) -> list[Move]:
    """Pulls by 5 cm and lets go."""
    way = policy.physics.body_mat(policy.goals[row].text("drawer"))[row][:, 0]
    less = (_PULLED - 0.05) * policy.scale * way
    return [replace(m, pos=m.pos - less) if m.name in _PULLING else m for m in moves]


def _shut(moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator) -> list[Move]:
    """Opens the drawer and pushes it back before it lets go."""
    way = policy.physics.body_mat(policy.goals[row].text("drawer"))[row][:, 0]
    less = _PULLED * policy.scale * way
    at = [m.name for m in moves].index("slide")
    back = [replace(m, pos=m.pos - less) for m in moves[at:]]
    return [*moves[: at + 1], *back]


def _all(moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator) -> list[Move]:
    """Opens one after the other, the named one last."""
    return [*_others(policy, row, _PULLED), *moves]


def _ajar(moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator) -> list[Move]:
    """Leaves the others open by a gap, and opens the named one."""
    return [*_others(policy, row, 0.02), *moves]


def _others(policy: ToolPolicy, row: int, to: float) -> list[Move]:
    if not isinstance(policy, DrawerPolicy):
        raise TypeError(f"{type(policy).__name__} has no skills with drawers")
    named = policy.goals[row].text("drawer")
    found = [policy.slide(row, drawer, to) for drawer in DRAWERS if drawer != named]
    return [move for moves in found for move in moves]


def _sweep(moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator) -> list[Move]:
    """Closed fingers knock the handle over from the side, as far as that goes."""
    physics, s = policy.physics, policy.scale
    name = policy.goals[row].text("drawer")
    handle, axes = physics.site(f"{name}_handle")[row], physics.body_mat(name)[row]
    side, up = axes[:, 1], np.array([0.0, 0.0, 0.06 * s])
    yaw = float(np.arctan2(axes[1, 0], axes[0, 0]))
    begin, end = handle - 0.045 * s * side, handle + 0.03 * s * side
    return [
        Move(begin + up, yaw, 1.0),
        Move(begin, yaw, 1.0),
        Move(end, yaw, 1.0, 2.0),
        Move(end + 0.05 * s * axes[:, 0], yaw, 1.0, 2.0),
    ]

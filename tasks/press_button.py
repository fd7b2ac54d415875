"""Press one of three buttons all the way down, as the words say; a pressed one stays down.

Axes: N rows. Lengths are m of a cell of scale 1 where the scene is laid out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import mujoco
import numpy as np

from trimix.core.contracts import F64, BoolArray, Goal, Policy, PolicyInterface
from trimix.sim.physics import Physics, Row
from trimix.sim.scene import GEOM, Scene
from trimix.sim.task import Cheater, Goals
from trimix.tasks.cheats import cheater, other, until, whole
from trimix.tasks.skills import Move, ToolPolicy
from trimix.tasks.tabletop import COLOURS, Phrases, Tabletop, near, solid, spread, texts

BUTTONS = ("red", "green", "blue")
PHRASES = Phrases(
    train=(
        "press the {button} button",
        "push the {button} button down",
        "press {button} until it stays down",
    ),
    heldout=(
        "the {button} button should be pressed",
        "hit the {button} button",
    ),
)
TRAVEL = 0.014
DOWN_M, UP_M = 0.0125, 0.003
"""How far in a pressed button is at least, and one that is not pressed at most."""
_BASE = (0.040, 0.040, 0.014)
_CAP = 0.027  # radius
_OUT = 0.005  # what is left of a pressed cap above its base
_GREY = (0.35, 0.35, 0.37, 1.0)
_HOVER, _SLOW = 0.06, 0.04


@dataclass(frozen=True)
class PressButton(Tabletop):
    """One of three buttons, anywhere on the table."""

    name: str = "press_button"
    time_limit_s: float = 15.0

    @property
    def cheaters(self) -> tuple[Cheater, ...]:
        """Above it, held, wrong, beside, from the side, half-way, several."""
        return (
            cheater("hover", Expert, until("above")),
            cheater("hold down", Expert, until("press")),
            cheater("wrong button", Expert, whole, aim=other("button", BUTTONS)),
            cheater("press the base", Expert, _base),
            cheater("from the side", Expert, _side),
            Cheater("half-way", _Careless.after(enough=0.006)),
            Cheater("all buttons", _Careless.after(others=DOWN_M)),
            Cheater("brush the others", _Careless.after(others=UP_M)),
        )

    def compose(self, scene: Scene) -> None:
        """Three buttons."""
        scene.add_room()
        for colour in BUTTONS:
            _button(scene, colour)

    def start(self, row: Row, rng: np.random.Generator) -> Goal:
        """The buttons apart, turned at random."""
        row.set_home(rng)
        places = spread(rng, len(BUTTONS), 0.125, half=(0.11, 0.17))
        for colour, place in zip(BUTTONS, places, strict=True):
            row.set_pose(f"{colour}_base", (*place, 0.0), rng.uniform(-np.pi, np.pi))
        return PHRASES.goal(rng, button=str(rng.choice(BUTTONS)))

    def success(self, physics: Physics, goals: Goals) -> BoolArray:
        """The button is down, the others are up, and the robot touches none of them."""
        down, named = _pressed(physics), _named(goals)
        fine = np.where(named, down >= DOWN_M, down < UP_M).all(axis=1)
        free = np.stack([physics.free(button) for button in BUTTONS], axis=1).all(axis=1)
        return np.asarray(fine & free)

    def progress(self, physics: Physics, goals: Goals) -> F64:
        """Tool to button, then how far it is in; what else is in counts against it."""
        down, named = _pressed(physics), _named(goals)
        reach = np.linalg.norm(
            physics.tool_pos() - physics.body_pos(texts(goals, "button")), axis=1
        )
        part = np.clip(down[named] / DOWN_M, 0.0, 1.0)
        others = np.clip(np.where(named, 0.0, down) / DOWN_M, 0.0, 1.0).max(axis=1)
        return np.asarray(0.35 * near(reach, 0.08 * physics.scale) + 0.55 * part * (1 - others))

    def subgoals(self, physics: Physics, goals: Goals) -> Mapping[str, BoolArray]:
        """Touched, down, let go."""
        button = texts(goals, "button")
        return {
            "touched": ~physics.free(button),
            "down": _pressed(physics)[_named(goals)] >= DOWN_M,
            "success": self.success(physics, goals),
        }

    def expert(self, physics: Physics, goals: Goals, interface: PolicyInterface) -> Policy:
        """Above the button, press, rise."""
        return Expert(physics, goals, interface, lambda: self.success(physics, goals))


def _button(scene: Scene, name: str) -> None:
    """A base that stands fast; on it the button, body and joint called by its name.

    The joint is 0 where the button is up and -TRAVEL where it is down, where dry friction keeps it.
    """
    base = scene.add_fixture(f"{name}_base", _GREY)
    half = scene.size(*_BASE)
    solid(base, f"{name}_base", GEOM.mjGEOM_BOX, half, pos=(0, 0, half[2]), material=f"{name}_base")
    radius, high, top = scene.size(_CAP, (TRAVEL + _OUT) / 2, 2 * _BASE[2] + TRAVEL + _OUT)
    cap = scene.add_fixture(name, COLOURS[name], parent=base)
    cap.pos = [0.0, 0.0, top]
    cap.gravcomp = 1.0
    size, middle = (radius, high), (0.0, 0.0, -high)
    geom = solid(cap, name, GEOM.mjGEOM_CYLINDER, size, pos=middle, material=name)
    # Slippery and hard, whatever touches it: a shove from the side must not drag it down.
    geom.priority, geom.friction = 3, [0.2, 0.005, 0.0001]
    geom.solref, geom.solimp = [0.01, 1.0], [0.95, 0.995, 0.001, 0.5, 2.0]
    cap.add_joint(
        name=name,
        type=mujoco.mjtJoint.mjJNT_SLIDE,
        axis=[0, 0, 1],
        range=scene.size(-TRAVEL, 0.0),
        limited=True,
        damping=[6.0, 0.0, 0.0],
        frictionloss=2.5,
        armature=0.2,
        # Stiff: a finger that presses on stops at the end of the way.
        solref_friction=[0.01, 1.0],
        solimp_friction=[0.99, 0.999, 0.001, 0.5, 2.0],
        solimp_limit=[0.98, 0.999, 0.001, 0.5, 2.0],
    )
    # The cap goes into its base: the joint alone guides it.
    scene.spec.add_exclude(name=f"{name}:{name}_base", bodyname1=f"{name}_base", bodyname2=name)


def _pressed(physics: Physics) -> F64:
    """(N, 3) how far each of BUTTONS is in, in m of a cell of scale 1."""
    return -np.stack([physics.joint(button) for button in BUTTONS], axis=1) / physics.scale


def _named(goals: Goals) -> BoolArray:
    """(N, 3) which of BUTTONS each row's goal names, one a row."""
    return np.array([[goal.text("button") == button for button in BUTTONS] for goal in goals])


class Expert(ToolPolicy):
    """Presses the named button with closed fingers.

    Attributes:
        enough: how far in it presses.
    """

    enough = DOWN_M + 0.0005

    def plan(self, row: int, rng: np.random.Generator) -> list[Move]:
        name = self.goals[row].text("button")
        if self._in(row, name) >= self.enough:
            here, s = self.physics.tool_pos()[row], self.scale
            high = max(float(here[2]), float(self.physics.body_pos(name)[row][2]) + _HOVER * s)
            up = np.array([*here[:2], high])
            return [Move(up, self.tool_yaw(row), 1.0, 0.4, 0.15 * s, name="away")]
        return self.press(row, name, self.enough, rng)

    def press(self, row: int, name: str, enough: float, rng: np.random.Generator) -> list[Move]:
        """Closed fingers onto a button and down."""
        physics, s = self.physics, self.scale
        top, here, yaw = physics.body_pos(name)[row], physics.tool_pos()[row], self.tool_yaw(row)
        up = np.array([0.0, 0.0, s])

        # How far the tool is above the finger tips differs between grippers: so it goes on until
        # the button is in, not down to a height.
        def going() -> bool:
            return self._in(row, name) < enough

        deep = up * (TRAVEL + 0.006 - self._in(row, name))
        if not physics.free(name)[row] and np.linalg.norm((here - top)[:2]) < 0.01 * s:
            return [
                Move(
                    np.array([*here[:2], (top - deep)[2]]), yaw, 1.0, 0.5, _SLOW * s, going, "press"
                )
            ]
        aim = top + np.array([*rng.normal(0.0, 0.002 * s, 2), 0.0])
        return [
            *self.rise(row, 0.11),
            Move(aim + up * _HOVER, yaw, 1.0, self._close_s(), name="above"),
            Move(aim + up * 0.025, yaw, 1.0, 0.4, 0.12 * s, going, "near"),
            Move(aim - deep, yaw, 1.0, 0.5, _SLOW * s, going, "press"),
        ]

    def _in(self, row: int, name: str) -> float:
        """How far a button is in, in m of a cell of scale 1."""
        return float(-self.physics.joint(name)[row]) / self.scale


class _Careless(Expert):
    """Presses the other buttons first, or the named one less."""

    others = 0.0

    @classmethod
    def after(
        cls, *, others: float = 0.0, enough: float = Expert.enough
    ) -> Callable[[Physics, Goals, PolicyInterface], Policy]:
        """Makes one that presses the others by `others` first, and the named one by `enough`."""

        def make(physics: Physics, goals: Goals, interface: PolicyInterface) -> Policy:
            policy = cls(physics, goals, interface, lambda: np.zeros(physics.n, bool))
            policy.others, policy.enough = others, enough
            return policy

        return make

    def plan(self, row: int, rng: np.random.Generator) -> list[Move]:
        for button in BUTTONS:
            if button != self.goals[row].text("button") and self._in(row, button) < self.others:
                return self.press(row, button, self.others, rng)
        return super().plan(row, rng)


def _base(moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator) -> list[Move]:
    """Presses beside the cap, on a corner of its base."""
    corner = policy.physics.body_mat(policy.goals[row].text("button"))[row] @ [0.033, 0.033, 0.0]
    return [replace(move, pos=move.pos + policy.scale * corner) for move in moves]


def _side(moves: list[Move], policy: ToolPolicy, row: int, rng: np.random.Generator) -> list[Move]:
    """Closed fingers shove the cap from the side, and stay."""
    physics, s = policy.physics, policy.scale
    top, yaw = physics.body_pos(policy.goals[row].text("button"))[row], policy.tool_yaw(row)
    begin, end = (top + s * np.array([x, 0.0, -0.004]) for x in (-0.065, -0.030))
    above = begin + s * np.array([0.0, 0.0, 0.06])
    return [Move(above, yaw, 1.0), Move(begin, yaw, 1.0), Move(end, yaw, 1.0, 3.0)]

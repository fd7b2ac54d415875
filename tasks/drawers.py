"""A low chest with one drawer, and the skill of sliding it by its handle.

Axes: N rows. Frames: the workspace's; lengths are m of a cell of scale 1. A chest's x axis is the
way in which its drawer opens; a drawer's joint is 0 where it is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import mujoco
import numpy as np

from trimix.core.contracts import F64, BoolArray
from trimix.sim.physics import Physics
from trimix.sim.scene import GEOM, Scene
from trimix.tasks.skills import Move, ToolPolicy
from trimix.tasks.tabletop import room, solid

WIDTH, DEPTH = 0.100, 0.100
"""Of a chest, along y and x."""
TRAVEL = 0.100
INSIDE = (0.045, 0.042)
"""Half extents of a drawer's floor."""
FLOOR = 0.006
"""Height of a drawer's floor above the table."""
WALL = 0.026
"""Height of a drawer's side walls above the table; the front is as high as the chest."""
OPEN_M, CLOSED_M = 0.060, 0.010
"""A drawer that is farther out is open, one that is less far out is closed."""
_HEIGHT, _THICK, _FRONT = 0.050, 0.003, 0.010
_HANDLE = (0.005, 0.013, 0.021)  # half extents of the knob that stands on the front
_GRASP = 0.021  # of the handle's middle above the chest's top
_WOOD = (0.60, 0.52, 0.42, 1.0)
_HOVER = 0.13
# Enough to stop a drawer that was flung, and nothing pushes it by itself.
_RUB_N, _DAMP = 1.0, 4.0
_MASS_KG = 0.15


def chest(scene: Scene, name: str, rgba: Sequence[float]) -> str:
    """A chest that stands fast, with a drawer whose front and handle have this colour.

    Body, joint and the site of the inside are called as the drawer; a site in the handle's middle
    is called "{name}_handle".

    Returns:
        the chest's name, to place it by.
    """
    case = f"{name}_chest"
    body = scene.add_fixture(case, _WOOD)
    x, y, thick, height = scene.size((DEPTH - _FRONT) / 2, WIDTH / 2, _THICK, _HEIGHT)
    # The drawer's front takes the foremost part.
    back = -scene.size(_FRONT / 2)[0]
    planks = (
        ((x, thick / 2, height / 2), (back, y - thick / 2, height / 2)),
        ((x, thick / 2, height / 2), (back, thick / 2 - y, height / 2)),
        ((thick / 2, y - thick, height / 2), (back + thick / 2 - x, 0, height / 2)),
        ((x, y - thick, thick / 2), (back, 0, height - thick / 2)),
    )
    for k, (half, at) in enumerate(planks):
        solid(body, f"{case}_{k}", GEOM.mjGEOM_BOX, half, pos=at, material=case)
    _drawer(scene, body, name, rgba)
    # The joint alone guides the drawer: what wood does on wood is its frictionloss.
    scene.spec.add_exclude(name=f"{case}:{name}", bodyname1=case, bodyname2=name)
    return case


def _drawer(scene: Scene, case: mujoco.MjsBody, name: str, rgba: Sequence[float]) -> None:
    body = scene.add_fixture(name, rgba, parent=case)
    body.gravcomp = 1.0
    body.add_joint(
        name=name,
        type=mujoco.mjtJoint.mjJNT_SLIDE,
        axis=[1, 0, 0],
        range=scene.size(0.0, TRAVEL),
        limited=True,
        damping=[_DAMP, 0.0, 0.0],
        frictionloss=_RUB_N,
        armature=_MASS_KG,
        # Stiff: at MuJoCo's own values dry friction lets a loaded joint creep by 1 cm/s.
        solref_friction=[0.01, 1.0],
        solimp_friction=[0.99, 0.999, 0.001, 0.5, 2.0],
        solimp_limit=[0.98, 0.999, 0.001, 0.5, 2.0],
    )
    case_name = f"{name}_chest"
    x, y = scene.size(*INSIDE)
    thick, gap = scene.size(_THICK, 0.002)
    floor, wall, height = scene.size(FLOOR, WALL, _HEIGHT)
    front, deep = scene.size(DEPTH / 2, _FRONT / 2)
    boards = (
        ((x, y, (floor - gap) / 2), (0, 0, (floor + gap) / 2)),
        ((x, thick / 2, (wall - gap) / 2), (0, y + thick / 2, (wall + gap) / 2)),
        ((x, thick / 2, (wall - gap) / 2), (0, -y - thick / 2, (wall + gap) / 2)),
        ((thick / 2, y + thick, (wall - gap) / 2), (-x - thick / 2, 0, (wall + gap) / 2)),
        (
            (deep, scene.size(WIDTH / 2 - 0.001)[0], (height - gap) / 2),
            (front - deep, 0, (height + gap) / 2),
        ),
    )
    for k, (half, at) in enumerate(boards):
        worn = name if k == len(boards) - 1 else case_name
        solid(body, f"{name}_board_{k}", GEOM.mjGEOM_BOX, half, pos=at, material=worn)
    knob = scene.size(*_HANDLE)
    at = (front - knob[0], 0.0, height + knob[2])
    solid(body, f"{name}_knob", GEOM.mjGEOM_BOX, knob, pos=at, material=name)
    body.add_site(name=f"{name}_handle", pos=[at[0], 0.0, height + scene.size(_GRASP)[0]], group=4)
    # Where a block's middle is when the block lies in it: between the walls, near the floor.
    margin, low, high = scene.size(0.010, 0.008, 0.040)
    half = (x - margin, y - margin, (high - low) / 2)
    room(body, name, half, z=(high + low) / 2)


def drawn(physics: Physics, names: Sequence[str]) -> F64:
    """(N, len(names)) how far drawers are out, in m of a cell of scale 1."""
    return np.stack([physics.joint(name) for name in names], axis=1) / physics.scale


class DrawerPolicy(ToolPolicy):
    """Skills with drawers, for experts to plan with."""

    def slide(self, row: int, name: str, to: float) -> list[Move]:
        """Grip a drawer's handle across its front, move it until it is out by `to`, let go."""
        physics, s = self.physics, self.scale
        handle = physics.site(f"{name}_handle")[row]
        way = physics.body_mat(name)[row][:, 0]
        yaw = self.grasp_yaw(row, float(physics.yaw(name)[row]), np.pi)
        out = float(physics.joint(name)[row])
        end = handle + way * (s * to - out)
        keeps, up = self.keeps(row, name), np.array([0.0, 0.0, s])
        moves = [
            Move(end, yaw, 1.0, 0.6, 0.10 * s, keeps, "slide"),
            Move(end, yaw, 0.0, self._close_s(), name="open"),
            Move(end + up * 0.07, yaw, 0.0, 0.4, 0.15 * s, name="away"),
        ]
        if keeps() and physics.finger_opening()[row] < 0.98:
            return moves
        there = self._unmoved(row, name)
        return [
            *self.rise(row, _HOVER),
            Move(handle + up * 0.07, yaw, 0.0, check=there, name="above"),
            Move(handle, yaw, 0.0, 0.4, 0.10 * s, there, "down"),
            Move(handle, yaw, 1.0, self._close_s(), name="close"),
            *moves,
        ]

    def leave(self, row: int) -> list[Move]:
        """Let go of whatever it is, and go up."""
        at, yaw = self.physics.tool_pos()[row], self.tool_yaw(row)
        high = np.array([at[0], at[1], max(float(at[2]), _HOVER * self.scale)])
        return [
            Move(at, yaw, 0.0, self._close_s(), name="open"),
            Move(high, yaw, 0.0, 0.4, 0.15 * self.scale, name="away"),
        ]

    def _unmoved(self, row: int, name: str) -> Callable[[], bool]:
        """A check that a drawer is where it is now."""
        physics, before = self.physics, float(self.physics.joint(name)[row])
        return lambda: bool(abs(physics.joint(name)[row] - before) < 0.012 * self.scale)


def closed(physics: Physics, names: Sequence[str]) -> BoolArray:
    """(N, len(names)) whether drawers are closed."""
    return drawn(physics, names) < CLOSED_M

"""Who touches whom, as sensors of the compiled model: one number a pair, for all rows at once.

Axes: N rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product

import mujoco

from trimix.sim.robots.robot import Robot

TABLE = "table"
ROBOT = "robot"
"""What `touching` calls the robot as a whole, and the table."""
_FOUND = 1 << int(mujoco.mjtConDataField.mjCONDATA_FOUND)


def finger(index: int) -> str:
    """What `touching` calls a finger of the gripper."""
    return f"finger_{index}"


def sensor(a: str, b: str) -> str:
    """The sensor's name of a pair, in either order."""
    return "contact:" + ":".join(sorted((a, b)))


def watch(
    spec: mujoco.MjSpec, robot: Robot, bodies: Sequence[str], beside: Sequence[str] = ()
) -> None:
    """Add a sensor for every pair of a body with the table, the robot, its fingers, each other.

    Args:
        spec: before it is compiled.
        robot: whose bodies are its root's subtree.
        bodies: props and fixtures; what hangs on a body counts as the body.
        beside: bodies that stand by; one pair with each of the others.
    """
    for body in bodies:
        if spec.geom(TABLE) is not None:
            _pair(spec, body, TABLE, mujoco.mjtObj.mjOBJ_GEOM, TABLE)
        _pair(spec, body, ROBOT, mujoco.mjtObj.mjOBJ_XBODY, robot.root)
        for k, parts in enumerate(robot.fingers):
            for i, part in enumerate(parts):
                _pair(spec, body, f"{finger(k)}.{i}", mujoco.mjtObj.mjOBJ_BODY, part)
    for a, b in [*combinations(bodies, 2), *product(bodies, beside)]:
        _pair(spec, a, b, mujoco.mjtObj.mjOBJ_XBODY, b)
    if spec.geom(TABLE) is not None:
        _pair(spec, ROBOT, TABLE, mujoco.mjtObj.mjOBJ_GEOM, TABLE, first=robot.root)


def _pair(
    spec: mujoco.MjSpec, a: str, b: str, kind: mujoco.mjtObj, name: str, first: str = ""
) -> None:
    made = spec.add_sensor(
        name=sensor(a, b),
        type=mujoco.mjtSensor.mjSENS_CONTACT,
        objtype=mujoco.mjtObj.mjOBJ_XBODY,
        objname=first or a,
        reftype=kind,
        refname=name,
    )
    made.intprm = [_FOUND, 0, 1]

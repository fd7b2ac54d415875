"""Robots that a scene can be built around: one file and one line here each."""

from __future__ import annotations

from trimix.core.registry import Registry
from trimix.sim.robots.robot import Robot

ROBOTS = Registry(
    "robot",
    {
        "cr5": "trimix.sim.robots.cr5:CR5",
        "gantry": "trimix.sim.robots.gantry:GANTRY",
        "jaco": "trimix.sim.robots.jaco:JACO",
        "so101": "trimix.sim.robots.so101:SO101",
        "so101_lerobot": "trimix.sim.robots.so101:SO101_LEROBOT",
    },
    needs=("joints", "gripper", "cell", "spec"),
)
"""name -> sim.robots.robot.Robot; a user's own is "module:attribute"."""


def is_file(name: str) -> bool:
    """Whether a robot's name is a YAML file's."""
    return name.endswith((".yaml", ".yml"))


def load(name: str) -> Robot:
    """A registered robot, a "module:attribute", or the robot of a YAML file (see sim.robots.mjcf).

    Raises:
        MissingError, ConfigError: there is none of that name, or its file has a mistake.
    """
    if is_file(name):
        from trimix.sim.robots.mjcf import from_yaml

        return from_yaml(name)
    found: Robot = ROBOTS[name]
    return found

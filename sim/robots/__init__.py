"""Robots that a scene can be built around: one file and one line here each."""

from __future__ import annotations

from trimix.core.registry import Registry

ROBOTS = Registry(
    "robot",
    {
        "cr5": "trimix.sim.robots.cr5:CR5",
        "gantry": "trimix.sim.robots.gantry:GANTRY",
        "so101": "trimix.sim.robots.so101:SO101",
    },
    needs=("joints", "gripper", "cell", "spec"),
)
"""name -> sim.robots.robot.Robot; a user's own is "module:attribute"."""

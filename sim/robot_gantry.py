"""Two rails that carry a stick over a table."""

from __future__ import annotations

from trimix.sim.robots import Robot

GANTRY = Robot(
    name="gantry",
    xml="robots/gantry.xml",
    joints=("x", "y"),
    unit="m",
    speed_limit=(0.25, 0.25),
    home=(0.0, 0.0),
    home_spread=((0.08, 0.0), (0.0, 0.08)),
)

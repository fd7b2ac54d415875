"""Two rails that carry a stick over a table."""

from __future__ import annotations

from trimix.sim.cell import Cell
from trimix.sim.robots.robot import Robot

GANTRY = Robot(
    name="gantry",
    xml="robots/gantry.xml",
    root="base",
    joints=("x", "y"),
    unit="m",
    speed_limit=(0.25, 0.25),
    home=(0.0, 0.0),
    home_spread=((0.08, 0.0), (0.0, 0.08)),
    cell=Cell(base=(0.0, 0.0, 0.0), table=(-0.5, 0.5, -0.5, 0.5)),
    planar=True,
)

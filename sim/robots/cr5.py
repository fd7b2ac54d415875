"""A Dobot CR5 with a two-finger gripper."""

from __future__ import annotations

from trimix.sim.cell import Cell
from trimix.sim.robots.robot import Gripper, Robot

# Start poses have the mean and covariance of the 65 recorded CR5 episodes' first rows: the joints
# vary together, so that the wrist camera keeps the table in view. The base stands where the
# recordings had it: the middle of the grasp and release points lies about 0.66 m from the base, at
# 154.2 degrees, and the table 0.135 m above the base's foot.
CR5 = Robot(
    name="cr5",
    xml="robots/cr5.xml",
    root="base",
    joints=tuple(f"joint_{i}" for i in range(6)),
    unit="rad",
    speed_limit=(1.5,) * 6,
    home=(-0.675, 0.157, 0.437, 0.603, -1.598, 0.004),
    home_spread=(
        (0.0795, 0.0, 0.0, 0.0, 0.0, 0.0),
        (0.0165, 0.0794, 0.0, 0.0, 0.0, 0.0),
        (0.0424, -0.1298, 0.1023, 0.0, 0.0, 0.0),
        (-0.0550, 0.0548, -0.0740, 0.0606, 0.0, 0.0),
        (-0.0299, -0.0077, -0.0086, 0.0030, 0.0405, 0.0),
        (0.0560, -0.0083, 0.0087, 0.0316, 0.0035, 0.1276),
    ),
    cell=Cell(base=(-0.64, 0.0, -0.135), yaw=-2.6912),
    gripper=Gripper(
        actuators=("finger_left", "finger_right"),
        open=(0.0, 0.0),
        closed=(0.0425, 0.0425),
        seconds=0.3,
        fingers=(("finger_left",), ("finger_right",)),
        width_m=0.085,
    ),
)

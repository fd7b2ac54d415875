"""What happens between the simulator and the policy. These axes fill arrays that the world reads.

A signal has one number a row. Its kind's one name stands for the whole robot, for all cameras, or
for the task.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco

from trimix.sim.axes.contract import Axis, Cells, Change, RowView

SUBJECT = {"action": "robot", "state": "robot", "image": "camera", "words": "task"}
"""Kind -> the one name that its targets have."""


@dataclass(frozen=True, kw_only=True)
class Signal(Axis):
    """A number for the world to read.

    Args:
        nominal: what leaves everything as it is.
    """

    nominal: float

    def cells(self, model: mujoco.MjModel, ids: Sequence[int]) -> Cells:
        return {self.name: [0]}

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        row[self.name][0] = float(self.result(change, self.nominal))


def _signal(name: str, label: str, unit: str, nominal: float, low: float, high: float) -> Signal:
    return Signal(
        name=name,
        label=label,
        changes="words" if name.startswith("words/") else "signal",
        unit=unit,
        low=low,
        high=high,
        nominal=nominal,
    )


# What the robot makes of a command.
LATENCY = _signal("action/latency_s", "latency", "s", 0.0, 0.0, 1.0)
ACTION_NOISE = _signal("action/noise_std", "noise", "of the speed limit", 0.0, 0.0, 1.0)
DROPPED = _signal("action/dropped", "probability of a lost command", "", 0.0, 0.0, 1.0)
STUCK = _signal("action/stuck", "probability of the last command again", "", 0.0, 0.0, 1.0)
BACKLASH = _signal("action/backlash", "dead zone of the joints", "rad or m", 0.0, 0.0, 0.2)
# What the policy is told of the joints.
STATE_NOISE = _signal("state/noise_std", "noise", "rad or m", 0.0, 0.0, 1.0)
STATE_DELAY = _signal("state/delay_s", "delay", "s", 0.0, 0.0, 1.0)
STATE_BIAS = _signal("state/bias_std", "constant error", "rad or m", 0.0, 0.0, 1.0)
# What the cameras add.
EXPOSURE = _signal("image/gain", "exposure", "", 1.0, 0.01, 100.0)
GAMMA = _signal("image/gamma", "gamma", "", 1.0, 0.1, 10.0)
WARMTH = _signal("image/warmth", "log of red's gain, minus that of blue's", "", 0.0, -1.5, 1.5)
IMAGE_NOISE = _signal("image/noise_std", "noise", "levels of 255", 0.0, 0.0, 255.0)
BLUR = _signal("image/blur", "blur's standard deviation", "of the height", 0.0, 0.0, 0.5)
JPEG = _signal("image/jpeg_loss", "loss of JPEG, 100 less quality", "", 0.0, 0.0, 99.0)
FRAME_DROPPED = _signal("image/dropped", "probability of a lost frame", "", 0.0, 0.0, 1.0)
FRAME_DELAY = _signal("image/delay_s", "delay", "s", 0.0, 0.0, 1.0)
# Goal.worded says which: up to 1 of those to train with, up to 2 held out; -1 is the task's own.
PARAPHRASE = _signal("words/paraphrase", "phrasing", "", -1.0, -1.0, 2.0)

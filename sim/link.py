"""What becomes of commands on their way to the robot, and of readings on their way back.

All of it is drawn from streams of (seed, episode, purpose) at the step's place: what happens at a
step does not depend on which steps were taken before. Axes: N rows, A action channels, D joints,
H x W pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from trimix.core.contracts import F64, I64, U8, BoolArray, Start
from trimix.core.seeds import Streams, key
from trimix.sim.degrade import MAX_BLUR_PX, Degradation, degrade
from trimix.sim.physics import Physics

_STALE = 0.95  # at most: some picture must come


class Link:
    """Noise, losses and delays between a policy and N rows.

    Args:
        physics: whose signals say how bad it is.
        control_mode: joint_velocity | joint_position | ee_delta.
        control_dt_s: the control period.
    """

    def __init__(self, physics: Physics, control_mode: str, control_dt_s: float) -> None:
        n, self._dt, robot = physics.n, control_dt_s, physics.robot
        self._signals: Mapping[str, F64] = physics.parameters.signals
        speed = np.repeat(robot.tool_speed, 3) if control_mode == "ee_delta" else robot.speed_limit
        # Of what a command says, at full speed: m and rad in a step, or rad/s.
        self._most = np.array(speed) * (1.0 if control_mode == "joint_velocity" else control_dt_s)
        actions, states = len(self._most) + (robot.gripper is not None), len(robot.joints)
        self._streams = Streams()
        self._command_keys, self._reading_keys = [0] * n, [0] * n
        self._last = np.zeros((n, actions))
        self._before = np.zeros((n, states))
        self._bias = np.zeros((n, states))
        self._bad: list[dict[int, Degradation]] = [{} for _ in range(n)]

    def reset(self, row: int, start: Start, reading: F64) -> None:
        """A new episode of a row, whose randomization is applied; reading (D,) is its first."""
        self._command_keys[row] = key(start.seed, start.episode, "action")
        self._reading_keys[row] = key(start.seed, start.episode, "reading")
        self._last[row], self._before[row] = 0.0, reading
        unit = self._streams.at(key(start.seed, start.episode, "bias")).standard_normal(
            len(reading)
        )
        self._bias[row] = self._signals["state/bias_std"][row] * unit
        self._bad[row].clear()

    def state(self) -> F64:
        """(N, A) the last commands."""
        return self._last.copy()

    def set_state(self, rows: Sequence[int], state: F64, joints: F64) -> None:
        """Give rows back what `state` gave, (len(rows), A), at these joints (N, D)."""
        ids = list(rows)
        self._last[ids], self._before[ids] = state, joints[ids]

    def command(self, action: F64, rows: Sequence[int], steps: I64) -> BoolArray:
        """What the robot gets: noise is added to action (N, A) in place, and some come again.

        Returns:
            (N,) whether a row's command is lost, so that its targets stay.
        """
        said = self._signals
        noise, dropped, stuck = (
            said[f"action/{name}"] for name in ("noise_std", "dropped", "stuck")
        )
        lost = np.zeros(len(action), bool)
        for i in rows:
            if noise[i] or dropped[i] or stuck[i]:
                rng = self._streams.at(self._command_keys[i], int(steps[i]))
                lose, repeat = rng.random(2)
                lost[i] = lose < dropped[i]
                if repeat < stuck[i] and steps[i] > 0:
                    action[i] = self._last[i]
                if noise[i]:
                    unit = rng.standard_normal(len(self._most))
                    action[i, : len(unit)] += noise[i] * self._most * unit
            self._last[i] = action[i]
        return lost

    def readings(self, rows: Sequence[int], steps: I64, joints: F64) -> F64:
        """(R, D) what the policy is told of the joints (N, D) in rows, at their steps (R,)."""
        said, ids = self._signals, list(rows)
        delay = np.clip(said["state/delay_s"][ids] / self._dt, 0.0, 1.0)[:, None]
        out = joints[ids] + self._bias[ids]
        if delay.any():
            out += delay * (self._before[ids] - joints[ids])
        self._before[ids] = joints[ids]
        noise = said["state/noise_std"]
        for k, i in enumerate(ids):
            if noise[i]:
                rng = self._streams.at(self._reading_keys[i], int(steps[k]))
                out[k] += noise[i] * rng.standard_normal(len(out[k]))
        return np.asarray(out)

    def arrives(self, row: int, step: int) -> bool:
        """Whether a row's new pictures come in time; else the policy sees the last ones again.

        A delay is that of the mean: pictures that are late with probability p are p / (1 - p)
        control periods old.
        """
        lost, late = self._signals["image/dropped"][row], self._signals["image/delay_s"][row]
        if not (lost or late) or step == 0:
            return True
        stale = min(_STALE, 1 - (1 - lost) * self._dt / (self._dt + late))
        return bool(self._streams.at(self._reading_keys[row], step, 1).random() >= stale)

    def may_be_late(self, rows: Sequence[int]) -> bool:
        """Whether pictures of any of these rows may come late."""
        ids = list(rows)
        return bool(
            self._signals["image/dropped"][ids].any() or self._signals["image/delay_s"][ids].any()
        )

    def picture(self, row: int, step: int, camera: int, image: U8) -> U8:
        """(H, W, 3) what the row's camera of that index makes of it."""
        how = self._camera(row, image.shape[0])
        if how.neutral:
            return image
        return degrade(image, how, self._streams.at(self._reading_keys[row], step, 2 + camera))

    def _camera(self, row: int, height: int) -> Degradation:
        """How bad a row's cameras are; the same all episode."""
        if height not in self._bad[row]:
            said = {n[6:]: float(v[row]) for n, v in self._signals.items() if n[:6] == "image/"}
            loss, warm = said["jpeg_loss"], np.exp(said["warmth"] / 2)
            self._bad[row][height] = Degradation(
                gain=said["gain"],
                white_balance=(float(warm), 1.0, float(1 / warm)),
                gamma=said["gamma"],
                noise_std=said["noise_std"],
                blur_px=min(said["blur"] * height, MAX_BLUR_PX),
                jpeg_quality=min(95, round(100 - loss)) if loss else 0,
            )
        return self._bad[row][height]

"""Who acts and who says what should have been done: disturbed experts, and DAgger's learners.

Axes: N rows, D moved channels, A action channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trimix.core.contracts import F32, F64, I64, BoolArray, Obs, Policy, PolicyInterface
from trimix.core.seeds import stream

GRIPPER = "gripper"


@dataclass(frozen=True)
class DisturbanceConfig:
    """How a policy's actions are disturbed (DART: Laskey et al., CoRL 2017).

    What is stored is the action before the noise: what should be done where the noise led to.

    Args:
        std: of a smooth noise, as a fraction of each channel's half range.
        correlation_s: its correlation time.
        push_rate: pushes a second: short bursts away from the way.
        push: their size, as a fraction of the half range.
        push_s: their length.
    """

    std: float = 0.02
    correlation_s: float = 0.5
    push_rate: float = 0.04
    push: float = 0.2
    push_s: float = 0.5


@dataclass
class _Noise:
    rng: np.random.Generator
    noise: F64
    push: F64
    left_s: float = 0.0


class Disturbed:
    """A policy whose actions are disturbed, and whose labels are not.

    The gripper is left alone. Positions are disturbed by what a disturbed velocity would move.

    Args:
        policy: acts, and labels what it sees.
        config: how strong.
    """

    def __init__(self, policy: Policy, config: DisturbanceConfig) -> None:
        self.policy, self.interface, self._config = policy, policy.interface, config
        self._range = _half_range(policy.interface)
        self.labels = np.zeros((0, len(self._range)), np.float32)
        self._rows: list[_Noise] = []

    def reset(self, rows: BoolArray, seeds: I64) -> None:
        """Forget these rows and seed them."""
        self.policy.reset(rows, seeds)
        width = len(self._range)
        while len(self._rows) < len(rows):
            self._rows.append(_Noise(stream(0), np.zeros(width), np.zeros(width)))
        for i in np.flatnonzero(rows):
            rng = stream(int(seeds[i]), 0, "disturbance")
            self._rows[i] = _Noise(rng, np.zeros(width), np.zeros(width))

    def act(self, obs: Obs) -> F32:
        """(N, A) float32; `labels` holds what the policy itself would do."""
        self.labels = self.policy.act(obs)
        noise = np.stack([self._drawn(row) for row in self._rows])
        return np.asarray(self.labels + noise * self._range, np.float32)

    def _drawn(self, row: _Noise) -> F64:
        """(A,) noise in half ranges; pushes come at their rate, whatever the policy does."""
        config, rng, dt = self._config, row.rng, self.interface.control_dt_s
        keep = np.exp(-dt / config.correlation_s)
        unit = rng.standard_normal(len(self._range))
        row.noise = keep * row.noise + np.sqrt(1 - keep**2) * config.std * unit
        if row.left_s > 0:
            row.left_s -= dt
        else:
            row.push = np.zeros(len(self._range))
            if rng.random() < config.push_rate * dt:
                direction = rng.standard_normal(len(self._range))
                row.push = config.push * direction / np.linalg.norm(direction)
                row.left_s = config.push_s
        return row.noise + row.push


class Labelled:
    """One policy acts, another labels every frame: a round of DAgger (Ross et al., 2011).

    Args:
        policy: acts.
        labeller: sees the same, and says what should be done.
    """

    def __init__(self, policy: Policy, labeller: Policy) -> None:
        policy.interface.require_same(labeller.interface, where="labels of another policy's frames")
        self.policy, self.labeller, self.interface = policy, labeller, policy.interface
        self.labels = np.zeros((0, len(self.interface.action)), np.float32)

    def reset(self, rows: BoolArray, seeds: I64) -> None:
        """Forget these rows and seed them."""
        self.policy.reset(rows, seeds)
        self.labeller.reset(rows, seeds)

    def act(self, obs: Obs) -> F32:
        """(N, A) float32 of the policy; `labels` holds the labeller's."""
        self.labels = self.labeller.act(obs)
        return self.policy.act(obs)


def _half_range(interface: PolicyInterface) -> F64:
    """(A,) half of what each channel can do in a step; 0 for the gripper.

    A position's limits say nothing about a step: a rad or metre a second does.
    """
    ranges = []
    for channel in interface.action:
        if channel.name == GRIPPER:
            ranges.append(0.0)
        elif interface.control_mode == "joint_position" or channel.low is None:
            ranges.append(interface.control_dt_s)
        else:
            ranges.append((float(channel.high or 0.0) - channel.low) / 2)
    return np.array(ranges)

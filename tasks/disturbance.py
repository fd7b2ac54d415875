"""Noise on a scripted policy's velocities, so that its data covers recoveries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trimix.core.contracts import F64


@dataclass(frozen=True)
class DisturbanceConfig:
    """How a scripted policy is disturbed (after DART, CoRL 2017).

    Args:
        std: of a smooth velocity noise, as a fraction of the speed limit.
        correlation_s: its correlation time.
        push_rate: pushes a second: short bursts away from the reference.
        push: their speed, as a fraction of the speed limit.
        push_s: their length.
    """

    std: float = 0.015
    correlation_s: float = 0.5
    push_rate: float = 0.04
    push: float = 0.2
    push_s: float = 0.5


class Disturbance:
    """The noise of one row, from a stream of its own.

    Args:
        noise: how strong; None for none.
        speed: (D,) speed limits.
        rng: drawn from at every call.
    """

    def __init__(
        self, noise: DisturbanceConfig | None, speed: F64, rng: np.random.Generator
    ) -> None:
        self._config, self._speed, self._rng = noise, speed, rng
        self._noise, self._push = np.zeros(len(speed)), np.zeros(len(speed))
        self._push_left_s = 0.0

    def __call__(self, velocity: F64, dt: float) -> F64:
        """Velocity (D,) plus smooth noise and the odd push; pushes come only in fast motion."""
        config, rng = self._config, self._rng
        if config is None:
            return velocity
        keep = np.exp(-dt / config.correlation_s)
        unit = rng.standard_normal(len(velocity))
        self._noise = keep * self._noise + np.sqrt(1 - keep**2) * config.std * self._speed * unit
        if self._push_left_s > 0:
            self._push_left_s -= dt
        else:
            self._push[:] = 0.0
            moving = np.abs(velocity).max() > 0.1 * self._speed.max()
            if moving and rng.random() < config.push_rate * dt:
                direction = rng.standard_normal(len(velocity))
                self._push = config.push * self._speed * direction / np.linalg.norm(direction)
                self._push_left_s = config.push_s
        return velocity + self._noise + self._push

"""Policies that learn nothing: random, replay and mean.

Axes: N rows of a world, A action channels, T rows of a recording.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trimix.core.contracts import F32, I64, BoolArray, Obs, PolicyInterface
from trimix.core.errors import ConfigError, InterfaceError
from trimix.core.seeds import stream
from trimix.policy.normalization import Normalization


class RandomPolicy:
    """Uniform actions within the declared limits, each held for a while.

    Args:
        interface: every action channel that has no limits needs a normalization.
        normalization: of recorded data: two deviations about the mean stand for absent limits,
            and a switch takes either level.
        hold: steps that an action is held; white noise moves an arm nowhere.

    Raises:
        ConfigError: a channel has neither.
    """

    def __init__(
        self, interface: PolicyInterface, normalization: Normalization | None = None, hold: int = 4
    ) -> None:
        self._interface, self._hold = interface, hold
        self._switch = normalization.switch if normalization else (None,) * len(interface.action)
        low, high = [], []
        for a, channel in enumerate(interface.action):
            if channel.low is not None and channel.high is not None:
                low.append(channel.low)
                high.append(channel.high)
            elif normalization is not None:
                spread = 2 * float(normalization.action_std[a])
                low.append(float(normalization.action_mean[a]) - spread)
                high.append(float(normalization.action_mean[a]) + spread)
            else:
                raise ConfigError(
                    f"action channel {channel.name!r} declares no limits to draw within",
                    do="declare low and high, or give the normalization of recorded data",
                )
        self._low, self._high = np.array(low), np.array(high)
        self._rngs: list[np.random.Generator] = []
        self._held = np.zeros((0, len(low)), np.float32)
        self._age = np.zeros(0, np.int64)

    @property
    def interface(self) -> PolicyInterface:
        return self._interface

    def reset(self, rows: BoolArray, seeds: I64) -> None:
        if len(self._age) != len(rows):
            self._rngs = [stream(0, "random policy") for _ in rows]
            self._held = np.zeros((len(rows), len(self._low)), np.float32)
            self._age = np.zeros(len(rows), np.int64)
        for row in np.flatnonzero(rows):
            self._rngs[row] = stream(int(seeds[row]), "random policy")
            self._age[row] = 0

    def act(self, obs: Obs) -> F32:
        for row in np.flatnonzero(self._age % self._hold == 0):
            draw = self._rngs[row].random(len(self._low))
            self._held[row] = self._low + draw * (self._high - self._low)
            for a, levels in enumerate(self._switch):
                if levels is not None:
                    self._held[row, a] = levels[int(draw[a] >= 0.5)]
        self._age += 1
        return self._held.copy()


class ReplayPolicy:
    """Recorded actions, blind to the observations.

    After its last row a recording's velocities are zero, and its other channels stay.

    Args:
        interface: the recordings' interface.
        recordings: (T, A) each. A row plays the one at (its seed modulo their number).

    Raises:
        ConfigError: no recordings.
        InterfaceError: a recording of another width.
    """

    def __init__(self, interface: PolicyInterface, recordings: Sequence[F32]) -> None:
        if not recordings:
            raise ConfigError("there is no recording to replay", do="give at least one")
        width = len(interface.action)
        for i, recording in enumerate(recordings):
            if recording.ndim != 2 or recording.shape[1] != width or not len(recording):
                raise InterfaceError(
                    f"recording {i} has shape {recording.shape}, expected (T, {width})"
                )
        self._interface, self._recordings = interface, list(recordings)
        self._moves = np.array([c.unit.endswith("/s") for c in interface.action])
        self._which = np.zeros(0, np.int64)
        self._time = np.zeros(0, np.int64)

    @property
    def interface(self) -> PolicyInterface:
        return self._interface

    def reset(self, rows: BoolArray, seeds: I64) -> None:
        if len(self._which) != len(rows):
            self._which = np.zeros(len(rows), np.int64)
            self._time = np.zeros(len(rows), np.int64)
        self._which[rows] = seeds[rows] % len(self._recordings)
        self._time[rows] = 0

    def act(self, obs: Obs) -> F32:
        out = np.empty((len(self._which), len(self._interface.action)), np.float32)
        for row, (which, time) in enumerate(zip(self._which, self._time, strict=True)):
            recording = self._recordings[which]
            out[row] = recording[min(int(time), len(recording) - 1)]
            if time >= len(recording):
                out[row, self._moves] = 0.0
        self._time += 1
        return out


class MeanPolicy:
    """The mean action of the training data, always: what a policy must beat."""

    def __init__(self, interface: PolicyInterface, normalization: Normalization) -> None:
        self._interface = interface
        zero = np.zeros(len(interface.action), np.float32)
        self._action = normalization.to_action(zero)

    @property
    def interface(self) -> PolicyInterface:
        return self._interface

    def reset(self, rows: BoolArray, seeds: I64) -> None:
        """It remembers nothing."""

    def act(self, obs: Obs) -> F32:
        return np.tile(self._action, (len(obs["state"]), 1))

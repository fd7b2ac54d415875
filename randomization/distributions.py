"""Where randomized numbers come from: small frozen distributions that write themselves as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from trimix.core.contracts import Json
from trimix.core.errors import ConfigError


class Distribution(Protocol):
    """Draws one JSON value."""

    def sample(self, rng: np.random.Generator) -> Json:
        """One draw: a float, a list of floats, or one of the choices."""

    def ends(self) -> tuple[Json, Json]:
        """Two draws that are as far apart as any: where the effect of an axis is measured."""


def _ordered(low: Sequence[float], high: Sequence[float], *, above: float | None = None) -> None:
    if len(low) != len(high):
        raise ConfigError(f"a range has {len(low)} lower limits and {len(high)} upper")
    for a, b in zip(low, high, strict=True):
        if not (np.isfinite(a) and np.isfinite(b) and a <= b):
            raise ConfigError(f"range [{a}, {b}] is empty", do="give a finite low <= high")
        if above is not None and a <= above:
            raise ConfigError(f"range [{a}, {b}] must lie above {above}")


def _tuple(value: float | Sequence[float]) -> tuple[float, ...]:
    return (float(value),) if isinstance(value, (int, float)) else tuple(map(float, value))


def _plain(values: np.ndarray, scalar: bool) -> Json:
    numbers = [float(v) for v in values]
    return numbers[0] if scalar else list(numbers)


def _listed(value: float | Sequence[float]) -> Json:
    return _plain(np.array(_tuple(value)), isinstance(value, (int, float)))


@dataclass(frozen=True)
class Constant:
    """Always this value."""

    value: float | tuple[float, ...] | str

    def sample(self, rng: np.random.Generator) -> Json:
        return list(self.value) if isinstance(self.value, tuple) else self.value

    def ends(self) -> tuple[Json, Json]:
        value: Json = list(self.value) if isinstance(self.value, tuple) else self.value
        return value, value


@dataclass(frozen=True)
class Uniform:
    """U(low, high), independent in each component when the limits are sequences."""

    low: float | tuple[float, ...]
    high: float | tuple[float, ...]

    def __post_init__(self) -> None:
        _ordered(_tuple(self.low), _tuple(self.high))

    def sample(self, rng: np.random.Generator) -> Json:
        low, high = np.add(_tuple(self.low), 0.0), np.add(_tuple(self.high), 0.0)  # -0.0 is 0.0
        return _plain(rng.uniform(low, high), isinstance(self.low, (int, float)))

    def ends(self) -> tuple[Json, Json]:
        return _listed(self.low), _listed(self.high)


@dataclass(frozen=True)
class LogUniform:
    """exp U(log low, log high): as often halved as doubled, which is what a scale wants.

    Independent in each component when the limits are sequences.
    """

    low: float | tuple[float, ...]
    high: float | tuple[float, ...]

    def __post_init__(self) -> None:
        _ordered(_tuple(self.low), _tuple(self.high), above=0.0)

    def sample(self, rng: np.random.Generator) -> Json:
        low, high = np.log(_tuple(self.low)), np.log(_tuple(self.high))
        # exp(log(x)) may miss x by a rounding.
        drawn = np.clip(np.exp(rng.uniform(low, high)), _tuple(self.low), _tuple(self.high))
        return _plain(drawn, isinstance(self.low, (int, float)))

    def ends(self) -> tuple[Json, Json]:
        return _listed(self.low), _listed(self.high)


@dataclass(frozen=True)
class Normal:
    """N(mean, std) in each component, cut at +- `cut` standard deviations."""

    mean: float | tuple[float, ...]
    std: float | tuple[float, ...]
    cut: float = 3.0

    def __post_init__(self) -> None:
        if not (np.isfinite(_tuple(self.mean)).all() and np.isfinite(_tuple(self.std)).all()):
            raise ConfigError("a Normal needs a finite mean and std")
        if min(_tuple(self.std)) < 0 or self.cut <= 0:
            raise ConfigError("a Normal needs std >= 0 and cut > 0")
        if len(_tuple(self.mean)) != len(_tuple(self.std)):
            raise ConfigError("a Normal needs a std for every mean")

    def sample(self, rng: np.random.Generator) -> Json:
        mean, std = np.array(_tuple(self.mean)), np.array(_tuple(self.std))
        unit = np.clip(rng.standard_normal(mean.size), -self.cut, self.cut)
        return _plain(mean + std * unit, isinstance(self.mean, (int, float)))

    def ends(self) -> tuple[Json, Json]:
        """Two standard deviations to either side."""
        mean, std = np.array(_tuple(self.mean)), np.array(_tuple(self.std))
        reach, scalar = min(2.0, self.cut) * std, isinstance(self.mean, (int, float))
        return _plain(mean - reach, scalar), _plain(mean + reach, scalar)


@dataclass(frozen=True)
class Choice:
    """One of the options, equally likely."""

    options: tuple[str | float, ...]

    def __post_init__(self) -> None:
        if not self.options:
            raise ConfigError("a Choice needs at least one option")

    def sample(self, rng: np.random.Generator) -> Json:
        return self.options[int(rng.integers(len(self.options)))]

    def ends(self) -> tuple[Json, Json]:
        """The first option and the last."""
        return self.options[0], self.options[-1]

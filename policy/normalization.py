"""Physical units to unit scale and back.

Axes: F rows of a source, D state channels, A action channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimix.core.contracts import F32, F64, I64
from trimix.core.errors import DataError

CLIP = 5.0
"""A state further out than this many deviations tells a policy nothing that it learnt."""

_PAIRS = ((0.0, 1.0), (-1.0, 1.0))
_ARRAYS = ("state_mean", "state_std", "delta_std", "action_mean", "action_std")


@dataclass(frozen=True)
class SourceRows:
    """The training rows of one source of a mix.

    Args:
        state: (F, D); action: (F, A); episode: (F,) number of the row's episode, in order.
        weight: the source's share of the mix; a source of weight 0 does not count.
    """

    state: F32
    action: F32
    episode: I64
    weight: float = 1.0


@dataclass(frozen=True)
class Normalization:
    """Mean and deviation of each channel over the training rows that a policy is fed.

    Each source counts by its share, not by its size, so that the batches drawn from the mix have
    unit scale. Only the sources of that one mix are looked at: two arms with different sources
    have different normalizations, and an arm never learns the scale of data it is not given.

    An action channel whose training values are two levels, (0, 1) or (-1, 1), in at least 99% of
    the rows, each in at least 1% of them, is a switch, as grippers are: it is scaled to (-1, 1)
    and snapped to the nearer level on the way out.

    Args:
        state_mean, state_std: (D,).
        delta_std: (D,) deviation of the change of state from one row to the next.
        action_mean, action_std: (A,).
        switch: (A,) levels (low, high) of a switch; None for any other channel.
    """

    state_mean: F32
    state_std: F32
    delta_std: F32
    action_mean: F32
    action_std: F32
    switch: tuple[tuple[float, float] | None, ...]

    @classmethod
    def fit(cls, sources: Sequence[SourceRows]) -> Normalization:
        """The statistics of a mix of these sources.

        Raises:
            DataError: no rows, or values that are not finite.
        """
        used = [s for s in sources if s.weight > 0 and len(s.state)]
        if not used:
            raise DataError(
                "there are no training rows to normalize by", do="give data to train on"
            )
        if not all(np.isfinite(s.state).all() and np.isfinite(s.action).all() for s in used):
            raise DataError(
                "training rows hold values that are not finite", do="run the data check"
            )
        weights = np.array([s.weight for s in used]) / sum(s.weight for s in used)
        state_mean, state_std = _moments([s.state for s in used], weights)
        action_mean, action_std = _moments([s.action for s in used], weights)
        _, delta_std = _moments([_deltas(s) for s in used], weights, about_zero=True)
        switch = tuple(_switch([s.action[:, a] for s in used]) for a in range(len(action_mean)))
        for a, levels in enumerate(switch):
            if levels is not None:
                action_mean[a] = (levels[0] + levels[1]) / 2
                action_std[a] = (levels[1] - levels[0]) / 2
        return cls(
            state_mean=_f32(state_mean),
            state_std=_f32(state_std),
            delta_std=_f32(delta_std),
            action_mean=_f32(action_mean),
            action_std=_f32(action_std),
            switch=switch,
        )

    def state(self, state: F32) -> F32:
        """(..., D) physical -> unit scale, clipped to CLIP deviations."""
        return _f32(np.clip((state - self.state_mean) / self.state_std, -CLIP, CLIP))

    def delta(self, state: F32) -> F32:
        """(..., h, D) physical -> (..., h - 1, D) changes from row to row, in unit scale."""
        return _f32(np.clip(np.diff(state, axis=-2) / self.delta_std, -CLIP, CLIP))

    def action(self, action: F32) -> F32:
        """(..., A) physical -> unit scale."""
        return _f32((action - self.action_mean) / self.action_std)

    def to_action(self, scaled: F32) -> F32:
        """(..., A) unit scale -> physical, switches snapped to a level."""
        out = _f32(scaled * self.action_std + self.action_mean)
        for a, levels in enumerate(self.switch):
            if levels is not None:
                out[..., a] = np.where(scaled[..., a] > 0, levels[1], levels[0])
        return out

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {name: getattr(self, name).tolist() for name in _ARRAYS}
        out["switch"] = [list(levels) if levels else None for levels in self.switch]
        return out

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Normalization:
        arrays = {name: np.array(raw[name], np.float32) for name in _ARRAYS}
        switch = tuple((float(x[0]), float(x[1])) if x else None for x in raw["switch"])
        return cls(**arrays, switch=switch)


def _f32(x: np.ndarray) -> F32:
    return x.astype(np.float32)


def _moments(
    parts: Sequence[np.ndarray], weights: F64, *, about_zero: bool = False
) -> tuple[F64, F64]:
    """Mean and deviation of a mixture; a channel that does not move gets deviation 1."""
    means = np.stack([p.mean(0, dtype=np.float64) for p in parts])
    squares = np.stack([np.square(p, dtype=np.float64).mean(0) for p in parts])
    mean = np.zeros(means.shape[1]) if about_zero else weights @ means
    std = np.sqrt(np.maximum(weights @ squares - mean**2, 0.0))
    return mean, np.where(std > 1e-6, std, 1.0)


def _deltas(rows: SourceRows) -> np.ndarray:
    """Changes of state within episodes; one row of zeros if no episode has two rows."""
    within = rows.episode[1:] == rows.episode[:-1]
    deltas = np.diff(rows.state, axis=0)[within]
    return deltas if len(deltas) else np.zeros((1, rows.state.shape[1]), np.float32)


def _switch(values: Sequence[np.ndarray]) -> tuple[float, float] | None:
    for low, high in _PAIRS:
        at = [(np.abs(v - low) < 1e-3, np.abs(v - high) < 1e-3) for v in values]
        both = all((a | b).mean() >= 0.99 for a, b in at)
        if both and all(np.concatenate(ends).mean() >= 0.01 for ends in zip(*at, strict=True)):
            return low, high
    return None

"""Epoch caps: lower the shares of sources that would repeat too often.

Axes: P phases, m sources.

Every capped source keeps one multiplier for all phases, so the shape of its curriculum stays; the
shares of each phase are then normalised again, which gives what it lost to the others in
proportion. Multipliers only fall, as in iterative proportional fitting, until all caps hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from trimix.core.contracts import F64
from trimix.core.errors import ConfigError
from trimix.mix.schedule import Schedule

_ROUNDS = 20_000
_TRIES = 20

Weights = Sequence[Sequence[Fraction]]


def cap_shares(
    schedule: Callable[[Weights], Schedule],
    wanted: Weights,
    limits: Sequence[int | None],
    *,
    names: Sequence[str],
    redistribute: bool,
    where: str,
) -> Schedule:
    """The schedule nearest to the wanted one in which no source passes its limit.

    Args:
        schedule: builds a schedule from (P, m) weights.
        wanted: (P, m) weights before caps.
        limits: (m,) the most windows of each source over the training; None is no limit.
        names: (m,) for errors.
        redistribute: False refuses instead.
        where: for errors.

    Raises:
        ConfigError: a cap is passed and may not be redistributed, or the others cannot take over.
    """
    asked = schedule(wanted)
    drawn = asked.before(asked.steps)
    over = [i for i, limit in enumerate(limits) if limit is not None and drawn[i] > limit]
    if not over:
        return asked
    listed = "; ".join(f"{names[i]!r}: {drawn[i]} windows asked, {limits[i]} allowed" for i in over)
    if not redistribute:
        raise ConfigError(
            f"max_repeats is passed ({listed})",
            where=where,
            do="lower the share or the steps, raise max_repeats, or set when_capped: redistribute",
        )
    most = np.array([np.inf if limit is None else limit for limit in limits], np.float64)
    target = most.copy()
    for _ in range(_TRIES):
        scale = _multipliers(asked, np.asarray(wanted, np.float64), target)
        if scale is None:
            break
        exact = [Fraction(float(s)) for s in scale]
        weights = [[w * s for w, s in zip(row, exact, strict=True)] for row in wanted]
        planned = schedule(weights)
        excess = planned.before(planned.steps) - most
        if (excess <= 0).all():
            return planned
        # whole windows follow the shares within a few: aim that much lower
        target = target - np.maximum(excess, 0)
    raise ConfigError(
        f"max_repeats is passed ({listed}) and the other sources cannot take over",
        where=where,
        do="raise max_repeats, lower the steps, or add a source without a cap to every phase",
    )


def _multipliers(asked: Schedule, wanted: F64, target: F64) -> F64 | None:
    """(m,) multipliers in (0, 1] with which expected draws keep to the target; None if none do."""
    ends = np.array([s.until_step for s in asked.segments], np.int64)
    length = np.diff(ends, prepend=0).astype(np.float64)
    scale = np.ones(wanted.shape[1])
    for _ in range(_ROUNDS):
        shares = wanted * scale
        sums = shares.sum(axis=1, keepdims=True)
        if not (sums > 0).all() or (target < 0).any():
            return None
        shares = shares / sums
        if asked.linear:
            shares = (shares + np.concatenate([shares[:1], shares[:-1]])) / 2
        drawn = asked.batch_size * (length[:, None] * shares).sum(axis=0)
        if (drawn <= target + 0.5).all():
            return scale
        scale = scale * np.where(drawn > target, target / np.maximum(drawn, 1e-300), 1.0)
    return None

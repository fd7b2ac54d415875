"""Which episodes are held out: decided by each episode alone, never by the order of work."""

from __future__ import annotations

from collections.abc import Collection

from trimix.core import seeds
from trimix.core.errors import ConfigError


def heldout(indices: Collection[int], fraction: float, seed: int) -> frozenset[int]:
    """The indices with the smallest keyed hashes, round(fraction * n) of them.

    At least one is held out and at least one is kept when 0 < fraction < 1 and there are two.

    Raises:
        ConfigError: fraction is outside [0, 1].
    """
    if not 0.0 <= fraction <= 1.0:
        raise ConfigError(f"heldout is {fraction:g}, not a fraction between 0 and 1")
    count = round(fraction * len(indices))
    if 0.0 < fraction < 1.0 and len(indices) >= 2:
        count = min(max(count, 1), len(indices) - 1)
    ranked = sorted(indices, key=lambda i: (seeds.key(seed, i, "heldout"), i))
    return frozenset(ranked[:count])

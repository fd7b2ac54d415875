"""Whether one policy is better than another, asked after every scene if one likes.

A gambler who may bet on the next scene's difference, and gains nothing on average if the mean
difference is m, multiplies its stake by 1 / alpha with probability alpha at most, however long it
plays and whenever it looks (Ville's inequality). So every m at which it has become that rich is
ruled out, now and for good (Waudby-Smith and Ramdas, "Estimating means of bounded random variables
by betting", Journal of the Royal Statistical Society B 2024). Here the stake is spread over many
gamblers, each of whom bets a fixed fraction of what it may: their mean wealth depends on nothing
but how many scenes were won, lost and tied, and of two policies that are equally good it is that
of the bet of Krichevsky and Trofimov (IEEE Transactions on Information Theory 1981).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from trimix.evaluate.statistics import Interval

GAMBLERS = 64
"""On each side; KT's wealth comes out exactly on fewer than 4 * GAMBLERS won and lost scenes."""
_NODES = np.cos(np.pi * (2 * np.arange(GAMBLERS) + 1) / (4 * GAMBLERS))
_ALL_LOST = np.log1p(-_NODES)
_STEPS = 24


def wealth(won: int, tied: int, lost: int, mean: float = 0.0) -> tuple[float, float]:
    """What a stake of 1 has become, if the mean difference were this one.

    Args:
        won, tied, lost: scenes with a difference of 1, 0 and -1.
        mean: in (-1, 1).

    Returns:
        (of the gamblers who bet on more than the mean, of those who bet on less): the first falls
        as the mean rises, the second rises. Half of their sum is a martingale if it is the mean.
    """
    return float(np.exp(_up(won, tied, lost, mean))), float(np.exp(_up(lost, tied, won, -mean)))


@lru_cache(maxsize=65536)
def betting_interval(won: int, tied: int, lost: int, level: float = 0.95) -> Interval:
    """The mean differences that are not ruled out: with probability level the true one never is.

    However often it is asked while scenes come in, and whatever it is that ends them.

    Raises:
        ValueError: a negative count, or a level outside (0, 1).
    """
    if min(won, tied, lost) < 0 or not 0 < level < 1:
        raise ValueError(f"{won} won, {tied} tied, {lost} lost at level {level} is no comparison")
    # Either side on its own: half of its wealth is no more than that of both.
    enough = np.log(2 / (1 - level))
    return Interval(_lowest(won, tied, lost, enough), -_lowest(lost, tied, won, enough))


def _lowest(won: int, tied: int, lost: int, enough: float) -> float:
    """The largest mean that the upper gamblers rule out, from below; -1 if none."""
    low, high = -1.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _up(won, tied, lost, middle) >= enough:
            low = middle
        else:
            high = middle
    return low


def _up(won: int, tied: int, lost: int, mean: float) -> float:
    """Logarithm of the mean wealth of those who bet a fraction of 1 / (1 + mean) on more."""
    bet = _NODES / (1 + mean)
    logs = won * np.log1p(bet * (1 - mean)) + tied * np.log1p(-bet * mean) + lost * _ALL_LOST
    largest = float(logs.max())
    return largest + float(np.log(np.exp(logs - largest).mean()))

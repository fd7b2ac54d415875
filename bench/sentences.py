"""What a report's sentences claim, read back from their words alone.

Whoever reads a report reads these words, so they are what is held to the truth.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from trimix.core.errors import DataError
from trimix.evaluate.verdict import EXPLORATORY, OF_POLICIES

_NUMBER = r"[+\N{MINUS SIGN}]?[\d.]+(?:e-\d+)?"
_CI = rf"\(\d+% CI ({_NUMBER}) to ({_NUMBER})[;,]"
_BEATS = re.compile(rf"(\S+) beats (\S+) by [\d.e-]+ points {_CI}")
_OPEN = re.compile(rf"(\S+) and (\S+) can't be told apart: \1 minus \2 is {_NUMBER} points {_CI}")
_SEEN = re.compile(rf"(\S+) minus (\S+) is {_NUMBER} points {_CI}")
_BY = re.compile(rf"(\S+) by ({_NUMBER}) to ({_NUMBER})")
_BEST = re.compile(r"(\S+) is best: it beats (.*) points\.")
_TOP = re.compile(r"(.*) can't be told apart; (?:both|all) beat (.*) points\.")
_ONE = re.compile(r"(\S+) beats (\S+ by .*?) points")


class Claim(NamedTuple):
    """What is said of arm a minus arm b, in fractions.

    Args:
        low, high: between which the difference is said to lie.
        shown: a is said to be better than b.
    """

    a: str
    b: str
    low: float
    high: float
    shown: bool


def of_statement(sentence: str) -> Claim:
    """The claim of one comparison's sentence.

    Raises:
        DataError: it is not worded as `verdict.statement` words them.
    """
    text = sentence.removeprefix(OF_POLICIES)
    if text.startswith(EXPLORATORY):
        pattern, text = _SEEN, text.removeprefix(EXPLORATORY)
    else:
        pattern = _OPEN if "told apart" in text else _BEATS
    found = pattern.match(text)
    if found is None:
        raise DataError("this sentence says nothing of two arms", where=sentence)
    a, b, low, high = found.groups()
    return Claim(a, b, _fraction(low), _fraction(high), pattern is _BEATS)


def of_headline(sentence: str) -> list[Claim]:
    """What the sentence that answers says is better than what: nothing, if it says so.

    Raises:
        DataError: it speaks of beating in words that are not known here.
    """
    text = sentence.removeprefix(OF_POLICIES)
    if text.startswith(EXPLORATORY):
        return []
    if best := _BEST.fullmatch(text):
        claims = _beaten([best[1]], best[2])
    elif top := _TOP.fullmatch(text):
        claims = _beaten(re.split(r", | and ", top[1]), top[2])
    else:
        claims = [claim for one in _ONE.finditer(text) for claim in _beaten([one[1]], one[2])]
    if not claims and re.search(r"\b(beats?|best|better)\b", text):
        raise DataError("this headline claims something that can't be read", where=sentence)
    return claims


def _beaten(winners: Sequence[str], losers: str) -> list[Claim]:
    return [
        Claim(winner, loser, _fraction(low), _fraction(high), True)
        for winner in winners
        for loser, low, high in _BY.findall(losers)
    ]


def _fraction(points: str) -> float:
    return float(points.replace("\N{MINUS SIGN}", "-")) / 100

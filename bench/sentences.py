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
_PLAIN = r"[\d.]+(?:e-\d+)?"
_CI = rf"\(\d+% CI ({_NUMBER}) to ({_NUMBER})(?:, at whatever scene one stops)?; [^();]+\)\."
_BEATS = re.compile(rf"(\S+) beats (\S+) by {_PLAIN} points {_CI}")
_OPEN = re.compile(rf"(\S+) and (\S+) can't be told apart: \1 minus \2 is {_NUMBER} points {_CI}")
_SEEN = re.compile(rf"(\S+) minus (\S+) is {_NUMBER} points {_CI}")
_BY = re.compile(rf"(\S+) by ({_NUMBER}) to ({_NUMBER})")
_LOSERS = rf"((?:\S+ by {_NUMBER} to {_NUMBER}(?:, | and )?)+) points"
_NAMES = r"(\S+(?:(?:, | and )\S+)*)"
_BEST = re.compile(rf"(\S+) is best: it beats {_LOSERS}")
_ONE = re.compile(rf"(\S+) beats {_LOSERS}")
_ALL = re.compile(rf"(?:both|all) beat {_LOSERS}")
_LEVEL = re.compile(rf"{_NAMES} can't be told apart")
_NOTHING = re.compile(
    r"no other (?:planned )?difference can be shown"
    r"|None of the \d+ (?:planned )?differences can be shown"
    r"|no policy succeeded once|every policy always succeeded"
    rf"|{_NAMES} (?:was|were) not compared as planned"
)


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
        DataError: it is not worded as `verdict.statement` words them, to the last letter.
    """
    text = sentence.removeprefix(OF_POLICIES)
    if text.startswith(EXPLORATORY):
        pattern, text = _SEEN, text.removeprefix(EXPLORATORY).removeprefix(OF_POLICIES)
    else:
        pattern = _OPEN if "told apart" in text else _BEATS
    found = pattern.fullmatch(text)
    if found is None:
        raise DataError("this sentence says nothing of two arms", where=sentence)
    a, b, low, high = found.groups()
    return Claim(a, b, _fraction(low), _fraction(high), pattern is _BEATS)


def of_headline(sentence: str) -> list[Claim]:
    """What the sentence that answers says is better than what: nothing, if it says so.

    Raises:
        DataError: a part of it is worded in a way that is not known here.
    """
    text = sentence.removeprefix(OF_POLICIES)
    if text.startswith(EXPLORATORY):
        return []
    claims: list[Claim] = []
    level: list[str] = []
    for part in text.removesuffix(".").split("; "):
        if found := _BEST.fullmatch(part) or _ONE.fullmatch(part):
            claims += _beaten([found[1]], found[2])
        elif level and (found := _ALL.fullmatch(part)):
            claims += _beaten(level, found[1])
        elif found := _LEVEL.fullmatch(part):
            level = re.split(r", | and ", found[1])
        elif not _NOTHING.fullmatch(part):
            raise DataError("this headline says something that can't be read", where=sentence)
    return claims


def _beaten(winners: Sequence[str], losers: str) -> list[Claim]:
    return [
        Claim(winner, loser, _fraction(low), _fraction(high), True)
        for winner in winners
        for loser, low, high in _BY.findall(losers)
    ]


def _fraction(points: str) -> float:
    return float(points.replace("\N{MINUS SIGN}", "-")) / 100

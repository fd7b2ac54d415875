"""What a report's comparisons show, in plain sentences: nothing else makes any.

A comparison claims a difference only when its verdict does; what is exploratory claims nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from trimix.evaluate.planned import MOST_SEEDS, SEEDS_FOR_MIXES, Scope
from trimix.evaluate.schema import BASELINES, Arm, Comparison, Offline, Open

OF_POLICIES = "Of these policies, not the mixes: "
EXPLORATORY = "Exploratory, so nothing is shown: "


def statement(comparison: Comparison, level: float = 0.95) -> str:
    """One comparison, as a sentence that says what it rests on."""
    a, b, points = comparison["a"], comparison["b"], 100 * comparison["delta"]
    low, high = (100 * x for x in comparison["ci95"])
    about = OF_POLICIES if comparison["scope"] == "these policies" else ""
    if comparison["verdict"] == "worse":
        a, b, points, low, high = b, a, -points, -high, -low
    ends = f"{100 * level:.3g}% CI {_signed(low)} to {_signed(high)}"
    evidence = f"({ends}; {_size(comparison)})"
    if comparison["status"] == "exploratory":
        return f"{EXPLORATORY}{a} minus {b} is {_signed(points)} points {evidence}."
    if comparison["verdict"] == "open":
        return (
            f"{about}{a} and {b} can't be told apart: {a} minus {b} is {_signed(points)} points "
            f"{evidence}."
        )
    return f"{about}{a} beats {b} by {_plain(points)} points {evidence}."


def headline(comparisons: Sequence[Comparison], success: Mapping[str, float]) -> str:
    """The one sentence that answers which arm is best, as far as the planned comparisons can.

    "Best" is a selection, and only an arm that beats every other one is called so; the intervals
    are simultaneous over all comparisons, so the selection is paid for.

    Args:
        success: arm -> rate; arms are named from the most successful down.
    """
    if not comparisons:
        return "Nothing was compared."
    planned = [c for c in comparisons if c["status"] == "planned"]
    if not planned:
        first = max((arm for c in comparisons for arm in (c["a"], c["b"])), key=success.__getitem__)
        return (
            f"{EXPLORATORY}this was not planned before its scenes were seen. {first} scored "
            f"highest, {100 * success[first]:.1f}%."
        )
    scope: Scope = "mixes" if any(c["scope"] == "mixes" for c in planned) else "these policies"
    standing = _Standing([c for c in planned if c["scope"] == scope], success)
    return (OF_POLICIES if scope == "these policies" else "") + standing.sentence()


class _Standing:
    """Who beats whom, of comparisons that are all planned and of one scope."""

    def __init__(self, comparisons: Sequence[Comparison], success: Mapping[str, float]) -> None:
        self.beats: dict[tuple[str, str], tuple[float, float]] = {}
        self.open: set[frozenset[str]] = set()
        for c in comparisons:
            low, high = c["ci95"]
            if c["verdict"] == "better":
                self.beats[c["a"], c["b"]] = (low, high)
            elif c["verdict"] == "worse":
                self.beats[c["b"], c["a"]] = (-high, -low)
            else:
                self.open.add(frozenset((c["a"], c["b"])))
        named = dict.fromkeys(arm for c in comparisons for arm in (c["a"], c["b"]))
        self.arms = sorted(named, key=lambda arm: -success[arm])

    def sentence(self) -> str:
        lost = {loser for _, loser in self.beats}
        top = [arm for arm in self.arms if arm not in lost]
        rest = [arm for arm in self.arms if arm in lost]
        level = all(frozenset(pair) in self.open for pair in combinations(top, 2))
        swept = all((arm, loser) in self.beats for arm in top for loser in rest)
        if not rest:
            if level:
                return f"{_listed(top, 'and')} can't be told apart."
            return f"None of the {len(self.open)} planned differences can be shown."
        if level and swept:
            if len(top) == 1:
                return f"{top[0]} is best: it beats {self._beaten(top, rest)} points."
            all_of = "both" if len(top) == 2 else "all"
            return (
                f"{_listed(top, 'and')} can't be told apart; "
                f"{all_of} beat {self._beaten(top, rest)} points."
            )
        parts = []
        for arm in self.arms:
            losers = [loser for loser in self.arms if (arm, loser) in self.beats]
            if losers:
                parts.append(f"{arm} beats {self._beaten([arm], losers)} points")
        others = "; no other planned difference can be shown" if self.open else ""
        return f"{'; '.join(parts)}{others}."

    def _beaten(self, winners: Sequence[str], losers: Sequence[str]) -> str:
        """ "x by 1.0 to 2.0 and y by 3.0 to 4.0": ends that hold for all of the winners."""
        parts = []
        for loser in losers:
            ends = [self.beats[winner, loser] for winner in winners]
            low, high = min(low for low, _ in ends), max(high for _, high in ends)
            parts.append(f"{loser} by {_plain(100 * low)} to {_plain(100 * high)}")
        return _listed(parts, "and")


def open_questions(
    comparisons: Sequence[Comparison], needed: Mapping[tuple[str, str], int | None]
) -> list[Open]:
    """What is not settled, and what a new run would need for it.

    Args:
        needed: (a, b) -> training seeds per arm of a new run; None if no number would do.
    """
    found: list[Open] = []
    for c in comparisons:
        if c["verdict"] != "open":
            continue
        a, b, seeds = c["a"], c["b"], needed[c["a"], c["b"]]
        if c["scope"] == "these policies":
            says = f"takes a run planned with at least {SEEDS_FOR_MIXES} training seeds an arm"
            seeds = SEEDS_FOR_MIXES
        elif seeds is None:
            says = (
                f"is out of reach: a difference of {_signed(100 * c['delta'])} points would not "
                f"show with {MOST_SEEDS} training seeds an arm on {c.get('scenes')} scenes"
            )
        else:
            says = (
                f"takes a new run, planned with about {seeds} training seeds an arm, if the "
                f"difference is the {_signed(100 * c['delta'])} points seen here"
            )
        sentence = f"Telling {a} and {b} apart {says}."
        found.append({"a": a, "b": b, "sentence": sentence, "seeds_needed": seeds})
    return found


def offline_verdicts(arms: Sequence[Arm]) -> list[str]:
    """Which arms predict held-out actions better than the trivial baselines, in plain sentences.

    A baseline is beaten when the interval of the difference in error lies below 0. Arms with one
    outcome share a sentence.
    """
    groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for arm in arms:
        offline = arm["offline"]
        if offline is None or offline["velocity_nmse"] is None:
            continue
        beaten = tuple(name for name in offline["baselines"] if _beats(offline, name))
        others = tuple(name for name in offline["baselines"] if name not in beaten)
        scored = f"{arm['name']} ({offline['velocity_nmse']:.2f})"
        groups.setdefault((beaten, others), []).append(scored)
    sentences = []
    for (beaten, others), named in groups.items():
        done = [f"beat {_listed(beaten, 'and')}"] if beaten else []
        open_ = [f"could not be shown to beat {_listed(others, 'or')}"] if others else []
        sentences.append(
            f"On held-out episodes {_listed(named, 'and')} {' but '.join(done + open_)} "
            "(normalised velocity error in brackets)."
        )
    return sentences


def _beats(offline: Offline, baseline: str) -> bool:
    margin = offline["baselines"][baseline].get("margin_ci95")
    return margin is not None and margin[1] < 0


def _listed(names: Sequence[str], word: str) -> str:
    shown = [name.replace("_", "-") if name in BASELINES else name for name in names]
    first, last = shown[:-1], shown[-1]
    return f"{', '.join(first)} {word} {last}" if first else last


def _size(comparison: Comparison) -> str:
    scenes, seeds = comparison.get("scenes"), comparison.get("seeds")
    if scenes is None or seeds is None:
        return f"n = {comparison['n']}"
    return f"{scenes} scenes \N{MULTIPLICATION SIGN} {seeds} {'seed' if seeds == 1 else 'seeds'}"


def _signed(points: float) -> str:
    return ("+" if points >= 0 else "\N{MINUS SIGN}") + _plain(abs(points))


def _plain(points: float) -> str:
    """A size that reads as 0 only if it is."""
    return f"{points:.1f}" if points >= 0.05 or points == 0 else f"{points:.1g}"

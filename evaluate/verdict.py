"""What a report's comparisons show, in plain sentences: nothing else makes any.

A comparison claims a difference only when its verdict does; what is exploratory claims nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from trimix.evaluate.planned import MOST_SEEDS, SEEDS_FOR_MIXES, Scope
from trimix.evaluate.schema import BASELINES, Arm, Comparison, Offline, Open, Report

OF_POLICIES = "Of these policies, not the mixes: "
MOST_NAMED = 6
"""Of more arms than these, one sentence can't say who beats whom."""
EXPLORATORY = "Exploratory, so nothing is shown: "


def statement(comparison: Comparison, level: float = 0.95) -> str:
    """One comparison, as a sentence that says what it rests on."""
    a, b, points = comparison["a"], comparison["b"], 100 * comparison["delta"]
    low, high = (100 * x for x in comparison["ci95"])
    about = _about(comparison["scope"])
    if comparison["verdict"] == "worse":
        a, b, points, low, high = b, a, -points, -high, -low
    ends = f"{100 * level:.3g}% CI {_signed(low)} to {_signed(high)}"
    if comparison.get("any_time"):
        ends += ", at whatever scene one stops"
    evidence = f"({ends}; {_size(comparison)})"
    if comparison["status"] == "exploratory":
        return f"{EXPLORATORY}{about}{a} minus {b} is {_signed(points)} points {evidence}."
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
        success: arm -> rate, of every arm that was scored; they are named from the most
            successful down.
    """
    if not comparisons:
        return "Nothing was compared."
    planned = [c for c in comparisons if c["status"] != "exploratory"]
    if not planned:
        most = max(success.values())
        first = _listed([arm for arm, rate in success.items() if rate == most], "and")
        return (
            f"{EXPLORATORY}this was not planned before its policies were seen. {first} scored "
            f"highest, {100 * most:.1f}%."
        )
    scope: Scope = "mixes" if any(c["scope"] == "mixes" for c in planned) else "these policies"
    standing = _Standing([c for c in planned if c["scope"] == scope], success)
    return _about(scope) + standing.sentence()


def _about(scope: Scope) -> str:
    return OF_POLICIES if scope == "these policies" else ""


class _Standing:
    """Who beats whom, of comparisons that are not exploratory and of one scope."""

    def __init__(self, comparisons: Sequence[Comparison], success: Mapping[str, float]) -> None:
        self.planned = "planned " if any(c["status"] == "planned" for c in comparisons) else ""
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
        named = {arm for c in comparisons for arm in (c["a"], c["b"])}
        ranked = sorted(success, key=lambda arm: -success[arm])
        self.arms = [arm for arm in ranked if arm in named]
        self.rates = {success[arm] for arm in self.arms}
        self.left_out = [arm for arm in ranked if arm not in named]

    def sentence(self) -> str:
        said = self._said()
        if self.left_out:
            were = "was" if len(self.left_out) == 1 else "were"
            said += f"; {_listed(self.left_out, 'and')} {were} not compared as planned"
        return f"{said}."

    def _said(self) -> str:
        lost = {loser for _, loser in self.beats}
        top = [arm for arm in self.arms if arm not in lost]
        rest = [arm for arm in self.arms if arm in lost]
        level = all(frozenset(pair) in self.open for pair in combinations(top, 2))
        swept = all((arm, loser) in self.beats for arm in top for loser in rest)
        if not rest:
            if level:
                return f"{_listed(top, 'and')} can't be told apart{self._at_the_end()}"
            return f"None of the {len(self.open)} {self.planned}differences can be shown"
        if top and level and swept:
            beaten = f"{self._beaten(top, rest)} points"
            if len(top) > 1:
                all_of = "both" if len(top) == 2 else "all"
                return f"{_listed(top, 'and')} can't be told apart; {all_of} beat {beaten}"
            if not self.left_out:
                return f"{top[0]} is best: it beats {beaten}"
        if len(self.arms) > MOST_NAMED:
            return self._first()
        parts = []
        for arm in self.arms:
            losers = [loser for loser in self.arms if (arm, loser) in self.beats]
            if losers:
                parts.append(f"{arm} beats {self._beaten([arm], losers)} points")
        others = f"; no other {self.planned}difference can be shown" if self.open else ""
        return f"{'; '.join(parts)}{others}"

    def _at_the_end(self) -> str:
        """Why nothing can differ, where rates lie at an end of what there is."""
        if self.rates == {0.0}:
            return "; no policy succeeded once"
        return "; every policy always succeeded" if self.rates == {1.0} else ""

    def _first(self) -> str:
        """Of many arms, where the one that scored highest stands."""
        first, *others = self.arms
        beaten = [arm for arm in others if (first, arm) in self.beats]
        level = [arm for arm in others if frozenset((first, arm)) in self.open]
        said = [f"{first} scored highest{' of those compared' if self.left_out else ''}"]
        if beaten:
            least = min(self.beats[first, arm][0] for arm in beaten)
            said = [f"{first} beats {len(beaten)} of {len(others)}, each by {_plain(100 * least)}"]
            said[0] += " points or more"
        if level:
            said.append(f"{_listed(level, 'and')} can't be told apart from it")
        return "; ".join(said)

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
        elif seeds is None and not round(100 * c["delta"], 1):
            says = "takes a difference: none was seen, so no number of training seeds can be named"
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


def closed_loop_headline(report: Report) -> str:
    """The sentence that answers in closed loop: the inference's, or what there is to say without.

    Nothing is compared where a single arm was run, or in a report from before comparisons were
    planned.
    """
    if part := report.get("inference"):
        return part["headline"]
    loops = [(arm["name"], arm["closed_loop"]) for arm in report["arms"]]
    said = [f"{name} {100 * loop['success']:.1f}%" for name, loop in loops if loop is not None]
    return f"Nothing was compared; the rates of success: {_listed(said, 'and')}."


def heldout_headline(arms: Sequence[Arm]) -> str | None:
    """Whether the policies predict held-out actions better than the trivial predictors do.

    A baseline is beaten when the interval of the difference in error lies below 0. One arm is not
    set against another: that is not tested, and which has the lowest error is a selection.

    Returns:
        One sentence; None if no arm was scored.
    """
    scored = {
        arm["name"]: arm["offline"]
        for arm in arms
        if arm["offline"] is not None and arm["offline"]["velocity_nmse"] is not None
    }
    if not scored:
        return None
    trivial = list(dict.fromkeys(b for part in scored.values() for b in part["baselines"]))
    beaten = {
        arm: [b for b in trivial if b in part["baselines"] and _beats(part, b)]
        for arm, part in scored.items()
    }
    ahead = [arm for arm in scored if len(beaten[arm]) == len(trivial)]
    rest = [arm for arm in scored if arm not in ahead]
    than = f"predict held-out actions better than {_listed(trivial, 'and')}"
    one = than.replace("predict ", "predicts ", 1)
    lowest = min(scored, key=lambda arm: scored[arm]["velocity_nmse"] or 0.0)
    error = f"{scored[lowest]['velocity_nmse']:.3f}"
    if len(scored) == 1:
        # The lowest of several is a selection, of which one arm's interval would not hold.
        if interval := scored[lowest].get("velocity_nmse_ci95"):
            error += f" (95% CI {interval[0]:.3f} to {interval[1]:.3f})"
        said = f"{lowest} {one}" if ahead else f"{lowest} can't be shown to {than}"
        return f"{OF_POLICIES}{said}; its velocity error is {error}."
    if not rest:
        said = f"all {len(ahead)} arms {than}"
    elif not ahead:
        said = f"no arm can be shown to {than}"
    else:
        verb = one if len(ahead) == 1 else than
        said = f"{_listed(ahead, 'and')} {verb}, {_listed(rest, 'and')} can't be shown to"
    return f"{OF_POLICIES}{said}; of the arms, {lowest} has the lowest velocity error, {error}."


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

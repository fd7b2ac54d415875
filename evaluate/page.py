"""What the report's page shows, in order: chosen and worded here, laid out by the template.

Nothing is computed anew: every number, interval and verdict is one of report.json's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from trimix.core.contracts import ORIGINS, Origin
from trimix.evaluate.dotplot import DotPlot, Row, fit_axis, spoken
from trimix.evaluate.schema import Arm, Baseline, ClosedLoop, Curve, Offline, Report
from trimix.evaluate.verdict import closed_loop_headline, heldout_headline

LEAST_POINTS = 5.0
LEAST_ERROR = 0.02
SIMULTANEOUS = "95% simultaneous interval"
IntervalKey = Literal["velocity_nmse_ci95", "gripper_f1_ci95"]


@dataclass(frozen=True)
class Answer:
    """One sentence that answers, one plot that shows it, and what is open.

    Args:
        kind: which scores it rests on.
        headline: the sentence.
        exploratory: whether nothing in it was planned.
        plots: the first stands beneath the sentence.
        statements: the sentences that say each thing apart.
        open: what it would take to settle what is open.
    """

    kind: str
    headline: str
    exploratory: bool
    plots: tuple[DotPlot, ...]
    statements: tuple[str, ...] = ()
    open: tuple[str, ...] = ()


def answers(report: Report) -> list[Answer]:
    """What was found, the scores that matter most first.

    A physical robot's held-out episodes come before the closed loop of its simulated cousin;
    where a simulator plays the robot's part, the closed loop is the truth and comes first.
    """
    found = [a for a in (_closed_loop(report), _heldout(report)) if a is not None]
    return found[::-1] if report["real"]["label"] == "real" else found


def ranked(report: Report) -> list[str]:
    """The arms in the one order that every plot and table keeps: the leading score's, best first.

    Arms without that score come last, in their own order.
    """
    arms = report["arms"]
    if report["real"]["label"] == "real" and any(_nmse(arm) is not None for arm in arms):
        scores = [_nmse(arm) for arm in arms]
    else:
        scores = [None if a["closed_loop"] is None else -a["closed_loop"]["success"] for a in arms]
    order = sorted(range(len(arms)), key=lambda i: (scores[i] is None, scores[i] or 0.0, i))
    return [arms[i]["name"] for i in order]


def _closed_loop(report: Report) -> Answer | None:
    if all(arm["closed_loop"] is None for arm in report["arms"]):
        return None
    part = report.get("inference")
    plots = [p for p in (_success(report), _differences(report)) if p is not None]
    return Answer(
        "closed loop",
        closed_loop_headline(report),
        part is not None and part["status"] == "exploratory",
        tuple(plots),
        tuple(part["statements"]) if part else (),
        tuple(item["sentence"] for item in part["open"]) if part else (),
    )


def _success(report: Report) -> DotPlot:
    loops = {a["name"]: a["closed_loop"] for a in _in_order(report) if a["closed_loop"] is not None}
    rows = []
    for name, loop in loops.items():
        low, high = loop.get("ci95", loop["wilson95"])
        interval = (100 * low, 100 * high)
        seeds = loop.get("per_seed", [])
        shown = spoken(100 * loop["success"], interval, digits=1, unit="%")
        dots = tuple(100 * s for s in seeds) if len(seeds) > 1 else ()
        rows.append(Row(name, 100 * loop["success"], interval, dots, shown))
    axis = fit_axis(_drawn(rows), least=LEAST_POINTS, bounds=(0, 100))
    return DotPlot("success", "success (%)", axis, tuple(rows), _kind_of(loops.values()))


def _kind_of(loops: Iterable[ClosedLoop]) -> str:
    """What the intervals of success are, and of what."""
    kinds = {loop.get("ci95_scope", "these policies") for loop in loops}
    of = "of the mixes" if kinds == {"mixes"} else "of these policies"
    whole = all("ci95" in loop for loop in loops)
    return f"{SIMULTANEOUS if whole else '95% Wilson interval'}, {of}"


def _differences(report: Report) -> DotPlot | None:
    if not report["comparisons"]:
        return None
    rows = []
    for c in report["comparisons"]:
        low, high = c["ci95"]
        interval = (100 * low, 100 * high)
        rows.append(
            Row(
                f"{c['a']} minus {c['b']}",
                100 * c["delta"],
                interval,
                (),
                spoken(100 * c["delta"], interval, digits=1),
                badge="exploratory" if c["status"] == "exploratory" else "",
                verdict=c["verdict"],
            )
        )
    axis = fit_axis([0.0, *_drawn(rows)], least=LEAST_POINTS, bounds=(-100, 100))
    label = "difference in success (percentage points)"
    return DotPlot("differences", label, axis, tuple(rows), SIMULTANEOUS, zero=True)


def _heldout(report: Report) -> Answer | None:
    headline = heldout_headline(report["arms"])
    if headline is None:
        return None
    plots = (_error(report), _gripper(report))
    return Answer("held out", headline, False, tuple(p for p in plots if p is not None))


def _error(report: Report) -> DotPlot | None:
    rows = _scores(report, lambda part: part["velocity_nmse"], "velocity_nmse_ci95")
    label = "velocity error; predicting the mean scores 1, lower is better"
    return _score_plot("error", label, rows)


def _gripper(report: Report) -> DotPlot | None:
    rows = _scores(report, lambda part: part["gripper_f1"], "gripper_f1_ci95")
    return _score_plot("gripper", "gripper F1, higher is better", rows)


def _score_plot(name: str, label: str, rows: Sequence[Row]) -> DotPlot | None:
    arms = [row for row in rows if not row.quiet]
    if not arms:
        return None
    # Baselines may lie far off: the axis fits the arms, and what is beyond it points there.
    axis = fit_axis(_drawn(arms), least=LEAST_ERROR, bounds=(0, math.inf))
    return DotPlot(name, label, axis, tuple(rows), "95% interval over episodes, of these policies")


Part = Offline | Baseline


def _scores(report: Report, of: Callable[[Part], float | None], key: IntervalKey) -> list[Row]:
    """A row for every arm that has the score, then one for every trivial predictor."""
    rows = []
    baselines: dict[str, Baseline] = {}
    for arm in _in_order(report):
        if (part := arm["offline"]) is None or (value := of(part)) is None:
            continue
        baselines = {**part["baselines"], **baselines}
        per_seed = part.get("per_seed", []) if key == "velocity_nmse_ci95" else []
        dots = tuple(s for s in per_seed if s is not None) if len(per_seed) > 1 else ()
        interval = part.get(key)
        rows.append(Row(arm["name"], value, interval, dots, spoken(value, interval, digits=3)))
    for name, baseline in baselines.items():
        if (value := of(baseline)) is not None:
            interval = baseline.get(key)
            shown = spoken(value, interval, digits=3)
            rows.append(Row(name.replace("_", " "), value, interval, (), shown, True, "baseline"))
    return rows


def _in_order(report: Report) -> list[Arm]:
    by_name = {arm["name"]: arm for arm in report["arms"]}
    return [by_name[name] for name in ranked(report)]


def _nmse(arm: Arm) -> float | None:
    return None if arm["offline"] is None else arm["offline"]["velocity_nmse"]


def _drawn(rows: Iterable[Row]) -> Iterator[float]:
    for row in rows:
        yield from (row.value, *row.dots, *(row.interval or ()))


def made_of(report: Report) -> dict[str, list[tuple[Origin, float]]]:
    """arm -> (origin, planned share of its windows), in the order of origins; by the mix table."""
    found: dict[str, list[tuple[Origin, float]]] = {}
    for arm in report["arms"]:
        rows = [row for row in report["mix"] if row["arm"] == arm["name"]]
        shares = [(o, sum(r["share"] for r in rows if r["origin"] == o)) for o in ORIGINS]
        found[arm["name"]] = [(origin, share) for origin, share in shares if share > 0]
    return found


def source_names(report: Report) -> dict[str, str]:
    """source -> what to call it: a stand-in is never shown as real without saying so."""
    label = report["real"]["label"]
    real = {row["source"] for row in report["mix"] if row["origin"] == "real"} | {"real"}
    return {} if label == "real" else {source: f"{source}: {label}" for source in real}


def curve_groups(curves: Sequence[Curve]) -> list[list[Curve]]:
    """Curves that share a figure: of one group and one metric."""
    groups: dict[tuple[str, str], list[Curve]] = {}
    for curve in curves:
        groups.setdefault((curve["group"], curve["metric"]), []).append(curve)
    return list(groups.values())

"""trimix report: what a run found, in words."""

from __future__ import annotations

from dataclasses import dataclass

from trimix.cli.verb import Verb
from trimix.evaluate.page import answers
from trimix.evaluate.report import load_report
from trimix.evaluate.schema import Report


@dataclass(frozen=True)
class ReportSettings:
    """The folder of a run that has a report.json."""

    run: str = "runs/pipeline"


def summary(report: Report) -> str:
    """Arms with their intervals, then what was found, the scores that matter most first."""
    lines = [f"{report['title']} ({report['real']['label']})", ""]
    for arm in report["arms"]:
        closed = arm["closed_loop"]
        if closed is not None:
            low, high = closed.get("ci95", closed["wilson95"])
            lines.append(
                f"{arm['name']:<24}{closed['success']:>7.1%}  ({low:.1%} to {high:.1%}, "
                f"n = {closed['n']}, {closed['world']})"
            )
    lines.append("")
    for answer in answers(report):
        lines += [answer.headline, *answer.statements, *answer.open]
    lines += [f"warning: {text}" for text in report["warnings"]]
    lines += [f"not done: {s['name']}: {s['reason']}" for s in report["skipped"]]
    return "\n".join(lines)


def _command(settings: ReportSettings) -> None:
    print(summary(load_report(settings.run)))


VERB = Verb("report", ReportSettings, _command)

"""trimix report: what a run found, in words."""

from __future__ import annotations

from dataclasses import dataclass

from trimix.cli.verb import Verb
from trimix.evaluate.report import load_report, summary


@dataclass(frozen=True)
class ReportSettings:
    """The folder of a run that has a report.json."""

    run: str = "runs/pipeline"


def _command(settings: ReportSettings) -> None:
    print(summary(load_report(settings.run)))


VERB = Verb("report", ReportSettings, _command)

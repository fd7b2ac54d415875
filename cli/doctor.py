"""trimix doctor: whether this machine can run trimix, and whether a data set can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

from trimix.bench.machine import checked
from trimix.cli.progress import bar
from trimix.cli.verb import Verb
from trimix.core.errors import DataError, MissingError, TrimixError
from trimix.data.checking.check import check
from trimix.data.checking.finding import summary

_MOST_LINES = 12


@dataclass(frozen=True)
class DoctorSettings:
    """What to look at: this machine, or a data set if one is named."""

    data: str = ""


def _command(settings: DoctorSettings) -> None:
    if settings.data:
        _require_sound(settings.data)
        return
    faults = []
    for name, found in checked():
        print(f"{name:<10}{found}")
        faults += [name] if isinstance(found, TrimixError) else []
    if faults:
        raise MissingError(f"not ready: {', '.join(faults)}", do="see the lines above")


def _require_sound(data: str) -> None:
    """Print what is wrong with a data set; raise DataError if an import would refuse any of it."""
    with bar(f"check {data}", "video") as progress:
        problems = check(data, progress)
    for line in summary(problems, data.rstrip("/"), _MOST_LINES):
        print(line)
    blocking = sum(problem.severity == "blocks" for problem in problems)
    if blocking:
        raise DataError(
            f"of what was found, {blocking} of {len(problems)} block an import",
            where=data,
            do="mend them, or import without those episodes (skip_bad=true) or cameras (cameras=)",
        )
    print(f"{data} can be trusted" + (": an import mends the rest" if problems else ""))


VERB = Verb("doctor", DoctorSettings, _command)

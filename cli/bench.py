"""trimix bench: measure, beside a ceiling or baseline, and keep what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trimix.bench import BENCHES
from trimix.bench.results import Line, render_pages
from trimix.bench.run import KEPT, RESULTS, require_checkout, run_benches
from trimix.cli.verb import Verb
from trimix.core.errors import ConfigError
from trimix.core.version import ROOT


@dataclass(frozen=True)
class BenchSettings:
    """What to measure, and where it is kept.

    Args:
        name: a registered benchmark, or all.
        quick: prove that it runs, on too little to say anything; keeps nothing.
        keep: False only prints.
        dirty: keep also what is measured on changes that no commit holds, marked as such.
        render: measure nothing; make the tables of the results' pages from what is kept.
        json: with name=sim, a file that gets its first case as one JSON object; keeps nothing.
    """

    name: str = "all"
    quick: bool = False
    keep: bool = True
    dirty: bool = False
    render: bool = False
    json: str = ""

    def __post_init__(self) -> None:
        if self.json and (self.name != "sim" or self.render):
            raise ConfigError(
                f"json={self.json} is of name=sim alone", do="the others keep JSON lines anyway"
            )


def _command(settings: BenchSettings) -> None:
    if settings.json:
        _write_json(Path(settings.json), settings.quick)
        return
    kept = ROOT / RESULTS / KEPT
    if settings.render or (settings.keep and not settings.quick):
        require_checkout()
    if settings.render:
        for page in render_pages(kept.parent, kept):
            print(f"{page}: made anew")
        return
    names = list(BENCHES) if settings.name == "all" else [settings.name]
    run_benches(
        names,
        quick=settings.quick,
        record=kept if settings.keep else None,
        dirty=settings.dirty,
        found=_say,
    )


def _write_json(path: Path, quick: bool) -> None:
    from trimix.bench.sim import write

    if not path.absolute().parent.is_dir() or path.is_dir():
        raise ConfigError("is no place for a file", where=str(path), do="name a file in a folder")
    found = write(path, quick)
    part = found["fraction_of_ceiling"]
    print(f"{path}: {found['frames_per_s']:.0f} frames/s, {part:.0%} of the ceiling")


def _say(line: Line) -> None:
    beside = "" if line["baseline"] is None else f"   beside {line['baseline']:.4g}"
    print(f"{line['figure']:<40}{line['value']:>12.4g} {line['unit']}{beside}   n={line['n']}")


VERB = Verb("bench", BenchSettings, _command, bare="name")

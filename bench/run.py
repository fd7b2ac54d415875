"""Runs benchmarks and appends what they measured to a file of JSON lines, one a figure."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from trimix.bench import BENCHES
from trimix.bench.figure import Figure
from trimix.bench.results import Line, append
from trimix.core.errors import ConfigError
from trimix.core.version import ROOT, git

DIRTY = "-dirty"
RESULTS = "docs/results"
"""Below the checkout; what is written there does not make a tree dirty."""
KEPT = "bench.jsonl"


def require_checkout() -> None:
    """Raise ConfigError where there is no place to keep results."""
    if not (ROOT / RESULTS).is_dir():
        raise ConfigError(
            "results are kept in a checkout, and this is none",
            where=str(ROOT),
            do="give keep=false to print them",
        )


@dataclass(frozen=True)
class Place:
    """Where a benchmark runs, as it stands in every line that it leaves.

    Args:
        commit: of the checkout, ending in "-dirty" if files differ from it.
        machine: cores, processor, memory, system, Python and torch, in one line.
        load: how many processes were running or waiting before it began, over the last minute:
            figures that were timed beside other work are not to be relied on.
    """

    commit: str
    machine: str
    load: float


def run_benches(
    names: Sequence[str],
    *,
    quick: bool = False,
    record: Path | None = None,
    dirty: bool = False,
    found: Callable[[Line], None] = lambda line: None,
) -> list[Line]:
    """Run benchmarks; every figure is recorded as soon as it is there.

    Args:
        names: registered in BENCHES, in this order.
        quick: prove that they run, on too little to say anything; never recorded.
        record: the file that lines are appended to; None records nothing.
        dirty: record also from a tree with changes that no commit holds, and mark the lines.
        found: called with each line.

    Raises:
        ConfigError: an unknown name; a figure that is no number; or, before anything is run, a
            tree whose commit would not say what was measured.
        DataError: the file cannot be written.
    """
    runs = [(name, BENCHES[name]) for name in names]
    place = Place(commit_of(ROOT), machine(), os.getloadavg()[0])
    record = None if quick else record
    if record is not None and not dirty and (not place.commit or place.commit.endswith(DIRTY)):
        raise ConfigError(
            "what is measured here has no commit",
            where=str(ROOT),
            do="commit first, or give dirty=true to record it as such",
        )
    lines: list[Line] = []
    for name, run in runs:
        for line in _lines(run(quick), f"trimix bench {name}{' quick=true' * quick}", place):
            if record is not None:
                append(record, line)
            lines.append(line)
            found(line)
    return lines


def _lines(figures: Iterator[Figure], command: str, place: Place) -> Iterator[Line]:
    seen: set[str] = set()
    for figure in figures:
        numbers = [figure.value, *([] if figure.baseline is None else [figure.baseline])]
        if not all(map(math.isfinite, numbers)) or figure.n < 1 or figure.figure in seen:
            raise ConfigError(f"{figure} is no new measurement", where=command)
        seen.add(figure.figure)
        yield Line(
            figure=figure.figure,
            value=float(figure.value),
            unit=figure.unit,
            n=int(figure.n),
            baseline=None if figure.baseline is None else float(figure.baseline),
            about=figure.about,
            commit=place.commit or "none",
            machine=place.machine,
            load=round(place.load, 2),
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            command=command,
        )


def commit_of(root: Path) -> str:
    """The commit of a checkout, ending in "-dirty" if anything but results differs; "" if none."""
    if not (root / ".git").exists():
        return ""
    commit = git(root, "rev-parse", "--short=12", "HEAD")
    changed = git(root, "status", "--porcelain", "--", ".", f":(exclude){RESULTS}")
    return commit + DIRTY if commit and changed else commit


def machine() -> str:
    """Cores that this process may use, processor, memory, system, Python and torch."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    torch = metadata.version("torch")
    return f"{cores} cores, {_processor()}, {memory:.0f} GiB, {system}, torch {torch}"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else "unknown processor"

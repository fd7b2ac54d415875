"""Measured figures on file, and the tables of the documentation that are made from them.

A results file holds one JSON object a line, oldest first; the last line of a figure counts.
In a page, a table stands between markers and is never typed:

    <!-- bench: plan.* figure value baseline n -->
    <!-- /bench -->
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NotRequired, TypedDict

from trimix.core.errors import ConfigError, DataError, MissingError
from trimix.data.files import storage_errors, write_atomic


class Line(TypedDict):
    """One measured figure: figure.Figure, and where it was measured.

    Keys:
        figure, value, unit, n, baseline, about: as in Figure.
        commit, machine, load: as in run.Place.
        date: UTC, ISO 8601.
        command: what measured it.
    """

    figure: str
    value: float
    unit: str
    n: int
    baseline: float | None
    about: NotRequired[str]
    commit: str
    machine: str
    load: NotRequired[float]
    date: str
    command: str


_KINDS: dict[str, tuple[type, ...]] = {
    "figure": (str,),
    "value": (int, float),
    "unit": (str,),
    "n": (int,),
    "baseline": (int, float, type(None)),
    "commit": (str,),
    "machine": (str,),
    "date": (str,),
    "command": (str,),
}
NOTHING = "Not measured yet.\n"
"""What stands for a table without figures."""
_BLOCK = re.compile(r"<!-- bench: (?P<asked>[^\n]*?) -->\n(?P<table>.*?)<!-- /bench -->", re.DOTALL)
_OPENING = re.compile(r"<!-- bench:")


def append(path: Path, line: Line) -> None:
    """Add a line to a results file, whole or not at all.

    Raises:
        TrimixError: the disk is full or refuses the write.
    """
    data = (json.dumps(line, allow_nan=False) + "\n").encode()
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", buffering=0) as sink:
            written = sink.write(data)
            os.fsync(sink.fileno())
    if written != len(data):
        raise DataError("the line was cut short", where=str(path), do="free disk space")


def read(path: Path) -> list[Line]:
    """The lines of a results file, oldest first.

    Raises:
        MissingError: it is not there.
        DataError: a line is not one; the error names it.
    """
    if not path.is_file():
        raise MissingError("there are no results", where=str(path), do="run trimix bench")
    return [
        _line(text, f"{path}:{number}")
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if text.strip()
    ]


def _line(text: str, where: str) -> Line:
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise DataError(f"is not JSON ({error})", where=where) from error
    for key, kinds in _KINDS.items():
        if not isinstance(raw, dict) or key not in raw:
            raise DataError(f"has no {key!r}", where=where)
        if not isinstance(raw[key], kinds) or isinstance(raw[key], bool):
            raise DataError(f"{key} is {raw[key]!r}", where=where)
    line: Line = raw
    return line


def latest(lines: Iterable[Line]) -> dict[str, Line]:
    """figure -> its last line, in the order of the figures' names with numbers as numbers."""
    last = {line["figure"]: line for line in lines}
    return {name: last[name] for name in sorted(last, key=_natural)}


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def render(page: str, lines: Iterable[Line], *, where: str = "") -> str:
    """A page of Markdown with its tables made anew.

    Each table ends with what measured it: command, commit, day and machine. One that nothing was
    measured for says so.

    Raises:
        ConfigError: a marker that is never closed, or a column that does not exist.
    """
    last = latest(lines)
    if len(_OPENING.findall(page)) != len(_BLOCK.findall(page)):
        raise ConfigError("a table is never closed", where=where, do="end it with <!-- /bench -->")

    def block(match: re.Match[str]) -> str:
        glob, *columns = match["asked"].split() or [""]
        found = [line for name, line in last.items() if fnmatch.fnmatchcase(name, glob)]
        text = table(found, columns or list(_DEFAULT), where=where) if found else NOTHING
        return f"<!-- bench: {match['asked']} -->\n{text}<!-- /bench -->"

    return _BLOCK.sub(block, page)


def table(lines: Sequence[Line], columns: Sequence[str], *, where: str = "") -> str:
    """A Markdown table of figures, and below it what measured them.

    Raises:
        ConfigError: a column that does not exist.
    """
    strange = [c for c in columns if c not in _COLUMNS]
    if strange:
        raise ConfigError(
            f"column {strange[0]!r} is not known",
            where=where,
            do=f"available: {', '.join(_COLUMNS)}",
        )
    rows = [[_COLUMNS[c](line) for c in columns] for line in lines]
    cells = [list(columns), ["---"] * len(columns), *rows]
    body = "".join("| " + " | ".join(c.replace("|", "\\|") for c in row) + " |\n" for row in cells)
    runs = dict.fromkeys(
        f"`{line['command']}` at {line['commit']}, {line['date'][:10]}{_beside(line)}; "
        f"{line['machine']}."
        for line in lines
    )
    return body + "\n" + "".join(f"{run}\n" for run in runs)


def _beside(line: Line) -> str:
    load = line.get("load", 0.0)
    return f", beside other work (load {load:g})" if load >= 1 else ""


def _number(value: float | None, unit: str) -> str:
    """Three digits and the unit; large numbers in full."""
    if value is None:
        return ""
    whole = abs(value) >= 100 or value == int(value)
    text = f"{value:,.0f}" if whole else f"{value:.3g}"
    return f"{text} {unit}".strip()


_COLUMNS: dict[str, Callable[[Line], str]] = {
    "figure": lambda line: f"`{line['figure']}`",
    "value": lambda line: _number(line["value"], line["unit"]),
    "baseline": lambda line: _number(line["baseline"], line["unit"]),
    "n": lambda line: f"{line['n']:,}",
    "about": lambda line: line.get("about", ""),
    "commit": lambda line: line["commit"],
    "date": lambda line: line["date"][:10],
    "machine": lambda line: line["machine"],
    "command": lambda line: f"`{line['command']}`",
}
_DEFAULT = ("figure", "value", "baseline", "n", "about")


def render_pages(folder: Path, results: Path) -> list[Path]:
    """Make the tables of every page in a folder anew.

    Returns:
        The pages that changed.

    Raises:
        ConfigError, MissingError, DataError: see render and read.
    """
    lines, changed = read(results), []
    for page in sorted(folder.glob("*.md")):
        before = page.read_text(encoding="utf-8")
        after = render(before, lines, where=str(page))
        if after != before:
            write_atomic(page, after.encode())
            changed.append(page)
    return changed

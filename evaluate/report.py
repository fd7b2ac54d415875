"""report.json, every number of a run, and report.html, one page that needs no other file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from trimix.core.errors import MissingError, TrimixError
from trimix.data.files import read_json, write_atomic
from trimix.evaluate import page, plots
from trimix.evaluate.clips import Strip, data_uri, filmstrip, mp4, panel_widths, png, side_by_side
from trimix.evaluate.dotplot import axis_svg, lane, number
from trimix.evaluate.schema import Report, validate_report

MAX_BYTES = 15_000_000
FILM_BYTES = 11_000_000  # of them for films; stills, figures and words take the rest
STRIP_PX, STRIP_STILLS = 192, 6
ROLLOUT_PX, ROLLOUT_STILLS = 128, 3
STILL_PX = 96
TEMPLATES = Path(__file__).parent


def write_report(folder: str | Path, report: Report, strips: Sequence[Strip] = ()) -> Path:
    """Write report.json and report.html into a run's folder.

    Args:
        folder: the run's folder; made if it is not there.
        report: every number.
        strips: what to show of the episodes.

    Returns:
        The path of report.html.

    Raises:
        DataError: the report is not as `schema.Report` says.
        TrimixError: the page would be larger than MAX_BYTES (report.json is then there without
            it), or the disk refuses the write.
    """
    folder = Path(folder)
    validate_report(report)
    text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomic(folder / "report.json", text.encode())  # the numbers first: they took longest
    html = render_html(report, strips).encode()
    if len(html) > MAX_BYTES:
        raise TrimixError(
            f"the page would take {len(html) / 1e6:.0f} MB of at most {MAX_BYTES / 1e6:.0f}",
            where=str(folder / "report.html"),
            do="give it fewer or shorter clips",
        )
    return write_atomic(folder / "report.html", html)


def load_report(folder: str | Path) -> Report:
    """The report.json of a run's folder, checked.

    Raises:
        MissingError: the folder has none.
        DataError: it is not JSON, or not as `schema.Report` says.
    """
    path = Path(folder) / "report.json"
    if not path.is_file():
        raise MissingError("no report.json", where=str(folder), do="name the folder of a run")
    return validate_report(read_json(path))


def summary(report: Report) -> str:
    """The report in words: arms with their intervals, then the page's sentences in its order."""
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
    for answer in page.answers(report):
        lines += [answer.headline, *answer.statements, *answer.open]
    lines += [f"warning: {text}" for text in report["warnings"]]
    lines += [f"not done: {s['name']}: {s['reason']}" for s in report["skipped"]]
    return "\n".join(lines)


def render_html(report: Report, strips: Sequence[Strip] = ()) -> str:
    """The page as one string of HTML; equal input gives equal text."""
    order = page.ranked(report)
    rank = {name: i for i, name in enumerate(order)}
    mix = sorted(report["mix"], key=lambda row: rank.get(row["arm"], len(rank)))
    curves = sorted(report["curves"], key=lambda curve: rank.get(curve["name"], len(rank)))
    shown: Report = {**report, "mix": mix, "curves": curves}
    by_name = {arm["name"]: arm for arm in report["arms"]}
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            r=shown,
            arms=[by_name[name] for name in order],
            answers=page.answers(report),
            made_of=page.made_of(report),
            figures={name: Markup(svg) for name, svg in _figures(shown).items()},  # noqa: S704
            curve_groups=page.curve_groups(curves),
            names=page.source_names(report),
            clips=_clips(sorted(strips, key=lambda s: rank.get(s.title, len(rank)))),
        )
    )


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=_percent,
        interval=_interval,
        seconds=_seconds,
        fixed=_fixed,
        pvalue=_pvalue,
        lane=lambda plot, row: Markup(lane(plot, row)),  # noqa: S704
        axis=lambda plot: Markup(axis_svg(plot)),  # noqa: S704
    )
    return environment


def _figures(report: Report) -> dict[str, str]:
    """The figures that are no dot plots and that the report has numbers for."""
    worldmodel = report["worldmodel"]
    made: dict[str, str] = {}
    if report["mix"]:
        made["exposure"] = plots.exposure(report["mix"], report["real"]["label"])
    for i, group in enumerate(page.curve_groups(report["curves"])):
        made[f"curves{i}"] = plots.curves(group, f"curves{i}")
    if worldmodel is not None and worldmodel["heldout"]:
        made["psnr"] = plots.psnr(worldmodel["heldout"], page.source_names(report))
    return made


def _clips(strips: Sequence[Strip]) -> dict[str, list[dict[str, Any]]]:
    """section -> what the template lays out of its strips.

    Rollouts are a film each, so that one can be watched at a time; other strips play in step.
    What would make the page too large keeps its stills and loses its film.
    """
    made: dict[str, list[dict[str, Any]]] = {"rollouts": [], "dreams": [], "origins": []}
    left = FILM_BYTES
    for strip in strips:
        apart = strip.section == "rollouts"
        groups = [(panel,) for panel in strip.panels] if apart else [strip.panels]
        films = []
        for panels in groups:
            film = _film(
                replace(strip, panels=panels),
                ROLLOUT_PX if apart else STRIP_PX,
                ROLLOUT_STILLS if apart else STRIP_STILLS,
            )
            if len(film["video"]) > left:
                film["video"] = ""
            left -= len(film["video"])
            films.append(film)
        made[strip.section].append({"title": strip.title, "films": films})
    return made


def _film(strip: Strip, height: int, stills: int) -> dict[str, Any]:
    frames, fps = side_by_side(strip, height)
    return {
        "label": strip.panels[0].label,
        "panels": strip.panels,
        "widths": panel_widths(strip.panels, height),
        "size": frames.shape[1:3],
        "video": data_uri(mp4(frames, fps), "video/mp4"),
        "poster": data_uri(png(frames[-1 if len(strip.panels) == 1 else 0]), "image/png"),
        "stills": [
            data_uri(png(filmstrip(panel, stills, STILL_PX)), "image/png") for panel in strip.panels
        ],
    }


def _percent(rate: float) -> str:
    return f"{100 * rate:.1f}%"


def _interval(pair: tuple[float, float], scale: float = 100.0, digits: int = 1) -> str:
    low, high = (number(scale * x, digits) for x in pair)
    return f"{low} to {high}"


def _fixed(value: float | None, digits: int = 3) -> str:
    return "\N{EN DASH}" if value is None else number(value, digits)


def _pvalue(value: float | None) -> str:
    return "< 0.001" if value is not None and value < 0.001 else _fixed(value)


def _seconds(value: float) -> str:
    minutes, seconds = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {seconds:02d} s" if minutes else f"{value:.1f} s"

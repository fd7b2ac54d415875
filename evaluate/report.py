"""report.json, every number of a run, and report.html, one page that needs no other file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from trimix.core.errors import MissingError, TrimixError
from trimix.data.files import read_json, write_atomic
from trimix.evaluate import plots
from trimix.evaluate.clips import Strip, data_uri, filmstrip, mp4, panel_widths, png, side_by_side
from trimix.evaluate.schema import Curve, Report, validate_report
from trimix.evaluate.verdict import offline_verdicts

MAX_BYTES = 15_000_000
VIDEO_HEIGHT_PX = 192
STILL_HEIGHT_PX = 96
STILLS = 6
TEMPLATE = Path(__file__).with_name("report.html.jinja")


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
    page = render_html(report, strips).encode()
    if len(page) > MAX_BYTES:
        raise TrimixError(
            f"the page would take {len(page) / 1e6:.0f} MB of at most {MAX_BYTES / 1e6:.0f}",
            where=str(folder / "report.html"),
            do="give it fewer or shorter clips",
        )
    return write_atomic(folder / "report.html", page)


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


def render_html(report: Report, strips: Sequence[Strip] = ()) -> str:
    """The page as one string of HTML; equal input gives equal text."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(percent=_percent, interval=_interval, seconds=_seconds, fixed=_fixed)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        r=report,
        offline_verdicts=offline_verdicts(report["arms"]),
        figures={name: Markup(svg) for name, svg in _figures(report).items()},  # noqa: S704
        names=_names(report),
        strips=[_strip(strip) for strip in strips],
    )


def _figures(report: Report) -> dict[str, str]:
    """The figures that the report has numbers for."""
    worldmodel = report["worldmodel"]
    made: dict[str, str] = {}
    if any(arm["closed_loop"] for arm in report["arms"]):
        made["share"] = plots.success_against_share(report["arms"], _synthetic(report))
    if report["comparisons"]:
        made["forest"] = plots.forest(report["comparisons"])
    if report["mix"]:
        made["exposure"] = plots.exposure(report["mix"], report["real"]["label"])
    for i, group in enumerate(_curve_groups(report["curves"])):
        made[f"curves:{group[0]['group']}"] = plots.curves(group, f"curves{i}")
    if worldmodel is not None and worldmodel["heldout"]:
        made["psnr"] = plots.psnr(worldmodel["heldout"], _names(report))
    if any(a["offline"] and a["offline"]["velocity_nmse"] is not None for a in report["arms"]):
        made["offline"] = plots.offline(report["arms"])
    return made


def _synthetic(report: Report) -> dict[str, float]:
    """arm -> share of its windows that comes from sim and dream, by the mix table's origins.

    An arm that the table leaves out is read by the names of its sources.
    """
    shares = {
        arm["name"]: sum(s for source, s in arm["shares"].items() if source != "real")
        for arm in report["arms"]
    }
    for name in {row["arm"] for row in report["mix"]}:
        rows = [row for row in report["mix"] if row["arm"] == name]
        # Rounded, so that arms of one share are seen to share it.
        shares[name] = round(sum(row["share"] for row in rows if row["origin"] != "real"), 6)
    return shares


def _names(report: Report) -> dict[str, str]:
    """source -> what to call it: a stand-in is never shown as real without saying so."""
    label = report["real"]["label"]
    real = {row["source"] for row in report["mix"] if row["origin"] == "real"} | {"real"}
    return {} if label == "real" else {source: f"{source}: {label}" for source in real}


def _curve_groups(curves: Sequence[Curve]) -> list[list[Curve]]:
    groups: dict[tuple[str, str], list[Curve]] = {}
    for curve in curves:
        groups.setdefault((curve["group"], curve["metric"]), []).append(curve)
    return list(groups.values())


def _strip(strip: Strip) -> dict[str, Any]:
    frames, fps = side_by_side(strip, VIDEO_HEIGHT_PX)
    return {
        "title": strip.title,
        "panels": strip.panels,
        "widths": panel_widths(strip.panels, VIDEO_HEIGHT_PX),
        "size": frames.shape[1:3],
        "video": data_uri(mp4(frames, fps), "video/mp4"),
        "poster": data_uri(png(frames[0]), "image/png"),
        "stills": [
            data_uri(png(filmstrip(panel, STILLS, STILL_HEIGHT_PX)), "image/png")
            for panel in strip.panels
        ],
    }


def _percent(rate: float) -> str:
    return f"{100 * rate:.1f}%"


def _interval(pair: tuple[float, float], scale: float = 100.0, digits: int = 1) -> str:
    low, high = (f"{scale * x:.{digits}f}".replace("-", "\N{MINUS SIGN}") for x in pair)
    return f"{low} to {high}"


def _fixed(value: float | None, digits: int = 3) -> str:
    if value is None:
        return "\N{EN DASH}"
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _seconds(value: float) -> str:
    minutes, seconds = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {seconds:02d} s" if minutes else f"{value:.1f} s"

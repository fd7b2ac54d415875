"""The report's figures that are no dot plots, as inline SVG in the page's own colours and font.

A colour is an origin and nothing else, and never alone: hatches and labels say the same. Arms are
told apart by where they stand: a row or a panel each, under their names.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from trimix.core.contracts import Origin
from trimix.evaluate.schema import Curve, Heldout, MixRow

# Colours that nothing else uses, replaced by the page's own, which know dark mode and print.
INK, PAGE = "#010203", "#010204"
COLOURS: Mapping[Origin, str] = {"real": "#010205", "sim": "#010206", "dream": "#010207"}
PAGE_COLOURS: Mapping[str, str] = {
    INK: "currentColor",
    PAGE: "var(--page)",
    **{colour: f"var(--{origin})" for origin, colour in COLOURS.items()},
}
HATCHES: Mapping[Origin, str] = {"real": "", "sim": "///", "dream": "..."}
COLUMNS = 4
NAME_WIDTH = 24
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "trimix",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.titlesize": 9,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": INK,
    "grid.alpha": 0.15,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "hatch.linewidth": 0.8,
}


def exposure(mix: Sequence[MixRow], real_label: str) -> str:
    """Windows drawn from every source, one bar an arm.

    Args:
        mix: the mix table.
        real_label: what the real origin is called.
    """
    arms = list(dict.fromkeys(row["arm"] for row in mix))
    with mpl.rc_context(STYLE):
        figure, (axes,) = _figure(7.2, 0.9 + 0.42 * len(arms))
        left = dict.fromkeys(arms, 0)
        named: set[str] = set()
        for row in mix:
            origin = real_label if row["origin"] == "real" else row["origin"]
            label = row["source"] if row["source"] == origin else f"{row['source']}: {origin}"
            axes.barh(
                arms.index(row["arm"]),
                row["drawn"],
                left=left[row["arm"]],
                height=0.6,
                color=COLOURS[row["origin"]],
                hatch=HATCHES[row["origin"]],
                edgecolor=PAGE,
                linewidth=0.5,
                label=None if label in named else _plain(label),
            )
            named.add(label)
            left[row["arm"]] += row["drawn"]
        axes.set_yticks(range(len(arms)), [_wrapped(arm) for arm in arms])
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.set_xlabel("windows drawn in training, all seeds")
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        return _svg(figure, "exposure")


def curves(group: Sequence[Curve], name: str) -> str:
    """Losses or closed-loop success over training steps: a panel a name, the others faint in it.

    Args:
        group: curves of one metric; those of one name (its seeds) share a panel.
        name: distinguishes the figure's ids on the page.
    """
    metric = group[0]["metric"]
    names = list(dict.fromkeys(curve["name"] for curve in group))
    columns = min(COLUMNS, len(names))
    rows = -(-len(names) // columns)
    scale = 100.0 if metric == "success" else 1.0
    with mpl.rc_context(STYLE):
        figure, panels = _figure(7.2, 0.6 + 1.9 * rows, rows, columns)
        for axes, shown in zip(panels, names, strict=False):
            for curve in sorted(group, key=lambda c: c["name"] == shown):
                own = curve["name"] == shown
                values = scale * np.asarray(curve["values"])
                axes.plot(
                    curve["steps"],
                    values,
                    color=INK,
                    alpha=1.0 if own else 0.14,
                    linewidth=1.3 if own else 0.8,
                    marker="o" if own and len(values) <= 20 else None,
                    markersize=4,
                )
                if own and "ci95" in curve:
                    low, high = scale * np.asarray(curve["ci95"], float).T
                    axes.fill_between(curve["steps"], low, high, color=INK, alpha=0.15, lw=0)
            axes.set_title(_wrapped(shown))
            axes.xaxis.set_major_locator(MaxNLocator(3, integer=True))
        for axes in panels[len(names) :]:
            axes.set_axis_off()
        every = [value for curve in group for value in curve["values"]]
        if metric == "loss" and every and 0 < 10 * min(every) <= max(every):
            panels[0].set_yscale("log")
        for row in range(rows):
            panels[row * columns].set_ylabel("success (%)" if metric == "success" else "loss")
        figure.supxlabel("training step", fontsize=10)
        return _svg(figure, name)


def psnr(heldout: Mapping[str, Heldout], names: Mapping[str, str]) -> str:
    """The world model's PSNR beside copy-last-frame's, by steps ahead, one panel a source.

    Args:
        heldout: source -> figures.
        names: source -> what to call it, where that is not its name.
    """
    columns = min(COLUMNS - 1, len(heldout))
    with mpl.rc_context(STYLE):
        figure, panels = _figure(7.2, 2.7, -(-len(heldout) // columns), columns)
        for axes, (source, part) in zip(panels, heldout.items(), strict=False):
            for label, style, values in (
                ("world model", "D-", part["psnr"]),
                ("copy last frame", "o--", part["copy_last"]),
            ):
                steps = sorted(values, key=int)
                axes.plot(
                    [int(s) for s in steps],
                    [values[s] for s in steps],
                    style,
                    color=INK,
                    markerfacecolor=INK if style[0] == "D" else PAGE,
                    label=label,
                    linewidth=1.4,
                )
            axes.set_title(_wrapped(f"{names.get(source, source)} (n = {part['n']})"))
            axes.set_xticks([int(s) for s in part["psnr"]])
            axes.set_xlabel("steps ahead")
        for axes in panels[len(heldout) :]:
            axes.set_axis_off()
        panels[0].set_ylabel("PSNR (dB)")
        panels[columns - 1].legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        return _svg(figure, "psnr")


def _wrapped(name: str) -> str:
    """The name on lines that fit beside a row or over a panel."""
    pieces = [name[i : i + NAME_WIDTH] for i in range(0, len(name), NAME_WIDTH)]
    lines = textwrap.wrap(name, NAME_WIDTH) if " " in name else pieces
    return _plain("\n".join(lines))


def _plain(name: str) -> str:
    """The name as matplotlib shows it unchanged: no mathematics, and no hidden legend entry."""
    shown = name.replace("$", r"\$")
    return f"\N{ZERO WIDTH SPACE}{shown}" if shown.startswith("_") else shown


def _figure(
    width: float, height: float, rows: int = 1, columns: int = 1
) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(width, height), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharex=False, sharey=True)
    return figure, list(grid.flat)


def _svg(figure: Figure, name: str) -> str:
    """The figure as an <svg> element whose ids begin with the name."""
    buffer = io.StringIO()
    figure.savefig(
        buffer,
        format="svg",
        transparent=True,
        metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
    )
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    # In HTML the element needs no namespaces, whose addresses would read as external ones.
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = text.replace("xlink:href", "href")
    for colour, own in PAGE_COLOURS.items():
        text = text.replace(colour, own)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    text = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', text)
    return re.sub(
        r'<svg[^>]*viewBox="([^"]+)"[^>]*>', r'<svg viewBox="\1" aria-hidden="true">', text, count=1
    )

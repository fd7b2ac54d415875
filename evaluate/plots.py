"""The report's figures, as inline SVG that takes the page's text colour and font.

Colour tells origins apart and never alone: markers, hatches and labels say the same.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from trimix.core.contracts import Origin
from trimix.evaluate.schema import Arm, Comparison, Curve, Heldout, MixRow

COLOURS: Mapping[Origin, str] = {"real": "#2f80c2", "sim": "#d98200", "dream": "#a35cae"}
HATCHES: Mapping[Origin, str] = {"real": "", "sim": "///", "dream": "..."}
CYCLE = ("#2f80c2", "#d98200", "#a35cae", "#3a9a6a", "#c8553d", "#7a7a7a", "#8c6d31", "#5b8db8")
MARKERS = "osD^vPX*"
# A colour that nothing else uses, replaced by the page's own text colour.
INK = "#010203"
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
    "axes.titlesize": 10,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": INK,
    "grid.alpha": 0.15,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "hatch.linewidth": 0.6,
}


def success_against_share(arms: Sequence[Arm], synthetic: Mapping[str, float]) -> str:
    """Closed-loop success against the share that is not real, with Wilson intervals.

    Args:
        arms: those with a closed loop are drawn.
        synthetic: arm -> share of its windows that comes from sim and dream.
    """
    drawn = [arm for arm in arms if arm["closed_loop"] is not None]
    with mpl.rc_context(STYLE):
        figure, (axes,) = _figure(7.2, 3.4)
        for i, arm in enumerate(drawn):
            loop = arm["closed_loop"]
            assert loop is not None
            share = synthetic[arm["name"]]
            y, (low, high) = loop["success"], loop["wilson95"]
            # Arms at one share are set side by side.
            twins = [j for j, other in enumerate(drawn) if synthetic[other["name"]] == share]
            x = 100 * share + 2.2 * (twins.index(i) - (len(twins) - 1) / 2)
            axes.errorbar(
                x,
                100 * y,
                [[max(0.0, 100 * (y - low))], [max(0.0, 100 * (high - y))]],
                fmt=MARKERS[i % len(MARKERS)],
                color=CYCLE[i % len(CYCLE)],
                capsize=3,
                label=_plain(arm["name"]),
            )
        axes.set(
            xlabel="share of drawn windows from sim and dream (%)",
            ylabel="success (%)",
            xlim=(-7, 107),
            ylim=(-3, 103),
        )
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        return _svg(figure, "share")


def forest(comparisons: Sequence[Comparison]) -> str:
    """Paired differences with their intervals, one row a comparison."""
    with mpl.rc_context(STYLE):
        figure, (axes,) = _figure(7.2, 0.9 + 0.42 * len(comparisons))
        for row, c in enumerate(comparisons):
            low, high = c["ci95"]
            shown = c["verdict"] != "open"
            colour = CYCLE[0] if shown else CYCLE[5]
            axes.plot([100 * low, 100 * high], [row, row], color=colour, linewidth=2.2)
            axes.plot(
                100 * c["delta"],
                row,
                "s",
                color=colour,
                markersize=7,
                markerfacecolor=colour if shown else "none",
            )
        axes.axvline(0, color=INK, linewidth=0.9)
        axes.set_yticks(
            range(len(comparisons)), [_plain(f"{c['a']} minus {c['b']}") for c in comparisons]
        )
        axes.set_ylim(len(comparisons) - 0.4, -0.6)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel("difference in success (percentage points)")
        return _svg(figure, "forest")


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
                edgecolor="#ffffff",
                linewidth=0.5,
                label=None if label in named else _plain(label),
            )
            named.add(label)
            left[row["arm"]] += row["drawn"]
        axes.set_yticks(range(len(arms)), [_plain(arm) for arm in arms])
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.set_xlabel("windows drawn in training")
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        return _svg(figure, "exposure")


def curves(group: Sequence[Curve], name: str) -> str:
    """Losses or closed-loop success over training steps.

    Args:
        group: curves of one metric; those of one name (its seeds) share a colour.
        name: distinguishes the figure's ids on the page.
    """
    metric = group[0]["metric"]
    with mpl.rc_context(STYLE):
        figure, (axes,) = _figure(7.2, 3.0)
        scale = 100.0 if metric == "success" else 1.0
        names = list(dict.fromkeys(curve["name"] for curve in group))
        drawn: set[str] = set()
        for curve in group:
            i = names.index(curve["name"])
            colour = CYCLE[i % len(CYCLE)]
            style = ("-", "--", ":", "-.")[(i // len(CYCLE)) % 4]
            values = scale * np.asarray(curve["values"])
            axes.plot(
                curve["steps"],
                values,
                style,
                color=colour,
                marker=MARKERS[i % len(MARKERS)] if len(values) <= 20 else None,
                linewidth=1.4,
                label=None if curve["name"] in drawn else _plain(curve["name"]),
            )
            drawn.add(curve["name"])
            if "ci95" in curve:
                low, high = scale * np.asarray(curve["ci95"], float).T
                axes.fill_between(curve["steps"], low, high, color=colour, alpha=0.15, linewidth=0)
        if metric == "loss" and all(min(c["values"], default=0) > 0 for c in group):
            axes.set_yscale("log")
        axes.set(xlabel="training step", ylabel="success (%)" if metric == "success" else "loss")
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        return _svg(figure, name)


def psnr(heldout: Mapping[str, Heldout], names: Mapping[str, str]) -> str:
    """The world model's PSNR beside copy-last-frame's, by steps ahead, one panel a source.

    Args:
        heldout: source -> figures.
        names: source -> what to call it, where that is not its name.
    """
    with mpl.rc_context(STYLE):
        figure, panels = _figure(7.2, 2.8, columns=len(heldout))
        for axes, (source, part) in zip(panels, heldout.items(), strict=True):
            for label, colour, style, values in (
                ("world model", CYCLE[2], "D-", part["psnr"]),
                ("copy last frame", CYCLE[5], "o--", part["copy_last"]),
            ):
                steps = sorted(values, key=int)
                axes.plot(
                    [int(s) for s in steps],
                    [values[s] for s in steps],
                    style,
                    color=colour,
                    label=label,
                    linewidth=1.4,
                )
            axes.set_title(_plain(f"{names.get(source, source)} (n = {part['n']})"))
            axes.set_xticks([int(s) for s in part["psnr"]])
            axes.set_xlabel("steps ahead")
        panels[0].set_ylabel("PSNR (dB)")
        panels[-1].legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        return _svg(figure, "psnr")


def offline(arms: Sequence[Arm]) -> str:
    """Normalised velocity error of every arm beside the baselines', with intervals."""
    drawn = [arm for arm in arms if arm["offline"] and arm["offline"]["velocity_nmse"] is not None]
    with mpl.rc_context(STYLE):
        figure, (axes,) = _figure(7.2, 0.9 + 0.42 * len(drawn))
        baselines: dict[str, float] = {}
        for row, arm in enumerate(drawn):
            part = arm["offline"]
            assert part is not None and part["velocity_nmse"] is not None
            axes.plot(part["velocity_nmse"], row, "o", color=CYCLE[0])
            interval = part.get("velocity_nmse_ci95")
            if interval is not None:
                axes.plot(interval, [row, row], color=CYCLE[0], linewidth=2)
            for name, figures in part["baselines"].items():
                if figures["velocity_nmse"] is not None:
                    baselines.setdefault(name, figures["velocity_nmse"])
        for i, (name, value) in enumerate(baselines.items()):
            axes.axvline(
                value,
                color=CYCLE[4 + i],
                linestyle=("--", ":")[i % 2],
                label=name.replace("_", " "),
            )
        axes.set_yticks(range(len(drawn)), [_plain(arm["name"]) for arm in drawn])
        axes.set_ylim(len(drawn) - 0.4, -0.6)
        axes.set_xlim(left=0)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel("normalised velocity error (lower is better)")
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        return _svg(figure, "offline")


def _plain(name: str) -> str:
    """The name as matplotlib shows it unchanged: no mathematics, and no hidden legend entry."""
    shown = name.replace("$", r"\$")
    return f"\N{ZERO WIDTH SPACE}{shown}" if shown.startswith("_") else shown


def _figure(width: float, height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(width, height), layout="constrained")
    grid = figure.subplots(1, columns, squeeze=False, sharey=True)
    return figure, list(grid[0])


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
    text = text.replace("xlink:href", "href").replace(INK, "currentColor")
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    text = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', text)
    return re.sub(
        r'<svg[^>]*viewBox="([^"]+)"[^>]*>', r'<svg viewBox="\1" aria-hidden="true">', text, count=1
    )

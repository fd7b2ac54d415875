"""The data-set card: README.md with Hugging Face front matter, from what the files record.

No clock and no machine goes into it: equal data gives an equal card.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from trimix.core.contracts import Channel, PolicyInterface
from trimix.core.version import release

_MOST_LISTED = 20


def render(
    info: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    interface: PolicyInterface,
    skipped: Mapping[str, str],
    notes: Sequence[str],
) -> str:
    """Markdown text.

    Args:
        info: the content of meta/info.json.
        rows: one mapping an episode with its length, tasks and trimix/* columns.
        skipped: source index -> reason of the episodes that were left out.
        notes: sentences about how it was made.
    """
    fps, frames = info["fps"], info["total_frames"]
    parts = [
        "---\nlicense: other\ntask_categories:\n- robotics\ntags:\n- LeRobot\n- trimix\n"
        "configs:\n- config_name: default\n  data_files: data/*/*.parquet\n---\n",
        "# Robot episodes\n",
        f"{info['total_episodes']} episodes, {frames} frames, {frames / fps / 60:.1f} minutes at "
        f"{fps:g} frames/s, robot `{info['robot_type']}`. Format: LeRobotDataset v3.0, written by "
        f"trimix {release()}.\n",
        "## Origins\n",
        _origins(rows, fps),
        "## Tasks\n",
        _bullets(Counter(t for row in rows for t in row["tasks"]), "episodes"),
        "## Interface\n",
        _interface(interface),
    ]
    draws = _randomization(rows)
    if draws:
        parts += ["## Randomization\n", draws]
    versions = sorted({row["trimix/versions"] for row in rows} - {"{}"})
    if versions:
        parts += ["## Made with\n", _versions(versions)]
    if notes:
        parts += ["## Notes\n", _lines([f"- {note}" for note in notes])]
    if skipped:
        parts += [
            f"## Left out: {len(skipped)} episodes\n",
            _lines([f"- episode {i}: {reason}" for i, reason in skipped.items()]),
        ]
    return "\n".join(parts)


def _origins(rows: Sequence[Mapping[str, Any]], fps: float) -> str:
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        name = (row["trimix/origin"], row["trimix/world"], row["trimix/policy"])
        groups.setdefault(name, []).append(row)
    lines = [
        "| origin | world | policy | episodes | seconds | train / held-out | success | cut short |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (origin, world, policy), members in sorted(groups.items()):
        split = Counter(row["trimix/split"] for row in members)
        labels = [row["trimix/success"] for row in members if row["trimix/success"] is not None]
        rate = f"{sum(labels)}/{len(labels)}" if labels else "not labelled"
        seconds = sum(row["length"] for row in members) / fps
        cut = sum(bool(row["trimix/abstained"]) for row in members)
        lines.append(
            f"| {origin} | {world or '-'} | {policy or '-'} | {len(members)} | {seconds:.1f} | "
            f"{split['train']} / {split['heldout']} | {rate} | {cut} |"
        )
    return _lines(lines)


def _interface(interface: PolicyInterface) -> str:
    cameras = [f"- camera `{c}`: {h} x {w} px" for c, (h, w) in interface.cameras.items()]
    return _lines(
        [
            *cameras,
            f"- state: {_channels(interface.state)}",
            f"- action ({interface.control_mode}): {_channels(interface.action)}",
            f"- control period: {interface.control_dt_s:g} s",
        ]
    )


def _channels(channels: Sequence[Channel]) -> str:
    return ", ".join(f"`{c.name}`{f' {c.unit}' if c.unit else ''}" for c in channels) or "none"


def _randomization(rows: Sequence[Mapping[str, Any]]) -> str:
    """Ranges of what the draws set, one line a target."""
    seen: dict[str, list[Any]] = {}
    for row in rows:
        for target, value in json.loads(row["trimix/draw"]).items():
            seen.setdefault(target, []).append(value)
    lines = []
    for target, values in sorted(seen.items()):
        numbers = [n for value in values for n in _numbers(value)]
        spread = f"{min(numbers):.4g} .. {max(numbers):.4g}" if numbers else "not numeric"
        lines.append(f"- `{target}`: {spread} in {len(values)} episodes")
    return _lines(lines) if lines else ""


def _numbers(value: Any) -> list[float]:
    if isinstance(value, bool | str) or value is None:
        return []
    if isinstance(value, int | float):
        return [float(value)]
    items = value.values() if isinstance(value, dict) else value
    return [n for item in items for n in _numbers(item)]


def _versions(versions: Sequence[str]) -> str:
    merged: dict[str, set[str]] = {}
    for text in versions:
        for package, version in json.loads(text).items():
            merged.setdefault(package, set()).add(str(version))
    return _lines([f"- {p} {', '.join(sorted(v))}" for p, v in sorted(merged.items())])


def _bullets(counts: Counter[str], noun: str) -> str:
    lines = [f"- {name!r}: {n} {noun}" for name, n in counts.most_common(_MOST_LISTED)]
    if len(counts) > _MOST_LISTED:
        lines.append(f"- and {len(counts) - _MOST_LISTED} more")
    return _lines(lines)


def _lines(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"

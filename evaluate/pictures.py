"""Which episodes a report shows: rollouts of every arm, a typical and the worst dream, origins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from trimix.core.contracts import Origin
from trimix.core.episode import Episode
from trimix.data.dataset import Dataset
from trimix.evaluate.clips import Panel, Strip, panel_of


def rollout_strip(arm: str, filmed: Mapping[int, Episode]) -> Strip | None:
    """A success and a failure of an arm's policy, by the outcome that was counted.

    Args:
        arm: its name.
        filmed: scene of the suite -> episode; the first of each outcome is shown.

    Returns:
        One panel for each outcome that occurred; None when nothing was filmed.
    """
    panels = []
    for outcome, (scene, episode) in by_outcome(filmed).items():
        ended = ", abstained" if episode.provenance.abstained else ""
        note = f"scene {scene}, {len(episode)} steps{ended}"
        # The world that it acts in is the same for all arms: what differs is the outcome.
        panels.append(replace(_panel(episode, outcome, note), origin=None))
    return Strip(arm, tuple(panels), "rollouts") if panels else None


def by_outcome(filmed: Mapping[int, Episode]) -> dict[str, tuple[int, Episode]]:
    """success, failure -> the first scene that ended so, and its episode; only what occurred."""
    found: dict[str, tuple[int, Episode]] = {}
    for scene, episode in sorted(filmed.items(), key=lambda item: item[0]):
        source = episode.provenance
        if episode.images:
            outcome = "success" if source.success and not source.abstained else "failure"
            found.setdefault(outcome, (scene, episode))
    return {outcome: found[outcome] for outcome in ("success", "failure") if outcome in found}


def dream_strip(dataset: Dataset) -> Strip | None:
    """A typical dream and the worst one: the middle and the least of the mean trust.

    Where trust says nothing (it is 1 throughout), their length decides. None without cameras.
    """
    if not dataset.interface.cameras or not dataset.episodes:
        return None
    rows = _ranked(dataset)
    chosen = {"a typical dream": rows[_middle(rows)], "the worst dream": rows[0]}
    if len(rows) == 1:
        chosen.pop("the worst dream")
    panels = []
    for label, (mean, length, index) in chosen.items():
        episode = _read(dataset, index)
        note = f"{_frames(length)}, mean trust {mean:.2f}, episode {index} of {len(rows)}"
        panels.append(_panel(episode, label, note))
    return Strip(f"Dreams: of {len(rows)}, by mean trust", tuple(panels), "dreams")


def typical(dataset: Dataset) -> int | None:
    """The episode in the middle by mean trust, then by length; None if there is none."""
    rows = _ranked(dataset)
    return rows[_middle(rows)][2] if rows else None


def _ranked(dataset: Dataset) -> list[tuple[float, int, int]]:
    """(mean trust, length, index) of every episode, ascending."""
    trust = dataset.trust()
    return sorted(
        (float(trust[e.start : e.start + e.length].mean()), e.length, e.index)
        for e in dataset.episodes
    )


def _middle(rows: Sequence[object]) -> int:
    return (len(rows) - 1) // 2


def origins_strip(data: Mapping[Origin, Path], real_label: str) -> Strip | None:
    """The first episode of each origin, side by side; None when one of them has no camera.

    Args:
        data: origin -> data set that plays its part.
        real_label: what the real episodes are called.
    """
    panels = []
    for origin, path in data.items():
        dataset = Dataset.open(path)
        if not dataset.interface.cameras or not dataset.episodes:
            return None
        episode = _read(dataset, 0)
        label = real_label if origin == "real" else origin
        panel = _panel(episode, label, _frames(len(episode)))
        panels.append(replace(panel, origin=origin))  # the stand-in plays the real one's part
    title = "An episode of each origin, as the policy sees it"
    return Strip(title, tuple(panels), "origins") if panels else None


def _frames(count: int) -> str:
    return f"{count} frame{'' if count == 1 else 's'}"


def _read(dataset: Dataset, index: int) -> Episode:
    return dataset.read_episode(index, cameras=[next(iter(dataset.interface.cameras))])


def _panel(episode: Episode, label: str, note: str) -> Panel:
    return panel_of(episode, next(iter(episode.images)), label, note)

"""Do the videos hold the frames that meta/episodes promises?

Axes: T frames of one episode, H x W pixels, RGB uint8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from trimix.data.checking.finding import Findings, Severity
from trimix.data.lerobot import layout, stats, video
from trimix.data.lerobot.folder import EpisodeEntry, LeRobotFolder

RATE_TOLERANCE = 0.01
FROM_TOLERANCE_S = 1e-4


def check(
    source: LeRobotFolder, found: Findings, progress: Callable[[int, int], None] | None = None
) -> dict[str, dict[int, stats.Stats]]:
    """Note what is wrong; camera feature -> episode -> statistics of its decoded frames."""
    seen: dict[str, dict[int, stats.Stats]] = {}
    jobs = [(key, group) for key in source.camera_keys for group in _by_file(source, key)]
    for done, (key, group) in enumerate(jobs):
        if progress is not None:
            progress(done, len(jobs))
        if key in group[0].videos and not _check_file(source, key, group, found):
            continue  # it would be told a second time
        with found.catching():
            for row in group:
                images = source.read_frames(row, key)
                _check_size(source, key, row, images.shape[1:3], found)
                counts = stats.histogram(images)
                summary = stats.of_histogram(counts, stats.sampled_count(row.length))
                seen.setdefault(key, {})[row.index] = summary
    if progress is not None:
        progress(len(jobs), len(jobs))
    return seen


def _by_file(source: LeRobotFolder, key: str) -> list[list[EpisodeEntry]]:
    groups: dict[Path, list[EpisodeEntry]] = {}
    for row in source.episodes:
        path = row.videos[key].path if key in row.videos else row.data
        groups.setdefault(path, []).append(row)
    return list(groups.values())


def _check_file(
    source: LeRobotFolder, key: str, group: Sequence[EpisodeEntry], found: Findings
) -> bool:
    """Note what is wrong with a video file; False if it cannot be opened."""
    path, opens = group[0].videos[key].path, False
    with found.catching():
        facts = video.probe(path, _episodes(group))
        opens = True
        if abs(facts.fps / source.fps - 1.0) > RATE_TOLERANCE:
            found.add(
                f"it runs at {facts.fps:g} frames/s, info.json says {source.fps:g}", str(path), ""
            )
        rows = sum(row.length for row in group)
        if facts.frames != rows:
            found.add(f"{facts.frames} frames for {rows} rows", str(path), "")
    if source.version == layout.VERSION:
        _check_spans(source, key, group, found)
    return opens


def _episodes(group: Sequence[EpisodeEntry]) -> str:
    first, last = group[0].index, group[-1].index
    return f"episode {first}" if first == last else f"episodes {first} to {last}"


def _check_spans(
    source: LeRobotFolder, key: str, group: Sequence[EpisodeEntry], found: Findings
) -> None:
    """Each episode begins where the one before it ends, exactly."""
    meta, end = source.root / "meta" / "episodes", 0
    for row in sorted(group, key=lambda r: r.videos[key].start):
        begin = float(row.extra[f"videos/{key}/from_timestamp"])
        where = f"{meta} episode {row.index} {key}"
        if abs(begin - end / source.fps) > FROM_TOLERANCE_S:
            found.add(
                f"from_timestamp is {begin:.6g} s",
                where,
                f"{end} frames stand before it: {end / source.fps:.6g} s",
                _severity(begin * source.fps - end),
            )
        end += row.length
        finish = row.extra.get(f"videos/{key}/to_timestamp")
        if finish is None or abs(finish - begin - row.length / source.fps) > FROM_TOLERANCE_S:
            found.add(
                f"to_timestamp is {finish}",
                where,
                f"{row.length} rows after {begin:.6g} s it is "
                f"{begin + row.length / source.fps:.6g} s",
                "blocks"
                if finish is None
                else _severity((finish - begin) * source.fps - row.length),
            )


def _severity(frames: float) -> Severity:
    """Of being off by so many frames: an import rounds to whole ones."""
    return "blocks" if abs(frames) >= 0.5 else "mended"


def _check_size(
    source: LeRobotFolder, key: str, row: EpisodeEntry, actual: tuple[int, ...], found: Findings
) -> None:
    declared = source.image_hw(key)
    if tuple(actual) != declared:
        path = row.videos[key].path if key in row.videos else row.data
        found.mended(
            f"{key!r} is {actual[0]}x{actual[1]}, info.json says {declared[0]}x{declared[1]}",
            str(path),
            "",
        )

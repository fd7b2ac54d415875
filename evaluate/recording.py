"""Rerun recordings: episodes with their cameras, channels and labels on one timeline.

Each episode is a branch of entities and a tab of its own; all begin at frame 0, so that they can
be set side by side. Videos are H.264 without B-frames and with short closed groups of pictures,
which the viewer can begin anywhere in. Nothing is spawned, sent or asked for: one file is written.

Axes: T frames of an episode, D state and A action channels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from trimix.core.contracts import U8, Channel
from trimix.core.episode import Episode
from trimix.core.errors import MissingError
from trimix.data.dataset import Dataset
from trimix.data.files import compact_json, storage_errors
from trimix.data.lerobot.layout import INFO
from trimix.data.lerobot.video import VideoCodec, encode
from trimix.evaluate.clips import resized
from trimix.evaluate.pictures import by_outcome, typical

APPLICATION = "trimix"
CODEC = VideoCodec(crf=20, gop=10)
# H.264's colours are of half the resolution: small pictures are first made this high.
LEAST_PX = 192
MOST_EPISODES = 8
# What an entity path takes only with escapes.
UNSAFE = r"[^\w.-]+"


@dataclass(frozen=True)
class Shown:
    """One episode of a recording.

    Args:
        name: of its branch and tab, e.g. "episode 3".
        episode: with the images of the cameras to show.
        note: what its tab's page says first, e.g. "a typical dream".
    """

    name: str
    episode: Episode
    note: str = ""


def of_dataset(dataset: Dataset, episodes: Sequence[int] = ()) -> list[Shown]:
    """The episodes of a data set that a recording shows.

    Args:
        episodes: which; () for the first MOST_EPISODES.

    Raises:
        DataError: no such episode, or its files cannot be read.
    """
    chosen = episodes or range(min(MOST_EPISODES, len(dataset.episodes)))
    of = f"of {len(dataset.episodes)} in {dataset.root.name}"
    return [Shown(f"episode {i}", dataset.read_episode(i), of) for i in chosen]


def of_rollouts(arm: str, filmed: Mapping[int, Episode]) -> list[Shown]:
    """A success and a failure of an arm's policy, as the report shows them.

    Args:
        filmed: scene of the suite -> episode.
    """
    return [
        Shown(f"{arm} {outcome}", episode, f"scene {scene}")
        for outcome, (scene, episode) in by_outcome(filmed).items()
    ]


def of_folder(folder: str | Path, *, needed: bool = True) -> list[Shown]:
    """A typical episode of every data set at most two folders below, as a run's folder has them.

    Raises:
        MissingError: there is no data set, though one is needed.
        DataError: one of them cannot be read.
    """
    folder = Path(folder)
    found = sorted({*folder.glob(f"*/{INFO}"), *folder.glob(f"*/*/{INFO}")})
    shown = []
    for path in found:
        dataset = Dataset.open(path.parents[1])
        if (index := typical(dataset)) is not None:
            name = dataset.root.relative_to(folder).as_posix()
            note = f"a typical episode, {index} of {len(dataset.episodes)}"
            shown.append(Shown(name, dataset.read_episode(index), note))
    if not shown and needed:
        raise MissingError(
            "neither a data set nor a folder that holds some",
            where=str(folder),
            do="name a data set's folder, or a run's",
        )
    return shown


def write_recording(path: str | Path, title: str, shown: Iterable[Shown]) -> Path:
    """Write a recording (.rrd) whole, or not at all.

    Args:
        path: the file; its folder is made if it is not there.
        title: what the viewer calls the recording.
        shown: the episodes, in the order of their tabs; names that repeat are numbered.

    Returns:
        The path.

    Raises:
        MissingError: rerun is not installed.
        TrimixError: the disk is full or refuses the write.
    """
    path, rr = Path(path), _rerun()
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".tmp")
        recording = rr.RecordingStream(APPLICATION, recording_id=title, send_properties=False)
        tabs: list[Any] = []
        branches: set[str] = set()
        try:
            recording.save(partial)
            recording.send_recording_name(title)
            for one in shown:
                branch = _branch(one.name, branches)
                _log(rr, recording, branch, one)
                tabs.append(_tab(branch, one))
            recording.send_blueprint(_blueprint(tabs))
            recording.flush()
        except BaseException:
            recording.disconnect()
            partial.unlink(missing_ok=True)
            raise
        recording.disconnect()
        return partial.replace(path)


def _rerun() -> ModuleType:
    try:
        return import_module("rerun")
    except ImportError as fault:
        raise MissingError(
            "recordings are made with rerun, which is not installed",
            do="pip install 'trimix[view]'",
        ) from fault


def _branch(name: str, taken: set[str]) -> str:
    """An entity path's first part that no other episode has."""
    stem = re.sub(UNSAFE, "_", name).strip("_") or "episode"
    branch, k = stem, 1
    while branch in taken:
        k += 1
        branch = f"{stem}_{k}"
    taken.add(branch)
    return branch


def _log(rr: ModuleType, recording: Any, branch: str, one: Shown) -> None:
    episode = one.episode
    t = len(episode)
    seconds = np.arange(t) * episode.interface.control_dt_s
    times = [
        rr.TimeColumn("frame", sequence=np.arange(t)),
        rr.TimeColumn("time", duration=seconds),
    ]
    recording.log(
        f"{branch}/about", rr.TextDocument(_about(one), media_type="text/markdown"), static=True
    )
    for camera, images in episode.images.items():
        at = _camera(branch, camera)
        fps = Fraction(1 / episode.interface.control_dt_s).limit_denominator(1000)
        contents = encode(_large(images), fps, CODEC)
        video = rr.AssetVideo(contents=contents, media_type="video/mp4")
        recording.log(at, video, static=True)
        stamps = (np.arange(t) * 1e9 / float(fps)).round().astype(np.int64)
        frames = rr.VideoFrameReference.columns_nanos(stamps)
        recording.send_columns(at, indexes=times, columns=frames)
    series: dict[str, tuple[list[str], np.ndarray]] = {
        "state": (_labels(episode.interface.state), episode.state),
        "action": (_labels(episode.interface.action), episode.action),
    }
    for label in ("reward", "success", "done", "trust"):
        values = getattr(episode, label)
        if values is not None:
            series[label] = ([label], np.asarray(values, np.float64)[:, None])
    for name, (names, values) in series.items():
        if values.shape[1]:
            recording.log(f"{branch}/{name}", rr.SeriesLines(names=names), static=True)
            recording.send_columns(
                f"{branch}/{name}", indexes=times, columns=rr.Scalars.columns(scalars=values)
            )


def _camera(branch: str, name: str) -> str:
    return f"{branch}/{re.sub(UNSAFE, '_', name)}"


def _large(images: U8) -> U8:
    """(T, H, W, 3), each pixel so many pixels that colours survive, and of even sizes."""
    h = images.shape[1]
    grown = resized(images, h * -(-LEAST_PX // h)) if h < LEAST_PX else images
    h, w = grown.shape[1:3]
    return np.ascontiguousarray(grown[:, : h - h % 2, : w - w % 2])


def _labels(channels: Sequence[Channel]) -> list[str]:
    return [f"{c.name} ({c.unit})" if c.unit else c.name for c in channels]


def _about(one: Shown) -> str:
    """What is known of an episode, as Markdown."""
    source = one.episode.provenance
    facts = {
        "instruction": one.episode.instruction,
        "origin": source.origin,
        "world": source.world,
        "policy": source.policy,
        "split": source.split,
        "success": source.success,
        "abstained": source.abstained or None,
        "began in": source.parent and f"{source.parent.dataset} episode {source.parent.episode}",
        "draw": compact_json(dict(source.draw)) if source.draw else None,
    }
    lines = [f"- **{k}**: {v}" for k, v in facts.items() if v not in (None, "")]
    return "\n".join([f"# {one.name}", "", one.note, "", f"{len(one.episode)} frames", "", *lines])


def _tab(branch: str, one: Shown) -> Any:
    """Cameras above, channels below, what is known beside them."""
    rrb = import_module("rerun.blueprint")
    episode = one.episode
    labels = [n for n in ("reward", "success", "done", "trust") if getattr(episode, n) is not None]
    cameras = [rrb.Spatial2DView(origin=_camera(branch, c), name=c) for c in episode.images]
    series = [
        rrb.TimeSeriesView(origin=f"{branch}/{n}", name=n)
        for n in ("state", "action")
        if getattr(episode, n).shape[1]
    ]
    if labels:
        contents = [f"{branch}/{n}" for n in labels]
        series.append(rrb.TimeSeriesView(contents=contents, origin=branch, name="labels"))
    about = rrb.TextDocumentView(origin=f"{branch}/about", name="about")
    return rrb.Vertical(
        rrb.Horizontal(*cameras, about), rrb.Horizontal(*series), name=one.name, row_shares=[3, 2]
    )


def _blueprint(tabs: Sequence[Any]) -> Any:
    rrb = import_module("rerun.blueprint")
    return rrb.Blueprint(rrb.Tabs(*tabs), rrb.TimePanel(timeline="time", state="collapsed"))

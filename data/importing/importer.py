"""Bringing a LeRobot data set of any robot into trimix.

Clocks become constant, cameras get the asked-for names and size, what cannot be trusted is
refused with its file, episode and row. The original numbers stay in `trimix/source_index`.

Axes: T rows of an episode, K rows after resampling, D channels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace

import numpy as np

from trimix.core.episode import Episode, Fingerprint, Provenance
from trimix.core.errors import DataError, TrimixError
from trimix.data import files, images
from trimix.data.dataset import Dataset
from trimix.data.fingerprint import join, named
from trimix.data.importing import resample
from trimix.data.importing.plan import ImportConfig, ImportPlan, plan_import
from trimix.data.importing.rows import checked_rows
from trimix.data.lerobot import layout, video
from trimix.data.lerobot.folder import EpisodeEntry, LeRobotFolder
from trimix.data.lineage import of_rows, read_models
from trimix.data.provenance import from_columns, recorded
from trimix.data.writing.writer import DatasetWriter

__all__ = ["ImportConfig", "import_dataset"]

Progress = Callable[[int, int], None]


def import_dataset(config: ImportConfig, progress: Progress | None = None) -> Dataset:
    """Import; the data set appears at config.out whole or not at all.

    Args:
        progress: called with (episodes done, episodes in all).

    Returns:
        The data set; its `skipped` says what was left out and why.

    Raises:
        MissingError: the source is not there.
        ConfigError: a camera, feature or option does not exist.
        DataError: something cannot be trusted; the error names file, episode and row.
        TrimixError: the disk is full.
    """
    source = LeRobotFolder.open(config.path)
    plan, bad = plan_import(config, source)
    identity = source.contents.hash()
    described = files.compact_json({"import": _settings(config), "source": identity})
    writer = DatasetWriter(
        config.out,
        plan.interface,
        robot_type=source.robot_type if config.robot_type is None else config.robot_type,
        plan_hash=files.text_digest(described),
        models={} if config.stand_in else read_models(source.contents),
    )
    if writer.finished:
        return Dataset.open(config.out)
    try:
        for done, row in enumerate(source.episodes):
            if progress is not None:
                progress(done, len(source.episodes))
            if row.index in bad:
                writer.skip(row.index, _relative(source, bad[row.index]))
            elif row.index not in writer.completed:
                _bring(plan, row, identity, writer)
        if progress is not None:
            progress(len(source.episodes), len(source.episodes))
        return writer.finalize(plan.notes)
    except TrimixError:
        writer.discard()
        raise


def _bring(plan: ImportPlan, row: EpisodeEntry, source: str, writer: DatasetWriter) -> None:
    try:
        episode = _convert(plan, row, source)
    except DataError as fault:
        if not plan.config.skip_bad:
            raise
        writer.skip(row.index, _relative(plan.source, str(fault)))
        return
    writer.add(row.index, episode)


def _relative(source: LeRobotFolder, reason: str) -> str:
    """The reason without the place of the source, which the data set must not depend on."""
    return reason.replace(f"{source.root}/", "")


def _settings(config: ImportConfig) -> dict[str, object]:
    """What decides the result: not where it is read from or written to."""
    settings = asdict(config)
    del settings["path"], settings["out"]
    return settings


def _convert(plan: ImportPlan, row: EpisodeEntry, identity: str) -> Episode:
    config, source = plan.config, plan.source
    table = checked_rows(source, row, (*plan.state_keys, plan.action_key), config.clock)
    recorded_as = of_rows(table) or named(identity, str(row.index))
    seconds = table["timestamp"]
    keep = plan.fps == source.fps and resample.is_constant(seconds, plan.fps)
    times = seconds if keep else resample.new_clock(seconds, plan.fps)

    def vector(key: str) -> np.ndarray:
        values = table[key]
        if keep:
            return values.astype(np.float32)
        if key == plan.action_key and plan.absolute is not None:
            hold, rate = plan.hold[key], source.fps
            return resample.displacements(values, plan.absolute, hold, seconds, times, rate)
        return resample.channels(values, plan.hold[key], seconds, times)

    picks = np.arange(row.length) if keep else resample.nearest(seconds, times)
    frames = {}
    for key, name in plan.cameras.items():
        raw = _frames(source, row, key)
        frames[name] = images.resize(raw, plan.interface.cameras[name], config.aspect)[picks]
    success = table.get(layout.SUCCESS)
    labels = {k: table[k][picks] for k in (layout.REWARD, layout.DONE) if k in table}
    state = [vector(key) for key in plan.state_keys]
    empty = np.zeros((len(times), 0), np.float32)
    return Episode(
        interface=plan.interface,
        instruction=_instruction(source, row, table),
        images=frames,
        state=np.concatenate([*state, empty], axis=1),
        action=vector(plan.action_key),
        provenance=_provenance(plan, row, success, recorded_as),
        trust=None if plan.trust is None else plan.trust[row.index][picks],
        reward=labels[layout.REWARD].astype(np.float32) if layout.REWARD in labels else None,
        success=None if success is None else success[picks].astype(bool),
        done=labels[layout.DONE].astype(bool) if layout.DONE in labels else None,
    )


def _provenance(
    plan: ImportPlan, row: EpisodeEntry, success: np.ndarray | None, recorded_as: Fingerprint
) -> Provenance:
    """What the source records of the episode, if trimix wrote it; its split stays."""
    stand_in = plan.config.stand_in
    known = from_columns(row.extra, str(plan.source.root))
    if known.origin != "dream":
        # An import remembers what its source was recorded as, also if the source is an import.
        known = replace(known, fingerprint=join(known.fingerprint, recorded_as))
    if recorded(row.extra) and not stand_in:
        return known
    return Provenance(
        origin="real",
        seed=plan.config.seed,
        episode=row.index,
        policy="recorded",
        world="stand-in" if stand_in else "real",
        split="heldout" if row.index in plan.heldout else "train",
        success=None if success is None else bool(np.any(success)),
        fingerprint=known.fingerprint,
    )


def _frames(source: LeRobotFolder, row: EpisodeEntry, key: str) -> np.ndarray:
    if key not in row.videos:
        return source.read_frames(row, key)
    span = row.videos[key]
    where = f"episode {row.index}"
    facts = video.probe(span.path, where)
    if abs(facts.fps / source.fps - 1.0) > 0.01:
        raise DataError(
            f"the video runs at {facts.fps:g} frames/s, the data set at {source.fps:g}",
            where=f"{span.path} {where}",
            do="correct fps in meta/info.json, or encode the video again",
        )
    promised = float(facts.frames)
    if source.version == layout.VERSION:
        end = row.extra.get(f"videos/{key}/to_timestamp")
        promised = row.length if end is None else float(end) * source.fps - span.start
    if abs(promised - row.length) > 0.5:
        raise DataError(
            f"the video has {promised:g} frames, the episode {row.length} rows",
            where=f"{span.path} {where}",
            do="leave the camera out with cameras=, or the episode with skip_bad=true",
        )
    return source.read_frames(row, key)


def _instruction(source: LeRobotFolder, row: EpisodeEntry, table: Mapping[str, np.ndarray]) -> str:
    if "task_index" in table:
        index = int(table["task_index"].reshape(-1)[0])
        if index not in source.tasks:
            raise DataError(
                f"task_index {index} is not in meta/tasks",
                where=f"{row.data} episode {row.index} row 0",
            )
        return source.tasks[index]
    return row.tasks[0] if row.tasks else ""

"""One recorded episode as one of ours: on a constant clock, its cameras named and sized.

Axes: T rows of an episode, K rows after resampling, D channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from trimix.core.episode import Episode, Fingerprint, Provenance
from trimix.core.errors import DataError
from trimix.data import images
from trimix.data.fingerprint import join, named
from trimix.data.importing import resample
from trimix.data.importing.plan import ImportPlan
from trimix.data.importing.rows import checked_rows
from trimix.data.lerobot import layout
from trimix.data.lerobot.folder import EpisodeEntry, LeRobotFolder
from trimix.data.lineage import of_rows
from trimix.data.provenance import from_columns, recorded


def convert(plan: ImportPlan, row: EpisodeEntry, identity: str) -> Episode:
    """The episode that an import writes.

    Args:
        identity: hash of the source; with the episode's number it stands for a fingerprint where
            the rows are no evidence.

    Raises:
        DataError: the episode cannot be trusted; the error names file, episode and row.
    """
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
        hw = plan.interface.cameras[name]
        raw = _frames(source, row, key, hw if config.aspect == "stretch" else None)
        frames[name] = images.resize(raw, hw, config.aspect)[picks]
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


def _frames(
    source: LeRobotFolder, row: EpisodeEntry, key: str, image_hw: tuple[int, int] | None
) -> np.ndarray:
    if key not in row.videos:
        return source.read_frames(row, key)
    span = row.videos[key]
    where = f"episode {row.index}"
    facts = source.video_facts(row, key)
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
    return source.read_frames(row, key, image_hw)


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

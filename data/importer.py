"""Bringing a LeRobot data set of any robot into trimix.

Clocks become constant, cameras get the asked-for names and size, what cannot be trusted is
refused with its file, episode and row. The original numbers stay in `trimix/source_index`.

Axes: F rows of the whole source, T rows of an episode, K rows after resampling.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from trimix.core.contracts import CONTROL_MODES, Channel, PolicyInterface
from trimix.core.episode import Episode, Provenance
from trimix.core.errors import ConfigError, DataError, TrimixError
from trimix.data import files, images, layout, resample, split, video
from trimix.data.dataset import Dataset
from trimix.data.source import Source, SourceEpisode
from trimix.data.writer import DatasetWriter

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ImportConfig:
    """What to bring in, and how.

    Args:
        path: a LeRobotDataset directory, v2.0, v2.1 or v3.0.
        out: the data set to write.
        fps: the constant rate; None keeps the source's.
        cameras: camera of the source -> new name; None takes all under their short names.
        image_hw: (height, width) of every camera; None keeps the sizes.
        aspect: "stretch" maps the whole image, "crop" keeps its shapes.
        control_mode: what the actions mean.
        state_keys: features that make up the state, joined in this order.
        state_names, action_names: new channel names; None keeps them.
        state_unit, action_unit: one unit for all channels, or one for each.
        heldout: the part of the episodes that is never trained on.
        seed: of the held-out choice.
        robot_type: None keeps the source's.
        skip_bad: leave out episodes that cannot be trusted, and say so, instead of stopping.
        clock: what the recorded clock may do.
    """

    path: str
    out: str
    fps: float | None = None
    cameras: Mapping[str, str] | None = None
    image_hw: tuple[int, int] | None = None
    aspect: images.Aspect = "stretch"
    control_mode: str = "undeclared"
    state_keys: tuple[str, ...] = (layout.STATE,)
    state_names: tuple[str, ...] | None = None
    action_names: tuple[str, ...] | None = None
    state_unit: str | tuple[str, ...] = ""
    action_unit: str | tuple[str, ...] = ""
    heldout: float = 0.15
    seed: int = 0
    robot_type: str | None = None
    skip_bad: bool = False
    clock: resample.ClockLimits = field(default_factory=resample.ClockLimits)


@dataclass(frozen=True)
class _Plan:
    """The import, resolved against its source.

    Args:
        cameras: source feature -> new name.
        hold: column -> (D,) channels that keep the previous value.
    """

    config: ImportConfig
    source: Source
    interface: PolicyInterface
    cameras: Mapping[str, str]
    hold: Mapping[str, np.ndarray]
    heldout: frozenset[int]
    fps: float


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
    source = Source.open(config.path)
    plan, bad = _plan(config, source)
    described = files.compact_json({"import": _settings(config), "source": _source_hash(source)})
    writer = DatasetWriter(
        config.out,
        plan.interface,
        robot_type=source.robot_type if config.robot_type is None else config.robot_type,
        plan_hash=files.text_digest(described),
    )
    if writer.finished:
        return Dataset.open(config.out)
    try:
        for done, row in enumerate(source.episodes):
            if progress is not None:
                progress(done, len(source.episodes))
            if row.index in bad:
                writer.skip(row.index, bad[row.index])
            elif row.index not in writer.completed:
                _bring(plan, row, writer)
        if progress is not None:
            progress(len(source.episodes), len(source.episodes))
        return writer.finalize()
    except TrimixError:
        writer.discard()
        raise


def _bring(plan: _Plan, row: SourceEpisode, writer: DatasetWriter) -> None:
    try:
        episode = _convert(plan, row)
    except DataError as fault:
        if not plan.config.skip_bad:
            raise
        writer.skip(row.index, str(fault))
        return
    writer.add(row.index, episode)


def _settings(config: ImportConfig) -> dict[str, object]:
    """What decides the result: not where it is read from or written to."""
    settings = asdict(config)
    del settings["path"], settings["out"]
    return settings


def _source_hash(source: Source) -> str:
    folders = ("data", "images", "meta", "videos")
    paths = files.files_below(source.root, *folders)
    return files.combined_digest(
        {p.relative_to(source.root).as_posix(): files.digest(p) for p in paths}
    )


def _plan(config: ImportConfig, source: Source) -> tuple[_Plan, dict[int, str]]:
    """Resolve the settings; also the episodes whose rows are already known to be bad."""
    info = str(source.root / layout.INFO)
    cameras = _cameras(config, source, info)
    for key in (*config.state_keys, layout.ACTION):
        if key not in source.features:
            one_dimensional = [
                k
                for k, f in source.features.items()
                if len(f["shape"]) == 1 and k not in layout.COUNTERS
            ]
            raise DataError(
                f"feature {key!r} is missing",
                where=info,
                do=f"available: {', '.join(one_dimensional) or 'none'}"
                + ("; choose with state_keys" if key != layout.ACTION else ""),
            )
    if config.control_mode not in CONTROL_MODES:
        raise ConfigError(
            f"control mode {config.control_mode!r} is not known",
            do=f"available: {', '.join(CONTROL_MODES)}",
        )
    fps = source.fps if config.fps is None else config.fps
    if not fps > 0:
        raise ConfigError(f"fps is {fps:g}, not a positive number")
    sizes = {new: config.image_hw or source.image_hw(key) for key, new in cameras.items()}
    state = [c for key in config.state_keys for c in layout.channels_of(source.features[key])]
    if len({c.name for c in state}) < len(state):
        state = [
            replace(c, name=f"{key}.{c.name}")
            for key in config.state_keys
            for c in layout.channels_of(source.features[key])
        ]
    action = layout.channels_of(source.features[layout.ACTION])
    interface = PolicyInterface(
        cameras=sizes,
        state=_described(state, config.state_names, config.state_unit, "state"),
        action=_described(action, config.action_names, config.action_unit, "action"),
        control_mode=config.control_mode,
        control_dt_s=1.0 / fps,
    )
    hold, bad = _scan(config, source)
    kept = [e.index for e in source.episodes if e.index not in bad]
    held = split.heldout(kept, config.heldout, config.seed)
    return _Plan(config, source, interface, cameras, hold, held, fps), bad


def _cameras(config: ImportConfig, source: Source, where: str) -> dict[str, str]:
    keys = list(source.camera_keys)
    short = {layout.camera_name(k): k for k in keys}
    if config.cameras is None:
        if len(short) < len(keys):
            raise ConfigError("two cameras share a short name", where=where, do="set cameras")
        return {key: name for name, key in short.items()}
    chosen = {}
    for old, new in config.cameras.items():
        key = old if old in keys else short.get(old)
        if key is None:
            raise ConfigError(
                f"camera {old!r} is not in the data set",
                where=where,
                do=f"available: {', '.join(short) or 'none'}",
            )
        chosen[key] = new
    if len(set(chosen.values())) < len(chosen):
        raise ConfigError("two cameras get the same name", where=where)
    return chosen


def _described(
    channels: Sequence[Channel],
    names: tuple[str, ...] | None,
    unit: str | tuple[str, ...],
    kind: str,
) -> tuple[Channel, ...]:
    units = [unit] * len(channels) if isinstance(unit, str) else list(unit)
    labels = [c.name for c in channels] if names is None else list(names)
    for what, given in (("names", labels), ("units", units)):
        if len(given) != len(channels):
            raise ConfigError(
                f"{len(given)} {what} for {len(channels)} {kind} channels",
                do=f"the channels are {', '.join(c.name for c in channels)}",
            )
    return tuple(Channel(n, u) for n, u in zip(labels, units, strict=True))


def _scan(config: ImportConfig, source: Source) -> tuple[dict[str, np.ndarray], dict[int, str]]:
    """Look at all rows once: which channels switch, and which episodes cannot be read."""
    keys = (*config.state_keys, layout.ACTION)
    seen: dict[str, list[np.ndarray]] = {key: [] for key in keys}
    bad: dict[int, str] = {}
    for row in source.episodes:
        try:
            table = _checked_rows(config, source, row)
        except DataError as fault:
            if not config.skip_bad:
                raise
            bad[row.index] = str(fault)
            continue
        for key in keys:
            seen[key].append(table[key])
    if len(bad) == len(source.episodes):
        raise DataError(
            f"none of the {len(bad)} episodes can be trusted",
            where=str(source.root),
            do=f"the first: {next(iter(bad.values()))}",
        )
    return {key: resample.switches(np.concatenate(parts)) for key, parts in seen.items()}, bad


def _checked_rows(
    config: ImportConfig, source: Source, row: SourceEpisode
) -> dict[str, np.ndarray]:
    """The episode's columns, state and action as (T, D) float64, clock as `timestamp` (T,)."""
    where = f"{row.data} episode {row.index}"
    table = source.read_rows(row)
    for key in (*config.state_keys, layout.ACTION):
        if key not in table:
            raise DataError(f"column {key!r} is missing or not numeric", where=where)
        values = table[key].reshape(row.length, -1).astype(np.float64)
        declared = len(layout.channels_of(source.features[key]))
        if values.shape[1] != declared:
            raise DataError(
                f"{key!r} has {values.shape[1]} numbers a row, info.json says {declared}",
                where=where,
            )
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            at, channel = bad[0]
            raise DataError(f"{key}[{channel}] is {values[at, channel]}", where=f"{where} row {at}")
        table[key] = values
    counted = np.arange(row.length)
    if "frame_index" in table and not np.array_equal(table["frame_index"], counted):
        at = int(np.flatnonzero(table["frame_index"] != counted)[0])
        raise DataError(
            f"frame_index is {table['frame_index'][at]}",
            where=f"{where} row {at}",
            do="rows are out of order, doubled or missing",
        )
    clock = table.get("timestamp", counted / source.fps).astype(np.float64)
    resample.check_clock(clock, source.fps, config.clock, where)
    table["timestamp"] = clock
    return table


def _convert(plan: _Plan, row: SourceEpisode) -> Episode:
    config, source = plan.config, plan.source
    table = _checked_rows(config, source, row)
    seconds = table["timestamp"]
    keep = plan.fps == source.fps and resample.is_constant(seconds, plan.fps)
    times = seconds if keep else resample.new_clock(seconds, plan.fps)

    def vector(key: str) -> np.ndarray:
        values = table[key]
        if keep:
            return values.astype(np.float32)
        return resample.channels(values, plan.hold[key], seconds, times)

    picks = np.arange(row.length) if keep else resample.nearest(seconds, times)
    frames = {}
    for key, name in plan.cameras.items():
        raw = _frames(source, row, key)
        frames[name] = images.resize(raw, plan.interface.cameras[name], config.aspect)[picks]
    success = table.get(layout.SUCCESS)
    labels = {k: table[k][picks] for k in (layout.REWARD, layout.DONE) if k in table}
    provenance = Provenance(
        origin="real",
        seed=config.seed,
        episode=row.index,
        policy="recorded",
        world="real",
        split="heldout" if row.index in plan.heldout else "train",
        success=None if success is None else bool(np.any(success)),
    )
    state = [vector(key) for key in config.state_keys]
    empty = np.zeros((len(times), 0), np.float32)
    return Episode(
        interface=plan.interface,
        instruction=_instruction(source, row, table),
        images=frames,
        state=np.concatenate([*state, empty], axis=1),
        action=vector(layout.ACTION),
        provenance=provenance,
        reward=labels[layout.REWARD].astype(np.float32) if layout.REWARD in labels else None,
        success=None if success is None else success[picks].astype(bool),
        done=labels[layout.DONE].astype(bool) if layout.DONE in labels else None,
    )


def _frames(source: Source, row: SourceEpisode, key: str) -> np.ndarray:
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
    if source.version != layout.VERSION and facts.frames != row.length:
        raise DataError(
            f"the video has {facts.frames} frames, the episode {row.length} rows",
            where=f"{span.path} {where}",
        )
    return source.read_frames(row, key)


def _instruction(source: Source, row: SourceEpisode, table: Mapping[str, np.ndarray]) -> str:
    if "task_index" in table:
        index = int(table["task_index"].reshape(-1)[0])
        if index not in source.tasks:
            raise DataError(
                f"task_index {index} is not in meta/tasks",
                where=f"{row.data} episode {row.index} row 0",
            )
        return source.tasks[index]
    return row.tasks[0] if row.tasks else ""

"""What an import will do, settled before anything is written.

Axes: F rows of the whole source, T rows of an episode, D channels of a feature.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from trimix.core.contracts import CONTROL_MODES, BoolArray, Channel, PolicyInterface
from trimix.core.errors import ConfigError, DataError, unknown
from trimix.data import images
from trimix.data.dataset import Dataset
from trimix.data.importing import keys, resample, split
from trimix.data.importing.rows import checked_rows
from trimix.data.lerobot import layout
from trimix.data.lerobot.folder import LeRobotFolder
from trimix.data.provenance import recorded


@dataclass(frozen=True)
class ImportConfig:
    """What to bring in, and how.

    Args:
        path: a LeRobotDataset directory, v2.0, v2.1 or v3.0.
        out: the data set to write.
        fps: the constant rate; None keeps the source's.
        cameras: camera of the source (a feature or its short name) -> new name; None takes all
            under their short names.
        image_hw: (height, width) of every camera; None keeps the sizes.
        aspect: "stretch" maps the whole image, "crop" keeps its shapes.
        control_mode: what the actions mean.
        absolute_actions: with ee_delta, the action channels that are positions all the same and
            must not be summed when the rate changes; None takes those whose name says gripper
            and those that take no values but 0 and 1, or -1 and 1.
        state_keys: features that make up the state, joined in this order; None takes the one
            that is known to be the state, and () none.
        action_key: feature that holds the actions; None takes the one that is known to.
        state_names, action_names: new channel names; None keeps them.
        state_unit, action_unit: one unit for all channels, or one for each.
        heldout: the part of the episodes that is never trained on.
        seed: of the held-out choice.
        robot_type: None keeps the source's.
        skip_bad: leave out episodes that cannot be trusted, and say so, instead of stopping.
        clock: what the recorded clock may do.
        stand_in: the source was made by trimix and plays a robot's part: what trimix recorded of
            its episodes is left behind, they are taken as "real", and their world is "stand-in".
        workers: processes that decode; the result does not depend on how many.
    """

    path: str
    out: str
    fps: float | None = None
    cameras: Mapping[str, str] | None = None
    image_hw: tuple[int, int] | None = None
    aspect: images.Aspect = "stretch"
    control_mode: str = "undeclared"
    absolute_actions: tuple[str, ...] | None = None
    state_keys: tuple[str, ...] | None = None
    action_key: str | None = None
    state_names: tuple[str, ...] | None = None
    action_names: tuple[str, ...] | None = None
    state_unit: str | tuple[str, ...] = ""
    action_unit: str | tuple[str, ...] = ""
    heldout: float = 0.15
    seed: int = 0
    robot_type: str | None = None
    skip_bad: bool = False
    clock: resample.ClockLimits = field(default_factory=resample.ClockLimits)
    stand_in: bool = False
    workers: int = 1


@dataclass(frozen=True)
class ImportPlan:
    """The import, resolved against its source.

    Args:
        interface: of the data set to write.
        cameras: source feature -> new name.
        state_keys, action_key: source features.
        fps: the rate to write.
        hold: column -> (D,) channels that keep the previous value.
        absolute: (A,) action channels that are not displacements; None if none is one.
        trust: episode -> (T,) trust, if the source has it.
        notes: what a reader of the data set should know about the import.
    """

    config: ImportConfig
    source: LeRobotFolder
    interface: PolicyInterface
    cameras: Mapping[str, str]
    state_keys: tuple[str, ...]
    action_key: str
    hold: Mapping[str, np.ndarray]
    absolute: BoolArray | None
    heldout: frozenset[int]
    fps: float
    trust: Mapping[int, np.ndarray] | None
    notes: tuple[str, ...]


def plan_import(config: ImportConfig, source: LeRobotFolder) -> tuple[ImportPlan, dict[int, str]]:
    """Resolve the settings; also the episodes whose rows are already known to be bad."""
    info = str(source.root / layout.INFO)
    if config.stand_in and any(e.extra.get("trimix/origin") == "dream" for e in source.episodes):
        raise DataError(
            "dreams cannot stand in for a robot's recordings",
            where=str(source.root),
            do="leave stand_in out: they stay dreams, of the recordings that they go back to",
        )
    cameras = keys.cameras(config.cameras, source)
    action_key = keys.action_key(config.action_key, source)
    state_keys = keys.state_keys(config.state_keys, source)
    vectors = (*state_keys, action_key)
    if config.control_mode not in CONTROL_MODES:
        raise ConfigError(
            f"control mode {config.control_mode!r} is not known",
            do=f"available: {', '.join(CONTROL_MODES)}",
        )
    fps = source.fps if config.fps is None else config.fps
    if not fps > 0:
        raise ConfigError(f"fps is {fps:g}, not a positive number")
    if config.workers < 1:
        raise ConfigError(f"workers is {config.workers}", do="at least 1")
    if config.image_hw is not None and min(config.image_hw) < 1:
        raise ConfigError(f"image_hw is {config.image_hw}, not a size in pixels")
    action = layout.channels_of(source.features[action_key])
    state = _state(state_keys, source)
    interface = PolicyInterface(
        cameras={new: config.image_hw or source.image_hw(key) for key, new in cameras.items()},
        state=_described(state, config.state_names, config.state_unit, "state"),
        action=_described(action, config.action_names, config.action_unit, "action"),
        control_mode=config.control_mode,
        control_dt_s=1.0 / fps,
    )
    scan = _scan(config, source, vectors, fps)
    absolute = _absolute(config, interface, scan.levels, info)
    kept = [e.index for e in source.episodes if e.index not in scan.bad]
    plan = ImportPlan(
        config=config,
        source=source,
        interface=interface,
        cameras=cameras,
        state_keys=state_keys,
        action_key=action_key,
        hold=scan.hold,
        absolute=absolute,
        heldout=split.heldout(kept, config.heldout, config.seed),
        fps=fps,
        trust=_trust(source),
        notes=(
            *_notes(source, (*vectors, *cameras), scan, fps, absolute, interface),
            *_splits_kept(config, source),
        ),
    )
    return plan, scan.bad


def _state(state_keys: Sequence[str], source: LeRobotFolder) -> list[Channel]:
    parts = {key: layout.channels_of(source.features[key]) for key in state_keys}
    names = [c.name for part in parts.values() for c in part]
    if len(set(names)) == len(names):
        return [c for part in parts.values() for c in part]
    return [replace(c, name=f"{key}.{c.name}") for key, part in parts.items() for c in part]


def _absolute(
    config: ImportConfig, interface: PolicyInterface, levels: BoolArray, where: str
) -> BoolArray | None:
    """(A,) action channels that are positions although the others are displacements."""
    names = [c.name for c in interface.action]
    given = config.absolute_actions
    for name in given or ():
        if name not in names:
            raise unknown("action channel", name, names, where=where)
    if config.control_mode != "ee_delta":
        return None
    if given is not None:
        return np.array([name in given for name in names], bool)
    named = np.array(["gripper" in name.lower() for name in names], bool)
    kept: BoolArray = levels | named
    return kept


def _notes(
    source: LeRobotFolder,
    taken: Sequence[str],
    scan: _Scan,
    fps: float,
    absolute: BoolArray | None,
    interface: PolicyInterface,
) -> list[str]:
    """What was changed or left behind, counted."""
    notes = []
    left = [k for k in keys.vectors(source) if k not in taken]
    images_left = [
        k for k, f in source.features.items() if f["dtype"] in ("video", "image") and k not in taken
    ]
    for what, names in (("features", left), ("cameras", images_left)):
        if names:
            notes.append(f"{len(names)} {what} of the source not taken: {', '.join(names)}")
    if scan.resampled:
        notes.append(
            f"{scan.resampled} of {len(source.episodes)} episodes put on a constant clock of "
            f"{fps:g} frames/s; they came with steps of {scan.steps_s[0]:.3g} to "
            f"{scan.steps_s[1]:.3g} s"
        )
    if scan.resampled and absolute is not None:
        kept = [c.name for c, a in zip(interface.action, absolute, strict=True) if a]
        notes.append(
            "actions are displacements and were summed over the new periods, but for "
            f"{', '.join(kept) or 'none'} (absolute_actions says otherwise)"
        )
    if scan.many_tasks:
        notes.append(
            f"{scan.many_tasks} episodes change their task on the way; the first one is kept"
        )
    return notes


def _splits_kept(config: ImportConfig, source: LeRobotFolder) -> Iterator[str]:
    own = sum(recorded(e.extra) for e in source.episodes)
    if own and not config.stand_in:
        yield (
            f"{own} of {len(source.episodes)} episodes were written by trimix and keep their "
            "split; heldout and seed choose among others"
        )


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


@dataclass
class _Scan:
    """What one look at all rows shows.

    Args:
        hold: column -> (D,) channels that switch.
        levels: (A,) action channels that take a switch's two levels.
        bad: episode -> why it cannot be trusted.
        steps_s: the shortest and longest step of the clocks.
    """

    hold: dict[str, np.ndarray] = field(default_factory=dict)
    levels: BoolArray = field(default_factory=lambda: np.zeros(0, bool))
    bad: dict[int, str] = field(default_factory=dict)
    resampled: int = 0
    many_tasks: int = 0
    steps_s: tuple[float, float] = (np.inf, 0.0)


def _scan(config: ImportConfig, source: LeRobotFolder, vectors: Sequence[str], fps: float) -> _Scan:
    seen: dict[str, list[np.ndarray]] = {key: [] for key in vectors}
    scan = _Scan()
    for row in source.episodes:
        try:
            table = checked_rows(source, row, vectors, config.clock)
        except DataError as fault:
            if not config.skip_bad:
                raise
            scan.bad[row.index] = str(fault)
            continue
        for key in vectors:
            seen[key].append(table[key])
        clock = table["timestamp"]
        if fps != source.fps or not resample.is_constant(clock, fps):
            steps = np.diff(clock)
            scan.resampled += 1
            scan.steps_s = (
                min(scan.steps_s[0], float(steps.min(initial=np.inf))),
                max(scan.steps_s[1], float(steps.max(initial=0.0))),
            )
        scan.many_tasks += len(np.unique(table.get("task_index", 0))) > 1
    if len(scan.bad) == len(source.episodes):
        raise DataError(
            f"none of the {len(scan.bad)} episodes can be trusted",
            where=str(source.root),
            do=f"the first: {next(iter(scan.bad.values()))}",
        )
    scan.hold = {key: resample.switches(np.concatenate(parts)) for key, parts in seen.items()}
    scan.levels = resample.levels(np.concatenate(seen[vectors[-1]]))
    return scan


def _trust(source: LeRobotFolder) -> dict[int, np.ndarray] | None:
    """Episode -> (T,) trust, if trimix recorded it."""
    if not (source.root / layout.ROWS).is_file():
        return None
    dataset = Dataset.open(source.root)
    trust = dataset.trust()
    return {e.index: trust[e.start : e.start + e.length] for e in dataset.episodes}

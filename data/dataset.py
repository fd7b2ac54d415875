"""Reading a LeRobotDataset v3.0 directory, whoever wrote it.

Axes: F rows of the whole data set ("flat"), T rows of one episode, H x W pixels, D state and
A action channels, S simulator state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from trimix.core.contracts import F32, F64, U8, PolicyInterface
from trimix.core.episode import Episode, Fingerprint, Provenance
from trimix.core.errors import DataError, MissingError, unknown
from trimix.data import files, fingerprint, lineage, manifest, provenance
from trimix.data.lerobot import layout, stats
from trimix.data.lerobot.folder import LeRobotFolder


@dataclass(frozen=True)
class EpisodeRow:
    """Where one episode stands and where it came from.

    Args:
        index: 0..N-1.
        length: rows T.
        start: its first flat row.
        tasks: its instructions.
        source_index: its number in the data set or plan that it came from.
    """

    index: int
    length: int
    start: int
    tasks: tuple[str, ...]
    provenance: Provenance
    source_index: int = 0


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set on disk. Nothing is decoded before it is asked for.

    Args:
        interface: from trimix/interface.json, else derived from meta/info.json.
        camera_keys: camera -> LeRobot feature.
    """

    root: Path
    fps: float
    interface: PolicyInterface
    robot_type: str
    episodes: tuple[EpisodeRow, ...]
    camera_keys: dict[str, str]
    source: LeRobotFolder = field(repr=False)

    @classmethod
    def open(cls, root: str | Path) -> Dataset:
        """Open a finished data set.

        Raises:
            MissingError: there is nothing, or only an unfinished data set.
            DataError: what is there is not a readable v3.0 data set.
        """
        root = Path(root)
        if not (root / layout.INFO).is_file():
            raise _absent(root)
        source = LeRobotFolder.open(root)
        if source.version != layout.VERSION:
            raise DataError(
                f"format {source.version}, not {layout.VERSION}",
                where=str(root / layout.INFO),
                do="convert it with `trimix import`",
            )
        keys = {layout.camera_name(key): key for key in source.camera_keys}
        episodes, start = [], 0
        for row in source.episodes:
            episodes.append(
                EpisodeRow(
                    index=row.index,
                    length=row.length,
                    start=start,
                    tasks=row.tasks,
                    provenance=provenance.from_columns(row.extra, str(root)),
                    source_index=int(row.extra.get(provenance.SOURCE_INDEX, row.index)),
                )
            )
            start += row.length
        return cls(
            root=root,
            fps=source.fps,
            interface=_interface(source, keys),
            robot_type=source.robot_type,
            episodes=tuple(episodes),
            camera_keys=keys,
            source=source,
        )

    def about(self) -> str:
        """What it holds, what is held out and what was left out, for people."""
        heldout = sum(e.provenance.split == "heldout" for e in self.episodes)
        lines = [
            f"{self.root}: {len(self.episodes)} episodes ({heldout} held out), "
            f"{self.n_frames} frames at {self.fps:g} Hz"
        ]
        lines += [f"  left out: {reason}" for reason in self.skipped.values()]
        return "\n".join(lines)

    @property
    def n_frames(self) -> int:
        """F."""
        return sum(e.length for e in self.episodes)

    @property
    def skipped(self) -> dict[int, str]:
        """LeRobotFolder index -> reason of the episodes that were left out when it was made."""
        return {int(k): str(v) for k, v in manifest.read(self.root).get("skipped", {}).items()}

    @property
    def notes(self) -> tuple[str, ...]:
        """What was changed or left behind when it was made."""
        return tuple(manifest.read(self.root).get("notes", ()))

    @cached_property
    def content_hash(self) -> str:
        """Hash of rows, videos and metadata; the same wherever and whenever the files are.

        Each file is read once for as long as it stays as it is (see data/digests.py).

        Raises:
            DataError: a file is not the one that was written.
        """
        return self.source.contents.hash()

    @cached_property
    def fingerprints(self) -> tuple[Fingerprint, ...]:
        """What identifies each episode, or the recorded one that a dream goes back to.

        Empty for a dream of which nobody knows where it began. Computed from the rows where it
        was not recorded.
        """
        return tuple(self._fingerprint(row) for row in self.episodes)

    @cached_property
    def models(self) -> Mapping[str, tuple[Fingerprint, ...]]:
        """World model's hash -> the episodes that it learned from, of the dreams' models.

        Raises:
            DataError: trimix/lineage.json is broken.
        """
        return lineage.read_models(self.source.contents)

    def _fingerprint(self, row: EpisodeRow) -> Fingerprint:
        kept = row.provenance.fingerprint
        if kept or row.provenance.origin == "dream":
            return kept
        rows = slice(row.start, row.start + row.length)
        found = lineage.of_rows({name: values[rows] for name, values in self._columns.items()})
        return found or fingerprint.named(self.content_hash, str(row.index))

    def column(self, name: str) -> np.ndarray | None:
        """Flat rows of a column: (F,) or (F, D); None if the data set lacks it."""
        return self._columns.get(name)

    def trust(self) -> F32:
        """(F,) float32 in [0, 1]; ones unless it was recorded (one number in memory then)."""
        recorded = self._tensor("trust")
        return np.broadcast_to(np.float32(1), self.n_frames) if recorded is None else recorded

    def sim_state(self, index: int) -> F64 | None:
        """(T, S) simulator state of one episode; None if it was not recorded."""
        return self._tensor(f"sim_state/{index}")

    def frames(self, index: int) -> dict[str, np.ndarray]:
        """name -> (T, ...), what else the world recorded of one episode's rows."""
        begin = f"frame/{index}/"
        return {
            name.removeprefix(begin): values
            for name, values in self._tensors(lambda name: name.startswith(begin)).items()
        }

    def stats(self) -> dict[str, dict[str, np.ndarray]]:
        """meta/stats.json: feature -> statistic -> array.

        Raises:
            DataError: the file is missing or not JSON.
        """
        return stats.from_json(
            files.read_json(self.source.contents.checked(self.root / layout.STATS))
        )

    def iter_frames(self, camera: str) -> Iterator[tuple[int, U8]]:
        """(episode index, its (T, H, W, 3) frames) of every episode, in order.

        Raises:
            ConfigError: the camera is unknown.
            DataError: a video is missing, broken or too short.
        """
        key = self._key(camera)
        yield from self.source.iter_frames(key)

    def read_episode(self, index: int, cameras: Sequence[str] | None = None) -> Episode:
        """One episode with its decoded videos.

        Args:
            cameras: which cameras to decode; None for all.

        Raises:
            DataError: no such episode, or its files cannot be read.
        """
        if not 0 <= index < len(self.episodes):
            raise DataError(
                f"episode {index} does not exist",
                where=str(self.root),
                do=f"episodes 0 to {len(self.episodes) - 1} do",
            )
        row = self.episodes[index]
        rows = slice(row.start, row.start + row.length)
        names = list(self.interface.cameras) if cameras is None else list(cameras)
        raw = self.source.episodes[index]
        trust = self._tensor("trust")

        def label(name: str) -> Any:
            column = self.column(name)
            return None if column is None else column[rows]

        return Episode(
            interface=self.interface.select(names),
            instruction=row.tasks[0] if row.tasks else "",
            images={c: self.source.read_frames(raw, self._key(c)) for c in names},
            state=self._vector(layout.STATE, len(self.interface.state))[rows],
            action=self._vector(layout.ACTION, len(self.interface.action))[rows],
            provenance=row.provenance,
            reward=label(layout.REWARD),
            success=label(layout.SUCCESS),
            done=label(layout.DONE),
            trust=None if trust is None else trust[rows],
            sim_state=self.sim_state(index),
            frames=self.frames(index),
        )

    def state(self) -> F32:
        """(F, D) float32; D may be 0."""
        return self._vector(layout.STATE, len(self.interface.state))

    def action(self) -> F32:
        """(F, A) float32."""
        return self._vector(layout.ACTION, len(self.interface.action))

    def _vector(self, name: str, width: int) -> F32:
        values = self.column(name)
        if values is None:
            return np.zeros((self.n_frames, width), np.float32)
        return values.reshape(self.n_frames, width).astype(np.float32, copy=False)

    def _key(self, camera: str) -> str:
        if camera not in self.camera_keys:
            raise unknown("camera", camera, self.camera_keys, where=str(self.root))
        return self.camera_keys[camera]

    @cached_property
    def _columns(self) -> dict[str, np.ndarray]:
        return self.source.flat_columns()

    def _tensor(self, name: str) -> np.ndarray | None:
        return self._tensors(lambda known: known == name).get(name)

    def _tensors(self, wanted: Callable[[str], bool]) -> dict[str, np.ndarray]:
        """Tensors of the side file by name."""
        path = self.source.contents.checked(self.root / layout.ROWS)
        if not path.is_file():
            return {}
        try:
            with safe_open(path, framework="numpy") as tensors:
                names = [name for name in tensors.keys() if wanted(name)]  # noqa: SIM118
                return {name: tensors.get_tensor(name) for name in names}
        except SafetensorError as fault:
            raise DataError(
                f"the file cannot be read ({fault})", where=str(path), do="copy it again"
            ) from None


def with_split(dataset: Dataset, split: str) -> list[int]:
    """Indices of the episodes of a split."""
    return [e.index for e in dataset.episodes if e.provenance.split == split]


def _absent(root: Path) -> MissingError | DataError:
    partial = layout.partial_folder(root)
    if (partial / layout.PLAN).is_file():
        done = len(list((partial / "shards").glob("episode_*")))
        return MissingError(
            f"the data set is unfinished: {done} episodes are done",
            where=str(root),
            do="run the command that began it again; it goes on where it stopped",
        )
    if not root.exists():
        return MissingError("no data set is there", where=str(root), do="check the path")
    return DataError(
        f"not a LeRobot data set: it has no {layout.INFO}",
        where=str(root),
        do="give the folder that holds meta/, data/ and videos/",
    )


def _interface(source: LeRobotFolder, keys: dict[str, str]) -> PolicyInterface:
    path = source.contents.checked(source.root / layout.INTERFACE)
    if path.is_file():
        return PolicyInterface.from_json(files.read_json(path))
    return PolicyInterface(
        cameras={camera: source.image_hw(key) for camera, key in keys.items()},
        state=layout.channels_of(source.features.get(layout.STATE)),
        action=layout.channels_of(source.features.get(layout.ACTION)),
        control_mode="undeclared",
        control_dt_s=1.0 / source.fps,
    )

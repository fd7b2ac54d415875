"""Writing a LeRobotDataset v3.0 that survives being killed at any moment.

Episodes become shards in `<root>.partial/` (see shard.py); `finalize` assembles them there and
the data set appears at `root` by one rename. So `root` is either absent or whole, and a second
run of the same command goes on where the first one stopped.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from trimix.core.contracts import PolicyInterface
from trimix.core.episode import Episode
from trimix.core.errors import DataError, TrimixError
from trimix.data import files, manifest
from trimix.data.dataset import Dataset
from trimix.data.lerobot import layout
from trimix.data.lerobot.video import VideoCodec
from trimix.data.lineage import Models
from trimix.data.writing import shard
from trimix.data.writing.assemble import assemble

__all__ = ["DatasetWriter", "write_shard"]

write_shard = shard.write_shard


class DatasetWriter:
    """Collects episodes in any order and makes one data set of them, in order of their index.

    Args:
        root: the data set's folder; it must not exist, or be empty, or be of the same plan.
        interface: what every episode must share.
        robot_type: recorded in info.json.
        plan_hash: names the command that makes the data. Only a run with an equal plan resumes.
        codec: how videos are encoded.
        limits: when the next file begins.
        models: what the world models learned from that dream the episodes, if any do; see World.

    Attributes:
        completed: indices that are safely on disk, or were skipped; they need not be made again.
        finished: whether the data set at root is already whole.

    Raises:
        DataError: root, or what was begun of it, belongs to another plan.
    """

    def __init__(
        self,
        root: str | Path,
        interface: PolicyInterface,
        *,
        robot_type: str = "",
        plan_hash: str = "",
        codec: VideoCodec | None = None,
        limits: layout.FileLimits | None = None,
        models: Models | None = None,
    ) -> None:
        self.root, self.interface = Path(root).absolute(), interface
        self.robot_type, self.plan_hash = robot_type, plan_hash
        self.codec, self.limits = codec or VideoCodec(), limits or layout.FileLimits()
        self.models = models or {}
        for camera in interface.cameras:
            layout.require_camera_name(camera, str(root))
        self.partial = layout.partial_folder(self.root)
        self.finished = self._finished()
        if self.finished:
            files.remove_tree(self.partial)
            self.completed = frozenset(manifest.read(self.root)["source_indices"])
        else:
            self._begin()
            self.completed = shard.completed_indices(self.root)

    def __enter__(self) -> DatasetWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing to close: every added episode is already durable."""

    def add(self, index: int, episode: Episode) -> None:
        """Put an episode on disk; one that is already there is left as it is.

        Raises:
            InterfaceError: the episode's interface is not the writer's.
            DataError, TrimixError: see write_shard.
        """
        if index in self.completed:
            return
        self.interface.require_same(episode.interface, where=f"episode {index}")
        shard.write_shard(self.root, index, episode, self.codec)
        self.completed |= {index}

    def skip(self, index: int, reason: str) -> None:
        """Leave an index out for good; the reason is kept in the data set's manifest."""
        if index not in self.completed:
            shard.write_skip(self.root, index, reason)
            self.completed |= {index}

    def finalize(self, notes: Sequence[str] = ()) -> Dataset:
        """Assemble the data set and make it appear at root.

        Episodes are numbered 0..N-1 in order of their index, which stays in
        `trimix/source_index`. The bytes depend on the episodes alone.

        Args:
            notes: sentences for the card and the manifest.

        Raises:
            DataError: there is no episode, or some are labelled and others are not.
            TrimixError: the disk is full; the shards stay and root stays absent.
        """
        if not self.finished:
            with files.storage_errors(self.root):
                staging = Path(tempfile.mkdtemp(prefix="dataset-", dir=self.partial))
                try:
                    self._assemble_and_publish(staging, notes)
                finally:
                    files.remove_tree(staging)
            self.finished = True
            files.remove_tree(self.partial)
        return Dataset.open(self.root)

    def discard(self) -> None:
        """Delete what was begun; a finished data set is left alone."""
        files.remove_tree(self.partial)

    def _assemble_and_publish(self, staging: Path, notes: Sequence[str]) -> None:
        shards = shard.list_shards(self.root)
        assemble(
            staging,
            shards,
            self.interface,
            robot_type=self.robot_type,
            plan_hash=self.plan_hash,
            codec=self.codec,
            limits=self.limits,
            notes=notes,
            models=self.models,
        )
        staging.chmod(0o755)
        try:
            os.rename(staging, self.root)  # noqa: PTH104  (replaces an empty folder, no other)
        except OSError as fault:
            if not self._finished():
                raise TrimixError(
                    f"the finished data set cannot be moved into place ({fault.strerror})",
                    where=str(self.root),
                    do="choose a folder that does not exist yet, on the same disk as its parent",
                ) from fault
        files.sync_folder(self.root.parent)

    def _finished(self) -> bool:
        """Whether root holds this plan's data set; raises DataError if it holds anything else."""
        if not self.root.exists():
            return False
        if not self.root.is_dir():
            raise DataError("a file stands there", where=str(self.root), do="choose another folder")
        if not any(self.root.iterdir()):
            return False
        theirs = manifest.read(self.root)
        if not theirs:
            raise DataError(
                "the folder is not empty and not a data set of trimix",
                where=str(self.root),
                do="choose another folder",
            )
        if theirs["plan_hash"] != self.plan_hash:
            raise DataError(
                "holds a data set that other settings made",
                where=str(self.root),
                do="choose another folder, or delete this one to make it anew",
            )
        return True

    def _begin(self) -> None:
        """Make the partial folder, or go on in the one that is there."""
        described = json.dumps({"plan_hash": self.plan_hash, "interface": self.interface.to_json()})
        plan = json.loads(described)  # as it will be read back: lists, not tuples
        path = self.partial / layout.PLAN
        if not path.exists():
            self._lay_out(plan)
        if files.read_json(path) != plan:
            raise DataError(
                "holds episodes that other settings began",
                where=str(self.partial),
                do="run the command that began it, or delete this folder to start anew",
            )
        shard.remove_leftovers(self.root)
        for staging in self.partial.glob("dataset-*"):
            files.remove_tree(staging)

    def _lay_out(self, plan: dict[str, Any]) -> None:
        """An empty partial folder. One without its plan was killed before it held any episode."""
        files.remove_tree(self.partial)
        with files.storage_errors(self.root):
            try:
                self.partial.mkdir(parents=True)
                shard.folder_of(self.root).mkdir()
                temporary = self.partial / f"{layout.PLAN}.tmp"
                files.write_json(temporary, plan)
                temporary.replace(self.partial / layout.PLAN)
                files.sync_folder(self.partial)
            except OSError:
                files.remove_tree(self.partial)
                raise

"""What the mix needs of stored data, and where it gets it: on disk, or anything shaped alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from trimix.core.contracts import F32, I64, Channel, PolicyInterface
from trimix.core.episode import Fingerprint, Provenance
from trimix.data.cache import open_cache
from trimix.data.dataset import Dataset
from trimix.data.windows import Spans, WindowBatch, Windows, WindowSpec


class EpisodeLike(Protocol):
    """One row of a data set's list of episodes: `length` flat rows from `start` on."""

    @property
    def index(self) -> int: ...
    @property
    def length(self) -> int: ...
    @property
    def start(self) -> int: ...
    @property
    def provenance(self) -> Provenance: ...


class WindowSet(Protocol):
    """The windows of some spans, one a frame, ordered by (episode, frame)."""

    def __len__(self) -> int: ...

    def gather(self, ids: I64) -> WindowBatch: ...


@dataclass(frozen=True)
class View:
    """What the mix looks at in every source.

    Args:
        window: observation history and action chunk.
        cameras: the cameras; None is all.
        image_hw: (height, width) px of all cameras; None keeps each data set's own.
    """

    window: WindowSpec
    cameras: tuple[str, ...] | None = None
    image_hw: tuple[int, int] | None = None

    def interface(self, stored: PolicyInterface) -> PolicyInterface:
        """The stored interface as seen through this view.

        Raises:
            InterfaceError: a camera that it does not have, naming those that it has.
        """
        seen = stored.select(self.cameras or sorted(stored.cameras))
        if self.image_hw is None:
            return seen
        return replace(seen, cameras=dict.fromkeys(seen.cameras, self.image_hw))


class SourceData(Protocol):
    """A data set's description, and on demand its windows."""

    @property
    def content_hash(self) -> str: ...
    @property
    def interface(self) -> PolicyInterface: ...
    @property
    def episodes(self) -> Sequence[EpisodeLike]: ...
    @property
    def fingerprints(self) -> Sequence[Fingerprint]: ...
    @property
    def models(self) -> Mapping[str, Sequence[Fingerprint]]: ...

    def trust(self) -> F32:
        """(F,) trust of every flat row."""

    def windows(self, view: View, spans: Spans) -> WindowSet:
        """The windows of these spans; reads or decodes their images."""


class Store(Protocol):
    """Opens sources by path. Passed to worker processes, so it holds no open files."""

    def open(self, path: str) -> SourceData: ...


@dataclass(frozen=True)
class DiskSource:
    """A LeRobotDataset v3.0 directory as a source."""

    dataset: Dataset
    cache_dir: Path | None = None

    @property
    def content_hash(self) -> str:
        return self.dataset.content_hash

    @property
    def interface(self) -> PolicyInterface:
        return self.dataset.interface

    @property
    def episodes(self) -> Sequence[EpisodeLike]:
        return self.dataset.episodes

    @property
    def fingerprints(self) -> Sequence[Fingerprint]:
        return self.dataset.fingerprints

    @property
    def models(self) -> Mapping[str, Sequence[Fingerprint]]:
        return self.dataset.models

    def trust(self) -> F32:
        return self.dataset.trust()

    def windows(self, view: View, spans: Spans) -> Windows:
        cameras = list(view.interface(self.interface).cameras)
        cache = open_cache(self.dataset, cameras, view.image_hw, self.cache_dir)
        return Windows(self.dataset, cache, view.window, spans)


@dataclass(frozen=True)
class DiskStore:
    """LeRobotDataset v3.0 directories.

    Args:
        cache_dir: where decoded frames are kept; None is the user's cache folder.
    """

    cache_dir: Path | None = None

    def open(self, path: str) -> DiskSource:
        return DiskSource(Dataset.open(path), self.cache_dir)


def joint_interface(interfaces: Sequence[PolicyInterface]) -> PolicyInterface:
    """One interface for data that can be mixed: declared units win, limits are the widest."""
    first = interfaces[0]
    return replace(
        first,
        state=_joint_channels([i.state for i in interfaces]),
        action=_joint_channels([i.action for i in interfaces]),
    )


def _joint_channels(vectors: Sequence[Sequence[Channel]]) -> tuple[Channel, ...]:
    out = []
    for same in zip(*vectors, strict=True):
        lows = [c.low for c in same if c.low is not None]
        highs = [c.high for c in same if c.high is not None]
        out.append(
            Channel(
                name=same[0].name,
                unit=max(c.unit for c in same),
                low=min(lows) if lows else None,
                high=max(highs) if highs else None,
            )
        )
    return tuple(out)

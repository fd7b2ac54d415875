"""Sources in memory, and one recipe that the tests vary."""

import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from trimix.core.contracts import Channel, Parent, PolicyInterface
from trimix.core.episode import Fingerprint, Provenance
from trimix.core.errors import DataError, MissingError
from trimix.data.fingerprint import named
from trimix.data.windows import Spans, WindowBatch
from trimix.mix.lock import Lock, LockedSource
from trimix.mix.recipe import Recipe, Source
from trimix.mix.source import View

KILL = -1
"""A broken frame that takes the reading process with it."""

INTERFACE = PolicyInterface(
    cameras={"wrist": (4, 6)},
    state=(Channel("q", "rad"),),
    action=(Channel("v", "rad/s", -1.0, 1.0),),
    control_mode="joint_velocity",
    control_dt_s=0.1,
)


@dataclass(frozen=True)
class FakeEpisode:
    index: int
    length: int
    start: int
    provenance: Provenance


@dataclass(frozen=True)
class FakeWindows:
    """Windows whose every array tells the content, the episode and the frame."""

    tag: int
    view: View
    episode: np.ndarray
    frame: np.ndarray
    broken_frame: int | None

    def __len__(self) -> int:
        return len(self.episode)

    def gather(self, ids: np.ndarray) -> WindowBatch:
        b, spec = len(ids), self.view.window
        episode, frame = self.episode[ids], self.frame[ids]
        if self.broken_frame == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.broken_frame in frame.tolist():
            raise DataError("cannot be decoded", where=f"row {self.broken_frame}", do="repair it")
        value = (self.tag * 10_000 + episode * 100 + frame).astype(np.float32)
        return WindowBatch(
            images={
                c: np.broadcast_to(
                    (frame % 256).astype(np.uint8)[:, None, None, None, None],
                    (b, spec.history, *hw, 3),
                )
                for c, hw in self.view.interface(INTERFACE).cameras.items()
            },
            state=np.broadcast_to(value[:, None, None], (b, spec.history, 1)),
            action=np.broadcast_to(value[:, None, None], (b, spec.chunk, 1)),
            action_valid=np.ones((b, spec.chunk), bool),
            history_valid=np.ones((b, spec.history), bool),
            instruction=[f"{self.tag} {e} {f}" for e, f in zip(episode, frame, strict=True)],
            episode=episode,
            frame=frame,
            trust=np.ones(b, np.float32),
        )


@dataclass(frozen=True)
class FakeData:
    """A data set of episodes with these lengths."""

    tag: int
    episodes: Sequence[FakeEpisode]
    interface: PolicyInterface = INTERFACE
    broken_frame: int | None = None
    row_trust: np.ndarray | None = None
    models: Mapping[str, Sequence[Fingerprint]] = field(default_factory=dict)

    @property
    def content_hash(self) -> str:
        return f"content-{self.tag}"

    @property
    def fingerprints(self) -> list[Fingerprint]:
        return [e.provenance.fingerprint for e in self.episodes]

    def trust(self) -> np.ndarray:
        n = sum(e.length for e in self.episodes)
        return np.ones(n, np.float32) if self.row_trust is None else self.row_trust

    def windows(self, view: View, spans: Spans) -> FakeWindows:
        stretches = zip(spans.episode, spans.first, spans.count, strict=True)
        rows = [(e, f) for e, first, count in stretches for f in range(first, first + count)]
        table = np.array(rows, np.int64).reshape(-1, 2)
        return FakeWindows(self.tag, view, table[:, 0], table[:, 1], self.broken_frame)


@dataclass
class FakeStore:
    """path -> data; counts what was opened, but for the recordings that dreams go back to."""

    data: dict[str, FakeData]
    opened: list[str] = field(default_factory=list)

    def open(self, path: str) -> FakeData:
        if path == RECORDED:
            return fake(0)
        self.opened.append(path)
        if path not in self.data:
            raise MissingError("no data set is there", where=path)
        return self.data[path]


MODEL = "the world model"
RECORDED = "recorded"
"""Where the recordings of `three()` are, for recipes that draw dreams without them."""


def recording(tag: int, index: int) -> Fingerprint:
    """What identifies this episode of this data set."""
    return named(f"{tag}", f"{index}")


def fake(tag: int, lengths: Sequence[int] = (7, 5, 9), **provenance: object) -> FakeData:
    """A data set of recordings, whose episodes share a provenance."""
    given = {"origin": "real", **provenance}
    starts = np.cumsum([0, *lengths])
    return FakeData(
        tag,
        tuple(
            FakeEpisode(i, n, int(starts[i]), Provenance(fingerprint=recording(tag, i), **given))
            for i, n in enumerate(lengths)
        ),
    )


def with_provenance(data: FakeData, index: int, **changes: object) -> FakeData:
    """The data set with one episode's provenance changed."""
    episodes = [
        replace(e, provenance=replace(e.provenance, **changes)) if e.index == index else e
        for e in data.episodes
    ]
    return replace(data, episodes=tuple(episodes))


def dream(
    root: int,
    split: str = "train",
    own_split: str = "train",
    learned: Sequence[Fingerprint] = (recording(0, 0),),
    lengths: Sequence[int] = (6, 6),
    tag: int = 9,
) -> FakeData:
    """Dreams: number i goes back to episode i of the data set with tag `root`.

    learned: the recordings that their world model learned from.
    """
    data = fake(tag, lengths, origin="dream", split=own_split, models=(MODEL,))
    for i in range(len(lengths)):
        parent = Parent(f"content-{root}", i, 0, split)
        data = with_provenance(data, i, parent=parent, fingerprint=recording(root, i))
    return replace(data, models={MODEL: learned})


def three(sizes: Sequence[Sequence[int]] = ((7, 5, 9), (30, 10), (12,))) -> FakeStore:
    """A real source, a sim one, and one of dreams that go back to the real one."""
    real, sim, dreams = sizes
    return FakeStore(
        {
            "real": fake(0, real, origin="real"),
            "sim": fake(1, sim, origin="sim"),
            "dream": dream(0, lengths=dreams, tag=2),
        }
    )


def by_name(lock: Lock) -> dict[str, LockedSource]:
    return {s.name: s for s in lock.sources}


def recipe(shares: dict[str, float] | None = None, **changes: object) -> Recipe:
    """A recipe over `three()`, whose sources are called as their paths."""
    shares = {"real": 0.7, "sim": 0.2, "dream": 0.1} if shares is None else shares
    base = Recipe(
        sources={name: Source(path=name) for name in ("real", "sim", "dream")},
        shares=shares,
        batch_size=10,
        steps=40,
        lineage=(RECORDED,),
    )
    return replace(base, **changes)

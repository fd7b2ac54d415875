"""The lock: a recipe compiled against the data it found, as JSON that names every byte it needs.

From a lock alone every batch of the training follows. It is refused when it was edited, when it
is of another schema, and when a source's content is no longer what it was compiled from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from trimix.core.contracts import PolicyInterface
from trimix.core.errors import DataError, MissingError
from trimix.data.files import write_atomic
from trimix.data.windows import WindowSpec
from trimix.mix.apportion import PARTS
from trimix.mix.runs import Runs
from trimix.mix.schedule import Schedule, Segment
from trimix.mix.source import View

SCHEMA = 2


@dataclass(frozen=True)
class LockedSource:
    """One source of a lock. Sources stand in the order of their identity.

    Args:
        identity: hash of the content and of the windows chosen from it.
        names: what the recipe calls it; several if the recipe lists one content several times.
        path: where it was; a moved data set is the same source.
        content_hash: of the data set.
        episodes: indices of the chosen episodes.
        min_trust: the trust that chosen windows have; 0 if nothing was asked.
        windows: n, how many may be drawn.
        origins: origin -> windows.
        excluded: reason -> how many episodes (or windows) were left out.
        domain: whether the policy is told the origin.
        max_repeats: the cap that was asked for.
        asked_share: fraction of the training's windows that the recipe asks for.
        share: the fraction planned, after caps.
        draws: windows planned over the whole training.
        repeats: draws / windows.
        sample: how many episodes were drawn from those that passed; None if all were taken.
    """

    identity: str
    names: tuple[str, ...]
    path: str
    content_hash: str
    episodes: Runs
    min_trust: float
    windows: int
    origins: Mapping[str, int]
    excluded: Mapping[str, int]
    domain: bool
    max_repeats: float | None
    asked_share: float
    share: float
    draws: int
    repeats: float
    sample: int | None = None

    @property
    def name(self) -> str:
        """What to call it in messages and tables."""
        return "+".join(self.names)


@dataclass(frozen=True)
class Lock:
    """The plan of every batch.

    Args:
        sources: m, in the order of their identity.
        segments: shares of the m sources along the training.
        linear: whether shares move in straight lines between segments.
        batch_size: B.
        seed: root of the streams.
        view: window, cameras and image size.
        interface: what a policy trained on this mix sees and gives.
        unused: sources whose shares are all zero, by name; nothing of them is drawn.
    """

    sources: tuple[LockedSource, ...]
    segments: tuple[Segment, ...]
    linear: bool
    batch_size: int
    seed: int
    view: View
    interface: PolicyInterface
    unused: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        return self.segments[-1].until_step

    @cached_property
    def schedule(self) -> Schedule:
        return Schedule(self.batch_size, self.segments, self.linear)

    @cached_property
    def hash(self) -> str:
        """Of all that the batches follow from; names and paths are not part of it."""
        body = self._body()
        del body["unused"]
        for source in body["sources"]:
            del source["names"], source["path"]
        return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()

    def _body(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "batch_size": self.batch_size,
            "steps": self.steps,
            "seed": self.seed,
            "view": asdict(self.view),
            "interface": self.interface.to_json(),
            "parts": PARTS,
            "linear": self.linear,
            "segments": [asdict(s) for s in self.segments],
            "sources": [{**asdict(s), "episodes": s.episodes.text} for s in self.sources],
            "unused": list(self.unused),
        }

    def to_json(self) -> str:
        return json.dumps({"hash": self.hash, **self._body()}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str = "recipe.lock") -> Lock:
        """Raises DataError for text that is not a lock, is of another schema or was edited."""
        redo = "compile the recipe again"
        try:
            raw = json.loads(text)
            if raw["schema"] != SCHEMA:
                raise DataError(
                    f"schema {raw['schema']!r}, this version reads {SCHEMA}", where=where, do=redo
                )
            lock = cls._from_body(raw)
            agrees = raw["hash"] == lock.hash
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as fault:
            raise DataError("not a lock", where=where, do=redo) from fault
        if not agrees:
            raise DataError("the lock was edited: its hash does not agree", where=where, do=redo)
        return lock

    @classmethod
    def _from_body(cls, raw: Mapping[str, Any]) -> Lock:
        view = raw["view"]
        return cls(
            sources=tuple(
                LockedSource(**{**s, "names": tuple(s["names"]), "episodes": Runs(s["episodes"])})
                for s in raw["sources"]
            ),
            segments=tuple(Segment(s["until_step"], tuple(s["parts"])) for s in raw["segments"]),
            linear=raw["linear"],
            batch_size=raw["batch_size"],
            seed=raw["seed"],
            view=View(
                window=WindowSpec(**view["window"]),
                cameras=None if view["cameras"] is None else tuple(view["cameras"]),
                image_hw=None if view["image_hw"] is None else tuple(view["image_hw"]),
            ),
            interface=PolicyInterface.from_json(raw["interface"]),
            unused=tuple(raw["unused"]),
        )

    def table(self) -> str:
        """The plan for people, a line a source."""
        lines = [f"{'source':<20}{'share':>8}{'windows':>10}{'drawn':>10}{'repeats':>9}"]
        for source in self.sources:
            lines.append(
                f"{source.name:<20}{source.share:>8.3f}{source.windows:>10}"
                f"{source.draws:>10}{source.draws / source.windows:>9.2f}"
            )
        lines += [f"{name:<20}{0:>8.3f}{'not drawn':>10}" for name in self.unused]
        return "\n".join(lines)

    def save(self, path: str | Path) -> None:
        """Write the lock; an interrupted write leaves the file that was there.

        Raises:
            DataError: a file that is no lock is there.
            TrimixError: the disk is full or refuses the write.
        """
        if Path(path).is_file() and not _once_a_lock(Path(path)):
            raise DataError("is there and is no lock", where=str(path), do="choose another path")
        write_atomic(Path(path), self.to_json().encode())

    @classmethod
    def load(cls, path: str | Path) -> Lock:
        """Raises MissingError for no file, DataError for one that is not a lock."""
        path = Path(path)
        if not path.is_file():
            raise MissingError("there is no such lock", where=str(path), do="run `trimix mix`")
        return cls.from_json(path.read_text(), where=str(path))


def _once_a_lock(path: Path) -> bool:
    """Whether a file is a lock, if only of another version or edited: that may be written over."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError):
        return False
    return isinstance(raw, dict) and {"schema", "sources"} <= raw.keys()

"""Frozen, hashed lists of evaluation scenes, shared by all the policies that are compared.

A scene is a Start with its Draw written out, so that every policy meets the identical scene,
also after the code that drew it has changed. Suites for choosing (a ratio, a checkpoint) and for
confirming the choice come from disjoint random streams.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from trimix.core.contracts import Draw, Parent, Start
from trimix.core.errors import ConfigError, DataError, MissingError
from trimix.core.seeds import seed63
from trimix.data.files import write_atomic
from trimix.rollout.worlds import WorldSpec
from trimix.sim.world import MujocoWorld
from trimix.worldmodel.world import DreamWorld

Purpose = Literal["choose", "confirm"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
FORMAT = "trimix-suite-1"


class DrawFor(Protocol):
    """Draws the randomization of one episode, a pure function of its arguments."""

    def __call__(self, seed: int, episode: int) -> Draw: ...


class ParentFor(Protocol):
    """Chooses the recorded frame from which one dream starts, a pure function of its arguments."""

    def __call__(self, seed: int, episode: int) -> Parent: ...


@dataclass(frozen=True)
class Suite:
    """The scenes on which policies are compared.

    Args:
        name: e.g. "push_t/target/confirm".
        task: registered name of the task.
        world: name of the world that the scenes were drawn for, e.g. "mujoco:target".
        seed: the root seed that the suite was made with.
        purpose: "choose" or "confirm".
        scenes: the starts, in the order in which outcomes are reported.
    """

    name: str
    task: str
    world: str
    seed: int
    purpose: Purpose
    scenes: tuple[Start, ...]

    def __len__(self) -> int:
        return len(self.scenes)

    @cached_property
    def hash(self) -> str:
        """Hex digest of everything in the suite: equal hashes mean equal scenes."""
        return hashlib.sha256(_canonical(self.to_json())).hexdigest()

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "name": self.name,
            "task": self.task,
            "world": self.world,
            "seed": self.seed,
            "purpose": self.purpose,
            "scenes": [
                {
                    "seed": s.seed,
                    "episode": s.episode,
                    "draw": None if s.draw is None else dict(s.draw),
                    "parent": None if s.parent is None else asdict(s.parent),
                }
                for s in self.scenes
            ],
        }

    def save(self, path: str | Path) -> Path:
        """Write the suite and its hash to a JSON file, atomically."""
        text = json.dumps({**self.to_json(), "hash": self.hash}, indent=1, allow_nan=False)
        return write_atomic(Path(path), (text + "\n").encode())

    def require_of(self, world: WorldSpec, *, where: str) -> None:
        """Raise ConfigError unless the scenes are of this kind of world, and of its task."""
        kind, ours = self.world.partition(":")[0], world.name.partition(":")[0]
        if kind != ours:
            raise ConfigError(f"the suite is of world {kind}, not {ours}", where=where)
        if world.task and self.task != world.task:
            raise ConfigError(
                f"the suite is of task {self.task!r}, not {world.task!r}", where=where
            )

    @classmethod
    def load(cls, path: str | Path) -> Suite:
        """Read a suite that `save` wrote.

        Raises:
            MissingError: there is no such file.
            DataError: the file is not a suite, or its scenes are not those that its hash names.
        """
        path = Path(path)
        if not path.is_file():
            raise MissingError("no such suite", where=str(path))
        try:
            raw = json.loads(path.read_text())
            stated = raw.pop("hash")
            if raw.pop("format") != FORMAT:
                raise DataError(f"not in the format {FORMAT}", where=str(path))
            suite = cls(**{**raw, "scenes": tuple(_start(s) for s in raw["scenes"])})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"not a suite: {error}", where=str(path)) from error
        if suite.hash != stated:
            raise DataError(
                "the scenes were changed after the suite was frozen",
                where=str(path),
                do="restore the file or make a new suite; results of the two cannot be compared",
            )
        return suite


def make_suite(
    task: str,
    world_name: str,
    n: int,
    seed: int,
    purpose: Purpose,
    *,
    draw_for: DrawFor | None = None,
    parent_for: ParentFor | None = None,
) -> Suite:
    """Draw a suite of n scenes.

    The scenes' stream is keyed by (seed, task, purpose) and not by the world: suites for two
    worlds hold the same stimuli under two randomizations. The first n scenes of a longer suite
    are the scenes of the suite of n.

    Args:
        task: registered name of the task.
        world_name: name of the world that the draws are for.
        n: number of scenes.
        seed: root seed.
        purpose: "choose" for choosing among settings, "confirm" for the figure that is published.
        draw_for: the world's randomizer; without it the scenes leave the draw to the world.
        parent_for: for dreams, the frame that each starts from.

    Raises:
        ConfigError: n below 1 or an unknown purpose.
    """
    if n < 1:
        raise ConfigError(f"a suite of {n} scenes", do="ask for at least one scene")
    if purpose not in PURPOSES:
        raise ConfigError(f"purpose {purpose!r} is not known", do=f"available: {_listed()}")
    root = seed63(seed, task, f"suite:{purpose}")

    def draw(episode: int) -> Draw | None:
        # Through JSON, so that the suite in memory is the one that a file would give.
        return None if draw_for is None else json.loads(_canonical(draw_for(root, episode)))

    scenes = tuple(
        Start(
            seed=root,
            episode=i,
            draw=draw(i),
            parent=None if parent_for is None else parent_for(root, i),
        )
        for i in range(n)
    )
    return Suite(f"{task}/{world_name}/{purpose}", task, world_name, seed, purpose, scenes)


def draw_suite(world: WorldSpec, scenes: int, seed: int = 0, purpose: str = "choose") -> Suite:
    """The suite of n scenes of a world, drawn as that world draws.

    Dreams begin in every other held-out episode, so that no purpose sees the other's frames.

    Raises:
        ConfigError: an unknown purpose, no scene, or too few held-out episodes to dream from.
        TrimixError: the world cannot be made.
    """
    if purpose not in PURPOSES:
        raise ConfigError(f"purpose {purpose!r} is not known", do=f"available: {_listed()}")
    chosen: Purpose = "choose" if purpose == "choose" else "confirm"
    made = world.make(1)
    try:
        if isinstance(made, DreamWorld):
            return _dream_suite(made, scenes, seed, chosen)
        draw = made.draw if isinstance(made, MujocoWorld) else None
        return make_suite(world.task, world.name, scenes, seed, chosen, draw_for=draw)
    finally:
        made.close()


def _dream_suite(world: DreamWorld, scenes: int, seed: int, purpose: Purpose) -> Suite:
    starts = world.starts
    episodes = starts.drawn_from()
    if len(episodes) < len(PURPOSES):
        raise ConfigError(
            "one held-out episode gives no scenes to choose on and others to confirm on",
            where=", ".join(str(c.dataset.root) for c in starts.clips.values()),
            do="hold out 2 or more",
        )
    mine = set(episodes[PURPOSES.index(purpose) :: len(PURPOSES)])
    told = {starts.clips[name].dataset.episodes[e].provenance.task for name, e in mine} - {""}
    return make_suite(
        "+".join(sorted(told)) or "recorded",
        "dream",
        scenes,
        seed,
        purpose,
        parent_for=lambda seed, episode: starts.draw(Start(seed, episode), mine),
    )


def _listed() -> str:
    return ", ".join(PURPOSES)


def _start(raw: Mapping[str, Any]) -> Start:
    parent = raw["parent"]
    return Start(
        seed=int(raw["seed"]),
        episode=int(raw["episode"]),
        draw=raw["draw"],
        parent=None if parent is None else Parent(**parent),
    )


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()

"""Episodes run again from their own provenance, to the bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trimix.core.contracts import F32, F64, Start
from trimix.core.episode import Episode
from trimix.core.errors import DataError, InterfaceError
from trimix.sim.world import MujocoWorld

_CHECKSUM = "checksum/"


@dataclass(frozen=True)
class Replayed:
    """What came of an episode's recorded actions.

    Args:
        states: (T, S).
        reward: (T,).
        success: whether it ended in lasting success.
        frames: name -> (T, ...), with checksums of the pictures of a world that draws.
        gl: what drew them.
    """

    states: F64
    reward: F32
    success: bool
    frames: Mapping[str, npt.NDArray[Any]]
    gl: str


def replay(world: MujocoWorld, episodes: list[Episode]) -> list[Replayed]:
    """What comes of each episode when its recorded actions are taken again.

    Args:
        world: of the episodes' task and control mode; its own randomization does not matter.
        episodes: as many as the world has rows, or fewer.

    Raises:
        DataError: an episode that this world's model did not make.
        InterfaceError: an episode of another control mode or period.
    """
    if len(episodes) > world.num_envs:
        raise ValueError(f"{len(episodes)} episodes do not fit {world.num_envs} rows")
    for episode in episodes:
        _require_same(world, episode)
    n, count = world.num_envs, len(episodes)
    starts = [Start(e.provenance.seed, e.provenance.episode, e.provenance.draw) for e in episodes]
    idle: list[Start | None] = [None] * (n - count)
    world.reset(options={"starts": [*starts, *idle], "reset_mask": np.arange(n) < count})
    steps = max(len(e) for e in episodes)
    states: list[list[F64]] = [[] for _ in episodes]
    reward = np.zeros((count, steps), np.float32)
    success = np.zeros(count, bool)
    frames: list[dict[str, list[Any]]] = [{} for _ in episodes]
    for t in range(steps):
        snapshot, frame = world.snapshot(), world.frame()
        action = np.zeros((n, len(world.interface.action)), np.float32)
        for i, episode in enumerate(episodes):
            if t < len(episode):
                states[i].append(snapshot[i])
                action[i] = episode.executed[t]
                for name, values in frame.items():
                    frames[i].setdefault(name, []).append(values[i])
        _, given, _, _, info = world.step(action)
        for i, episode in enumerate(episodes):
            if t < len(episode):
                reward[i, t], success[i] = given[i], bool(info["success"][i])
    return [
        Replayed(
            np.stack(states[i]),
            reward[i, : len(episode)],
            bool(success[i]),
            {name: np.stack(values) for name, values in frames[i].items()},
            world.gl,
        )
        for i, episode in enumerate(episodes)
    ]


def difference(episode: Episode, again: Replayed) -> str:
    """How a replay differs from what is recorded; "" where it is the same, to the bit.

    Pictures are compared where both were drawn, by the same OpenGL.
    """
    apart = deviation(episode, again.states)
    if apart:
        return f"replayed states differ by {apart:g}"
    if episode.reward is not None and not np.array_equal(episode.reward, again.reward):
        return f"replayed rewards differ from step {_first(episode.reward != again.reward)}"
    made_by = episode.provenance
    if made_by.success is not None and bool(made_by.success) != again.success:
        return f"success is recorded as {made_by.success}, replayed it is {again.success}"
    if not pictured(episode, again):
        return ""
    for name, sums in episode.frames.items():
        if name.startswith(_CHECKSUM) and name in again.frames:
            other = np.asarray(sums) != again.frames[name]
            if other.any():
                camera = name.removeprefix(_CHECKSUM)
                return f"pictures of camera {camera!r} differ from frame {_first(other)}"
    return ""


def pictured(episode: Episode, again: Replayed) -> bool:
    """Whether pictures can be compared: recorded, drawn again, and by the same OpenGL."""
    drawn = any(name.startswith(_CHECKSUM) for name in episode.frames)
    return drawn and bool(again.gl) and episode.provenance.versions.get("gl") == again.gl


def deviation(episode: Episode, states: F64) -> float:
    """Largest absolute difference to the recorded simulator states; 0 is bit-identical."""
    if episode.sim_state is None or episode.sim_state.shape != states.shape:
        return float("inf")
    return float(np.abs(episode.sim_state - states).max())


def _first(differs: npt.NDArray[np.bool_]) -> int:
    return int(np.flatnonzero(differs)[0])


def _require_same(world: MujocoWorld, episode: Episode) -> None:
    made_by = episode.provenance
    if made_by.origin != "sim" or made_by.model_hash != world.model_hash:
        raise DataError(
            f"model {made_by.model_hash or '(none)'} is not this build's {world.model_hash}",
            where=f"episode {made_by.episode} of task {made_by.task!r}",
            do=f"replay it with the versions that made it: {dict(made_by.versions)}",
        )
    ours, theirs = world.interface, episode.interface
    if (ours.control_mode, ours.control_dt_s) != (theirs.control_mode, theirs.control_dt_s):
        raise InterfaceError(
            f"the world is controlled by {ours.control_mode} every {ours.control_dt_s:g} s, "
            f"the episode was by {theirs.control_mode} every {theirs.control_dt_s:g} s",
            where=f"episode {made_by.episode} of task {made_by.task!r}",
        )

"""Episodes run again from their own provenance, to the bit."""

from __future__ import annotations

import numpy as np

from trimix.core.contracts import F64, Start
from trimix.core.episode import Episode
from trimix.core.errors import DataError, InterfaceError
from trimix.sim.world import MujocoWorld


def replay(world: MujocoWorld, episodes: list[Episode]) -> list[F64]:
    """Simulator states (T, S) of each episode when its recorded actions are taken again.

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
    rows = np.arange(world.num_envs) < len(episodes)
    starts = [Start(e.provenance.seed, e.provenance.episode, e.provenance.draw) for e in episodes]
    idle: list[Start | None] = [None] * (world.num_envs - len(episodes))
    world.reset(options={"starts": [*starts, *idle], "reset_mask": rows})
    states: list[list[F64]] = [[] for _ in episodes]
    for t in range(max(len(e) for e in episodes)):
        snapshot = world.snapshot()
        action = np.zeros((world.num_envs, len(world.interface.action)), np.float32)
        for i, episode in enumerate(episodes):
            if t < len(episode):
                states[i].append(snapshot[i])
                action[i] = episode.executed[t]
        world.step(action)
    return [np.stack(s) for s in states]


def deviation(episode: Episode, states: F64) -> float:
    """Largest absolute difference to the recorded simulator states; 0 is bit-identical."""
    if episode.sim_state is None or episode.sim_state.shape != states.shape:
        return float("inf")
    return float(np.abs(episode.sim_state - states).max())

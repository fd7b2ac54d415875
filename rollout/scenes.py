"""A policy in closed loop over given starts, in any World: MuJoCo and the dream share this code.

Axes: N rows of a world, S starts, T steps of an episode.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trimix.core.contracts import Policy, Start, World
from trimix.core.episode import Episode
from trimix.core.errors import ConfigError
from trimix.core.rollout import rollout
from trimix.core.workers import Tick


@dataclass(frozen=True)
class Outcome:
    """What came of one scene.

    Args:
        scene: its place in the suite.
        success: the task was done; never true of an episode that was abstained from.
        abstained: the world or the policy said "I don't know" and the episode was cut.
        steps: T.
        trust: mean over the steps, 1 in MuJoCo.
        reward: summed over the steps.
    """

    scene: int
    success: bool
    abstained: bool
    steps: int
    trust: float
    reward: float


def run_scenes(
    world: World,
    policy: Policy,
    starts: Sequence[Start],
    *,
    film: bool = False,
    tick: Tick | None = None,
) -> tuple[list[Outcome], dict[int, Episode]]:
    """Run one episode for every start.

    Args:
        film: keep the images of the first success and of the first failure, in the order of
            starts. While they run, the world's N rows keep theirs.
        tick: called after every episode.

    Returns:
        (S outcomes in the order of starts with `scene` counted from 0, scene -> filmed episode)

    Raises:
        InterfaceError: the policy's interface is not the world's.
        ConfigError: the world cannot tell success.
    """
    _require_judge(world)
    outcomes: dict[int, Outcome] = {}
    filmed: dict[bool, tuple[int, Episode]] = {}
    for scene, episode in rollout(world, policy, starts, keep_images=film):
        outcome = outcomes[scene] = _outcome(scene, episode)
        if film and scene < filmed.get(outcome.success, (len(starts), None))[0]:
            filmed[outcome.success] = (scene, episode)
        if tick is not None:
            tick()
    return [outcomes[i] for i in range(len(starts))], dict(sorted(filmed.values()))


def _require_judge(world: World) -> None:
    """A world model whose data had no success labels must not be read as one that fails."""
    n = world.num_envs
    nothing = {"starts": [None] * n, "reset_mask": np.zeros(n, bool)}
    _, info = world.reset(options=nothing)
    if not np.all(info.get("success_known", True)):
        raise ConfigError(
            f"this {world.origin} world cannot tell success: its training data had no labels of it",
            do="evaluate in MuJoCo, or train the world model on episodes with success labels",
        )


def _outcome(scene: int, episode: Episode) -> Outcome:
    abstained = episode.provenance.abstained
    assert episode.reward is not None and episode.trust is not None
    return Outcome(
        scene=scene,
        success=bool(episode.provenance.success) and not abstained,
        abstained=abstained,
        steps=len(episode),
        trust=float(episode.trust.mean(dtype=np.float64)),
        reward=float(episode.reward.sum(dtype=np.float64)),
    )

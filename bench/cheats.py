"""Whether any cheater of any task scores, and whether a search finds a way to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from trimix.bench.figure import Figure
from trimix.bench.spread import spread
from trimix.core.contracts import BoolArray, Start
from trimix.core.rollout import rollout
from trimix.core.workers import Tick
from trimix.sim.physics import Physics
from trimix.sim.task import Goals
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS
from trimix.tasks.exploit import search, weak
from trimix.tasks.push_t import mark_pose, planar_pose
from trimix.tasks.push_t_expert import pose_error
from trimix.tasks.tee import TEE

SEEDS, CANDIDATES = 20, 2000
_BLIND = MujocoConfig(draw_images=False)


def cheats(quick: bool) -> Iterator[Figure]:
    """`cheats.{task}`: episodes of its cheaters that ended in lasting success."""
    names = ["reach"] if quick else list(TASKS)
    for name, scored in spread(_cheat, [(name, 2 if quick else SEEDS) for name in names]):
        task, seeds = name
        total = sum(scored.values())
        worst = ", ".join(f"{c} {n}" for c, n in scored.items() if n) or "none"
        about = f"{len(scored)} cheaters; scored: {worst}"
        yield Figure(f"cheats.{task}", total, "episodes", seeds * len(scored), None, about)


def _cheat(_: None, case: tuple[str, int], tick: Tick) -> dict[str, int]:
    """Cheater -> its lasting successes."""
    name, seeds = case
    task = TASKS[name]()
    world = MujocoWorld(task, seeds, config=_BLIND)
    scored = {}
    for each in task.cheaters:
        policy = each.policy(world.physics, world.goals, world.interface)
        starts = [Start(7, i) for i in range(seeds)]
        made = rollout(world, policy, starts, keep_images=False)
        scored[each.name] = sum(bool(e.provenance.success) for _, e in made)
    world.close()
    return scored


@dataclass(frozen=True)
class Search:
    """Args:
    task: registered.
    predicate: own, planted or old.
    candidates: at most.
    """

    task: str
    predicate: str
    candidates: int


def exploits(quick: bool) -> Iterator[Figure]:
    """`exploits.{task}`: candidates whose success did not last; then, with the same budget, after
    how many the search fooled a weak predicate planted in its place, and those of old."""
    names = ["reach"] if quick else list(TASKS)
    most = 16 if quick else CANDIDATES
    cases = [Search(name, p, most) for p in ("planted", "old", "own") for name in names]
    cases = [c for c in cases if c.predicate != "old" or c.task in _OLD]
    for case, (found, first) in spread(_search, cases):
        if case.predicate == "own":
            yield Figure(f"exploits.{case.task}", found, "motions", case.candidates)
        else:
            about = "the first found; 0: none was"
            name = f"exploits.{case.task}.{case.predicate}"
            yield Figure(name, first, "candidates", case.candidates, None, about)


def _search(_: None, case: Search, tick: Tick) -> tuple[int, int]:
    """How many exploits, and the number of the candidate that was the first."""
    task = TASKS[case.task]()
    predicate = None
    if case.predicate == "planted":
        predicate = weak(task)
    elif case.predicate == "old":
        predicate = _OLD[case.task]
    found = search(
        task, candidates=case.candidates, predicate=predicate, stop_at_first=predicate is not None
    )
    return len(found), found[0].tried if found else 0


def _old_banana(physics: Physics, goals: Goals) -> BoolArray:
    """Letting go as a distance to the banana's middle, and the plate as a height."""
    banana, scale = physics.body_pos("banana"), physics.scale
    apart = np.linalg.norm((banana - physics.body_pos("plate"))[:, :2], axis=1)
    free = np.linalg.norm(physics.tool_pos() - banana, axis=1) > 0.07 * scale
    slow = physics.speed("banana")[0] < 0.05
    return np.asarray((apart < 0.075 * scale) & (banana[:, 2] < 0.065 * scale) & free & slow)


def _old_tee(physics: Physics, goals: Goals) -> BoolArray:
    """Within 3 cm and 15 degrees, moving or not."""
    apart, turned = pose_error(planar_pose(physics, TEE), mark_pose(physics, goals))
    return np.asarray((apart < 0.03 * physics.scale) & (turned < np.radians(15.0)))


_OLD: dict[str, Callable[[Physics, Goals], BoolArray]] = {
    "banana_on_plate": _old_banana,
    "push_t": _old_tee,
}

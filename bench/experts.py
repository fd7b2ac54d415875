"""What the scripted experts reach on every task, robot and preset: lasting success, and how deep
anything of theirs sinks into anything. Axes: N rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import mujoco
import numpy as np

from trimix.bench.figure import Figure
from trimix.bench.spread import spread
from trimix.core.contracts import F32, Obs, Policy, PolicyInterface, Start
from trimix.core.rollout import rollout
from trimix.core.workers import Tick
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS

SEEDS, ROOT_SEED = 200, 11
PROBED = 20
"""Episodes in which contacts are looked at, frame by frame."""
_ROWS = 20


@dataclass(frozen=True)
class Case:
    """Args:
    task, robot, preset: registered names.
    seeds: episodes.
    """

    task: str
    robot: str
    preset: str
    seeds: int


@dataclass(frozen=True)
class Found:
    """Args:
    solved: episodes whose success lasted.
    frames: of all.
    """

    solved: int
    frames: int


@dataclass(frozen=True)
class Depth:
    """Args:
    deepest_mm: of contacts of robot, table and props at the end of a control period.
    over_limit: actuators that ever gave more than their limit, or that have none.
    """

    deepest_mm: float
    over_limit: int


class Probe:
    """A policy that looks at contacts and forces before it acts."""

    def __init__(self, policy: Policy, world: MujocoWorld) -> None:
        self._policy, self._world = policy, world
        self.interface: PolicyInterface = policy.interface
        self._data = mujoco.MjData(world.model)
        self.deepest_m, self._over = 0.0, np.zeros(world.model.nu, bool)
        self._over |= world.model.actuator_forcelimited == 0

    @property
    def over_limit(self) -> int:
        """Actuators that gave more than they may, or that may give any."""
        return int(self._over.sum())

    def reset(self, rows: np.ndarray, seeds: np.ndarray) -> None:
        """As the policy."""
        self._policy.reset(rows, seeds)

    def act(self, obs: Obs) -> F32:
        """As the policy."""
        physics, data = self._world.physics, self._data
        for row in range(physics.n):
            model = physics.batch.get_model(row)
            physics.batch.get_data(row, data)
            mujoco.mj_forward(model, data)
            if data.ncon:
                self.deepest_m = max(self.deepest_m, -float(data.contact.dist.min()))
            force = np.abs(data.actuator_force) - np.abs(model.actuator_forcerange).max(1)
            self._over |= force > 1e-9
        return self._policy.act(obs)


def run(quick: bool) -> Iterator[Figure]:
    """`expert.{robot}.{task}.{preset}`: per cent of episodes."""
    seeds = 2 if quick else SEEDS
    cases = []
    for task in ["reach"] if quick else TASKS:
        own = TASKS[task]().robot
        cases += [Case(task, own, preset, seeds) for preset in ("none", "strong")]
        if not quick:
            others = [r for r in ("cr5", "so101", "jaco") if r != own]
            cases += [Case(task, robot, "none", seeds) for robot in others]
    pooled: dict[str, list[int]] = {"none": [], "strong": []}
    for case, found in spread(_measure, cases):
        name = f"expert.{case.robot}.{case.task}.{case.preset}"
        value = 100 * found.solved / case.seeds
        about = f"{found.frames / case.seeds:.0f} frames an episode"
        yield Figure(name, value, "%", case.seeds, None, about)
        if case.robot == TASKS[case.task]().robot:
            pooled[case.preset].append(found.solved)
    for preset, solved in pooled.items():
        n = seeds * len(solved)
        yield Figure(f"expert.pooled.{preset}", 100 * sum(solved) / n, "%", n)


def depths(quick: bool) -> Iterator[Figure]:
    """`expert.deepest_mm` in episodes without randomization, and under strong, where what slips
    falls: within a physics step it moves farther than that."""
    names = ["reach"] if quick else list(TASKS)
    episodes = 2 if quick else PROBED
    cases = [
        Case(name, TASKS[name]().robot, preset, episodes)
        for name in names
        for preset in ("none", "strong")
    ]
    found: dict[str, list[tuple[float, str]]] = {"none": [], "strong": []}
    over = 0
    for case, depth in spread(_probe, cases):
        found[case.preset].append((depth.deepest_mm, case.task))
        over += depth.over_limit
    n = episodes * len(names)
    for preset, name in (("none", "expert.deepest_mm"), ("strong", "expert.deepest_mm.strong")):
        deepest, task = max(found[preset])
        median = float(np.median([mm for mm, _ in found[preset]]))
        about = f"in {task}; the median task's is {median:.1f} mm; baseline: the most allowed"
        yield Figure(name, deepest, "mm", n, 5.0, about)
    yield Figure("expert.over_limit", float(over), "actuators", 2 * n)


def _measure(_: None, case: Case, tick: Tick) -> Found:
    task = TASKS[case.task]()
    rows = min(_ROWS, case.seeds)
    config = MujocoConfig(draw_images=False)
    world = MujocoWorld(task, rows, robot=case.robot, randomization=case.preset, config=config)
    expert = task.expert(world.physics, world.goals, world.interface)
    starts = [Start(ROOT_SEED, i) for i in range(case.seeds)]
    episodes = [e for _, e in rollout(world, expert, starts, keep_images=False)]
    world.close()
    solved = sum(bool(e.provenance.success) for e in episodes)
    return Found(solved, sum(len(e) for e in episodes))


def _probe(_: None, case: Case, tick: Tick) -> Depth:
    task = TASKS[case.task]()
    config = MujocoConfig(draw_images=False)
    world = MujocoWorld(task, case.seeds, randomization=case.preset, config=config)
    probe = Probe(task.expert(world.physics, world.goals, world.interface), world)
    list(rollout(world, probe, [Start(ROOT_SEED, i) for i in range(case.seeds)], keep_images=False))
    world.close()
    return Depth(1e3 * probe.deepest_m, probe.over_limit)

"""What every task keeps to: laws that a task of one's own can be held against as ours are.

Axes: N rows, A action channels.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from trimix.core.contracts import Goal, Policy, Start
from trimix.core.episode import Episode
from trimix.core.errors import TrimixError
from trimix.core.rollout import rollout
from trimix.core.seeds import stream
from trimix.randomization.vary import Vary
from trimix.sim.lasting import SECONDS
from trimix.sim.robots import load
from trimix.sim.robots.robot import MODES, Robot
from trimix.sim.task import Task
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS

SEEDS = range(3)
_ROWS = 4
_DT_S = MujocoConfig().control_dt_s


class LawBroken(TrimixError):
    """A task that does not keep to a law of tasks."""


class Case:
    """One task on one robot, with what its laws need of both.

    Args:
        name: registered, or "module:class".
        robot: registered, or a file; "" for the task's own.
    """

    def __init__(self, name: str, robot: str = "") -> None:
        self.name = name
        self.task: Task = TASKS[name]()
        self.robot: Robot = load(robot or self.task.robot)

    def world(self, n: int = _ROWS, mode: str = MODES[0], preset: str = "none") -> MujocoWorld:
        """A world of its own, without pictures."""
        config = MujocoConfig(draw_images=False, control_mode=mode)
        return MujocoWorld(self.task, n, robot=self.robot, randomization=preset, config=config)

    @cached_property
    def shared(self) -> MujocoWorld:
        """Rows under strong randomization, for laws that begin them anew."""
        return self.world(preset="strong")

    @cached_property
    def solved(self) -> dict[str, list[Episode]]:
        """Control mode -> the expert's episodes from a few nominal starts."""
        planar = self.robot.planar
        return {m: self._solve(m) for m in MODES if not (planar and m == "ee_delta")}

    def _solve(self, mode: str) -> list[Episode]:
        world = self.world(len(SEEDS), mode)
        expert = self.task.expert(world.physics, world.goals, world.interface)
        starts = [Start(k, 0) for k in SEEDS]
        found = dict(rollout(world, expert, starts, keep_images=False))
        world.close()
        return [found[k] for k in range(len(SEEDS))]

    def close(self) -> None:
        """Free what was made."""
        self.shared.close()


Law = Callable[[Case], None]


def _require(holds: object, what: str) -> None:
    if not holds:
        raise LawBroken(what)


def says_what_it_is(case: Case) -> None:
    """Its limits make sense, and its robot has the gripper that it needs."""
    task = case.task
    _require(task.name and task.time_limit_s > 0 and task.hold_s > 0, "name or limits are missing")
    _require(round(task.hold_s / _DT_S) > 1, f"hold_s {task.hold_s} is one lucky frame")
    _require(task.gripper <= (case.robot.gripper is not None), "its robot has no gripper")
    world = case.shared
    known = {world.model.camera(i).name for i in range(world.model.ncam)}
    _require(set(task.cameras[:1]) <= known, f"camera {task.cameras[:1]} is none of {known}")


def goals_are_words_and_plain_numbers(case: Case) -> None:
    """An instruction, and parameters that JSON keeps."""
    for goal in _goals(case, 16):
        _require(isinstance(goal, Goal) and goal.instruction.strip(), "a goal without words")
        plain = json.loads(json.dumps(dict(goal.params)))
        _require(plain == dict(goal.params), f"parameters {goal.params} are not plain")
        _require(
            not goal.wordings[0] or goal.instruction in goal.wordings[0],
            f"{goal.instruction!r} is none of its wordings",
        )


def composing_twice_gives_equal_models(case: Case) -> None:
    """Byte for byte, so that episodes can be replayed."""
    again = case.world(1)
    _require(again.model_hash == case.shared.model_hash, "two models differ")
    again.close()


def its_own_axes_are_axes(case: Case) -> None:
    """And act in its scene."""
    for axis in case.task.axes():
        _require(isinstance(axis, Vary), f"{axis!r} is no axis")
        case.shared.physics.parameters.check(axis.target)


def a_start_is_one_of_its_stream(case: Case) -> None:
    """The same stream gives the same state and goal, whatever the row held before."""
    physics = case.shared.physics

    def started(row: int, episode: int, before: Any = None) -> tuple[bytes, Goal]:
        physics.reset([row])
        if before is not None:
            case.task.start(physics.row(row), before)
            physics.reset([row])
        goal = case.task.start(physics.row(row), stream(0, episode, "start"))
        physics.forward([row])
        return physics.state()[row].tobytes(), goal

    first = started(0, 0)
    same = started(1, 0) == first == started(0, 0, before=stream(9))
    _require(same, "equal streams give other starts, or the row's past shows")
    _require(len({started(0, k)[0] for k in range(5)}) == 5, "other streams give equal starts")


def no_start_is_the_goal(case: Case) -> None:
    """Solved already, nothing is to be learnt."""
    for block in range(10):
        _begin(case.shared, 1, block)
        solved = case.task.success(case.shared.physics, case.shared.goals)
        _require(not solved.any(), f"start {block} of seed 1 is solved already")


def a_start_holds_still(case: Case) -> None:
    """Nothing that was put into the scene falls, flies or is pushed apart by an overlap."""
    world = case.shared
    _begin(world, 2, 0)
    frame = world.frame()
    if "props" not in frame:
        return
    still = np.zeros((_ROWS, len(world.interface.action)), np.float32)
    for _ in range(10):
        world.step(still)
    moved = np.abs(world.frame()["props"][..., :3] - frame["props"][..., :3]).max()
    _require(moved < 0.02, f"a prop moves by {1e3 * moved:.0f} mm while the robot holds still")


def reward_is_1_only_at_the_goal(case: Case) -> None:
    """And in [0, 1] everywhere."""
    world, rng = case.shared, stream("laws", case.name)
    world.reset(seed=0)
    low, high = (np.clip(limit, -1.0, 1.0) for limit in world.action_range)
    for _ in range(15):
        action = rng.uniform(low, high, (_ROWS, len(low))).astype(np.float32)
        _, reward, *_ = world.step(action)
        _require((reward >= 0).all() and (reward <= 1).all(), f"rewards {reward} leave [0, 1]")
        good = case.task.success(world.physics, world.goals)
        _require(((reward == 1) == good).all(), f"rewards {reward} where success is {good}")


def asking_changes_nothing(case: Case) -> None:
    """Reward, success and subgoals leave the state alone, and answer alike when asked again."""
    world = case.shared
    world.reset(seed=0)
    before = world.snapshot().tobytes()

    def ask() -> list[Any]:
        physics, goals = world.physics, world.goals
        parts = case.task.subgoals(physics, goals)
        return [
            case.task.reward(physics, goals),
            case.task.success(physics, goals),
            *parts.values(),
        ]

    for a, b in zip(ask(), ask(), strict=True):
        _require(a.shape == (_ROWS,) and np.array_equal(a, b), "asked twice, it says two things")
    _require(world.snapshot().tobytes() == before, "being asked changes the state")


def the_expert_is_a_policy(case: Case) -> None:
    """Of its world: actions of its interface, within its limits, and the state left alone."""
    world = case.shared
    expert = case.task.expert(world.physics, world.goals, world.interface)
    _require(isinstance(expert, Policy), "the expert is no policy")
    other = expert.interface.difference(world.interface)
    _require(other is None, f"the expert's interface differs: {other}")
    obs, _ = world.reset(seed=0)
    expert.reset(np.ones(_ROWS, bool), np.arange(_ROWS))
    before = world.snapshot().tobytes()
    action = expert.act(obs)
    shape = (_ROWS, len(world.interface.action))
    _require(action.shape == shape and action.dtype == np.float32, "its actions do not fit")
    low, high = world.action_range
    _require(((action >= low - 1e-6) & (action <= high + 1e-6)).all(), "its actions leave limits")
    _require(world.snapshot().tobytes() == before, "acting changes the state")


def the_expert_solves_it(case: Case) -> None:
    """Nearly always, under every control mode; reward ends at 1 for the time that it must hold."""
    for mode, episodes in case.solved.items():
        solved = [e for e in episodes if e.provenance.success]
        text = f"the expert solves {len(solved)} of {len(episodes)} under {mode}"
        _require(len(solved) >= len(episodes) - 1, text)
        hold = round(case.task.hold_s / _DT_S)
        for episode in solved:
            reward = np.asarray(episode.reward)
            _require(reward[0] < 1, "an episode begins at the goal")
            _require((reward[-hold:] == 1).all(), "success did not hold until the end")


def its_rows_do_not_hang_on_each_other(case: Case) -> None:
    """An episode of the expert is the same alone as beside others."""
    world = case.world(1)
    expert = case.task.expert(world.physics, world.goals, world.interface)
    alone = next(rollout(world, expert, [Start(SEEDS[1], 0)], keep_images=False))[1]
    world.close()
    beside = case.solved[MODES[0]][1]
    same = alone.action.tobytes() == beside.action.tobytes()
    _require(same and len(alone) == len(beside), "alone, the expert acts otherwise")


def no_cheater_scores(case: Case) -> None:
    """Neither at once nor for good, from a few starts; `trimix bench cheats` runs more."""
    names = [c.name for c in case.task.cheaters]
    _require(names and len(set(names)) == len(names), "it has no cheaters, or two of one name")
    world = case.world(len(SEEDS))
    for each in case.task.cheaters:
        policy = each.policy(world.physics, world.goals, world.interface)
        starts = [Start(5, k) for k in SEEDS]
        for _, episode in rollout(world, policy, starts, keep_images=False):
            text = f"cheater {each.name!r} scores: success outlasts {SECONDS:g} s without it"
            _require(not episode.provenance.success, text)
    world.close()


LAWS: dict[str, Law] = {
    law.__name__: law
    for law in (
        says_what_it_is,
        goals_are_words_and_plain_numbers,
        composing_twice_gives_equal_models,
        its_own_axes_are_axes,
        a_start_is_one_of_its_stream,
        no_start_is_the_goal,
        a_start_holds_still,
        reward_is_1_only_at_the_goal,
        asking_changes_nothing,
        the_expert_is_a_policy,
        the_expert_solves_it,
        its_rows_do_not_hang_on_each_other,
        no_cheater_scores,
    )
}
"""name -> law; each raises LawBroken, or whatever the task itself raises."""


def broken(name: str, robot: str = "") -> Iterator[tuple[str, str]]:
    """(law, what is wrong, or "" where it holds), law by law.

    Raises:
        ConfigError: no such task or robot, or a pair that cannot meet.
    """
    case = Case(name, robot)
    _ = case.shared
    for law, hold in LAWS.items():
        try:
            hold(case)
        except TrimixError as error:
            yield law, str(error)
        else:
            yield law, ""
    case.close()


def _goals(case: Case, count: int) -> list[Goal]:
    found: list[Goal] = []
    for block in range(-(-count // _ROWS)):
        _begin(case.shared, 3, block)
        found += case.shared.goals
    return found


def _begin(world: MujocoWorld, seed: int, block: int) -> None:
    starts = [Start(seed, _ROWS * block + i, draw={}) for i in range(_ROWS)]
    world.reset(options={"starts": starts})

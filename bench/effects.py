"""What every axis of randomization does at its ends, task by task: to motion, to pictures, to the
expert. Axes: N rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trimix.bench.figure import Figure
from trimix.bench.spread import spread
from trimix.core.contracts import Draw, Json, Start
from trimix.core.rollout import rollout
from trimix.core.workers import Tick
from trimix.randomization.presets import lines
from trimix.randomization.vary import Vary
from trimix.sim.axes.effects import Threshold, measure, record
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS

ALIVE = Threshold(things_mm=2.0, joints_milli=2.0, state_milli=2.0, pixels=0.01)
STEPS, ROWS, EPISODES = 60, 8, 8
_START = Start(17, 0)


@dataclass(frozen=True)
class KindEffect:
    """The largest that the axes of one kind do in one task, at either end of strong's range.

    Args:
        kind: "kind/attribute".
        mm: how far a prop or fixture is elsewhere.
        milli: how far a joint is, or is said to be, in mrad or mm.
        pixels: part of a picture that differs by more than a level.
        words: whether the instruction differs.
        solved: of the expert's episodes with all axes of the kind at one end, the worse end's part.
    """

    kind: str
    mm: float
    milli: float
    pixels: float
    words: bool
    solved: float

    @property
    def acts(self) -> bool:
        """Whether it does anything worth the name."""
        return (
            self.words
            or self.mm > ALIVE.things_mm
            or self.milli > ALIVE.joints_milli
            or self.pixels > ALIVE.pixels
        )


def effects(task: str, *, episodes: int = EPISODES, steps: int = STEPS) -> list[KindEffect]:
    """Of every kind that strong varies in this task, by the expert's actions."""
    made = TASKS[task]()
    config = MujocoConfig(cameras=made.cameras[:2], image_hw=(64, 64))
    world = MujocoWorld(made, ROWS, config=config)
    expert = made.expert(world.physics, world.goals, world.interface)
    actions = record(world, expert, _START, steps)
    axes = world.roles.expand(Vary(line.target, line.how, line.strong) for line in lines())
    found: dict[str, list[tuple[Vary, float, float, float, bool]]] = {}
    for axis, effect in zip(
        axes, measure(world, axes, actions, _START, base=_base(axes)), strict=True
    ):
        milli = max(effect.joints_milli, effect.state_milli)
        entry = axis, effect.things_mm, milli, effect.pixels, effect.words
        found.setdefault(_kind(axis.target), []).append(entry)
    world.close()
    solved = _solved(task, {k: [e[0] for e in v] for k, v in found.items()}, episodes)
    return [
        KindEffect(
            kind,
            max(e[1] for e in some),
            max(e[2] for e in some),
            max(e[3] for e in some),
            any(e[4] for e in some),
            solved[kind],
        )
        for kind, some in found.items()
    ]


def _kind(target: str) -> str:
    kind, _, attribute = target.split("/")
    return f"{kind}/{attribute}"


def _base(axes: list[Vary]) -> Draw:
    """What must be there for an axis to show: a texture for its repeats, distractors."""
    base: dict[str, Json] = {}
    for axis in axes:
        if axis.target.endswith("/present"):
            base[axis.target] = {"how": "set", "value": 1.0}
        if axis.target.startswith("material/table") and axis.target.endswith("/texture"):
            base[axis.target] = {"how": "set", "value": "oak"}
    return base


def _solved(task: str, kinds: dict[str, list[Vary]], episodes: int) -> dict[str, float]:
    """Kind -> part of the expert's episodes that it solves, at the worse end."""
    made = TASKS[task]()
    world = MujocoWorld(made, min(16, episodes), config=MujocoConfig(draw_images=False))
    worst = {}
    for kind, axes in kinds.items():
        worst[kind] = 1.0
        if kind.split("/")[0] in ("camera", "light", "material", "image", "words"):
            continue  # the expert sees the simulator's state: pictures are nothing to it
        for end in (0, 1):
            draw = {
                axis.target: {"how": axis.how, "value": axis.value.ends()[end]} for axis in axes
            }
            expert = made.expert(world.physics, world.goals, world.interface)
            starts = [Start(18, i, draw=draw) for i in range(episodes)]
            made_by = [e for _, e in rollout(world, expert, starts, keep_images=False)]
            part = sum(bool(e.provenance.success) for e in made_by) / episodes
            worst[kind] = min(worst[kind], part)
    world.close()
    return worst


def run(quick: bool) -> Iterator[Figure]:
    """`axes.count` kinds that act in some task, `axes.dead` in none, and what each does."""
    tasks = ["press_button"] if quick else list(TASKS)
    most: dict[str, dict[str, float]] = {}
    for (task, _), found in spread(_measure, [(t, quick) for t in tasks]):
        for each in found:
            entry = most.setdefault(
                each.kind, {"mm": 0.0, "mrad": 0.0, "pixels": 0.0, "words": 0.0, "solved": 100.0}
            )
            entry["mm"] = max(entry["mm"], each.mm)
            entry["mrad"] = max(entry["mrad"], each.milli)
            entry["pixels"] = max(entry["pixels"], 100 * each.pixels)
            entry["words"] = max(entry["words"], float(each.words))
            entry["solved"] = min(entry["solved"], 100 * each.solved)
            entry["acts"] = max(entry.get("acts", 0.0), float(each.acts))
        del task
    units = {"mm": "mm", "mrad": "mrad or mm", "pixels": "% of pixels", "solved": "% of episodes"}
    for kind, entry in most.items():
        for name, unit in units.items():
            yield Figure(f"axes.{kind}.{name}", entry[name], unit, len(tasks))
    alive = sum(entry["acts"] for entry in most.values())
    about = "kinds of strong that move something by 2 mm, 2 mrad or 1% of the pixels in some task"
    yield Figure("axes.count", alive, "kinds", len(tasks), 30.0, about)
    yield Figure("axes.dead", len(most) - alive, "kinds", len(tasks), 0.0)


def _measure(_: None, case: tuple[str, bool], tick: Tick) -> list[KindEffect]:
    task, quick = case
    return effects(task, episodes=1, steps=10) if quick else effects(task)

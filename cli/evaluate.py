"""trimix evaluate: policies in closed loop over one frozen suite of scenes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from trimix.cli.progress import bar
from trimix.cli.verb import Verb
from trimix.core.errors import ConfigError, MissingError
from trimix.evaluate.closed_loop import ClosedLoopConfig, Job, evaluate
from trimix.evaluate.compare import compare_all
from trimix.evaluate.evaluation import Evaluation
from trimix.evaluate.named import Named
from trimix.evaluate.statistics import wilson
from trimix.evaluate.suites import Suite, make_suite
from trimix.evaluate.verdict import verdict
from trimix.evaluate.whole import replace_whole
from trimix.sim.world import MujocoConfig

_MUJOCO = MujocoConfig()


@dataclass(frozen=True)
class EvaluateSettings:
    """What to evaluate, and where.

    Args:
        policies: name -> folder of a trained policy, or "expert".
        out: folder of suite.json and evaluation.json.
        task, randomization, cameras, image_hw, control_mode: the MuJoCo world.
        scenes: how many; the first ones of a longer suite are those of a shorter one.
        seed, purpose: of the suite; "choose" and "confirm" never share a scene.
        suite: a saved suite to use instead.
        run: rows, workers and so on.
    """

    policies: dict[str, str] = field(default_factory=dict)
    out: str = "runs/evaluate"
    task: str = "banana_on_plate"
    randomization: str = "none"
    cameras: tuple[str, ...] = _MUJOCO.cameras
    image_hw: tuple[int, int] = _MUJOCO.image_hw
    control_mode: str = _MUJOCO.control_mode
    scenes: int = 100
    seed: int = 0
    purpose: str = "choose"
    suite: str = ""
    run: ClosedLoopConfig = field(default_factory=lambda: ClosedLoopConfig(workers=2))


def mujoco_world(settings: EvaluateSettings) -> Named:
    """The world of these settings, for any process."""
    return Named.of(
        "trimix.evaluate.loaders:mujoco",
        {
            "task": settings.task,
            "randomization": settings.randomization,
            "cameras": list(settings.cameras),
            "image_hw": list(settings.image_hw),
            "control_mode": settings.control_mode,
        },
    )


def suite_of(settings: EvaluateSettings) -> Suite:
    """The saved suite, or one drawn for the world of these settings.

    Raises:
        ConfigError: an unknown purpose, or a suite of another task.
    """
    if settings.suite:
        suite = Suite.load(settings.suite)
        if suite.task != settings.task:
            raise ConfigError(
                f"the suite is of task {suite.task!r}, not {settings.task!r}", where=settings.suite
            )
        return suite
    if settings.purpose not in ("choose", "confirm"):
        raise ConfigError(f"purpose {settings.purpose!r} is not choose or confirm")
    world = mujoco_world(settings)(1)
    try:
        return make_suite(
            settings.task,
            world.name,
            settings.scenes,
            settings.seed,
            "choose" if settings.purpose == "choose" else "confirm",
            draw_for=world.draw,
        )
    finally:
        world.close()


def _command(settings: EvaluateSettings) -> None:
    if not settings.policies:
        raise ConfigError(
            "there is no policy to evaluate", do="e.g. policies.mine=runs/train/policy"
        )
    suite, world = suite_of(settings), mujoco_world(settings)
    jobs = [Job(name, 0, world, _loader(path), suite) for name, path in settings.policies.items()]
    with bar("evaluate", "scene") as report:
        evaluations = evaluate(jobs, settings.run, progress=report)
    out = Path(settings.out)
    out.mkdir(parents=True, exist_ok=True)
    suite.save(out / "suite.json")
    save_evaluations(out / "evaluation.json", evaluations)
    for evaluation in evaluations:
        n, k = len(evaluation.outcomes), int(evaluation.success.sum())
        low, high = wilson(k, n)
        print(f"{evaluation.arm}: {k}/{n} succeeded, 95% interval {low:.3f} to {high:.3f}")
    for comparison in compare_all(evaluations):
        print(verdict(comparison))


def _loader(path: str) -> Named:
    if path == "expert":
        return Named("trimix.evaluate.loaders:expert")
    if not Path(path).is_dir():
        raise MissingError("there is no such policy", where=path, do="name a policy's folder")
    return Named.of("trimix.evaluate.loaders:trained", {"path": path})


def save_evaluations(path: Path, evaluations: list[Evaluation]) -> None:
    """Every outcome, as JSON."""
    text = json.dumps([e.to_json() for e in evaluations], indent=1, allow_nan=False)
    replace_whole(path, (text + "\n").encode())


VERB = Verb(
    "evaluate", EvaluateSettings, _command, "run policies in closed loop over paired scenes"
)

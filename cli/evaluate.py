"""trimix evaluate: policies in closed loop over one frozen suite of scenes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from trimix.cli.acting import Place, policy_at, world_at
from trimix.cli.progress import bar
from trimix.cli.verb import Verb
from trimix.core.contracts import Start
from trimix.core.errors import ConfigError
from trimix.data.files import write_atomic
from trimix.evaluate.closed_loop import ClosedLoopConfig, Job, evaluate
from trimix.evaluate.compare import arm_names, compare_arms
from trimix.evaluate.evaluation import Evaluation
from trimix.evaluate.named import Named
from trimix.evaluate.planned import ComparisonPlan
from trimix.evaluate.statistics import wilson
from trimix.evaluate.suites import PURPOSES, Purpose, Suite, make_suite
from trimix.worldmodel.world import DreamWorld


@dataclass(frozen=True)
class EvaluateSettings(Place):
    """What to evaluate, and where.

    Args:
        policies: name -> expert, random, mean:<data set>, replay:<data set>, or the folder of a
            trained policy.
        out: folder of suite.json and evaluation.json.
        scenes: how many; the first ones of a longer suite are those of a shorter one.
        seed, purpose: of the suite; "choose" and "confirm" never share a scene. Dreams begin at
            held-out frames, those of every other held-out episode for either purpose.
        suite: a saved suite to use instead.
        run: rows, workers and so on.
        world, task, randomization, cameras, image_hw, control_mode, dream: see Place.
    """

    policies: dict[str, str] = field(default_factory=dict)
    out: str = "runs/evaluate"
    scenes: int = 100
    seed: int = 0
    purpose: str = "choose"
    suite: str = ""
    run: ClosedLoopConfig = field(default_factory=lambda: ClosedLoopConfig(workers=2))


def world_of(settings: EvaluateSettings) -> Named:
    """The world of these settings, for any process; dreams in it begin at held-out frames."""
    return world_at(settings, "heldout")


def suite_of(settings: EvaluateSettings) -> Suite:
    """The saved suite, or one drawn for the world of these settings.

    Raises:
        ConfigError: an unknown purpose, a suite of another task or world, or too few held-out
            episodes to dream from.
    """
    if settings.suite:
        return _saved_suite(settings)
    if settings.purpose not in PURPOSES:
        raise ConfigError(f"purpose {settings.purpose!r} is not {' or '.join(PURPOSES)}")
    purpose: Purpose = "choose" if settings.purpose == "choose" else "confirm"
    world = world_of(settings)(1)
    try:
        if isinstance(world, DreamWorld):
            return _dream_suite(world, settings, purpose)
        return make_suite(
            settings.task,
            world.name,
            settings.scenes,
            settings.seed,
            purpose,
            draw_for=world.draw,
        )
    finally:
        world.close()


def _saved_suite(settings: EvaluateSettings) -> Suite:
    suite = Suite.load(settings.suite)
    kind = suite.world.partition(":")[0]
    if kind != settings.world:
        raise ConfigError(
            f"the suite is of world {kind}, not {settings.world}", where=settings.suite
        )
    if kind == "mujoco" and suite.task != settings.task:
        raise ConfigError(
            f"the suite is of task {suite.task!r}, not {settings.task!r}", where=settings.suite
        )
    return suite


def _dream_suite(world: DreamWorld, settings: EvaluateSettings, purpose: Purpose) -> Suite:
    """Dreams that begin in every other held-out episode, so that no purpose sees the other's."""
    starts = world.starts
    episodes = starts.drawn_from()
    if len(episodes) < len(PURPOSES):
        raise ConfigError(
            "one held-out episode gives no scenes to choose on and others to confirm on",
            where=", ".join(settings.dream.datasets),
            do="hold out 2 or more",
        )
    mine = set(episodes[PURPOSES.index(purpose) :: len(PURPOSES)])
    told = {starts.clips[name].dataset.episodes[e].provenance.task for name, e in mine} - {""}
    return make_suite(
        "+".join(sorted(told)) or "recorded",
        "dream",
        settings.scenes,
        settings.seed,
        purpose,
        parent_for=lambda seed, episode: starts.draw(Start(seed, episode), mine),
    )


def _command(settings: EvaluateSettings) -> None:
    if not settings.policies:
        raise ConfigError(
            "there is no policy to evaluate", do="e.g. policies.mine=runs/train/policy"
        )
    loaders = {name: policy_at(settings, given) for name, given in settings.policies.items()}
    suite, world = suite_of(settings), world_of(settings)
    jobs = [Job(name, 0, world, loader, suite) for name, loader in loaders.items()]
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
    if len(evaluations) > 1:
        plan = ComparisonPlan.all_pairs(arm_names(evaluations), [1], scenes=len(suite))
        found = compare_arms(evaluations, plan).inference
        print("\n".join([found["headline"], *found["statements"]] if found else []))


def save_evaluations(path: Path, evaluations: list[Evaluation]) -> None:
    """Every outcome, as JSON."""
    text = json.dumps([e.to_json() for e in evaluations], indent=1, allow_nan=False)
    write_atomic(path, (text + "\n").encode())


VERB = Verb("evaluate", EvaluateSettings, _command)

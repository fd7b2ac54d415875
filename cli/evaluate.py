"""trimix evaluate: policies in closed loop over one frozen suite of scenes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from trimix.cli.progress import bar
from trimix.cli.verb import Verb
from trimix.core.errors import ConfigError
from trimix.data.files import require_own_folder
from trimix.evaluate.closed_loop import ClosedLoopConfig, Job, evaluate
from trimix.evaluate.evaluation import save_evaluations
from trimix.evaluate.head_to_head import evaluate_until_apart
from trimix.evaluate.sentences import sentences
from trimix.evaluate.suites import Suite, draw_suite
from trimix.experiment.executor import executor_of
from trimix.rollout.settings import WorldSettings


@dataclass(frozen=True)
class EvaluateSettings(WorldSettings):
    """What to evaluate, and where.

    Args:
        policies: name -> expert, random, mean:<data set>, replay:<data set>, the folder of a
            trained policy, or module:function of your own.
        out: folder of suite.json and evaluation.json.
        scenes: how many; the first ones of a longer suite are those of a shorter one.
        seed, purpose: of the suite; "choose" and "confirm" never share a scene. Dreams begin at
            held-out frames, those of every other held-out episode for either purpose.
        suite: a saved suite to use instead.
        run: rows, workers and so on.
        executor: local, ray, or a Ray cluster's address.
        stop_early: look at two policies after every run.block scenes, and stop once one is better.
        world, task, ...: see WorldSettings.
    """

    policies: dict[str, str] = field(default_factory=dict)
    out: str = "runs/evaluate"
    scenes: int = 100
    seed: int = 0
    purpose: str = "choose"
    suite: str = ""
    run: ClosedLoopConfig = field(default_factory=lambda: ClosedLoopConfig(workers=2))
    executor: str = "local"
    stop_early: bool = False


def _command(settings: EvaluateSettings) -> None:
    if not settings.policies:
        raise ConfigError(
            "there is no policy to evaluate", do="e.g. policies.mine=runs/train/policy"
        )
    require_own_folder(Path(settings.out), "evaluation.json")
    policies = {name: settings.policy_spec(text) for name, text in settings.policies.items()}
    world = settings.world_spec("heldout")
    if settings.suite:
        suite = Suite.load(settings.suite)
        suite.require_of(world, where=settings.suite)
    else:
        suite = draw_suite(world, settings.scenes, settings.seed, settings.purpose)
    jobs = [Job(name, 0, world, policy, suite) for name, policy in policies.items()]
    run = evaluate_until_apart if settings.stop_early else evaluate
    with bar("evaluate", "scene") as progress:
        executor = executor_of(settings.executor, settings.run.workers)
        evaluations = run(jobs, settings.run, executor=executor, progress=progress)
    out = Path(settings.out)
    suite.save(out / "suite.json")
    save_evaluations(out / "evaluation.json", evaluations)
    print("\n".join(sentences(evaluations)))


VERB = Verb("evaluate", EvaluateSettings, _command)

"""What the main job measures of its policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trimix.cli.evaluate import EvaluateSettings, suite_of, world_of
from trimix.cli.pipeline_config import PipelineConfig
from trimix.cli.progress import bar
from trimix.cli.stage import Stages
from trimix.data.cache import open_cache
from trimix.data.dataset import Dataset
from trimix.data.windows import Windows, WindowSpec
from trimix.evaluate.closed_loop import ClosedLoopConfig, Job, evaluate
from trimix.evaluate.evaluation import Evaluation
from trimix.evaluate.named import Named
from trimix.evaluate.offline import OfflineConfig, evaluate_offline
from trimix.evaluate.statistics import wilson
from trimix.policy.predict import predict_chunks
from trimix.policy.store import from_pretrained

Trained = Sequence[Mapping[str, Any]]


def _settings(config: PipelineConfig, preset: str, scenes: int, purpose: str) -> EvaluateSettings:
    part = config.evaluate
    return EvaluateSettings(
        task=config.task,
        randomization=preset,
        image_hw=config.image_hw,
        scenes=scenes,
        seed=config.seed,
        purpose=purpose,
        run=ClosedLoopConfig(rows=part.rows, workers=config.workers),
    )


def closed_loop(
    config: PipelineConfig,
    stages: Stages,
    trained: Trained,
    *,
    stage: str = "closed-loop",
    purpose: str = "confirm",
    scenes: int | None = None,
) -> list[Evaluation]:
    """Every policy on the same scenes of the world that plays the robot's part.

    Args:
        stage: name of the stage.
        purpose: choose or confirm; their scenes are never the same.
        scenes: how many; None is what the settings say.
    """
    settings = _settings(config, config.evaluate.world, scenes or config.evaluate.scenes, purpose)

    def work(place: Path) -> list[Any]:
        suite, world = suite_of(settings), world_of(settings)
        place.mkdir(parents=True, exist_ok=True)
        suite.save(place / "suite.json")
        jobs = [
            Job(
                t["arm"],
                t["seed"],
                world,
                Named.of("trimix.evaluate.loaders:trained", {"path": t["policy"]}),
                suite,
            )
            for t in trained
        ]
        with bar(stage, "scene") as report:
            return [e.to_json() for e in evaluate(jobs, settings.run, progress=report)]

    asked = asdict(settings)
    del asked["run"]["workers"]  # changes no outcome
    reads = {"settings": asked, "policies": [_weights(t) for t in trained]}
    return [Evaluation.from_json(raw) for raw in stages.run(stage, reads, work)]


def experts(config: PipelineConfig, stages: Stages) -> dict[str, Any]:
    """How often the scripted expert succeeds, by preset; the ceiling of what is imitated."""
    part = config.evaluate

    def work(place: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for preset in part.expert_presets:
            settings = _settings(config, preset, part.expert_scenes, "confirm")
            expert = Named("trimix.evaluate.loaders:expert")
            job = Job("expert", 0, world_of(settings), expert, suite_of(settings))
            with bar(f"expert, {preset}", "scene") as report:
                (result,) = evaluate([job], settings.run, progress=report)
            n, k = len(result.outcomes), int(result.success.sum())
            found[preset] = {"n": n, "success": k / n, "wilson95": list(wilson(k, n))}
        return {config.task: found}

    reads = {"part": asdict(part), "task": config.task, "seed": config.seed}
    result: dict[str, Any] = stages.run("experts", reads, work)
    return result


def offline(
    config: PipelineConfig, stages: Stages, real: Dataset, trained: Trained
) -> dict[str, Any]:
    """Every arm's policies on held-out real episodes, beside the trivial predictors."""
    heldout = [e.index for e in real.episodes if e.provenance.split == "heldout"]
    train = [e.index for e in real.episodes if e.provenance.split == "train"]

    def work(place: Path) -> dict[str, Any]:
        spec = WindowSpec(history=config.policy.history, chunk=config.policy.chunk)
        settings = OfflineConfig(max_windows=config.evaluate.offline_windows or None)
        scored: dict[str, Any] = {}
        arms = list(dict.fromkeys(t["arm"] for t in trained))
        with bar("offline", "arm") as report:
            for done, arm in enumerate(arms):
                policies = [from_pretrained(Path(t["policy"])) for t in trained if t["arm"] == arm]
                cache = open_cache(real, list(policies[0].interface.cameras))
                windows = Windows(real, cache, spec, heldout)
                predictors = [lambda b, p=p: predict_chunks(p, b) for p in policies]
                scored[arm] = evaluate_offline(
                    real, windows, predictors, train_episodes=train, config=settings
                )
                report(done + 1, len(arms))
        return scored

    reads = {
        "policies": [_weights(t) for t in trained],
        "data": real.content_hash,
        "windows": config.evaluate.offline_windows,
    }
    result: dict[str, Any] = stages.run("offline", reads, work)
    return result


def _weights(trained: Mapping[str, Any]) -> list[Any]:
    """What identifies a trained policy in a stage's key: its files."""
    return [trained["arm"], trained["seed"], trained["digest"]]

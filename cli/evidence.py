"""What the main job measures of its policies, and how it is put into the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trimix.cli.evaluate import EvaluateSettings, mujoco_world, suite_of
from trimix.cli.pipeline_config import PipelineConfig
from trimix.cli.progress import bar
from trimix.cli.stage import Stages
from trimix.core.contracts import Origin
from trimix.data.cache import open_cache
from trimix.data.dataset import Dataset
from trimix.data.windows import Windows, WindowSpec
from trimix.evaluate.clips import Clip, Strip, clip_of
from trimix.evaluate.closed_loop import ClosedLoopConfig, Job, evaluate
from trimix.evaluate.compare import closed_loop_summary, compare_all
from trimix.evaluate.evaluation import Evaluation
from trimix.evaluate.named import Named
from trimix.evaluate.offline import OfflineConfig, evaluate_offline
from trimix.evaluate.parts import loss_curve, mix_rows, shares_of
from trimix.evaluate.schema import Report, Skipped, WorldModelPart
from trimix.evaluate.statistics import wilson
from trimix.mix.lock import Lock
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


def closed_loop(config: PipelineConfig, stages: Stages, trained: Trained) -> list[Evaluation]:
    """Every policy on the same scenes of the world that plays the robot's part."""
    settings = _settings(config, config.evaluate.world, config.evaluate.scenes, "confirm")

    def work(place: Path) -> list[Any]:
        suite, world = suite_of(settings), mujoco_world(settings)
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
        with bar("evaluate", "scene") as report:
            return [e.to_json() for e in evaluate(jobs, settings.run, progress=report)]

    asked = asdict(settings)
    del asked["run"]["workers"]  # changes no outcome
    reads = {"settings": asked, "policies": [_weights(t) for t in trained]}
    return [Evaluation.from_json(raw) for raw in stages.run("closed-loop", reads, work)]


def experts(config: PipelineConfig, stages: Stages) -> dict[str, Any]:
    """How often the scripted expert succeeds, by preset; the ceiling of what is imitated."""
    part = config.evaluate

    def work(place: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for preset in part.expert_presets:
            settings = _settings(config, preset, part.expert_scenes, "confirm")
            expert = Named("trimix.evaluate.loaders:expert")
            job = Job("expert", 0, mujoco_world(settings), expert, suite_of(settings))
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


def report(
    config: PipelineConfig,
    *,
    label: str,
    subject: str,
    real: Dataset,
    locks: Mapping[str, Lock],
    trained: Trained,
    closed: Sequence[Evaluation] | None,
    scored: Mapping[str, Any],
    worldmodel: Mapping[str, Any] | None,
    expert_rates: Mapping[str, Any],
    skipped: list[Skipped],
    warnings: list[str],
    about: Mapping[str, Any],
) -> Report:
    """Everything that was measured, as report.json has it."""
    arms: list[Any] = []
    for name, lock in locks.items():
        own = [t for t in trained if t["arm"] == name]
        arms.append(
            {
                "name": name,
                "shares": shares_of(lock),
                "train_seeds": [t["seed"] for t in own],
                "closed_loop": closed_loop_summary(closed, name) if closed else None,
                "offline": scored.get(name),
                "policy": config.policy.kind,
                "train_s": sum(t["seconds"] for t in own),
            }
        )
    curves = [loss_curve(t["arm"], t["history"], group="policy training loss") for t in trained]
    if worldmodel is not None:
        curves += [
            loss_curve(stage, history, group=f"world model: {stage} loss")
            for stage, history in worldmodel["curves"].items()
            if history
        ]
    splits = [e.provenance.split for e in real.episodes]
    return {
        "format": "trimix-report-1",
        "title": f"{subject}: which mix was worth it",
        "real": {
            "label": "real" if label == "real" else "stand-in (simulated)",
            "episodes_train": splits.count("train"),
            "episodes_heldout": splits.count("heldout"),
            "frames": real.n_frames,
        },
        "experts": dict(expert_rates),
        "worldmodel": _worldmodel_part(worldmodel),
        "arms": arms,
        "comparisons": compare_all(closed) if closed else [],
        "mix": [row for name, lock in locks.items() for row in mix_rows(name, lock)],
        "curves": curves,
        "skipped": skipped,
        "warnings": warnings,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_s": about["wall_s"],
        "peak_rss_gb": about["peak_rss_gb"],
        "command": about["command"],
        "machine": about["machine"],
    }


def _worldmodel_part(found: Mapping[str, Any] | None) -> WorldModelPart | None:
    if found is None:
        return None
    return {
        "params": found["params"],
        "train_s": found["train_s"],
        "frames_per_s": found["frames_per_s"],
        "heldout": found["heldout"],
    }


def strips(data: Mapping[Origin, Path], label: str) -> list[Strip]:
    """One clip of each origin side by side; the longest dream there is."""
    clips: list[Clip] = []
    names = {"real": label, "sim": "sim", "dream": "dream"}
    for origin, path in data.items():
        dataset = Dataset.open(path)
        if not dataset.interface.cameras:
            return []
        camera = next(iter(dataset.interface.cameras))
        longest = max(dataset.episodes, key=lambda e: (e.length, -e.index))
        chosen = longest if origin == "dream" else dataset.episodes[0]
        episode = dataset.read_episode(chosen.index, cameras=[camera])
        trust = "" if episode.trust is None else f", mean trust {episode.trust.mean():.2f}"
        note = f"{len(episode)} frames{trust if origin == 'dream' else ''}"
        clip = clip_of(episode, camera, names[origin], note)
        clips.append(replace(clip, origin=origin))  # the stand-in plays the real one's part
    return [Strip("An episode of each origin, as the policy sees it", tuple(clips))]


def _weights(trained: Mapping[str, Any]) -> list[Any]:
    """What identifies a trained policy in a stage's key: its files."""
    return [trained["arm"], trained["seed"], trained["digest"]]

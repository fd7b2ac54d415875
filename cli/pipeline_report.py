"""The report of the main job, put together from what its stages found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trimix.cli.evidence import Trained
from trimix.cli.pipeline_config import PipelineConfig
from trimix.core.contracts import Origin
from trimix.data.dataset import Dataset
from trimix.evaluate.clips import Strip
from trimix.evaluate.compare import Compared, arm_names, compare_arms
from trimix.evaluate.evaluation import Evaluation
from trimix.evaluate.pictures import dream_strip, origins_strip
from trimix.evaluate.planned import ComparisonPlan
from trimix.evaluate.report_rows import loss_curve, mix_rows, shares_of
from trimix.evaluate.schema import Choice, Report, Skipped, WorldModelPart
from trimix.mix.lock import Lock


def assemble(
    config: PipelineConfig,
    *,
    label: str,
    subject: str,
    real: Dataset,
    locks: Mapping[str, Lock],
    trained: Trained,
    choice: Choice | None,
    closed: Sequence[Evaluation] | None,
    scored: Mapping[str, Any],
    worldmodel: Mapping[str, Any] | None,
    expert_rates: Mapping[str, Any],
    skipped: list[Skipped],
    warnings: list[str],
    about: Mapping[str, Any],
) -> Report:
    """Everything that was measured, as report.json has it."""
    compared = _compared(config, closed) if closed else None
    arms: list[Any] = []
    for name, lock in locks.items():
        own = [t for t in trained if t["arm"] == name]
        arms.append(
            {
                "name": name,
                "shares": shares_of(lock),
                "train_seeds": [t["seed"] for t in own],
                "closed_loop": compared.closed_loop.get(name) if compared else None,
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
    found: Report = {
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
        "comparisons": compared.comparisons if compared else [],
        "mix": [row for name, lock in locks.items() for row in mix_rows(name, [lock])],
        "curves": curves,
        "skipped": skipped,
        "warnings": warnings,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_s": about["wall_s"],
        "peak_rss_gb": about["peak_rss_gb"],
        "command": about["command"],
        "machine": about["machine"],
    }
    if compared is not None and compared.inference is not None:
        found["inference"] = compared.inference
    if choice is not None:
        found["choice"] = choice
    return found


def _compared(config: PipelineConfig, closed: Sequence[Evaluation]) -> Compared:
    """Every arm against every other, as the settings said before a scene was seen."""
    names = arm_names(closed)
    if len(names) < 2:
        return compare_arms(closed)
    scenes = len(closed[0].outcomes)
    return compare_arms(closed, ComparisonPlan.all_pairs(names, [config.seeds], scenes=scenes))


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
    """An episode of each origin, a typical dream and the worst one."""
    dreams = dream_strip(Dataset.open(data["dream"])) if "dream" in data else None
    return [strip for strip in (dreams, origins_strip(data, label)) if strip is not None]

"""What a run found, as report.json has it, and the pictures beside it."""

from __future__ import annotations

import platform
import resource
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from trimix.core.contracts import Origin
from trimix.data.dataset import Dataset
from trimix.evaluate.clips import Strip
from trimix.evaluate.compare import Compared, closed_loop_summary
from trimix.evaluate.evaluation import Evaluation
from trimix.evaluate.pictures import dream_strip, origins_strip, rollout_strip
from trimix.evaluate.report_rows import loss_curve, mix_rows, shares_of
from trimix.evaluate.schema import (
    Arm,
    Choice,
    Fidelity,
    Label,
    MixRow,
    Report,
    WorldModelPart,
)
from trimix.experiment.arms import Trained
from trimix.experiment.config import Experiment
from trimix.experiment.prepare import REAL, Prepared
from trimix.experiment.work import Work
from trimix.mix.lock import Lock


@dataclass(frozen=True)
class Findings:
    """What was measured.

    Args:
        locks: arm -> a lock for each training seed.
        trained: every policy.
        closed: each of them in the world that arms are compared in; empty if there is none.
        compared: what that shows.
        also: the same policies in further worlds.
        fidelity: whether those rank them alike.
        scored: arm -> its scores on held-out episodes.
        experts: task -> preset -> how often the expert succeeds.
        choice: how an arm's shares were found.
    """

    locks: Mapping[str, Sequence[Lock]]
    trained: Sequence[Trained]
    scored: Mapping[str, Any]
    closed: Sequence[Evaluation] = ()
    compared: Compared | None = None
    also: Sequence[Sequence[Evaluation]] = ()
    fidelity: Sequence[Fidelity] = ()
    experts: Mapping[str, Any] = field(default_factory=dict)
    choice: Choice | None = None


def assemble(
    experiment: Experiment,
    work: Work,
    prepared: Prepared,
    real: Dataset,
    found: Findings,
    command: str = "",
) -> Report:
    """Everything that was measured, as report.json has it."""
    subject = experiment.task if prepared.matches else real.robot_type or "your robot"
    label: Label = "real" if prepared.label == REAL else "stand-in (simulated)"
    splits = [e.provenance.split for e in real.episodes]
    report: Report = {
        "format": "trimix-report-1",
        "title": f"{subject}: which mix was worth it",
        "real": {
            "label": label,
            "episodes_train": splits.count("train"),
            "episodes_heldout": splits.count("heldout"),
            "frames": real.n_frames,
        },
        "experts": dict(found.experts),
        "worldmodel": _worldmodel_part(prepared),
        "arms": [_arm(experiment, found, name) for name in found.locks],
        "comparisons": found.compared.comparisons if found.compared else [],
        "mix": [row for name in found.locks for row in _mix(found, name)],
        "curves": _curves(prepared, found.trained),
        "skipped": prepared.skipped,
        "warnings": [*prepared.warnings, *_taken_from_the_store(work)],
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_s": {**work.seconds, "total": sum(work.seconds.values())},
        "peak_rss_gb": _peak_rss_gb(work.executor.workers),
        "machine": {"platform": platform.platform(), "processor": platform.machine()},
    }
    if command:
        report["command"] = command
    if found.compared is not None and found.compared.inference is not None:
        report["inference"] = found.compared.inference
    if found.fidelity:
        report["fidelity"] = list(found.fidelity)
    if found.choice is not None:
        report["choice"] = found.choice
    return report


def strips(experiment: Experiment, prepared: Prepared, closed: Sequence[Evaluation]) -> list[Strip]:
    """What a report shows: rollouts of every arm, dreams, an episode of each origin."""
    shown = [rollout_strip(e.arm, e.clips) for e in closed if e.clips]
    by_origin: dict[Origin, Any] = {}
    for name, path in prepared.data.items():
        origin = experiment.sources[name].origin
        by_origin.setdefault(origin, path)
        if origin == "dream":
            shown.append(dream_strip(Dataset.open(path)))
    shown.append(origins_strip(by_origin, prepared.label))
    return [strip for strip in shown if strip is not None]


def _arm(experiment: Experiment, found: Findings, name: str) -> Arm:
    own = [t for t in found.trained if t.arm == name]
    arm: Arm = {
        "name": name,
        "shares": shares_of(found.locks[name][0]),
        "train_seeds": [t.seed for t in own],
        "closed_loop": found.compared.closed_loop.get(name) if found.compared else None,
        "offline": found.scored.get(name),
        "policy": experiment.policy.kind,
        "train_s": sum(t.seconds for t in own),
    }
    if found.also:
        arm["also"] = [closed_loop_summary(evaluations, name) for evaluations in found.also]
    return arm


def _mix(found: Findings, name: str) -> list[MixRow]:
    """What was planned and what was drawn, over all the arm's trainings."""
    return mix_rows(name, found.locks[name], [t.ledger() for t in found.trained if t.arm == name])


def _curves(prepared: Prepared, trained: Sequence[Trained]) -> list[Any]:
    curves = [loss_curve(t.arm, t.history, group="policy training loss") for t in trained]
    for _, about in prepared.worldmodels.values():
        curves += [
            loss_curve(stage, history, group=f"world model: {stage} loss")
            for stage, history in about["curves"].items()
            if history
        ]
    return curves


def _worldmodel_part(prepared: Prepared) -> WorldModelPart | None:
    """The first world model's figures; further ones are in the store."""
    for _, about in prepared.worldmodels.values():
        return {
            "params": about["params"],
            "train_s": about["train_s"],
            "frames_per_s": about["frames_per_s"],
            "heldout": about["heldout"],
        }
    return None


def _taken_from_the_store(work: Work) -> list[str]:
    if not work.reused:
        return []
    return [f"taken from the store, with the times of when it was made: {', '.join(work.reused)}"]


def _peak_rss_gb(workers: int) -> float:
    """At most this much was resident: this process's peak and `workers` of the largest child's."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    kilobytes = 1 if sys.platform != "darwin" else 1 / 1024
    return (own + workers * child) * kilobytes * 1024 / 1e9

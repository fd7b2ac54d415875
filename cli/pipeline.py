"""trimix pipeline: real episodes, MuJoCo and a world model into mixes, policies and a report.

import (or stand-in) -> collect -> world model -> dream -> mixes -> policies -> evaluate -> report
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from trimix.cli.arms import require_known
from trimix.cli.collect import DreamStarts
from trimix.cli.report import summary
from trimix.cli.stage import Stages
from trimix.cli.verb import Verb
from trimix.core.errors import ConfigError, unknown
from trimix.train.policy import PolicyTrainConfig
from trimix.train.worldmodel import WorldModelConfig


@dataclass(frozen=True)
class RealPart:
    """The real episodes, or the stand-in that plays their part.

    Args:
        path: a LeRobot directory; empty for the stand-in.
        standin_episodes: of the stand-in, collected in the sealed target world.
        heldout: the part of the episodes that is never trained on.
        control_mode, state_unit: what a LeRobot directory does not say of itself.
        cameras: camera of the source: name here; empty matches a single camera to the task's.
        skip_bad: leave out episodes that cannot be trusted, and say so.
    """

    path: str = ""
    standin_episodes: int = 30
    heldout: float = 0.15
    control_mode: str = "joint_velocity"
    state_unit: tuple[str, ...] = ("",)
    cameras: dict[str, str] = field(default_factory=dict)
    skip_bad: bool = False


@dataclass(frozen=True)
class SimPart:
    """The simulated episodes of the scripted expert."""

    episodes: int = 300
    randomization: str = "mild"
    heldout_episodes: int = 8


@dataclass(frozen=True)
class DreamPart:
    """The dreamed episodes.

    Args:
        episodes, seconds: how many, and how long at most.
        min_trust: windows with less are not drawn.
        starts: where dreams begin: real, sim or both.
    """

    episodes: int = 200
    seconds: float = 2.5
    min_trust: float = 0.3
    starts: tuple[str, ...] = ("real",)
    drive: DreamStarts = field(default_factory=DreamStarts)


@dataclass(frozen=True)
class EvaluatePart:
    """What policies are scored on.

    Args:
        world: randomization preset of the closed loop: target for the stand-in.
        scenes: paired scenes for each training seed.
        expert_scenes: scenes of each of expert_presets that the expert is scored on.
        rows, clips: rows of each world; how many scenes' pictures the report may show.
        offline_windows: held-out windows that policies are scored on; 0 for all.
        worldmodel_starts: held-out frames from which the world model is scored.
    """

    world: str = "target"
    scenes: int = 100
    expert_scenes: int = 50
    expert_presets: tuple[str, ...] = ("none", "mild")
    rows: int = 25
    clips: int = 1
    offline_windows: int = 1000
    worldmodel_starts: int = 200


def _default_arms() -> dict[str, dict[str, float]]:
    return {
        "real-only": {"real": 1.0},
        "sim-only": {"sim": 1.0},
        "real+sim": {"real": 0.5, "sim": 0.5},
        "real+sim+dream": {"real": 0.4, "sim": 0.4, "dream": 0.2},
    }


@dataclass(frozen=True)
class PipelineConfig:
    """The main job.

    Args:
        out: folder of the run.
        task: registered task that is the digital cousin of the real episodes.
        image_hw: what every camera is scaled to.
        arms: name -> shares of real, sim and dream; arms.mine={real: 1, sim: 3} adds one.
        augment: name of an arm -> image augmentation of its training, where it is not the policy's.
        only: names of the arms to run; empty runs all.
        seeds: training seeds of each arm, counted from 0.
        seed: root seed of everything else.
        batch_size: windows a training step; policy.loop.steps says how many steps.
        workers: processes; each trains, collects or evaluates with one thread.
    """

    out: str = "runs/pipeline"
    task: str = "banana_on_plate"
    image_hw: tuple[int, int] = (64, 64)
    real: RealPart = field(default_factory=RealPart)
    sim: SimPart = field(default_factory=SimPart)
    worldmodel: WorldModelConfig = field(default_factory=WorldModelConfig)
    dream: DreamPart = field(default_factory=DreamPart)
    arms: dict[str, dict[str, float]] = field(default_factory=_default_arms)
    augment: dict[str, str] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    policy: PolicyTrainConfig = field(default_factory=PolicyTrainConfig)
    evaluate: EvaluatePart = field(default_factory=EvaluatePart)
    batch_size: int = 64
    seeds: int = 2
    seed: int = 0
    workers: int = 2

    def __post_init__(self) -> None:
        if not self.arms:
            raise ConfigError("there are no arms to compare")
        require_known(self.arms)
        for where, names in (("only", self.only), ("augment", self.augment)):
            for name in names:
                if name not in self.arms:
                    raise unknown("arm", name, self.arms, where=where)
        for name in ("seeds", "workers", "batch_size"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}", do="at least 1")


def chosen_arms(config: PipelineConfig) -> dict[str, dict[str, float]]:
    """The arms to run, in their order."""
    return {k: v for k, v in config.arms.items() if not config.only or k in config.only}


def pipeline(config: PipelineConfig) -> Path:
    """Run the main job; stages whose inputs did not change are not run again.

    Returns:
        The path of report.html.

    Raises:
        TrimixError: what a stage could not use; what was done stays.
    """
    from trimix.cli.pipeline_stages import Run

    out = Path(config.out)
    began = time.monotonic()
    stages = Stages(out, lambda line: print(f"[{time.monotonic() - began:6.0f} s] {line}"))
    return Run(config, stages).all()


def _command(config: PipelineConfig) -> None:
    from trimix.evaluate.report import load_report

    page = pipeline(config)
    print(summary(load_report(page.parent)))
    print(f"\nreport: {page}")
    sys.stdout.flush()


VERB = Verb(
    "pipeline", PipelineConfig, _command, "the main job: from episodes to a report on which mix won"
)

"""The settings of the main job."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trimix.cli.acting import DreamPlace
from trimix.cli.arms import require_known
from trimix.cli.import_data import aspect_of
from trimix.core.errors import ConfigError, unknown
from trimix.randomization.presets import PRESETS
from trimix.train.policy import PolicyTrainConfig
from trimix.train.worldmodel import WorldModelConfig


@dataclass(frozen=True)
class RealPart:
    """The real episodes, or the stand-in that plays their part.

    Args:
        path: a LeRobot directory; empty for the stand-in.
        standin_episodes: of the stand-in, collected in the sealed target world.
        heldout: the part of the episodes that is never trained on.
        control_mode, state_unit, action_unit: what a LeRobot directory does not say of itself;
            units are one for all channels, or one for each.
        absolute_actions: see trimix import.
        state_keys, action_key: see trimix import.
        fps: what the episodes are resampled to; simulated ones are at 10. null keeps theirs.
        aspect: of images that change shape: stretch or crop.
        cameras: camera of the source: name here; empty matches a single camera to the task's.
        skip_bad: leave out episodes that cannot be trusted, and say so.
    """

    path: str = ""
    standin_episodes: int = 30
    heldout: float = 0.15
    control_mode: str = "joint_velocity"
    state_unit: tuple[str, ...] = ("",)
    action_unit: tuple[str, ...] = ("",)
    absolute_actions: tuple[str, ...] = ()
    state_keys: tuple[str, ...] | None = None
    action_key: str | None = None
    fps: float | None = 10.0
    aspect: str = "stretch"
    cameras: dict[str, str] = field(default_factory=dict)
    skip_bad: bool = False

    def __post_init__(self) -> None:
        aspect_of(self.aspect)


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
    drive: DreamPlace = field(default_factory=DreamPlace)


@dataclass(frozen=True)
class EvaluatePart:
    """What policies are scored on.

    Args:
        world: randomization preset of the closed loop: target for the stand-in.
        scenes: paired scenes for each training seed.
        expert_scenes: scenes of each of expert_presets that the expert is scored on.
        rows: of each world.
        offline_windows: held-out windows that policies are scored on; 0 for all.
        worldmodel_starts: held-out frames from which the world model is scored.
    """

    world: str = "target"
    scenes: int = 100
    expert_scenes: int = 50
    expert_presets: tuple[str, ...] = ("none", "mild")
    rows: int = 25
    offline_windows: int = 1000
    worldmodel_starts: int = 200


@dataclass(frozen=True)
class ChoosePart:
    """Finding the shares of an arm before it is compared.

    Candidates are trained with seeds and scored on scenes that the comparison does not use.

    Args:
        arm: whose shares are chosen; empty: none's are.
        candidates: name -> shares of real, sim and dream; empty: a quarter, a half and three
            quarters of sim, the rest real.
        scenes: of the world of evaluate, for each training seed.
        seeds: training seeds of each candidate, counted on from those of the comparison.
    """

    arm: str = ""
    candidates: dict[str, dict[str, Any]] = field(default_factory=dict)
    scenes: int = 200
    seeds: int = 1

    def all_candidates(self) -> dict[str, dict[str, float]]:
        """Those given, or the default ones; none if no arm's shares are chosen."""
        if not self.arm:
            return {}
        return self.candidates or {
            f"sim-{percent}": {"real": 1 - percent / 100, "sim": percent / 100}
            for percent in (25, 50, 75)
        }


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
        choose: how the shares of one of the arms are found, if they are not given.
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
    arms: dict[str, dict[str, Any]] = field(default_factory=_default_arms)
    choose: ChoosePart = field(default_factory=ChoosePart)
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
        require_known(self.choose.candidates)
        chosen = (self.choose.arm,) if self.choose.arm else ()
        named = (("only", self.only), ("augment", self.augment), ("choose.arm", chosen))
        for where, names in named:
            for name in names:
                if name not in self.arms:
                    raise unknown("arm", name, self.arms, where=where)
        if self.choose.arm and self.choose.arm not in chosen_arms(self):
            raise ConfigError(
                f"arm {self.choose.arm!r} is not among those to run",
                where="choose.arm",
                do=f"only runs {', '.join(self.only)}",
            )
        self._require_positive()
        for where, preset in (
            ("evaluate.world", self.evaluate.world),
            ("sim.randomization", self.sim.randomization),
            *(("evaluate.expert_presets", p) for p in self.evaluate.expert_presets),
        ):
            if preset not in PRESETS:
                raise unknown("randomization", preset, PRESETS, where=where)
        for origin in self.dream.starts:
            if origin not in ("real", "sim"):
                raise unknown("origin", origin, ("real", "sim"), where="dream.starts")

    def _require_positive(self) -> None:
        counts = {
            "seeds": self.seeds,
            "workers": self.workers,
            "batch_size": self.batch_size,
            "real.standin_episodes": self.real.standin_episodes,
            "sim.episodes": self.sim.episodes,
            "sim.heldout_episodes": self.sim.heldout_episodes,
            "dream.episodes": self.dream.episodes,
            "choose.scenes": self.choose.scenes,
            "choose.seeds": self.choose.seeds,
            "evaluate.scenes": self.evaluate.scenes,
            "evaluate.expert_scenes": self.evaluate.expert_scenes,
            "evaluate.rows": self.evaluate.rows,
            "evaluate.worldmodel_starts": self.evaluate.worldmodel_starts,
        }
        for name, count in counts.items():
            if count < 1:
                raise ConfigError(f"{name} is {count}", do="at least 1")


def chosen_arms(config: PipelineConfig) -> dict[str, dict[str, float]]:
    """The arms to run, in their order."""
    return {k: v for k, v in config.arms.items() if not config.only or k in config.only}

"""An experiment as one flat set of settings: what presets and command lines have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trimix.core.errors import ConfigError, unknown
from trimix.experiment.config import Choose, Experiment, Scoring
from trimix.experiment.settings import arm_of, source_of
from trimix.experiment.source_kinds import Dream, Real, Sim, StandIn
from trimix.train.policy import PolicyTrainConfig
from trimix.train.worldmodel import WorldModelConfig

_DEFAULT = Experiment()


@dataclass(frozen=True)
class RealOrStandIn(Real):
    """The real episodes (see Real), or without a path the stand-in that plays their part.

    Args:
        standin_episodes: of the stand-in, collected in the sealed target world.
    """

    standin_episodes: int = StandIn().episodes

    def source(self) -> Real | StandIn:
        """Which of the two it is."""
        if not self.path:
            return StandIn(self.standin_episodes, self.heldout, self.episodes_per_seed)
        return Real(**{k: v for k, v in vars(self).items() if k != "standin_episodes"})


@dataclass(frozen=True)
class ChooseSettings:
    """See experiment.config.Choose; candidates are written like arms."""

    arm: str = ""
    candidates: dict[str, Any] = field(default_factory=dict)
    scenes: int = _DEFAULT.choose.scenes
    seeds: int = _DEFAULT.choose.seeds


@dataclass(frozen=True)
class FlatSettings:
    """A comparison; see experiment.config.Experiment for what is not said here.

    Args:
        real, sim, dream: the usual three sources.
        sources: further ones: sources.more={origin: sim, episodes: 100}.
        arms: name -> shares of sources; arms.mine={real: 1, sim: 3} adds one.
        augment: name of an arm -> image augmentation of its training, where it is not the policy's.
        only: names of the arms to run; empty runs all.
        evaluate: what policies are scored on; see Scoring.
    """

    task: str = _DEFAULT.task
    image_hw: tuple[int, int] = _DEFAULT.image_hw
    control_dt_s: float = _DEFAULT.control_dt_s
    real: RealOrStandIn = field(default_factory=RealOrStandIn)
    sim: Sim = field(default_factory=Sim)
    dream: Dream = field(default_factory=Dream)
    sources: dict[str, Any] = field(default_factory=dict)
    worldmodel: WorldModelConfig = field(default_factory=WorldModelConfig)
    arms: dict[str, Any] = field(
        default_factory=lambda: {name: dict(arm.shares) for name, arm in _DEFAULT.arms.items()}
    )
    choose: ChooseSettings = field(default_factory=ChooseSettings)
    augment: dict[str, str] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    policy: PolicyTrainConfig = field(default_factory=PolicyTrainConfig)
    evaluate: Scoring = field(default_factory=Scoring)
    batch_size: int = _DEFAULT.batch_size
    seeds: int = _DEFAULT.seeds
    looks: tuple[int, ...] = ()
    contrasts: tuple[Any, ...] = ()
    exploratory: bool = False
    seed: int = _DEFAULT.seed

    def experiment(self) -> Experiment:
        """What these settings compare.

        Raises:
            ConfigError: a name that is not there, or a value that a setting cannot take.
        """
        for where, names in (("only", self.only), ("augment", self.augment)):
            for name in names:
                if name not in self.arms:
                    raise unknown("arm", name, self.arms, where=where)
        chosen, choose = self.choose.arm, self.choose
        if chosen in self.arms and self.only and chosen not in self.only:
            raise ConfigError(
                f"arm {chosen!r} is not among those to run",
                where="choose.arm",
                do=f"only runs {', '.join(self.only)}",
            )
        sources = {"real": self.real.source(), "sim": self.sim, "dream": self.dream}
        sources |= {name: source_of(name, raw) for name, raw in self.sources.items()}
        arms = {
            name: arm_of(name, raw, sources, self.augment.get(name))
            for name, raw in self.arms.items()
        }
        candidates = {k: arm_of(k, v, sources) for k, v in choose.candidates.items()}
        return Experiment(
            sources=sources,
            arms={name: arm for name, arm in arms.items() if not self.only or name in self.only},
            seeds=self.seeds,
            looks=self.looks,
            contrasts=_pairs(self.contrasts),
            exploratory=self.exploratory,
            task=self.task,
            image_hw=self.image_hw,
            control_dt_s=self.control_dt_s,
            worldmodel=self.worldmodel,
            policy=self.policy,
            batch_size=self.batch_size,
            scoring=self.evaluate,
            choose=Choose(chosen, candidates, choose.scenes, choose.seeds),
            seed=self.seed,
        )


def _pairs(contrasts: tuple[Any, ...]) -> tuple[tuple[str, str], ...]:
    for pair in contrasts:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise ConfigError(f"{pair!r} is no pair of arms", where="contrasts", do="[[a, b]]")
    return tuple((str(a), str(b)) for a, b in contrasts)

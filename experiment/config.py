"""A comparison of mixes, described: where episodes come from, how they are mixed, what is scored.

Everything here is a frozen dataclass that holds the defaults, checks itself and can be pickled.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from trimix.core.errors import ConfigError, unknown
from trimix.core.limits import require_view
from trimix.evaluate.planned import ComparisonPlan
from trimix.experiment.source_kinds import (
    Dream,
    Sim,
    Source,
    StandIn,
    require_file_name,
    require_positive,
    require_preset,
)
from trimix.mix.recipe import Filter, Phase
from trimix.train.policy import PolicyTrainConfig
from trimix.train.worldmodel import WorldModelConfig

DREAMS = "dream"
"""Among the worlds of `Scoring.also`: the experiment's own world model."""
MAX_SEEDS = 1000


@dataclass(frozen=True)
class Arm:
    """One mix: its shares of drawn windows, by the names of the experiment's sources.

    Args:
        shares: source -> weight over the whole training; or else `phases`.
        phases, ramp: as in mix.recipe.Recipe.
        filters: source -> what is drawn of it, where it is not what the source itself says.
        max_repeats: source -> the most often that a window of it is drawn.
        augment: image augmentation in training; None is the policy's.
    """

    shares: dict[str, float] = field(default_factory=dict)
    phases: tuple[Phase, ...] = ()
    ramp: str = "piecewise"
    filters: dict[str, Filter] = field(default_factory=dict)
    max_repeats: dict[str, float] = field(default_factory=dict)
    augment: str | None = None

    def __post_init__(self) -> None:
        whole = {k: float(v) if type(v) is int else v for k, v in self.shares.items()}
        object.__setattr__(self, "shares", whole)  # 1 and 1.0 are one share

    def uses(self) -> tuple[str, ...]:
        """The sources with a share above zero in some phase, sorted."""
        shares = [phase.shares for phase in self.phases] or [self.shares]
        return tuple(sorted({name for each in shares for name, share in each.items() if share > 0}))

    def validate(self, name: str, sources: Iterable[str]) -> None:
        """Raise ConfigError for a source that is not there, or a share that is none."""
        where, known = f"arm {name!r}", list(sources)
        if bool(self.shares) == bool(self.phases):
            raise ConfigError("an arm has either shares or phases", where=where, do="give one")
        for shares in [phase.shares for phase in self.phases] or [self.shares]:
            for source, share in shares.items():
                if source not in known:
                    raise unknown("source", source, known, where=where)
                if isinstance(share, bool) or not isinstance(share, (int, float)):
                    raise ConfigError(f"share {share!r} of {source} is no number", where=where)
                if not (math.isfinite(share) and share >= 0):
                    raise ConfigError(f"share {share:g} of {source} is below 0", where=where)
            if not any(shares.values()):
                raise ConfigError(f"shares are {shares}", where=where, do="give one above 0")
        for source in (*self.filters, *self.max_repeats):
            if source not in known:
                raise unknown("source", source, known, where=where)


@dataclass(frozen=True)
class Scoring:
    """What policies are scored on.

    Args:
        world: randomization preset of the closed loop: target for the stand-in.
        scenes: paired scenes for each training seed.
        also: further worlds, reported beside: presets, or "dream" for the world model, which
            also says whether it ranks the policies as `world` does.
        also_scenes: of each of them.
        expert_scenes: scenes of each of expert_presets that the expert is scored on.
        rows: of each world.
        heldout: the source whose held-out episodes policies are scored on; empty: the first
            recorded one.
        offline_windows: held-out windows that policies are scored on; 0 for all.
        worldmodel_starts: held-out frames from which the world model is scored.
        device: where policies compute.
    """

    world: str = "target"
    scenes: int = 100
    also: tuple[str, ...] = ()
    also_scenes: int = 50
    expert_scenes: int = 50
    expert_presets: tuple[str, ...] = ("none", "mild")
    rows: int = 25
    heldout: str = ""
    offline_windows: int = 1000
    worldmodel_starts: int = 200
    device: str = "cpu"

    def __post_init__(self) -> None:
        names = ("scenes", "also_scenes", "expert_scenes", "rows", "worldmodel_starts")
        require_positive(**{f"evaluate.{name}": getattr(self, name) for name in names})
        if self.offline_windows < 0:
            raise ConfigError(
                f"evaluate.offline_windows is {self.offline_windows}", do="0 is all of them"
            )
        require_preset(self.world, "evaluate.world")
        for preset in self.expert_presets:
            require_preset(preset, "evaluate.expert_presets")
        for world in self.also:
            if world != DREAMS:
                require_preset(world, "evaluate.also")


@dataclass(frozen=True)
class Choose:
    """Finding the shares of an arm before it is compared.

    Candidates are trained with seeds and scored on scenes that the comparison does not use.

    Args:
        arm: whose shares are chosen; empty: none's are.
        candidates: name -> what the arm may become; empty: a quarter, a half and three quarters
            of sim, the rest real.
        scenes: of the world that arms are scored in, for each training seed.
        seeds: training seeds of each candidate.
    """

    arm: str = ""
    candidates: dict[str, Arm] = field(default_factory=dict)
    scenes: int = 200
    seeds: int = 1

    def __post_init__(self) -> None:
        require_positive(**{"choose.scenes": self.scenes, "choose.seeds": self.seeds})

    def all_candidates(self) -> dict[str, Arm]:
        """Those given, or the default ones; none if no arm's shares are chosen."""
        if not self.arm:
            return {}
        return dict(self.candidates) or {
            f"sim-{percent}": Arm({"real": 1 - percent / 100, "sim": percent / 100})
            for percent in (25, 50, 75)
        }


def default_sources() -> dict[str, Source]:
    """A stand-in, simulation and dreams."""
    return {"real": StandIn(), "sim": Sim(), "dream": Dream()}


def default_arms() -> dict[str, Arm]:
    """Each source that a robot can be trained on alone, then together."""
    return {
        "real-only": Arm({"real": 1.0}),
        "sim-only": Arm({"sim": 1.0}),
        "real+sim": Arm({"real": 0.5, "sim": 0.5}),
        "real+sim+dream": Arm({"real": 0.4, "sim": 0.4, "dream": 0.2}),
    }


@dataclass(frozen=True)
class Experiment:
    """A comparison of arms, each trained with several seeds, on the same scenes.

    Args:
        sources: name -> where episodes come from; any number of each kind.
        arms: name -> mix of them.
        seeds: training seeds of each arm, counted from 0. Each has its own data order,
            augmentation, initial weights and, where a source says so, draw of episodes.
        looks: the seed counts at which the scores are to be looked at, planned before the first
            of them is seen; empty: `seeds`.
        contrasts: the pairs of arms whose difference is of interest; empty: all.
        exploratory: look at what was not planned. Nothing that is found so is called shown.
        task: registered task that is the digital cousin of the recorded episodes.
        image_hw, control_dt_s: of every camera, and of the simulated controller.
        worldmodel: how world models are trained.
        policy: how policies are trained.
        batch_size: windows a training step; policy.loop.steps says how many steps.
        scoring: what policies are scored on.
        choose: how the shares of one of the arms are found, if they are not given.
        seed: root of every random stream.
    """

    sources: dict[str, Source] = field(default_factory=default_sources)
    arms: dict[str, Arm] = field(default_factory=default_arms)
    seeds: int = 3
    looks: tuple[int, ...] = ()
    contrasts: tuple[tuple[str, str], ...] = ()
    exploratory: bool = False
    task: str = "banana_on_plate"
    image_hw: tuple[int, int] = (64, 64)
    control_dt_s: float = 0.1
    worldmodel: WorldModelConfig = field(default_factory=WorldModelConfig)
    policy: PolicyTrainConfig = field(default_factory=PolicyTrainConfig)
    batch_size: int = 64
    scoring: Scoring = field(default_factory=Scoring)
    choose: Choose = field(default_factory=Choose)
    seed: int = 0

    def __post_init__(self) -> None:
        require_positive(seeds=self.seeds, batch_size=self.batch_size)
        if self.seeds > MAX_SEEDS:
            raise ConfigError(f"{self.seeds} training seeds", do=f"at most {MAX_SEEDS}")
        require_view(self.image_hw, self.control_dt_s)
        if not 0 <= self.seed < 2**63:
            raise ConfigError(f"seed is {self.seed}", do="at least 0, and 63 bits at most")
        if not self.arms:
            raise ConfigError("there are no arms to compare")
        if not self.recorded():
            raise ConfigError(
                "no source is of recorded episodes",
                where="sources",
                do="add a Real or a StandIn: policies are scored on its held-out episodes",
            )
        for kind, names in (("arm", self.arms), ("source", self.sources)):
            for name in names:
                require_file_name(name, kind)
        for name, arm in self.arms.items():
            arm.validate(name, self.sources)
        for name, arm in self.choose.candidates.items():
            arm.validate(name, self.sources)
        self._require_known()
        if len(self.arms) > 1:
            self.plan()

    def recorded(self) -> tuple[str, ...]:
        """The sources of recorded episodes, and of what plays their part."""
        return tuple(name for name, source in self.sources.items() if source.origin == "real")

    def heldout(self) -> str:
        """The source whose held-out episodes policies are scored on."""
        return self.scoring.heldout or self.recorded()[0]

    def plan(self, arms: Iterable[str] | None = None) -> ComparisonPlan:
        """What is to be compared, and after how many seeds.

        Args:
            arms: those that there are; None for all.
        """
        present = list(self.arms if arms is None else arms)
        pairs = self.contrasts or tuple((b, a) for a, b in combinations(present, 2))
        chosen = tuple((a, b) for a, b in pairs if a in present and b in present)
        return ComparisonPlan(chosen, self.looks or (self.seeds,), scenes=self.scoring.scenes)

    def _require_known(self) -> None:
        for name, source in self.sources.items():
            if isinstance(source, Dream):
                for where, names in (("starts", source.starts), ("trained_on", source.trained_on)):
                    for other in names:
                        self._require_recording(other, f"{name}.{where}")
        scored = self.heldout()
        if scored not in self.recorded():
            raise unknown("source", scored, self.recorded(), where="evaluate.heldout")
        for pair in self.contrasts:
            for name in pair:
                if name not in self.arms:
                    raise unknown("arm", name, self.arms, where="contrasts")
        chosen = self.choose.arm
        if chosen and chosen not in self.arms:
            raise unknown("arm", chosen, self.arms, where="choose.arm")
        for name, arm in self.choose.all_candidates().items():
            arm.validate(name, self.sources)

    def _require_recording(self, name: str, where: str) -> None:
        known = [n for n, source in self.sources.items() if not isinstance(source, Dream)]
        if name not in known:
            raise unknown("source", name, known, where=where)


def sources_used(arms: Mapping[str, Arm]) -> tuple[str, ...]:
    """The sources that some arm draws from, sorted."""
    return tuple(sorted({source for arm in arms.values() for source in arm.uses()}))

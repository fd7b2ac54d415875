"""Where an experiment's episodes may come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from trimix.core.contracts import Origin
from trimix.core.errors import ConfigError, unknown
from trimix.data.importing.settings import RecordedSettings
from trimix.randomization.presets import PRESETS
from trimix.worldmodel.perturbed_replay import PerturbConfig


@dataclass(frozen=True)
class Real(RecordedSettings):
    """Recorded episodes of a robot; see RecordedSettings.

    Args:
        fps: simulated episodes are at 10.
        cameras: empty matches a single camera to the task's.
        episodes_per_seed: every training seed draws so many of the episodes; None gives it all.
    """

    origin: ClassVar[Origin] = "real"

    control_mode: str = "joint_velocity"
    fps: float | None = 10.0
    episodes_per_seed: int | None = None


@dataclass(frozen=True)
class StandIn:
    """Episodes from the sealed target world, which plays a robot's part where there is none.

    Args:
        episodes: of the scripted expert.
        heldout, episodes_per_seed: as in Real.
    """

    origin: ClassVar[Origin] = "real"

    episodes: int = 30
    heldout: float = 0.15
    episodes_per_seed: int | None = None

    def __post_init__(self) -> None:
        require_positive(episodes=self.episodes)


@dataclass(frozen=True)
class Sim:
    """Simulated episodes.

    Args:
        episodes: how many.
        randomization: none, mild or strong.
        heldout_episodes: others of the same kind, on which world models are scored.
        policy: what acts; see rollout.policies.policy_of.
        only_successes: draw only the episodes that succeeded.
        episodes_per_seed: as in Real.
    """

    origin: ClassVar[Origin] = "sim"

    episodes: int = 300
    randomization: str = "mild"
    heldout_episodes: int = 8
    policy: str = "expert"
    only_successes: bool = True
    episodes_per_seed: int | None = None

    def __post_init__(self) -> None:
        require_positive(episodes=self.episodes, heldout_episodes=self.heldout_episodes)
        require_preset(self.randomization, "randomization")


@dataclass(frozen=True)
class Drive:
    """How dreams run.

    Args:
        abstain_below: trust below which a dream is cut.
        perturb: noise on the recorded actions that drive it.
        device: where it computes.
    """

    abstain_below: float = 0.1
    perturb: PerturbConfig = field(default_factory=PerturbConfig)
    device: str = "cpu"


@dataclass(frozen=True)
class Dream:
    """Episodes that a world model dreams.

    Args:
        episodes, seconds: how many, and how long at most.
        min_trust: windows with less are not drawn.
        starts: the sources at whose training frames dreams begin; empty: the recorded ones.
        drive: how they run.
        trained_on: the sources that the world model is trained on; empty: all recorded ones, and
            the simulated ones that some arm uses.
        episodes_per_seed: as in Real.
    """

    origin: ClassVar[Origin] = "dream"

    episodes: int = 200
    seconds: float = 2.5
    min_trust: float = 0.3
    starts: tuple[str, ...] = ()
    drive: Drive = field(default_factory=Drive)
    trained_on: tuple[str, ...] = ()
    episodes_per_seed: int | None = None

    def __post_init__(self) -> None:
        require_positive(episodes=self.episodes)


Source = Real | StandIn | Sim | Dream


def require_file_name(name: str, kind: str) -> None:
    """Raise ConfigError for a name that the run's folder cannot have a file of."""
    is_name = name.strip() and name[0] != "." and name.isprintable() and len(name) <= 100
    if not is_name or set(name) & set("/\\"):
        raise ConfigError(
            f"{kind} {name!r} cannot be a file's name", do="leave out slashes and a first dot"
        )


def require_positive(**counts: int) -> None:
    """Raise ConfigError for a number below 1."""
    for name, count in counts.items():
        if count < 1:
            raise ConfigError(f"{name} is {count}", do="at least 1")


def require_preset(name: str, where: str) -> None:
    """Raise ConfigError for a randomization that is not registered."""
    if name not in PRESETS:
        raise unknown("randomization", name, PRESETS, where=where)

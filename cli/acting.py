"""Where policies act, and which policies: settings and names that the verbs share."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

from trimix.core.contracts import Json
from trimix.core.errors import ConfigError, MissingError, unknown
from trimix.evaluate.loaders import SIMPLE, WORLDS
from trimix.evaluate.named import Named
from trimix.sim.world import MujocoConfig
from trimix.worldmodel.perturbed_replay import PerturbConfig

_MUJOCO = MujocoConfig()


@dataclass(frozen=True)
class DreamPlace:
    """Where dreams begin and how long they last.

    Args:
        worldmodel: folder of a trained world model.
        datasets: folders of the data sets at whose frames they begin.
        seconds: longest dream.
        abstain_below: trust below which a dream is cut.
        perturb: noise on the recorded actions, where they drive the dreams.
    """

    worldmodel: str = ""
    datasets: tuple[str, ...] = ()
    seconds: float = 3.0
    abstain_below: float = 0.1
    perturb: PerturbConfig = field(default_factory=PerturbConfig)


@dataclass(frozen=True)
class Place:
    """The world that policies act in.

    Args:
        world: mujoco or dream.
        task: registered task (mujoco); dreams take theirs from the data they begin at.
        randomization: none, mild, strong or target (mujoco).
        cameras, image_hw, control_mode: what the policy sees and gives (mujoco).
        dream: see DreamPlace.
    """

    world: str = "mujoco"
    task: str = "banana_on_plate"
    randomization: str = "none"
    cameras: tuple[str, ...] = _MUJOCO.cameras
    image_hw: tuple[int, int] = _MUJOCO.image_hw
    control_mode: str = _MUJOCO.control_mode
    dream: DreamPlace = field(default_factory=DreamPlace)

    def __post_init__(self) -> None:
        if self.world not in WORLDS:
            raise unknown("world", self.world, WORLDS)
        if self.world == "dream" and not (self.dream.worldmodel and self.dream.datasets):
            raise ConfigError("dreams need dream.worldmodel and dream.datasets")


def world_at(place: Place, split: str) -> Named:
    """The world of these settings, for any process.

    Args:
        split: of the episodes at whose frames dreams begin.
    """
    return Named.of(WORLDS.where(place.world), _ARGUMENTS[place.world](place, split))


def _mujoco(place: Place, split: str) -> dict[str, Json]:
    return {
        "task": place.task,
        "randomization": place.randomization,
        "cameras": list(place.cameras),
        "image_hw": list(place.image_hw),
        "control_mode": place.control_mode,
    }


def _dream(place: Place, split: str) -> dict[str, Json]:
    return {
        "path": place.dream.worldmodel,
        "datasets": list(place.dream.datasets),
        "split": split,
        "time_limit_s": place.dream.seconds,
        "abstain_below": place.dream.abstain_below,
    }


_ARGUMENTS = {"mujoco": _mujoco, "dream": _dream}
"""registered world -> what it is made with, as plain JSON."""


def policy_at(place: Place, policy: str) -> Named:
    """The policy of this name, for any process.

    Args:
        policy: expert, the task's own (mujoco); perturbed, the actions recorded after each
            dream's start with noise (dream); random; mean:<data set>, its mean action;
            replay:<data set>, its recorded actions; or the folder of a trained policy.

    Raises:
        ConfigError, MissingError: no such policy, or not in this world.
    """
    kind, _, data = policy.partition(":")
    if policy in _PRIVILEGED:
        where = _PRIVILEGED[policy]
        if where != place.world:
            raise ConfigError(f"policy {policy!r} acts in world={where} only")
        more: dict[str, Json] = asdict(place.dream.perturb) if policy == "perturbed" else {}
        return Named.of(f"trimix.evaluate.loaders:{policy}", more)
    if kind in SIMPLE:
        return Named.of("trimix.evaluate.loaders:simple", {"name": kind, "data": data})
    if not Path(policy).is_dir():
        raise MissingError(
            "there is no such policy",
            where=policy,
            do=f"name a trained policy's folder, or one of {', '.join(RESERVED)}",
        )
    return Named.of("trimix.evaluate.loaders:trained", {"path": policy})


def name_of(policy: str) -> str:
    """What a data set calls the policy: not where on this machine its files are."""
    kind = policy.partition(":")[0]
    return kind if kind in RESERVED else "/".join(Path(policy).resolve().parts[-2:])


_PRIVILEGED = {"expert": "mujoco", "perturbed": "dream"}
"""policy -> the world whose insides it looks at."""
RESERVED = (*_PRIVILEGED, *SIMPLE)
"""Names of policies that no folder can have."""

"""Dreams of a world model, and the recorded actions that can drive them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from trimix.core.contracts import Json, Policy, World
from trimix.core.errors import ConfigError
from trimix.core.plain import plain
from trimix.data.dataset import Dataset
from trimix.worldmodel.perturbed_replay import PerturbConfig, PerturbedReplay
from trimix.worldmodel.pipeline import WorldModelPipeline
from trimix.worldmodel.world import DreamConfig, DreamWorld

_DEFAULT, _PERTURB = DreamConfig(), PerturbConfig()


@dataclass(frozen=True)
class DreamSpec:
    """A trained world model whose dreams begin at recorded frames.

    Args:
        worldmodel: its folder.
        datasets: folders of the data sets at whose frames dreams begin.
        split: of the episodes of those frames.
        seconds: longest dream.
        abstain_below: trust below which a dream is cut.
        device: where it computes.
        cache_dir: of decoded frames; None is the usual one.
    """

    worldmodel: str = ""
    datasets: tuple[str, ...] = ()
    split: str = _DEFAULT.split
    seconds: float = _DEFAULT.time_limit_s
    abstain_below: float = _DEFAULT.abstain_below
    device: str = _DEFAULT.device
    cache_dir: str | None = None

    @property
    def name(self) -> str:
        """Dreams have one name."""
        return "dream"

    @property
    def task(self) -> str:
        """Hangs on the frames that dreams begin at."""
        return ""

    @property
    def robot_type(self) -> str:
        """Dreams have no robot."""
        return "dream"

    def make(self, rows: int) -> DreamWorld:
        """The world; see DreamWorld.

        Raises:
            ConfigError: no world model or no data set is named.
            MissingError, DataError, InterfaceError: what is not there, cannot be read or differs.
        """
        self._require_named()
        config = DreamConfig(
            time_limit_s=self.seconds,
            abstain_below=self.abstain_below,
            split=self.split,
            device=self.device,
        )
        return DreamWorld(
            WorldModelPipeline.load(self.worldmodel),
            [Dataset.open(root) for root in self.datasets],
            rows,
            config,
            None if self.cache_dir is None else Path(self.cache_dir),
        )

    def reads(self) -> Json:
        """Its settings, and the hashes of the weights and of the data sets, wherever they lie."""
        self._require_named()
        settings = asdict(self)
        del settings["cache_dir"]
        settings["worldmodel"] = WorldModelPipeline.load(self.worldmodel).weights_hash()
        settings["datasets"] = [Dataset.open(root).content_hash for root in self.datasets]
        return ["dream", plain(settings)]

    def code(self) -> tuple[str, ...]:
        """This module."""
        return (__name__,)

    def _require_named(self) -> None:
        if not (self.worldmodel and self.datasets):
            raise ConfigError("dreams need dream.worldmodel and dream.datasets")


@dataclass(frozen=True)
class PerturbedSpec:
    """The actions recorded after each dream's start, with noise; see PerturbConfig."""

    scale: float = _PERTURB.scale
    correlation: float = _PERTURB.correlation
    name: str = "perturbed"

    def load(self, world: World) -> Policy:
        """The policy.

        Raises:
            ConfigError: the world is not a dream.
        """
        if not isinstance(world, DreamWorld):
            raise ConfigError(
                "perturbed recorded actions drive dreams only",
                where=type(world).__name__,
                do="let them act in world=dream",
            )
        return PerturbedReplay(world, PerturbConfig(self.scale, self.correlation))

    def reads(self) -> Json:
        """Its settings."""
        return plain(self)

    def code(self) -> tuple[str, ...]:
        """This module."""
        return (__name__,)

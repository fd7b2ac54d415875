"""A world and who acts in it, as one flat set of settings: what files and command lines have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trimix.core import settings
from trimix.core.errors import ConfigError
from trimix.policy.labelled import DisturbanceConfig
from trimix.rollout.labelled import LabelledSpec
from trimix.rollout.mujoco import ExpertSpec
from trimix.rollout.policies import PolicySpec, policy_of
from trimix.rollout.worlds import WORLDS, WorldSpec
from trimix.sim.world import MujocoConfig
from trimix.worldmodel.perturbed_replay import PerturbConfig
from trimix.worldmodel.world import DreamConfig

_MUJOCO, _DREAM = MujocoConfig(), DreamConfig()


@dataclass(frozen=True)
class DreamSettings:
    """Where dreams begin and how long they last.

    Args:
        worldmodel: folder of a trained world model.
        datasets: folders of the data sets at whose frames they begin.
        seconds: longest dream.
        abstain_below: trust below which a dream is cut.
        device: where it computes.
        perturb: noise on the recorded actions, where they drive the dreams.
    """

    worldmodel: str = ""
    datasets: tuple[str, ...] = ()
    seconds: float = _DREAM.time_limit_s
    abstain_below: float = _DREAM.abstain_below
    device: str = _DREAM.device
    perturb: PerturbConfig = field(default_factory=PerturbConfig)


@dataclass(frozen=True)
class WorldSettings:
    """The world that policies act in.

    Args:
        world: mujoco, dream, gym, dm_control, or "module:class" of your own.
        task: registered task, or "module:class" (mujoco); dreams take theirs from the data they
            begin at.
        robot: registered robot, "module:attribute", or a YAML of your own MJCF; "" for the task's
            own (mujoco).
        randomization: none, mild, strong or target (mujoco).
        cameras, image_hw, control_mode, control_dt_s: what the policy sees and gives (mujoco).
        dream: see DreamSettings.
        settings: of any other world.
        device: where trained policies compute.
    """

    world: str = "mujoco"
    task: str = "banana_on_plate"
    robot: str = ""
    randomization: str = "none"
    cameras: tuple[str, ...] = _MUJOCO.cameras
    image_hw: tuple[int, int] = _MUJOCO.image_hw
    control_mode: str = _MUJOCO.control_mode
    control_dt_s: float = _MUJOCO.control_dt_s
    dream: DreamSettings = field(default_factory=DreamSettings)
    settings: dict[str, Any] = field(default_factory=dict)
    device: str = "cpu"

    def __post_init__(self) -> None:
        WORLDS.where(self.world)
        if self.world == "dream" and not (self.dream.worldmodel and self.dream.datasets):
            raise ConfigError("dreams need dream.worldmodel and dream.datasets")

    def world_spec(self, split: str) -> WorldSpec:
        """The world.

        Args:
            split: of the episodes at whose frames dreams begin.
        """
        given: dict[str, Any] = self.settings
        if self.world == "mujoco":
            names = (
                "task",
                "robot",
                "randomization",
                "cameras",
                "image_hw",
                "control_mode",
                "control_dt_s",
            )
            given = {name: getattr(self, name) for name in names}
        elif self.world == "dream":
            given = {k: v for k, v in vars(self.dream).items() if k != "perturb"}
            given["split"] = split
        made: WorldSpec = settings.build(WORLDS[self.world], given, f"world {self.world!r}")
        return made

    def policy_spec(self, text: str = "") -> PolicySpec:
        """The policy of this name, see rollout.policies.policy_of; "" is the world's usual one:
        the expert in mujoco, perturbed recorded actions in dreams, else random ones."""
        text = text or _USUAL.get(self.world, "random")
        more = vars(self.dream.perturb) if text == "perturbed" else {}
        return policy_of(text, device=self.device, **more)

    def acting(self, policy: str, label: str = "") -> PolicySpec:
        """The policy of this name, whose frames another labels if one is named."""
        acts = self.policy_spec(policy)
        if not label:
            return acts
        if label == "expert":  # a labeller does not act: its own disturbance would be noise
            return LabelledSpec(acts, ExpertSpec(disturbance=DisturbanceConfig(std=0.0)))
        return LabelledSpec(acts, self.policy_spec(label))


_USUAL = {"mujoco": "expert", "dream": "perturbed"}

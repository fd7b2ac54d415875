"""A world and who acts in it, as one flat set of settings: what files and command lines have."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from trimix.core import settings
from trimix.core.errors import ConfigError
from trimix.policy.labelled import DisturbanceConfig
from trimix.rollout.foreign_names import require_policy, world_of, world_settings
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
        world: mujoco, dream, "gym:<id>", "gym:<module>:<id or class>",
            "dm_control:<domain>/<task>", or "module:class" of your own.
        task: registered task, or "module:class" (mujoco); dreams take theirs from the data they
            begin at.
        robot: registered robot, "module:attribute", or a YAML of your own MJCF; "" for the task's
            own (mujoco).
        randomization: none, mild, strong or target (mujoco).
        cameras, image_hw: what the policy sees (not in dreams, whose world model says it).
        control_mode: what the policy gives (mujoco).
        control_dt_s: control period, s; 0: the world's own.
        dream: see DreamSettings.
        settings: of any other world; rollout.foreign says which gym and dm_control have.
        device: where trained policies compute.
    """

    world: str = "mujoco"
    task: str = "banana_on_plate"
    robot: str = ""
    randomization: str = "none"
    cameras: tuple[str, ...] = _MUJOCO.cameras
    image_hw: tuple[int, int] = _MUJOCO.image_hw
    control_mode: str = _MUJOCO.control_mode
    control_dt_s: float = 0.0
    dream: DreamSettings = field(default_factory=DreamSettings)
    settings: dict[str, Any] = field(default_factory=dict)
    device: str = "cpu"

    def __post_init__(self) -> None:
        WORLDS.where((world_of(self.world) or (self.world,))[0])
        if self.world == "dream" and not (self.dream.worldmodel and self.dream.datasets):
            raise ConfigError("dreams need dream.worldmodel and dream.datasets")

    def world_spec(self, split: str) -> WorldSpec:
        """The world.

        Args:
            split: of the episodes at whose frames dreams begin.
        """
        name, given = self.world, dict(self.settings)
        if name == "mujoco":
            given = {key: getattr(self, key) for key in _SHARED}
            given["control_dt_s"] = self.control_dt_s or _MUJOCO.control_dt_s
        elif name == "dream":
            given = {k: v for k, v in vars(self.dream).items() if k != "perturb"}
            given["split"] = split
        else:
            name, given = world_settings(name, given, self._asked())
        made: WorldSpec = settings.build(WORLDS[name], given, f"world {self.world!r}")
        return made

    def policy_spec(self, text: str = "") -> PolicySpec:
        """The policy of this name, see rollout.policies.policy_of; "" is the world's usual one:
        the expert in mujoco, perturbed recorded actions in dreams, else random ones."""
        text = text or _USUAL.get(self.world, "random")
        require_policy(self.world, text)
        more = vars(self.dream.perturb) if text == "perturbed" else {}
        return policy_of(text, device=self.device, **more)

    def acting(self, policy: str, label: str = "") -> PolicySpec:
        """The policy of this name, whose frames another labels if one is named."""
        acts = self.policy_spec(policy)
        if not label:
            return acts
        require_policy(self.world, label)
        if label == "expert":  # a labeller does not act: its own disturbance would be noise
            return LabelledSpec(acts, ExpertSpec(disturbance=DisturbanceConfig(std=0.0)))
        return LabelledSpec(acts, self.policy_spec(label))

    def _asked(self) -> dict[str, Any]:
        """What is not as it is by default; no randomization is what most worlds have."""
        usual = {f.name: f.default for f in fields(self)}
        asked = {k: getattr(self, k) for k in _SHARED if getattr(self, k) != usual[k]}
        return {k: v for k, v in asked.items() if (k, v) != ("randomization", "none")}


_SHARED = (
    "task",
    "robot",
    "randomization",
    "cameras",
    "image_hw",
    "control_mode",
    "control_dt_s",
)
"""Settings that MuJoCo has, and other worlds may."""

_USUAL = {"mujoco": "expert", "dream": "perturbed"}

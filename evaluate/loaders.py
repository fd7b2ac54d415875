"""Worlds and policies of an evaluation, by name, in whatever process runs it: for `named.Named`.

Arguments are plain JSON; defaults of what they configure stand beside the worlds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from trimix.core.contracts import Policy, World
from trimix.core.errors import ConfigError
from trimix.core.registry import Registry
from trimix.data.dataset import Dataset
from trimix.policy import POLICIES
from trimix.policy.chunk import ActConfig
from trimix.policy.make import PolicyParts
from trimix.policy.store import from_pretrained
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS
from trimix.train.policy import mix_normalization
from trimix.worldmodel.perturbed_replay import PerturbConfig, PerturbedReplay
from trimix.worldmodel.pipeline import WorldModelPipeline
from trimix.worldmodel.world import DreamConfig, DreamWorld

WORLDS = Registry(
    "world",
    {
        "mujoco": "trimix.evaluate.loaders:mujoco",
        "dream": "trimix.evaluate.loaders:dream",
    },
)
"""name -> function of (rows, plain JSON by keyword) that gives a World."""
SIMPLE = ("random", "mean", "replay")
"""The registered policies that nothing was trained for."""

_MUJOCO, _DREAM = MujocoConfig(), DreamConfig()


def mujoco(
    rows: int,
    *,
    task: str,
    randomization: str = "none",
    cameras: Sequence[str] = _MUJOCO.cameras,
    image_hw: Sequence[int] = _MUJOCO.image_hw,
    control_mode: str = _MUJOCO.control_mode,
    control_dt_s: float = _MUJOCO.control_dt_s,
) -> MujocoWorld:
    """A task in MuJoCo under a preset of randomization; it is called "mujoco:<preset>".

    Raises:
        ConfigError: an unknown task, preset, camera or control mode.
    """
    height, width = image_hw
    config = MujocoConfig(
        cameras=tuple(cameras),
        image_hw=(height, width),
        control_mode=control_mode,
        control_dt_s=control_dt_s,
    )
    name = f"mujoco:{randomization}"
    return MujocoWorld(TASKS[task](), rows, randomization=randomization, config=config, name=name)


def dream(
    rows: int,
    *,
    path: str,
    datasets: Sequence[str],
    split: str = "heldout",
    time_limit_s: float = _DREAM.time_limit_s,
    abstain_below: float = _DREAM.abstain_below,
    device: str = _DREAM.device,
    cache_dir: str | None = None,
) -> DreamWorld:
    """A trained world model; its dreams begin at frames of the data sets' held-out episodes.

    Args:
        rows: rows of the world.
        path: folder of the world model.
        datasets: folders of the data sets.
        split, time_limit_s, abstain_below, device: as in worldmodel.world.DreamConfig.
        cache_dir: of decoded frames.

    Raises:
        MissingError, DataError, InterfaceError: what is not there, cannot be read or differs.
    """
    config = DreamConfig(
        time_limit_s=time_limit_s, abstain_below=abstain_below, split=split, device=device
    )
    return DreamWorld(
        WorldModelPipeline.load(path),
        [Dataset.open(root) for root in datasets],
        rows,
        config,
        None if cache_dir is None else Path(cache_dir),
    )


def trained(
    world: World,
    *,
    path: str,
    device: str = "cpu",
    execute: int | None = None,
    domain: str | None = None,
) -> Policy:
    """A trained policy.

    Args:
        world: where it will act.
        path: its directory.
        device: where it computes.
        execute, domain: as in policy.chunk.ActConfig; None is as it was saved.

    Raises:
        MissingError, DataError: there is no policy, or it cannot be read.
        InterfaceError: it was trained on another interface than the world's.
    """
    policy = from_pretrained(Path(path), device=device)
    world.interface.require_same(policy.interface, where=path)
    act = policy.config
    wanted = ActConfig(
        execute=act.execute if execute is None else execute,
        domain=act.domain if domain is None else domain,
    )
    if wanted == act:
        return policy
    return from_pretrained(Path(path), act=wanted, device=device)


def simple(world: World, *, name: str, data: str = "") -> Policy:
    """A registered policy that nothing was trained for.

    Args:
        world: where it will act.
        name: one of SIMPLE.
        data: folder of the data set whose training episodes it knows; random can do without.

    Raises:
        ConfigError: it needs a data set and none is given.
        MissingError, DataError, InterfaceError: the data set cannot be read or is another robot's.
    """
    if not data:
        if name != "random":
            raise ConfigError(f"policy {name!r} needs a data set", do=f"write {name}:<data set>")
        return _made(world, name, PolicyParts())
    dataset = Dataset.open(data)
    seen = dataset.interface.select(list(world.interface.cameras))
    world.interface.require_same(seen, where=data)
    train = [e for e in dataset.episodes if e.provenance.split == "train"]
    action = dataset.action()
    parts = PolicyParts(
        normalization=mix_normalization([(dataset, [e.index for e in train], 1.0)]),
        recordings=[action[e.start : e.start + e.length] for e in train],
    )
    return _made(world, name, parts)


def _made(world: World, name: str, parts: PolicyParts) -> Policy:
    policy: Policy = POLICIES[name](world.interface, parts)
    return policy


def expert(world: World) -> Policy:
    """The scripted expert of the world's task, which sees the simulator's state.

    Raises:
        ConfigError: the world is not a MuJoCo one.
    """
    if not isinstance(world, MujocoWorld):
        raise ConfigError(
            "a scripted expert needs the simulator's state",
            where=type(world).__name__,
            do="evaluate it in a MuJoCo world",
        )
    return world.task.expert(world.physics, world.interface)


def perturbed(world: World, *, scale: float, correlation: float) -> Policy:
    """The actions recorded after each dream's start, with noise as in worldmodel.drive.

    Raises:
        ConfigError: the world is not a dream.
    """
    if not isinstance(world, DreamWorld):
        raise ConfigError(
            "perturbed recorded actions drive dreams only",
            where=type(world).__name__,
            do="choose the expert or a policy's folder",
        )
    return PerturbedReplay(world, PerturbConfig(scale, correlation))

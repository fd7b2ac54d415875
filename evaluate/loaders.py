"""Policies for an evaluation, loaded by name in whatever process runs it."""

from __future__ import annotations

from pathlib import Path

from trimix.core.contracts import Policy, World
from trimix.core.errors import ConfigError
from trimix.policy.chunk import ActConfig
from trimix.policy.store import from_pretrained
from trimix.sim.world import MujocoWorld


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

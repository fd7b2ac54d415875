"""Worlds of other libraries by one text: "gym:<id>" and "dm_control:<domain>/<task>"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trimix.core.errors import ConfigError

_LIBRARIES = ("gym", "dm_control")

_LACKS = {
    "randomization": "nothing of it is drawn",
    "task": "it is one task, the one that it names",
    "robot": "its robot is a part of it",
    "control_mode": "its actions are taken as they are",
}
"""Settings of world=mujoco that no world of another library has -> why."""

_NO_POLICY = {
    "expert": "there is no scripted expert for it",
    "perturbed": "perturbed recorded actions drive dreams alone",
}
"""Policies that no world of another library has -> why."""


def world_of(text: str) -> tuple[str, dict[str, Any]] | None:
    """What a text names: (registered name of the world, settings that the text implies).

    "gym:FetchReach-v4" is ("gym", {"id": "FetchReach-v4"}), "gym:my_module:Push-v0" has the id
    "my_module:Push-v0", and "dm_control:cartpole/swingup" is ("dm_control", {"domain":
    "cartpole", "task_name": "swingup"}). Any other text is None: a registered name, or somebody's
    own "module:class".

    Raises:
        ConfigError: nothing follows the colon, or no "<domain>/<task>" does.
    """
    library, colon, rest = text.partition(":")
    if not colon or library not in _LIBRARIES:
        return None
    if library == "gym":
        if not rest:
            raise ConfigError("no environment is named", where=text, do="e.g. gym:Reacher-v5")
        return "gym", {"id": rest}
    domain, _, task = rest.partition("/")
    if not domain or not task or "/" in task:
        raise ConfigError(
            f"{rest!r} is not <domain>/<task>", where=text, do="e.g. dm_control:cartpole/swingup"
        )
    return "dm_control", {"domain": domain, "task_name": task}


def is_foreign(text: str) -> bool:
    """Whether a world's text or registered name is of another library."""
    return text.partition(":")[0] in _LIBRARIES


def world_settings(
    text: str, settings: Mapping[str, Any], asked: Mapping[str, Any] | None = None
) -> tuple[str, dict[str, Any]]:
    """The registered name of a world and all its settings.

    Args:
        text: of the world; what it says is among its settings.
        settings: those that are the world's alone.
        asked: what was asked of it in settings that all worlds share, e.g. image_hw.

    Raises:
        ConfigError: see world_of; two of them say different things; or `asked` has what no world
            of another library has.
    """
    name, said = world_of(text) or (text, {})
    asked = asked or {}
    for key in asked.keys() & _LACKS.keys() if is_foreign(text) else ():
        raise ConfigError(
            f"{key}={asked[key]} cannot be had: {_LACKS[key]}",
            where=f"world={text}",
            do=f"only world=mujoco has a choice of {key}",
        )
    for origin, more in ((f"world={text}", said), ("the world's shared setting", asked)):
        for key, value in more.items():
            if key in settings and not _equal(settings[key], value):
                raise ConfigError(
                    f"{origin} says {key}={value}, settings.{key} is {settings[key]}",
                    do="say it once",
                )
    return name, {**settings, **asked, **said}


def require_policy(text: str, policy: str) -> None:
    """Raise ConfigError if a world of another library cannot have this policy."""
    if is_foreign(text) and policy in _NO_POLICY:
        raise ConfigError(
            f"policy {policy!r} cannot act in it: {_NO_POLICY[policy]}",
            where=f"world={text}",
            do="give random, mean:<data set>, replay:<data set>, a trained policy's folder or "
            "module:function",
        )


def _equal(one: Any, other: Any) -> bool:
    """Whether two settings are the same; a list is what a tuple is in files."""
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return list(one) == list(other)
    return bool(one == other)

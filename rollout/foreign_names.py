"""Worlds of other libraries by one text: "gym:<id>" and "dm_control:<domain>/<task>"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trimix.core.errors import ConfigError


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
    if not colon or library not in ("gym", "dm_control"):
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


def world_settings(text: str, settings: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The registered name of a world and all its settings, those of its text among them.

    Raises:
        ConfigError: see world_of; or a setting says something else than the text.
    """
    name, said = world_of(text) or (text, {})
    for key, value in said.items():
        if settings.get(key, value) != value:
            raise ConfigError(
                f"world={text} says {key}={value}, settings say {settings[key]}",
                do=f"leave {key} out of the settings, or give world={name}",
            )
    return name, {**settings, **said}

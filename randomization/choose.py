"""A randomizer by what a user calls it: a preset, or a list of axes in a YAML file."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from trimix.core.errors import ConfigError, MissingError, unknown
from trimix.randomization.presets import PRESETS, preset, texture_pool
from trimix.randomization.roles import Roles
from trimix.randomization.vary import Randomizer, Vary

_KEYS = ("base", "axes")
_ENDS = (".yaml", ".yml")


def is_file(name: str) -> bool:
    """Whether a randomization's name is a file's."""
    return name.endswith(_ENDS)


def require(name: str, where: str) -> None:
    """Raise ConfigError unless there is such a preset or such a file."""
    if is_file(name):
        _read(name)
    elif name not in PRESETS:
        raise unknown(
            "randomization", name, [*PRESETS, "your own as path/to/axes.yaml"], where=where
        )


def digest(name: str) -> str:
    """What stands in a randomization's file, as a digest; "" for a preset, whose code says it."""
    if not is_file(name):
        return ""
    _read(name)
    return hashlib.blake2b(Path(name).read_bytes(), digest_size=16).hexdigest()


def randomizer(name: str, roles: Roles, *, own: Collection[str] = ()) -> Randomizer:
    """A preset, or what a YAML file lists.

    The file holds a list of axes, or {base: a preset, axes: a list} whose axes replace the base's
    of the same target. A target may have a role in place of its name: "body/{props}/mass".

    Args:
        name: of a preset, or a path that ends in .yaml or .yml.
        roles: the scene's.
        own: "module:attribute" axes that the user asked for, which the file may then use.

    Raises:
        ConfigError: no such preset, or what is wrong in the file and where.
        MissingError: no such file.
    """
    if not is_file(name):
        require(name, "randomization")
        return preset(name, roles)
    base, entries = _read(name)
    axes = {axis.target: axis for axis in (preset(base, roles).axes if base else ())}
    own_targets: set[str] = set()
    for k, raw in enumerate(entries):
        where = f"{name}: entry {k + 1}"
        axis = Vary.from_json(raw, where, own=own, textures=texture_pool)
        for expanded in _expand(axis, roles, where):
            if expanded.target in own_targets:
                raise ConfigError(f"target {expanded.target!r} is varied twice", where=where)
            own_targets.add(expanded.target)
            axes[expanded.target] = expanded
    return Randomizer(axes.values(), name)


def _expand(axis: Vary, roles: Roles, where: str) -> list[Vary]:
    try:
        return roles.expand([axis])
    except ConfigError as error:
        inner = f"{where}: {error.where or axis.target}"
        raise ConfigError(error.what, where=inner, do=error.do) from error


def _read(name: str) -> tuple[str, list[Any]]:
    """The base preset's name, empty without one, and the entries."""
    path = Path(name)
    if not path.is_file():
        raise MissingError(f"there is no file {name!r}", where="randomization")
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = " ".join(str(error).split())
        raise ConfigError(f"this is no YAML ({line})", where=name) from error
    if isinstance(raw, list):
        return "", raw
    if not isinstance(raw, dict) or not set(raw) <= set(_KEYS):
        given = f"has {', '.join(map(str, raw))}" if isinstance(raw, dict) else f"is {raw!r}"
        raise ConfigError(
            f"the file {given}", where=name, do=f"give a list of axes, or {' and '.join(_KEYS)}"
        )
    base, axes = raw.get("base", ""), raw.get("axes", [])
    if base and base not in PRESETS:
        raise unknown("preset", str(base), PRESETS, where=f"{name}: base")
    if not isinstance(axes, list):
        raise ConfigError(f"axes is {axes!r}, not a list", where=name)
    return str(base or ""), axes

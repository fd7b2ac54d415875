"""Frozen dataclasses filled in from YAML, the command line or plain mappings, by OmegaConf.

The dataclasses hold the defaults, and nothing else does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, cast

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    MissingMandatoryValue,
    OmegaConfBaseException,
)

from trimix.core.errors import ConfigError

T = TypeVar("T")


def schema(cls: type[Any]) -> DictConfig:
    """The dataclass's defaults as a typed config that can be overridden.

    OmegaConf marks the nodes of frozen dataclasses read-only; this one's are not.
    """
    node = OmegaConf.structured(cls)
    thaw(node)
    return cast(DictConfig, node)


def thaw(node: Any) -> None:
    """Let a config of frozen dataclasses be filled in."""
    OmegaConf.set_readonly(node, None)
    if not OmegaConf.is_dict(node):
        return  # lists are replaced whole when they are merged
    if OmegaConf.get_type(node) is dict:
        OmegaConf.set_struct(node, False)  # a mapping takes any name
    for name in node:
        if not OmegaConf.is_missing(node, name) and OmegaConf.is_config(node[name]):
            thaw(node[name])


def build(cls: type[T], raw: Mapping[str, Any] | DictConfig, where: str) -> T:
    """The dataclass with these settings; what is not set keeps its default.

    Raises:
        ConfigError: a key that does not exist (naming the ones that do) or a wrong value.
    """
    return fill(schema(cls), raw, cls, where)


def fill(node: DictConfig, raw: Mapping[str, Any] | DictConfig, cls: type[T], where: str) -> T:
    """`build` from a schema whose mappings already have entries; typed ones need that."""
    try:
        given = raw if isinstance(raw, DictConfig) else OmegaConf.create(dict(raw))
        merged = OmegaConf.merge(node, given)
        _require_numbers(OmegaConf.to_container(merged), where)
        return to_object(merged, cls)
    except OmegaConfBaseException as fault:
        raise explain(fault, where) from fault


def _require_numbers(value: Any, where: str, key: str = "") -> None:
    """Raise ConfigError where a number is none: it would pass every comparison with a limit."""
    if isinstance(value, float) and math.isnan(value):
        raise ConfigError(f"{key} is nan", where=where, do="give a number")
    if isinstance(value, (dict, list)):
        for name, part in value.items() if isinstance(value, dict) else enumerate(value):
            _require_numbers(part, where, f"{key}.{name}" if key else str(name))


def to_object(config: Any, cls: type[T]) -> T:
    """A complete config as its dataclass; lists become the tuples that frozen fields want."""
    value = _tuples(OmegaConf.to_object(config))
    assert isinstance(value, cls)
    return value


def explain(fault: OmegaConfBaseException, where: str) -> ConfigError:
    """OmegaConf's complaint as one that says which key, and what there is."""
    at = f"{where}: {fault.full_key}" if fault.full_key else where
    if isinstance(fault, (ConfigAttributeError, ConfigKeyError)):
        known: list[str] = []
        if isinstance(fault.object_type, type) and is_dataclass(fault.object_type):
            known = [f.name for f in fields(fault.object_type)]
        return ConfigError(
            f"key {str(fault.key)!r} is not known",
            where=at,
            do=f"available: {', '.join(known)}" if known else "",
        )
    if isinstance(fault, MissingMandatoryValue):
        return ConfigError("has no value", where=at, do="set it")
    return ConfigError(str(fault).splitlines()[0], where=at)


def _tuples(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return tuple(_tuples(v) for v in value)
    if is_dataclass(value) and not isinstance(value, type):
        for f in fields(value):
            old = getattr(value, f.name)
            new = _tuples(old)
            if new is not old:
                # A frozen dataclass that nobody else has seen yet.
                object.__setattr__(value, f.name, new)
        return value
    return value

"""Recipes from YAML, checked against the dataclasses in `recipe` by OmegaConf."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import ConfigKeyError, MissingMandatoryValue, OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from trimix.core.errors import ConfigError, MissingError
from trimix.mix.recipe import Recipe, Source


def load_recipe(path: str | Path) -> Recipe:
    """The recipe in a YAML file.

    Raises:
        MissingError: there is no such file.
        ConfigError: not YAML, a key that does not exist, or a value that it cannot take.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingError("there is no such recipe", where=str(path), do="check the path")
    try:
        raw = OmegaConf.to_container(OmegaConf.load(path), resolve=True)
    except YAMLError as fault:
        reason = " ".join(str(fault).split())
        raise ConfigError(f"not YAML: {reason}", where=str(path)) from fault
    except OmegaConfBaseException as fault:
        raise ConfigError(_first_line(fault), where=str(path)) from fault
    if not isinstance(raw, dict):
        raise ConfigError("a recipe is a mapping", where=str(path), do="e.g. sources: ...")
    return recipe_from_mapping(cast("Mapping[str, Any]", raw), where=str(path))


def recipe_from_mapping(raw: Mapping[str, Any], where: str = "recipe") -> Recipe:
    """The validated recipe with these settings; what is not set has the dataclass's default.

    Raises:
        ConfigError: a key that does not exist (naming the ones that do) or a wrong value.
    """
    sources = raw.get("sources", {})
    if not isinstance(sources, Mapping):
        raise ConfigError("not a mapping of names", where=f"{where}: sources")
    for name, source in sources.items():
        if not isinstance(source, Mapping):
            raise ConfigError(
                f"{source!r} is not a source", where=f"{where}: sources.{name}", do="give it a path"
            )
    schema = OmegaConf.structured(Recipe)
    _thaw(schema)
    for name in sources:
        schema.sources[name] = OmegaConf.structured(Source)
    _thaw(schema)
    try:
        recipe = OmegaConf.to_object(OmegaConf.merge(schema, OmegaConf.create(dict(raw))))
    except ConfigKeyError as fault:
        raise _unknown_key(fault, where) from fault
    except MissingMandatoryValue as fault:
        raise ConfigError("has no value", where=f"{where}: {fault.full_key}") from fault
    except OmegaConfBaseException as fault:
        at = f"{where}: {fault.full_key}" if fault.full_key else where
        raise ConfigError(_first_line(fault), where=at) from fault
    assert isinstance(recipe, Recipe)
    recipe.validate(where)
    return recipe


def _thaw(node: DictConfig | ListConfig) -> None:
    """Let frozen dataclasses be filled in: OmegaConf marks each of their nodes read-only."""
    OmegaConf.set_readonly(node, None)
    if isinstance(node, ListConfig):
        return  # lists are replaced whole when they are merged
    for name in node:
        if not OmegaConf.is_missing(node, name) and OmegaConf.is_config(node[name]):
            _thaw(node[name])


def _unknown_key(fault: ConfigKeyError, where: str) -> ConfigError:
    known: list[str] = []
    if isinstance(fault.object_type, type) and is_dataclass(fault.object_type):
        known = [f.name for f in fields(fault.object_type)]
    return ConfigError(
        f"key {str(fault.key)!r} is not known",
        where=f"{where}: {fault.full_key}",
        do=f"available: {', '.join(known)}",
    )


def _first_line(fault: Exception) -> str:
    return str(fault).splitlines()[0]

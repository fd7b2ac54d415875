"""Recipes from YAML, checked against the dataclasses in `recipe` by OmegaConf."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from trimix.core import settings
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
        raise settings.explain(fault, str(path)) from fault
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
    node = settings.schema(Recipe)
    for name in sources:
        node.sources[name] = settings.schema(Source)
    recipe = settings.fill(node, raw, Recipe, where)
    recipe.validate(where)
    return recipe

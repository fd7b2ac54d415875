"""trimix mix: compile a recipe into a lock, and say what it will draw."""

from __future__ import annotations

from dataclasses import dataclass

from trimix.cli.verb import Verb
from trimix.mix.compile import compile_recipe
from trimix.mix.recipe_file import load_recipe


@dataclass(frozen=True)
class MixSettings:
    """A recipe (YAML) and where its lock goes."""

    recipe: str = "???"
    out: str = "recipe.lock"


def _command(settings: MixSettings) -> None:
    lock = compile_recipe(load_recipe(settings.recipe), where=settings.recipe)
    lock.save(settings.out)
    print(f"{lock.table()}\n{settings.out}: {lock.hash}")


VERB = Verb("mix", MixSettings, _command)

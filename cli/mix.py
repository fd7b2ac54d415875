"""trimix mix: compile a recipe into a lock, and say what it will draw."""

from __future__ import annotations

from dataclasses import dataclass

from trimix.cli.verb import Verb
from trimix.mix.compile import compile_recipe
from trimix.mix.lock import Lock
from trimix.mix.recipe_file import load_recipe


@dataclass(frozen=True)
class MixSettings:
    """A recipe (YAML) and where its lock goes."""

    recipe: str = "???"
    out: str = "recipe.lock"


def _command(settings: MixSettings) -> None:
    lock = compile_recipe(load_recipe(settings.recipe), where=settings.recipe)
    lock.save(settings.out)
    print(table(lock))
    print(f"{settings.out}: {lock.hash}")


def table(lock: Lock) -> str:
    """The plan, a line a source."""
    lines = [f"{'source':<20}{'share':>8}{'windows':>10}{'drawn':>10}{'repeats':>9}"]
    for source in lock.sources:
        lines.append(
            f"{'+'.join(source.names):<20}{source.share:>8.3f}{source.windows:>10}"
            f"{source.draws:>10}{source.draws / source.windows:>9.2f}"
        )
    lines += [f"{name:<20}{0:>8.3f}{'not opened':>10}" for name in lock.unused]
    return "\n".join(lines)


VERB = Verb("mix", MixSettings, _command)

"""What is randomized, how, and the numbers an episode drew.

A target is "kind/name/attribute", e.g. "geom/table/friction" or "camera/wrist/pos"; the name may
be a glob, which then shares one value among all it matches. The world decides which targets it
knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from trimix.core.contracts import Draw, Json
from trimix.core.errors import ConfigError
from trimix.core.seeds import stream
from trimix.randomization.distributions import Distribution

How = Literal["set", "scale", "add"]


@dataclass(frozen=True)
class Vary:
    """One axis: Vary("geom/table/friction", "scale", LogUniform(0.7, 1.4)).

    Args:
        target: "kind/name/attribute".
        how: set the value, scale the nominal one, or add to the nominal one.
        value: where the number comes from.
    """

    target: str
    how: How
    value: Distribution

    def __post_init__(self) -> None:
        if self.target.count("/") != 2:
            raise ConfigError(
                f"target {self.target!r} is not kind/name/attribute",
                do='e.g. "geom/table/friction"',
            )
        if self.how not in ("set", "scale", "add"):
            raise ConfigError(f"how {self.how!r} of {self.target!r} is not set, scale or add")


class Adjustable(Protocol):
    """A batch of rows whose parameters can be changed row by row."""

    def restore(self, rows: Sequence[int]) -> None:
        """Give these rows the nominal value of every parameter."""

    def adjust(self, row: int, target: str, how: str, value: Json) -> None:
        """Change one parameter of one row, from its nominal value.

        Raises:
            ConfigError: unknown target, or a value that does not fit it.
        """


class Randomizer:
    """Draws every axis, and applies what was drawn."""

    def __init__(self, axes: Iterable[Vary], name: str = "custom") -> None:
        self.name = name
        self.axes = tuple(axes)
        seen: set[str] = set()
        for axis in self.axes:
            if axis.target in seen:
                raise ConfigError(f"target {axis.target!r} is varied twice", where=name)
            seen.add(axis.target)

    def draw(self, rng: np.random.Generator) -> Draw:
        """One episode's numbers: target -> {"how", "value"}; enough to apply without this object.

        Every axis draws from a stream of its own, keyed by its target, so that adding an axis does
        not change what the others draw.
        """
        out: dict[str, Json] = {}
        root = int(rng.integers(2**63))
        for axis in sorted(self.axes, key=lambda a: a.target):
            value = axis.value.sample(stream(root, axis.target))
            out[axis.target] = {"how": axis.how, "value": value}
        return out

    @staticmethod
    def apply(draw: Draw, row: int, physics: Adjustable) -> None:
        """Give the row exactly this draw, from nominal: applying twice equals applying once."""
        physics.restore([row])
        for target, entry in draw.items():
            if not isinstance(entry, Mapping) or set(entry) != {"how", "value"}:
                raise ConfigError(
                    f"draw of {target!r} is {entry!r}", do='expected {"how": ..., "value": ...}'
                )
            physics.adjust(row, target, str(entry["how"]), entry["value"])

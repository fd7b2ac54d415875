"""What is randomized, how, and the numbers an episode drew.

A target is "kind/name/attribute", e.g. "geom/table/friction" or "camera/wrist/pos"; the name may
be a glob, which then shares one value among all it matches. The world decides which targets it
knows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from trimix.core.contracts import Draw, Json
from trimix.core.errors import ConfigError
from trimix.core.seeds import Streams, key
from trimix.randomization import written
from trimix.randomization.distributions import Distribution

How = Literal["set", "scale", "add"]
_KEYS = {"axis", "how", "value"}


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

    def to_json(self) -> dict[str, Json]:
        """{"axis", "how", "value"}, to be read by `from_json`.

        Raises:
            ConfigError: a distribution of one's own.
        """
        try:
            value = written.to_json(self.value)
        except ConfigError as error:
            raise ConfigError(error.what, where=self.target, do=error.do) from error
        return {"axis": self.target, "how": self.how, "value": value}

    @classmethod
    def from_json(
        cls,
        raw: Any,
        where: str,
        *,
        own: Collection[str] = (),
        textures: written.Textures | None = None,
    ) -> Vary:
        """An axis as `to_json` or a user wrote it.

        Args:
            raw: what a file holds.
            where: file and entry, for errors.
            own: "module:attribute" axes that the user asked for; a file alone cannot start code.
            textures: from a pool's name to its textures; None where no pool may be named.

        Raises:
            ConfigError: what is wrong with it, where, and what is known.
        """
        if not isinstance(raw, Mapping) or set(raw) != _KEYS:
            given = f"has {', '.join(map(str, raw))}" if isinstance(raw, Mapping) else f"is {raw!r}"
            raise ConfigError(f"the axis {given}", where=where, do="give axis, how and value")
        target = raw["axis"]
        if not isinstance(target, str):
            raise ConfigError(f"axis {target!r} is not kind/name/attribute", where=where)
        kind = target.split("/")[0]
        if ":" in kind and kind not in own:
            raise ConfigError(
                f"axis {kind!r} is code, which no file can start",
                where=where,
                do="give it in Python, or name it beside the file",
            )
        try:
            return cls(target, raw["how"], written.from_json(raw["value"], textures))
        except ConfigError as error:
            raise ConfigError(error.what, where=f"{where}: {target}", do=error.do) from error


class Adjustable(Protocol):
    """A batch of rows whose parameters can be changed row by row."""

    def restore(self, rows: Sequence[int]) -> None:
        """Give these rows the nominal value of every parameter."""

    def adjust(self, row: int, target: str, how: str, value: Json) -> None:
        """Change one parameter of one row, from its nominal value.

        Raises:
            ConfigError: unknown target, or a value that does not fit it.
        """

    def put(self, row: int, changes: Mapping[str, tuple[str, Json]]) -> None:
        """Give a row all of these targets' (how, value) at once, and nominal values of all else.

        Raises:
            ConfigError: as `adjust`.
        """

    def check(self, target: str) -> None:
        """Raise ConfigError unless the target exists and can act."""


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
        self._sorted = sorted(self.axes, key=lambda a: a.target)

    def draw(self, rng: np.random.Generator) -> Draw:
        """One episode's numbers: target -> {"how", "value"}; enough to apply without this object.

        Every axis draws from a stream of its own, keyed by its target, so that adding an axis does
        not change what the others draw.
        """
        out: dict[str, Json] = {}
        root, streams = int(rng.integers(2**63)), Streams()
        for axis in self._sorted:
            value = axis.value.sample(streams.at(key(root, axis.target)))
            out[axis.target] = {"how": axis.how, "value": value}
        return out

    def check(self, physics: Adjustable) -> None:
        """Raise ConfigError, which names this randomizer, unless every axis can act there."""
        for axis in self.axes:
            try:
                physics.check(axis.target)
            except ConfigError as error:
                where = f"randomization {self.name}: {error.where or axis.target}"
                raise ConfigError(error.what, where=where, do=error.do) from error

    def to_json(self) -> dict[str, Json]:
        """Name and axes, for a data set to say what its episodes were drawn from.

        Raises:
            ConfigError: a distribution of one's own.
        """
        return {"name": self.name, "axes": [axis.to_json() for axis in self.axes]}

    @classmethod
    def from_json(cls, raw: Any, where: str = "randomization") -> Randomizer:
        """What `to_json` gave.

        Raises:
            ConfigError: another form, or an axis of one's own, which no file can start.
        """
        if not isinstance(raw, Mapping) or set(raw) != {"name", "axes"}:
            raise ConfigError("a randomizer has name and axes", where=where)
        if not isinstance(raw["axes"], list):
            raise ConfigError("axes is not a list", where=where)
        axes = [
            Vary.from_json(entry, f"{where}: entry {k + 1}") for k, entry in enumerate(raw["axes"])
        ]
        return cls(axes, str(raw["name"]))

    @staticmethod
    def apply(draw: Draw, row: int, physics: Adjustable) -> None:
        """Give the row exactly this draw, from nominal: applying twice equals applying once."""
        changes = {}
        for target, entry in draw.items():
            if not isinstance(entry, Mapping) or set(entry) != {"how", "value"}:
                raise ConfigError(
                    f"draw of {target!r} is {entry!r}", do='expected {"how": ..., "value": ...}'
                )
            changes[target] = str(entry["how"]), entry["value"]
        physics.put(row, changes)

"""What a randomization axis is: one thing that differs between episodes, with its unit and range.

An axis writes cells: rows of model fields, such as ("geom_friction", 3). What it writes follows
from the cells' base, which is the compiled model's value after the axes of a lower order: so the
outcome depends on the set of targets alone, never on the order in which they came.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import mujoco
import numpy as np
import numpy.typing as npt

from trimix.core.contracts import Json
from trimix.core.errors import ConfigError, unknown

Array = npt.NDArray[np.float64]
Changes = Literal["physics", "pixels", "signal", "words"]
Cells = Mapping[str, Sequence[int]]
"""Model field, or signal's name -> indices along its first axis."""
Limit = float | tuple[float, ...]
HOWS = ("set", "scale", "add")


@dataclass(frozen=True)
class Change:
    """What a draw says of one target.

    Args:
        target: "kind/name/attribute".
        how: set | scale | add.
        value: a number, numbers, or for textures a name.
    """

    target: str
    how: str
    value: Json

    def of(self, base: npt.ArrayLike) -> Array:
        """The base (...), changed: set, scaled or added to; one number serves all components.

        Raises:
            ConfigError: a value that is no number, is not finite or has another shape.
        """
        old, value = np.asarray(base, float), self.value
        numbers = isinstance(value, (int, float)) or (
            isinstance(value, list) and all(isinstance(v, (int, float)) for v in value)
        )
        if isinstance(value, bool) or not numbers:
            raise ConfigError(
                f"value {value!r} is not a number or a list of numbers", where=self.target
            )
        number = np.asarray(value, float)
        if number.shape not in ((), old.shape) or not np.isfinite(number).all():
            raise ConfigError(
                f"value {value!r} does not fit shape {old.shape}",
                where=self.target,
                do="give one number, or that many",
            )
        if self.how == "set":
            return np.broadcast_to(number, old.shape).copy()
        if self.how == "scale":
            return np.asarray(old * number)
        if self.how == "add":
            return np.asarray(old + number)
        raise unknown("how", self.how, HOWS, where=self.target)


@dataclass
class Field:
    """One field for all rows.

    Args:
        live: (N, ...) what the rows have now; the simulation reads it.
        nominal: (...) what the compiled model has.
    """

    live: npt.NDArray[Any]
    nominal: npt.NDArray[Any]


@dataclass
class RowView:
    """One row's fields, for one axis to write.

    Args:
        model: the compiled model.
        row: which.
        fields: of the cells that the axis declared, at least.
        base: their values before this axis.
    """

    model: mujoco.MjModel
    row: int
    fields: Mapping[str, Field]
    base: dict[str, npt.NDArray[Any]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """The row's live values (...), to be written."""
        view: npt.NDArray[Any] = self.fields[name].live[self.row]
        return view

    def before(self, name: str) -> npt.NDArray[Any]:
        """(...) as axes of a lower order left it."""
        return self.base[name]

    def value(self, name: str, index: int) -> Array:
        """A cell as it is now, of a field that may vary or not."""
        if name in self.fields:
            return np.asarray(self.fields[name].live[self.row][index], float)
        return np.asarray(getattr(self.model, name)[index], float)


@dataclass(frozen=True, kw_only=True)
class Axis(ABC):
    """One kind of axis. A user's own is a subclass, or a function that gives one.

    Args:
        name: "kind/attribute"; the kind says which names there are: geom, body, joint, ...
        label: what the number is, in words.
        changes: what differs: physics, pixels, a signal between policy and simulator, words.
        unit: of the number that is limited.
        low, high: the range of what comes out, inclusive; outside of it is an error. One number,
            or one a component.
        hows: which of set, scale and add make sense.
        order: axes that write the same cells act in this order.
    """

    name: str
    label: str
    changes: Changes
    unit: str
    low: Limit
    high: Limit
    hows: tuple[str, ...] = HOWS
    order: int = 0

    @property
    def kind(self) -> str:
        """What its names are names of."""
        return self.name.split("/")[0]

    @property
    def attribute(self) -> str:
        """The last part of its targets."""
        return self.name.split("/")[1]

    @property
    def span(self) -> str:
        """The range of what comes out, with its unit."""
        return f"{_range(self.low, self.high)} {self.unit}".rstrip()

    @abstractmethod
    def cells(self, model: mujoco.MjModel, ids: Sequence[int]) -> Cells:
        """All cells that `apply` may write for these objects."""

    @abstractmethod
    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        """Write the cells of these objects from their base.

        Raises:
            ConfigError: a value that does not fit, or that is out of range.
        """

    def check(self, model: mujoco.MjModel, ids: Sequence[int], target: str) -> None:
        """Raise ConfigError where the axis could change nothing in this model, or nothing right."""
        return

    def result(self, change: Change, base: npt.ArrayLike) -> Array:
        """The base, changed, if the axis allows it.

        Raises:
            ConfigError: a how or a value that the axis does not take, or a result out of range;
                it names the target, the axis and the range.
        """
        quick = self._quick(change, base)
        if quick is not None:
            return quick
        if change.how in HOWS and change.how not in self.hows:
            raise ConfigError(
                f"a {self.label} is {_past(self.hows)}, not {change.how}", where=change.target
            )
        out = change.of(base)
        low, high = np.asarray(self.low, float), np.asarray(self.high, float)
        if (out < low).any() or (out > high).any():
            shown = f"{float(out):g}" if out.ndim == 0 else str([float(f"{v:g}") for v in out])
            unit = f" {self.unit}" if self.unit else ""
            raise ConfigError(
                f"{self.label} becomes {shown}{unit}",
                where=change.target,
                do=f"axis {self.name} takes {_range(self.low, self.high)}{unit}",
            )
        return out

    def _quick(self, change: Change, base: npt.ArrayLike) -> Array | None:
        """What `result` gives for one number that is in range, as nearly all are; numpy's checks of
        it would take most of an episode's beginning."""
        value, low, high = change.value, self.low, self.high
        if type(value) is not float or not isinstance(base, float) or change.how not in self.hows:
            return None
        if isinstance(low, tuple) or isinstance(high, tuple):
            return None
        out = {"set": value, "scale": base * value, "add": base + value}[change.how]
        return np.asarray(out) if low <= out <= high else None


def same(model: mujoco.MjModel, ids: Sequence[int]) -> list[int]:
    """A field with a row for each object of the kind."""
    return list(ids)


def dofs_of(model: mujoco.MjModel, joints: Sequence[int]) -> list[int]:
    """Degrees of freedom of joints."""
    width = {0: 6, 1: 3, 2: 1, 3: 1}
    return [
        int(model.jnt_dofadr[j]) + k for j in joints for k in range(width[int(model.jnt_type[j])])
    ]


def geoms_of(model: mujoco.MjModel, bodies: Sequence[int]) -> list[int]:
    """Geoms that belong to bodies, seen and touched."""
    return [
        int(model.body_geomadr[b]) + k for b in bodies for k in range(int(model.body_geomnum[b]))
    ]


Where = Callable[[mujoco.MjModel, Sequence[int]], list[int]]


@dataclass(frozen=True, kw_only=True)
class FieldAxis(Axis):
    """An axis that is a model field, or one component of it.

    Args:
        field: of MjModel.
        column: the component; None for all of them.
        where: from the objects' ids to the field's.
    """

    field: str
    column: int | None = None
    where: Where = same

    def cells(self, model: mujoco.MjModel, ids: Sequence[int]) -> Cells:
        return {self.field: self.where(model, ids)}

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        live, base = row[self.field], row.before(self.field)
        for i in self.where(row.model, ids):
            if self.column is None:
                live[i] = self.result(change, base[i])
            else:
                live[i, self.column] = self.result(change, base[i, self.column])


def _past(hows: Sequence[str]) -> str:
    return " or ".join({"set": "set", "scale": "scaled", "add": "added"}[h] for h in hows)


def _range(low: Limit, high: Limit) -> str:
    lows, highs = np.atleast_1d(low), np.atleast_1d(high)
    return ", ".join(f"{a:g} to {b:g}" for a, b in zip(lows, highs, strict=True))

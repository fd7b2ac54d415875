"""What a row's model has in place of the compiled one: the targets that a draw adjusts.

Every change starts from the nominal value, so changing twice equals changing once, in any order.
Axes: N rows; model fields have their MuJoCo shape behind the row.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

import mujoco
import mujoco.batch
import numpy as np
import numpy.typing as npt

from trimix.core.contracts import Json
from trimix.core.errors import ConfigError
from trimix.sim.axes.contract import Change, Field, RowView
from trimix.sim.axes.signals import Signal
from trimix.sim.axes.targets import Target, Targets, signals

Array = npt.NDArray[np.float64]


class Parameters:
    """The adjustable parameters of a batch's rows: randomization.Adjustable.

    Args:
        model, batch: a compiled model and the batch that runs it.
        targets: the user's targets; an axis of one's own can be adjusted only if it is named here.

    Attributes:
        fields: model field -> its rows, of the fields that any target so far writes.
        signals: "kind/attribute" -> (N,) numbers for the world to read.
    """

    def __init__(
        self, model: mujoco.MjModel, batch: mujoco.batch.Batch, targets: Sequence[str] = ()
    ) -> None:
        self._model, self._batch = model, batch
        self._targets = Targets(model, targets)
        self._signals: dict[str, Field] = {}
        self.signals: dict[str, Array] = {}
        self.fields: dict[str, Field] = {}
        self._constants = False
        # What each row's draw says so far: target -> (where, what).
        self._said: list[dict[str, tuple[Target, Change]]] = [{} for _ in range(batch.nsim)]
        # Targets that were put together -> those of one axis side by side, in the axes' order.
        self._groups: dict[tuple[str, ...], list[list[str]]] = {}
        for axis in signals().values():
            self._add_signal(axis)

    @property
    def expanded(self) -> bool:
        """Whether rows' models differ from the compiled one."""
        return bool(self.fields)

    def restore(self, rows: Sequence[int]) -> None:
        """Give these rows the nominal value of every parameter."""
        ids = list(rows)
        for field in (*self.fields.values(), *self._signals.values()):
            field.live[ids] = field.nominal
        for i in ids:
            self._said[i].clear()

    def put(self, row: int, changes: Mapping[str, tuple[str, Json]]) -> None:
        """Give a row all of these (how, value) at once, and nominal values of all else.

        Raises:
            ConfigError: as `adjust`; the row is nominal then.
        """
        self.restore([row])
        for target, (how, value) in changes.items():
            found = self._targets.find(target)
            self._expand(found)
            self._said[row][target] = found, Change(target, how, value)
        try:
            self._apply(row, self._said[row])
        except ConfigError:
            self.restore([row])
            raise

    def adjust(self, row: int, target: str, how: str, value: Json) -> None:
        """Change one parameter of one row; call `commit` when a row's are all changed.

        Raises:
            ConfigError: unknown target, name or texture, or a value that does not fit or is out of
                range; the row stays as it was.
        """
        found, change = self._targets.find(target), Change(target, how, value)
        self._expand(found)
        before = self._said[row].get(target)
        self._said[row][target] = (found, change)
        try:
            self._write(row, found)
        except ConfigError:
            if before is None:
                del self._said[row][target]
            else:
                self._said[row][target] = before
            self._write(row, found)
            raise

    def commit(self, rows: Sequence[int]) -> None:
        """Recompute the constants that follow from changed fields (mujoco #1607)."""
        if self._constants:
            self._batch.set_const(list(rows))

    def check(self, target: str) -> None:
        """Raise ConfigError unless the target exists in this model and can act in it."""
        found = self._targets.find(target)
        found.axis.check(self._model, found.ids, target)

    def row_field(self, name: str, row: int) -> Array:
        """A model field as the row has it, with the shape that MuJoCo gives it."""
        if name in self.fields:
            return np.asarray(self.fields[name].live[row])
        return np.asarray(getattr(self._model, name))

    def _write(self, row: int, changed: Target) -> None:
        """Make the cells of a target, and of all that share cells with it, anew from nominal."""
        said, keys, members = self._said[row], changed.keys(), set[str]()
        grown = True
        while grown:
            joined = {t for t, (f, _) in said.items() if t not in members and f.keys() & keys}
            for text in joined:
                keys |= said[text][0].keys()
            members |= joined
            grown = bool(joined)
        fields = self.fields | self._signals
        for name, i in keys:
            fields[name].live[row, i] = fields[name].nominal[i]
        self._apply(row, members)

    def _apply(self, row: int, members: Iterable[str]) -> None:
        """Write these targets into cells that are nominal."""
        said, fields = self._said[row], self.fields | self._signals
        view = RowView(self._model, row, fields)

        names = tuple(members)
        if names not in self._groups:
            self._groups[names] = _grouped({text: said[text][0] for text in names})
        for group in self._groups[names]:
            # Targets of one axis that match the same object: the last counts, from the same base.
            changes = [said[text] for text in group]
            wrote = {name for found, _ in changes for name in found.cells}
            view.base = {name: view[name].copy() for name in wrote}
            for found, change in changes:
                found.axis.apply(view, found.ids, change)

    def _expand(self, target: Target) -> None:
        if isinstance(target.axis, Signal):
            self._add_signal(target.axis)
            return
        for name in target.cells:
            if name in self.fields:
                continue
            live = self._batch.expand(name)
            option = name.startswith("opt.")
            nominal = getattr(self._model.opt, name[4:]) if option else getattr(self._model, name)
            self.fields[name] = Field(live, np.array(nominal).reshape(live.shape[1:]))
            self._constants |= option or name in mujoco.MjModel._setconst_inputs

    def _add_signal(self, axis: Signal) -> None:
        if axis.name not in self._signals:
            live = np.full((self._batch.nsim, 1), axis.nominal)
            self._signals[axis.name] = Field(live, np.array([axis.nominal]))
            self.signals[axis.name] = live[:, 0]


def _grouped(targets: Mapping[str, Target]) -> list[list[str]]:
    """Targets by axis, in the order in which axes act."""

    def of(text: str) -> tuple[int, str]:
        axis = targets[text].axis
        return axis.order, axis.name

    ordered = sorted(targets, key=lambda text: (of(text), text))
    return [list(group) for _, group in itertools.groupby(ordered, of)]

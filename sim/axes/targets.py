"""From "kind/name/attribute" to an axis and the objects that it is about."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass

import mujoco

from trimix.core.errors import ConfigError, unknown
from trimix.sim.axes import AXES
from trimix.sim.axes.contract import Axis, Cells
from trimix.sim.axes.joints import WORLD
from trimix.sim.axes.signals import SUBJECT, Signal

_COUNT = {
    "geom": "ngeom",
    "body": "nbody",
    "camera": "ncam",
    "light": "nlight",
    "material": "nmat",
    "joint": "njnt",
    "actuator": "nu",
    "pair": "npair",
}


@dataclass(frozen=True)
class Target:
    """A target of one model.

    Args:
        text: "kind/name/attribute".
        axis: what it varies.
        ids: objects of the axis' kind.
        cells: what it may write.
    """

    text: str
    axis: Axis
    ids: tuple[int, ...]
    cells: Cells

    def keys(self) -> set[tuple[str, int]]:
        """Its cells, one by one."""
        return {(field, i) for field, indices in self.cells.items() for i in indices}


class Targets:
    """Finds the targets of one model.

    Args:
        model: compiled.
        own: targets that the user gave: only these may name an axis of one's own, whose code runs.
    """

    def __init__(self, model: mujoco.MjModel, own: Iterable[str] = ()) -> None:
        self._model = model
        self._own = {text.split("/")[0] for text in own if is_own(text)}
        self._found: dict[str, Target] = {}
        self._names: dict[str, list[str]] = {kind: [name] for kind, name in SUBJECT.items()}
        self._names["gravity"] = [WORLD]
        for kind, count in _COUNT.items():
            obj = getattr(mujoco.mjtObj, f"mjOBJ_{kind.upper()}")
            ids = range(getattr(model, count))
            self._names[kind] = [mujoco.mj_id2name(model, obj, i) or "" for i in ids]

    def find(self, text: str) -> Target:
        """The target, which need not be able to act.

        Raises:
            ConfigError: a text of another form, a kind, attribute or name that does not exist, or
                an axis of one's own that the user did not ask for.
        """
        if text not in self._found:
            axis, name = self._axis(text)
            known = self._names[axis.kind]
            ids = [i for i, n in enumerate(known) if n and fnmatch.fnmatchcase(n, name)]
            if not ids:
                raise unknown(axis.kind, name, [n for n in known if n], where=text)
            cells = axis.cells(self._model, ids)
            self._found[text] = Target(text, axis, tuple(ids), cells)
        return self._found[text]

    def _axis(self, text: str) -> tuple[Axis, str]:
        parts = text.split("/")
        if len(parts) != 3:
            raise ConfigError(f"target {text!r} is not kind/name/attribute")
        kind, name, attribute = parts
        if is_own(text):
            return self._own_axis(text, kind, attribute), name
        known: dict[str, list[str]] = {}
        for entry in AXES:
            first, second = entry.split("/")
            known.setdefault(first, []).append(second)
        if kind not in known:
            raise unknown("kind of target", kind, [*known, "your own as module:attr"], where=text)
        if attribute not in known[kind]:
            raise unknown(f"attribute of a {kind}", attribute, known[kind], where=text)
        axis: Axis = AXES[f"{kind}/{attribute}"]
        return axis, name

    def _own_axis(self, text: str, kind: str, attribute: str) -> Axis:
        if kind not in self._own:
            raise ConfigError(
                f"axis {kind!r} is code of a user's own, which no file can start",
                where=text,
                do="give a randomizer that has this axis",
            )
        axis = AXES[kind]()
        if not isinstance(axis, Axis):
            raise ConfigError(f"{kind!r} gives no Axis", where=text, do="see trimix.sim.axes")
        if axis.kind not in self._names:
            raise unknown("kind of objects", axis.kind, self._names, where=f"axis {kind!r}")
        if attribute != axis.attribute:
            raise unknown(f"attribute of {kind}", attribute, [axis.attribute], where=text)
        return axis


def is_own(text: str) -> bool:
    """Whether a target's kind is a "module:attribute"."""
    return AXES.is_own(text.split("/")[0])


def signals() -> dict[str, Signal]:
    """Every registered signal."""
    found = {name: AXES[name] for name in AXES if name.split("/")[0] in SUBJECT}
    return {name: axis for name, axis in found.items() if isinstance(axis, Signal)}

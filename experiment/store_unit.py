"""What a unit of work is, and what its result is known by."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Protocol

from trimix.core.contracts import Json
from trimix.core.errors import TrimixError
from trimix.core.workers import Tick
from trimix.experiment.code import Code, reached
from trimix.experiment.code_loaded import was_loaded
from trimix.experiment.code_module import find


class Unit(Protocol):
    """A piece of work whose result is kept: a frozen dataclass that other processes can be sent."""

    kind: ClassVar[str]
    """A folder of the store: "dataset", "policy", ..."""

    @property
    def label(self) -> str:
        """For people: "policy real+sim seed 2"."""

    def reads(self) -> Json:
        """What decides the result but code and versions: settings, digests of inputs, threads."""

    def code(self) -> tuple[str, ...] | None:
        """Modules ("a.b") and definitions ("a.b:C") from which the code that makes it is reached.

        The unit's own class, with what it uses, is reached anyway. What is chosen by a name in a
        registry, or comes in a field, is named here. None: it is a record and not a computation;
        no code decides it, nothing can make it again, and it is not pruned unless it is named.
        """

    def make(self, folder: Path, tick: Tick) -> Json:
        """Write the result into a folder, which may hold what an interrupted try left.

        Args:
            folder: of this entry alone; in the end it holds the result and nothing else.
            tick: called for every unit of work, also for those that were found done.

        Returns:
            a small result.
        """


def roots_of(unit: Unit) -> tuple[str, ...]:
    """Where the code that makes a unit is reached from."""
    own, named = type(unit), unit.code()
    if named is None:
        return ()
    return (f"{own.__module__}:{own.__qualname__}", *sorted(set(named)))


def parts_of(unit: Unit) -> dict[str, Json]:
    """What a unit's key is the digest of."""
    return {"kind": unit.kind, "reads": unit.reads(), **code_parts(roots_of(unit))}


def code_parts(roots: tuple[str, ...]) -> dict[str, Json]:
    """The parts of a key that are not the unit's own; none without roots."""
    if not roots:
        return {}
    code = reached(roots)
    return {
        "code": dict(code.modules),
        "files": dict(code.files),
        "libraries": dict(code.libraries),
        "python": code.python,
    }


def require_same(unit: Unit, before: Code) -> None:
    """Refuse a result if code that it may have used was edited while it was made.

    What had been imported before it was edited ran as it was.

    Raises:
        TrimixError: naming what was edited.
    """
    after = reached(roots_of(unit))
    if after == before:
        return
    edited = [
        name
        for name in changed(before.modules, after.modules)
        if (module := find(name.partition(":")[0])) is None or not was_loaded(module)
    ]
    edited += changed(before.files, after.files) + changed(before.libraries, after.libraries)
    if edited:
        raise TrimixError(
            f"{edited[0]} was edited while it was made",
            where=unit.label,
            do="run the same command again",
        )


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The names whose value is not what it was."""
    return [name for name, value in before.items() if after.get(name) != value]

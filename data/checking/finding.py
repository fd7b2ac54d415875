"""One thing that is wrong with a data set, and a place to gather them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from trimix.core.errors import DataError

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """What is wrong, where (file, episode, row), and what to do about it.

    Args:
        severity: a warning does not make rows or frames untrue.
    """

    what: str
    where: str
    do: str
    severity: Severity = "error"

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}" if self.where else self.what
        return f"{line}; {self.do}" if self.do else line


@dataclass
class Findings:
    """Problems in the order in which they were found."""

    problems: list[Finding] = field(default_factory=list)

    def add(self, what: str, where: str, do: str = "", severity: Severity = "error") -> None:
        """Note a problem; the same one twice counts once."""
        problem = Finding(what, where, do, severity)
        if problem not in self.problems:
            self.problems.append(problem)

    @contextmanager
    def catching(self) -> Iterator[None]:
        """Note a DataError as a problem and go on after the block."""
        try:
            yield
        except DataError as fault:
            self.add(fault.what, fault.where, fault.do)

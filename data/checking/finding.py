"""One thing that is wrong with a data set, and a place to gather them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from trimix.core.errors import DataError

Severity = Literal["blocks", "mended"]


@dataclass(frozen=True)
class Finding:
    """What is wrong, where (file, episode, row), and what to do about it.

    Args:
        severity: what blocks makes rows or frames untrue or unreadable; what is mended is computed
            anew by an import, or put right by it.
        kind: findings of one kind are told in one line; "" takes it from `what`.
    """

    what: str
    where: str
    do: str
    severity: Severity = "blocks"
    kind: str = ""

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}" if self.where else self.what
        return f"{line}; {self.do}" if self.do else line

    @property
    def group(self) -> tuple[Severity, str]:
        """What it shares with others: names and numbers left out."""
        return self.severity, self.kind or re.sub(r"'[^']*'|\[[^\]]*\]|[-+.\d]+", "#", self.what)


@dataclass
class Findings:
    """Problems in the order in which they were found."""

    problems: list[Finding] = field(default_factory=list)

    def add(
        self,
        what: str,
        where: str,
        do: str = "",
        severity: Severity = "blocks",
        kind: str = "",
    ) -> None:
        """Note a problem; the same one twice counts once."""
        problem = Finding(what, where, do, severity, kind)
        if problem not in self.problems:
            self.problems.append(problem)

    def mended(self, what: str, where: str, do: str = "", kind: str = "") -> None:
        """Note what an import puts right."""
        self.add(what, where, do, "mended", kind)

    @contextmanager
    def catching(self) -> Iterator[None]:
        """Note a DataError as a problem and go on after the block."""
        try:
            yield
        except DataError as fault:
            self.add(fault.what, fault.where, fault.do)


def summary(found: Iterable[Finding], root: str, most: int) -> list[str]:
    """One line a kind, with a count and one example; what blocks comes first.

    Args:
        root: of the data set; left out of the lines.
        most: lines; the kinds beyond are counted in the last one.
    """
    groups: dict[tuple[Severity, str], list[Finding]] = {}
    for finding in found:
        groups.setdefault(finding.group, []).append(finding)
    ordered = sorted(groups.items(), key=lambda g: (g[0][0] != "blocks", -len(g[1])))
    lines = [
        f"{severity:<7}{len(members):>5}x  {members[0]}".replace(f"{root}/", "")
        for (severity, _), members in ordered
    ]
    if len(lines) > most:
        left = lines[most - 1 :]
        blocking = sum(line.startswith("blocks") for line in left)
        lines[most - 1 :] = [f"and {len(left)} kinds more, of which {blocking} block"]
    return lines

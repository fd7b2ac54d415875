"""Progress bars with a rate and an estimate of the time that is left."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from tqdm import tqdm


class Report(Protocol):
    """Called with (done, in all)."""

    def __call__(self, done: int, total: int) -> None: ...


@contextmanager
def bar(title: str, unit: str) -> Iterator[Report]:
    """A bar on standard error; without a terminal it prints a line every few seconds."""
    quiet = not sys.stderr.isatty()
    shown: tqdm | None = None

    def report(done: int, total: int) -> None:
        nonlocal shown
        if shown is None:  # nothing is shown of work that fails before it begins
            shown = tqdm(
                desc=title,
                unit=unit,
                total=total,
                initial=done,
                dynamic_ncols=not quiet,
                mininterval=10 if quiet else 0.1,
            )
        shown.total = total
        shown.update(done - shown.n)

    try:
        yield report
    finally:
        if shown is not None:
            shown.close()

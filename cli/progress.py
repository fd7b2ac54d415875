"""Progress bars with a rate and an estimate of the time that is left."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Protocol

from tqdm import tqdm

if TYPE_CHECKING:
    from trimix.experiment.work import Event, Listener


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


@contextmanager
def listener() -> Iterator[Listener]:
    """Tells of a run's stages: a line for each, and a bar for what is counted."""
    began = time.monotonic()
    with ExitStack() as bars:
        report: Report | None = None

        def tell(event: Event) -> None:
            nonlocal report
            if event.state in ("begun", "unchanged"):
                said = "running" if event.state == "begun" else "unchanged"
                print(f"[{time.monotonic() - began:6.0f} s] {event.stage}: {said}", flush=True)
            if event.state == "begun":
                report = bars.enter_context(bar(event.stage, event.noun)) if event.total else None
            elif event.state == "going on" and report is not None:
                report(event.done, event.total)
            elif event.state == "done":
                bars.pop_all().close()

        yield tell

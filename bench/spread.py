"""Measuring many cases in two processes, each case alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

from trimix.core.errors import TrimixError
from trimix.core.workers import Local, Tick

WORKERS = 2
A = TypeVar("A")
R = TypeVar("R")


def spread(measure: Callable[[None, A, Tick], R], cases: Sequence[A]) -> Iterator[tuple[A, R]]:
    """Each case with what was measured, as they are ready.

    Args:
        measure: a module's function; other processes import it.
        cases: what it is given, one at a time.
    """
    died = TrimixError("a process of the benchmark died")
    for k, found in Local(WORKERS).run(measure, cases, setup=_nothing, died=died):
        yield cases[k], found


def _nothing() -> AbstractContextManager[None]:
    return nullcontext()

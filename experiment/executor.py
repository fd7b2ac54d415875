"""Units made in parallel, wherever work runs."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from trimix.core.errors import ConfigError, DataError, TrimixError
from trimix.core.workers import TRIES, Executor, Local, Tick
from trimix.experiment.store import Entry, Store, Unit

log = logging.getLogger(__name__)


def executor_of(text: str, workers: int) -> Executor:
    """Where work runs, by name.

    Args:
        text: "local"; "ray" for a Ray cluster of this machine's own; "ray://host:port" or
            "host:port" for one that runs already.
        workers: how much runs at a time.

    Raises:
        ConfigError: no such executor, or no workers.
        MissingError: Ray is not installed.
    """
    if workers < 1:
        raise ConfigError(f"workers is {workers}", do="at least 1")
    if text == "local":
        return Local(workers)
    if text == "ray" or ":" in text:
        from trimix.experiment.executor_ray import RayExecutor

        return RayExecutor(workers, "" if text == "ray" else text)
    raise ConfigError(
        f"executor {text!r} is not known", do="available: local, ray, or a Ray cluster's address"
    )


def make_units(
    store: Store, units: Sequence[Unit], executor: Executor, tick: Tick = lambda: None
) -> list[Entry]:
    """The units' results, in order; the ones that are missing are made in parallel.

    What another process makes is waited for after all else is done. A unit that fails does not
    stop the others; what they made is kept.

    Args:
        store: where results are kept; where work runs on other machines, a folder they share.
        units: what is asked for; the same unit may be asked for twice.
        executor: where the missing ones are made.
        tick: called for each unit of work in any.

    Raises:
        TrimixError: what the first unit that failed says, or that its process died time and again.
    """
    keys = [store.key(unit) for unit in units]
    # Before it is made: the process that makes it may end before this one has looked at it.
    store.claim(keys)
    left = dict(zip(keys, units, strict=True))
    found: dict[str, Entry] = {}
    made: set[str] = set()
    faults: dict[str, TrimixError] = {}
    while True:
        for key, unit in [*left.items()]:
            if (entry := store.serve(unit.kind, key)) is not None:
                found[key] = replace(entry, reused=key not in made)
                del left[key]
            elif key in made:
                raise DataError("what was made is gone", where=str(store.root))
        if not left:
            break
        busy = []
        for key, outcome in _try(store, [*left.items()], executor, tick):
            if isinstance(outcome, TrimixError):
                log.warning("%s failed; the others go on: %s", left.pop(key).label, outcome)
                faults[key] = outcome
            elif outcome:
                made.add(key)
            else:
                busy.append(key)
        if busy and len(busy) == len(left):  # nothing else is left to do
            store.wait({key: left[key].kind for key in busy})
    for key in keys:
        if key in faults:
            raise faults[key]
    return [found[key] for key in keys]


def _try(
    store: Store, jobs: Sequence[tuple[str, Unit]], executor: Executor, tick: Tick
) -> Iterator[tuple[str, bool | TrimixError]]:
    """(key, whether it was made, or what failed); False for what another process is making."""
    died = TrimixError(
        f"its process died {TRIES} times",
        where=str(store.root),
        do="run the same command again to go on; if memory ran out, with fewer workers",
    )
    for at, outcome in executor.run(
        _make, jobs, setup=partial(_opened, store), died=died, tick=tick
    ):
        yield jobs[at][0], outcome


@contextmanager
def _opened(store: Store) -> Iterator[Store]:
    """What the tasks of a process share."""
    yield store


def _make(store: Store, job: tuple[str, Unit], tick: Tick) -> bool | TrimixError:
    """One unit, in a process that does many."""
    key, unit = job
    try:
        return store.try_make(unit, key, tick) is not None
    except TrimixError as fault:
        return fault

"""Tasks that worker processes find by name."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

from trimix.core.errors import ConfigError
from trimix.core.workers import Tick


@contextmanager
def base(value: int) -> Iterator[int]:
    yield value


@contextmanager
def no_base() -> Iterator[int]:
    raise ConfigError("there is no world to set up")
    yield 0


def power(state: int, exponent: int, tick: Tick) -> tuple[int, int]:
    for _ in range(exponent):
        tick()
    return state**exponent, os.getpid()


def fail_at_two(state: int, argument: int, tick: Tick) -> int:
    if argument == 2:
        raise ConfigError("two is refused")
    time.sleep(0.1)
    return argument


def die(state: int, argument: int, tick: Tick) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at_first(state: str, argument: int, tick: Tick) -> int:
    """Argument 1 kills its process, after a unit of work, as often as the folder has no mark."""
    folder = Path(state)
    with (folder / f"tries-{argument}").open("a") as file:
        file.write(f"{os.getpid()}\n")
    tick()
    tries = len((folder / f"tries-{argument}").read_text().split())
    if argument == 1 and tries <= int((folder / "deaths").read_text()):
        time.sleep(0.7)  # until its tick was seen
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.2)
    tick()
    return argument * 10


def environment(state: int, name: str, tick: Tick) -> str | None:
    return os.environ.get(name)


def blas_threads(state: int, argument: int, tick: Tick) -> int | None:
    """How many threads NumPy's linear algebra may use; None where that cannot be told."""
    np.ones((2, 2)) @ np.ones((2, 2))
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return max((pool["num_threads"] for pool in pools), default=None)

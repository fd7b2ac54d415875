"""Work on a Ray cluster: this machine's own, or one that is named.

Arguments and results travel through Ray, data sets and policies through the file system: the
machines of a cluster share the store's folder and have the same trimix installed.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, TypeVar

from trimix.core.errors import ConfigError, MissingError, TrimixError
from trimix.core.workers import POLL_S, WORKER_ENVIRONMENT, Tick, Tries

ANSWER_S = 10.0
"""How long a named cluster may take to accept a connection."""
OBJECTS_BYTES = 100_000_000
"""Only arguments and results go through Ray."""
_TELL_S = 0.3

S = TypeVar("S")
A = TypeVar("A")
R = TypeVar("R")


@dataclass(frozen=True)
class RayExecutor:
    """See core.workers.Executor.

    Args:
        workers: how many tasks run at a time; no more than the cluster has processors.
        address: "ray://host:port" or "host:port"; empty: a cluster of this machine alone, which
            listens to nobody else and ends with this process.

    Raises:
        MissingError: Ray is not installed.
        ConfigError: the address is none.
    """

    workers: int
    address: str = ""

    def __post_init__(self) -> None:
        if find_spec("ray") is None:
            raise MissingError("Ray is not installed", do="pip install 'trimix[ray]'")
        if self.address:
            _host_and_port(self.address)

    def run(
        self,
        task: Callable[[S, A, Tick], R],
        arguments: Sequence[A],
        *,
        setup: Callable[[], AbstractContextManager[S]],
        died: TrimixError,
        tick: Tick = lambda: None,
    ) -> Iterator[tuple[int, R]]:
        """See Executor.

        Raises:
            MissingError: no cluster answers at the address.
        """
        if arguments:
            ray = _connected(self.address, self.workers)
            variables = dict(WORKER_ENVIRONMENT)
            if not self.address:
                variables["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
            worker = ray.remote(_Worker).options(num_cpus=1, runtime_env={"env_vars": variables})
            yield from _share_out(ray, worker, task, arguments, setup, self.workers, died, tick)


def _share_out(
    ray: Any,
    worker: Any,
    task: Callable[[S, A, Tick], R],
    arguments: Sequence[A],
    setup: Callable[[], AbstractContextManager[S]],
    workers: int,
    died: TrimixError,
    tick: Tick,
) -> Iterator[tuple[int, R]]:
    lost = (
        ray.exceptions.RayActorError,
        ray.exceptions.WorkerCrashedError,
        ray.exceptions.OutOfMemoryError,
        ray.exceptions.NodeDiedError,
        ray.exceptions.ObjectLostError,
    )
    tries = Tries(len(arguments), died, tick)
    meter = ray.remote(_Meter).options(num_cpus=0).remote()
    n = max(1, min(workers, len(arguments), int(ray.cluster_resources().get("CPU", 1))))
    slots = [worker.remote(setup, meter) for _ in range(n)]
    running: dict[Any, tuple[Any, int]] = {}
    try:
        while tries.waiting or running:
            busy = [slot for slot, _ in running.values()]
            for slot in [slot for slot in slots if slot not in busy][: len(tries.waiting)]:
                at = tries.begin()
                running[slot.run.remote(task, arguments[at], at)] = (slot, at)
            ended, _ = ray.wait([*running], num_returns=1, timeout=POLL_S)
            for at, units in ray.get(meter.units.remote()).items():
                tries.ticked(at, units)
            for reference in ended:
                slot, at = running.pop(reference)
                try:
                    units, fault, result = ray.get(reference)
                except lost as death:
                    slots[slots.index(slot)] = worker.remote(setup, meter)
                    tries.lost(at, death)
                    continue
                except ray.exceptions.RayTaskError as wrapped:
                    if isinstance(wrapped.cause, ray.exceptions.RaySystemError):
                        raise _unreadable(wrapped.cause) from wrapped
                    raise wrapped.cause from wrapped
                if fault is not None:
                    raise fault
                tries.ticked(at, units)
                yield at, result
        tries.end()
    finally:
        for actor in [*slots, meter]:
            ray.kill(actor)


def _unreadable(fault: BaseException) -> MissingError:
    return MissingError(
        f"a worker of the Ray cluster cannot load what it is sent ({str(fault).splitlines()[0]})",
        do="install the same trimix, and modules of your own, on its machines",
    )


class _Meter:
    """How far tasks are, told by their processes now and then."""

    def __init__(self) -> None:
        self._units: dict[int, int] = {}

    def tell(self, at: int, units: int) -> None:
        """A task has done this many units of its work."""
        self._units[at] = units

    def units(self) -> dict[int, int]:
        """By task."""
        return self._units


class _Worker:
    """One process of the cluster; what its tasks share is made before the first of them."""

    def __init__(self, setup: Callable[[], AbstractContextManager[Any]], meter: Any) -> None:
        self._setup, self._meter = setup, meter
        self._entered: list[Any] = []

    def run(
        self, task: Callable[[Any, A, Tick], R], argument: A, at: int
    ) -> tuple[int, TrimixError | None, R | None]:
        """(units done, a fault that a user can act on, result)."""
        units, told = 0, time.monotonic()

        def tick() -> None:
            nonlocal units, told
            units += 1
            if time.monotonic() - told > _TELL_S:
                told = time.monotonic()
                self._meter.tell.remote(at, units)

        try:
            if not self._entered:
                manager = self._setup()
                self._entered += [manager.__enter__(), manager]
            result = task(self._entered[0], argument, tick)
        except TrimixError as fault:
            return units, fault, None
        return units, None, result


def _connected(address: str, workers: int) -> Any:
    """The ray module, connected; a connection that is there already is used as it is.

    Raises:
        MissingError: no cluster answers.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if not address:
        # Read when ray is imported: its servers then listen on the loopback device alone.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        os.environ.setdefault("RAY_AUTH_MODE", "token")  # the default, but told at every start
    import ray

    if ray.is_initialized():
        return ray
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if not address:
        with _own_signals():
            ray.init(
                "local",  # else Ray joins whatever cluster this machine has, or had
                num_cpus=workers,
                include_dashboard=False,
                object_store_memory=OBJECTS_BYTES,
                **quiet,
            )
        return ray
    try:
        _knock(*_host_and_port(address))
        with _own_signals():
            ray.init(address=address, **quiet)
    except (OSError, RuntimeError, ValueError) as fault:
        raise MissingError(
            f"no Ray cluster answers ({str(fault).splitlines()[0]})",
            where=address,
            do="start one with 'ray start --head', or name another",
        ) from fault
    return ray


@contextmanager
def _own_signals() -> Iterator[None]:
    """SIGTERM stays what it was: Ray's own handler ends the process on the spot."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def _knock(host: str, port: int) -> None:
    """See that a server of Ray's kind answers: Ray itself would wait for minutes.

    Raises:
        OSError: none does.
    """
    import grpc

    with socket.create_connection((host, port), timeout=ANSWER_S):
        pass
    if os.environ.get("RAY_USE_TLS", "0") != "0":
        return  # Ray has the certificates
    with grpc.insecure_channel(f"{host}:{port}", [("grpc.enable_http_proxy", 0)]) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=ANSWER_S)
        except grpc.FutureTimeoutError as fault:
            raise TimeoutError(f"what listens there is silent for {ANSWER_S:.0f} s") from fault


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit() or "/" in host:
        raise ConfigError(
            f"{address!r} is no address of a Ray cluster", do="for example ray://host:10001"
        )
    return host, int(port)

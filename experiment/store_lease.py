"""Who makes an entry and who uses it, across all processes that share a store.

Leases are file locks: they end with the process that holds them, however it ends.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from trimix.data.files import storage_errors

POLL_S = 0.2
log = logging.getLogger(__name__)


class Leases:
    """The right to make, move or delete an entry: one process has it at a time.

    Args:
        folder: where the locks are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def hold(self, key: str, what: str) -> Iterator[bool]:
        """Have the lease if nobody has it; gives whether that is so.

        Args:
            key: of the entry.
            what: the work, in words for those who wait.
        """
        lock, holder = self._lock(key), self._holder(key)
        with storage_errors(self._folder):
            try:
                self._folder.mkdir(exist_ok=True)
                lock.acquire(timeout=0)
            except Timeout:
                is_ours = False
            else:
                is_ours = True
                now = datetime.now(UTC).isoformat(timespec="seconds")
                with suppress(OSError):  # on a full disk there is still something to remove
                    holder.write_text(json.dumps({"what": what, "who": who(), "since": now}))
        try:
            yield is_ours
        finally:
            if is_ours:
                holder.unlink(missing_ok=True)
                lock.release()

    def wait(self, keys: Sequence[str], done: Callable[[str], bool]) -> None:
        """Wait until for one of the keys nobody has the lease, or the work is done.

        Args:
            keys: of entries.
            done: asked again and again.
        """
        told = False
        while not any(done(key) or self._is_free(key) for key in keys):
            if not told:
                log.warning("waiting for %s", "; ".join(map(self.held, keys)))
                told = True
            time.sleep(POLL_S)

    def held(self, key: str) -> str:
        """Who does what since when, in words."""
        try:
            raw = json.loads(self._holder(key).read_text())
            return f"{raw['what']}, which {raw['who']} makes since {raw['since']}"
        except (OSError, ValueError, KeyError, TypeError):
            return f"{key}, which another process makes"  # it has only just begun or ended

    def _is_free(self, key: str) -> bool:
        lock = self._lock(key)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return False
        lock.release()
        return True

    def _lock(self, key: str) -> FileLock:
        return FileLock(self._folder / f"{key}.lock", thread_local=False)

    def _holder(self, key: str) -> Path:
        return self._folder / f"{key}.json"


class Users:
    """Which entries this process uses, told to those who would remove them.

    Args:
        folder: a file for each process.
        gate: lock that is held for a moment by who begins to use or takes away an entry.
    """

    def __init__(self, folder: Path, gate: Path) -> None:
        self._folder, self._gate = folder, gate
        self._keys: set[str] = set()
        self._name = f"{platform.node()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._lock: FileLock | None = None

    def add(self, key: str) -> None:
        """From now on, until this process ends, the entry stays."""
        if key in self._keys:
            return
        with self.gate():
            if self._lock is None:
                self._folder.mkdir(exist_ok=True)
                self._lock = FileLock(self._folder / f"{self._name}.lock", thread_local=False)
                self._lock.acquire()
            with (self._folder / f"{self._name}.keys").open("a") as file:
                file.write(f"{key}\n")
        self._keys.add(key)

    def others(self) -> set[str]:
        """The entries that other living processes use; what the dead left is cleaned up."""
        used: set[str] = set()
        for path in self._folder.glob("*.lock"):
            if path.stem == self._name:
                continue
            keys = path.with_suffix(".keys")
            lock = FileLock(path, thread_local=False)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                used.update(keys.read_text().split() if keys.exists() else [])
                continue
            keys.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            lock.release()
        return used

    @contextmanager
    def gate(self) -> Iterator[None]:
        """Nobody begins to use an entry meanwhile."""
        with FileLock(self._gate, thread_local=False):
            yield


def who() -> str:
    """This process, for people."""
    return f"process {os.getpid()} on {platform.node() or 'this machine'}"

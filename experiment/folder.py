"""A run's folder: its settings, links into the store, locks, and the report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from trimix.core.errors import ConfigError, TrimixError
from trimix.data.files import storage_errors, write_atomic
from trimix.evaluate.planned import ComparisonPlan
from trimix.evaluate.suites import Suite
from trimix.experiment.config import Experiment
from trimix.experiment.settings import as_settings, difference
from trimix.experiment.store import Entry, Store, is_link
from trimix.mix.lock import Lock

CONFIG, PLAN, REPORT = "config.yaml", "plan.json", "report.json"
LOCKS, SUITES, LINKS = "locks", "suites", ("sources", "worldmodels", "policies", "rollouts")


class RunFolder:
    """The folder of one run.

    Args:
        out: where; it may be there.
        store: that is linked into.
    """

    def __init__(self, out: str | Path, store: Store) -> None:
        self.out, self.store = Path(out), store

    @contextmanager
    def held(self, experiment: Experiment) -> Iterator[RunFolder]:
        """Hold the folder while a run writes into it.

        Raises:
            ConfigError: it has the report of another experiment.
            TrimixError: another run is at work in it, or it cannot be written.
        """
        with storage_errors(self.out):
            self.out.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.out / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as fault:
            raise TrimixError(
                "another run is at work in this folder",
                where=str(self.out),
                do="wait for it, or choose another folder with out=",
            ) from fault
        try:
            self._begin(experiment)
            yield self
        finally:
            lock.release()

    def link(self, kind: str, name: str, entry: Entry, part: str = "") -> None:
        """Show an entry, or a part of it, as <out>/<kind>/<name>."""
        self.store.link(entry, self.out / kind / name, part)

    def save_locks(self, name: str, locks: list[Lock]) -> None:
        """Keep the lock of every training seed of an arm."""
        with storage_errors(self.out):
            for seed, lock in enumerate(locks):
                write_atomic(self.out / LOCKS / f"{name}-{seed}.lock", lock.to_json().encode())

    def save_suite(self, name: str, suite: Suite) -> None:
        """Keep the scenes that policies met."""
        suite.save(self.out / SUITES / f"{name}.json")

    def save_plan(self, plan: ComparisonPlan, registered: bool) -> None:
        """Write down what is compared, before it is seen."""
        about = {**plan.to_json(), "hash": plan.hash, "registered": registered}
        write_atomic(self.out / PLAN, (json.dumps(about, indent=1) + "\n").encode())

    def _begin(self, experiment: Experiment) -> None:
        settings = as_settings(experiment)
        if (self.out / REPORT).is_file() and (before := self._settings()) is not None:
            different = difference(before, settings)
            if different is not None:
                raise ConfigError(
                    f"the folder has the report of another experiment: {different}",
                    where=str(self.out),
                    do="choose another folder with out=",
                )
        # What a run left that never came to a report is not of this one.
        for path in [*(self.out / LOCKS).glob("*.lock"), *(self.out / SUITES).glob("*.json")]:
            path.unlink()
        (self.out / PLAN).unlink(missing_ok=True)
        for kind in LINKS:
            for link in (self.out / kind).glob("*"):
                if is_link(link):
                    link.unlink()
        text = OmegaConf.to_yaml(OmegaConf.create(settings))
        write_atomic(self.out / CONFIG, text.encode())

    def _settings(self) -> dict[str, Any] | None:
        """What the folder's report was made of; None if that cannot be told."""
        try:
            raw = OmegaConf.to_container(OmegaConf.load(self.out / CONFIG))
        except (OSError, OmegaConfBaseException):
            return None
        return raw if isinstance(raw, dict) else None  # type: ignore[return-value]

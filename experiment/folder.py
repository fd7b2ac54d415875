"""A run's folder: its settings, links into the store, locks, and the report.

All of it is written below `unfinished` and takes its place when the report is there: a run that
is refused or interrupted leaves the one before it as it was.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from trimix.core.errors import ConfigError, TrimixError
from trimix.data.files import require_own_folder, storage_errors, write_atomic
from trimix.evaluate.clips import Strip
from trimix.evaluate.planned import ComparisonPlan
from trimix.evaluate.report import write_report
from trimix.evaluate.schema import Report
from trimix.evaluate.suites import Suite
from trimix.experiment.config import Experiment
from trimix.experiment.settings import as_settings, difference
from trimix.experiment.store import Entry, Store, is_link
from trimix.mix.lock import Lock

CONFIG, PLAN, REPORT, PAGE = "config.yaml", "plan.json", "report.json", "report.html"
LOCKS, SUITES, LINKS = "locks", "suites", ("sources", "worldmodels", "policies", "rollouts")
MARK, UNFINISHED = ".trimix-run", "unfinished"
"""What says that a folder is a run's, and is held by whoever writes into it; what is not done."""


class RunFolder:
    """The folder of one run.

    Args:
        out: where; it may be there.
        store: that is linked into.
    """

    def __init__(self, out: str | Path, store: Store) -> None:
        self.out, self.store = Path(out), store
        self.unfinished = self.out / UNFINISHED
        self._links: dict[tuple[str, str], tuple[Entry, str]] = {}

    @contextmanager
    def held(self, experiment: Experiment) -> Iterator[RunFolder]:
        """Hold the folder while a run writes into it.

        Raises:
            ConfigError: it has the report of another experiment, or files of something else.
            TrimixError: another run is at work in it, or it cannot be written.
        """
        require_own_folder(self.out, MARK)
        with storage_errors(self.out):
            self.out.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.out / MARK)
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
        self.store.link(entry, self.unfinished / kind / name, part)
        self._links[kind, name] = entry, part

    def save_locks(self, name: str, locks: list[Lock]) -> None:
        """Keep the lock of every training seed of an arm."""
        with storage_errors(self.out):
            for seed, lock in enumerate(locks):
                path = self.unfinished / LOCKS / f"{name}-{seed}.lock"
                write_atomic(path, lock.to_json().encode())

    def save_suite(self, name: str, suite: Suite) -> None:
        """Keep the scenes that policies met."""
        suite.save(self.unfinished / SUITES / f"{name}.json")

    def save_plan(self, plan: ComparisonPlan, registered: bool) -> None:
        """Write down what is compared."""
        about = {**plan.to_json(), "hash": plan.hash, "registered": registered}
        write_atomic(self.unfinished / PLAN, (json.dumps(about, indent=1) + "\n").encode())

    def finish(self, report: Report, strips: Sequence[Strip]) -> Path:
        """Write the report; then all that was kept aside takes its place.

        Returns:
            The path of the page.
        """
        write_report(self.unfinished, report, strips)
        for kind, name in self._links:
            self.store.require_free(self.out / kind / name)
        with storage_errors(self.out):
            (self.out / REPORT).unlink(missing_ok=True)  # never one beside another run's settings
            for kind in LINKS:
                for link in (self.out / kind).glob("*"):
                    if is_link(link):
                        link.unlink()
            for (kind, name), (entry, part) in self._links.items():
                self.store.link(entry, self.out / kind / name, part)
            for kind, ending in ((LOCKS, "*.lock"), (SUITES, "*.json")):
                for old in (self.out / kind).glob(ending):
                    old.unlink()
                for new in (self.unfinished / kind).glob(ending):
                    (self.out / kind).mkdir(exist_ok=True)
                    new.replace(self.out / kind / new.name)
            (self.out / PLAN).unlink(missing_ok=True)
            for name in (PLAN, CONFIG, PAGE, REPORT):
                if (self.unfinished / name).is_file():
                    (self.unfinished / name).replace(self.out / name)
            shutil.rmtree(self.unfinished)
        return self.out / PAGE

    def _begin(self, experiment: Experiment) -> None:
        settings = as_settings(experiment)
        self._links.clear()
        if (self.out / REPORT).is_file() and (before := self._settings()) is not None:
            different = difference(before, settings)
            if different is not None:
                raise ConfigError(
                    f"the folder has the report of another experiment: {different}",
                    where=str(self.out),
                    do="choose another folder with out=",
                )
        with storage_errors(self.out):
            if self.unfinished.is_dir():
                shutil.rmtree(self.unfinished)
            text = OmegaConf.to_yaml(OmegaConf.create(settings))
            write_atomic(self.unfinished / CONFIG, text.encode())

    def _settings(self) -> dict[str, Any] | None:
        """What the folder's report was made of; None if that cannot be told."""
        try:
            raw = OmegaConf.to_container(OmegaConf.load(self.out / CONFIG))
        except (OSError, OmegaConfBaseException):
            return None
        return raw if isinstance(raw, dict) else None  # type: ignore[return-value]

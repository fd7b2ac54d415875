"""Laws of a run's folder: one experiment in it, one run at a time, and only links of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest

from trimix.core.contracts import Json
from trimix.core.errors import ConfigError, DataError, TrimixError
from trimix.core.workers import Tick
from trimix.experiment.config import Arm, Experiment
from trimix.experiment.folder import RunFolder
from trimix.experiment.source_kinds import Sim, StandIn
from trimix.experiment.store import Store


@dataclass(frozen=True)
class Note:
    """A file with a word."""

    kind: ClassVar[str] = "note"

    word: str

    @property
    def label(self) -> str:
        return self.word

    def reads(self) -> Json:
        return self.word

    def code(self) -> tuple[str, ...]:
        return ()

    def make(self, folder: Path, tick: Tick) -> Json:
        (folder / "part").mkdir()
        (folder / "part" / "word").write_text(self.word)
        return None


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run", Store(tmp_path / "store"))


def finish(folder: RunFolder, experiment: Experiment) -> None:
    with folder.held(experiment):
        (folder.out / "report.json").write_text("{}")


def test_a_finished_run_is_not_written_over_by_another_experiment(folder: RunFolder) -> None:
    finish(folder, Experiment())
    with (
        pytest.raises(ConfigError, match=r"another experiment: batch_size was 64 and is 8"),
        folder.held(Experiment(batch_size=8)),
    ):
        pass
    finish(folder, Experiment(seeds=3))
    with pytest.raises(ConfigError), folder.held(replace(Experiment(), seed=7)):
        pass


def test_a_run_that_did_not_finish_may_be_corrected(folder: RunFolder) -> None:
    with pytest.raises(KeyboardInterrupt), folder.held(Experiment(batch_size=8)):
        folder.link("sources", "old", folder.store.make(Note("old")))
        raise KeyboardInterrupt
    with folder.held(Experiment()):
        assert not (folder.out / "sources" / "old").exists()


def test_two_runs_do_not_share_a_folder(folder: RunFolder) -> None:
    other = RunFolder(folder.out, folder.store)
    with (
        folder.held(Experiment()),
        pytest.raises(TrimixError, match="another run is at work"),
        other.held(Experiment()),
    ):
        pass
    finish(other, Experiment())


def test_links_show_entries_and_go_when_they_are_no_longer_of_the_run(folder: RunFolder) -> None:
    with folder.held(Experiment()):
        folder.link("sources", "a", folder.store.make(Note("one")), "part")
        folder.link("policies", "b", folder.store.make(Note("two")))
    assert (folder.out / "sources" / "a" / "word").read_text() == "one"
    assert (folder.out / "policies" / "b" / "part" / "word").read_text() == "two"
    with folder.held(Experiment()):
        folder.link("sources", "a", folder.store.make(Note("three")), "part")
    assert (folder.out / "sources" / "a" / "word").read_text() == "three"
    assert not (folder.out / "policies" / "b").exists()


def test_what_is_not_ours_stays(folder: RunFolder, tmp_path: Path) -> None:
    mine = folder.out / "sources" / "mine"
    mine.parent.mkdir(parents=True)
    mine.symlink_to(tmp_path)
    with folder.held(Experiment()), pytest.raises(DataError, match="in the way"):
        folder.link("sources", "mine", folder.store.make(Note("one")))
    assert mine.is_symlink()


def test_what_another_experiment_left_without_a_report_is_cleared(folder: RunFolder) -> None:
    with folder.held(Experiment()):
        left = [folder.out / "locks" / "old-0.lock", folder.out / "suites" / "confirm.json"]
        left.append(folder.out / "plan.json")
        for path in left:
            path.parent.mkdir(exist_ok=True)
            path.write_text("{}")
    with folder.held(Experiment(batch_size=8)):
        assert not any(path.exists() for path in left)


@pytest.mark.parametrize("name", ["../../mine", "a/b", "", "..", " ", "a\nb", "a" * 101])
def test_a_name_that_leads_out_of_the_folder_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"a file.s name"):
        Experiment(arms={name: Arm({"real": 1})})
    with pytest.raises(ConfigError, match=r"a file.s name"):
        Experiment(sources={"real": StandIn(), name: Sim()}, arms={"a": Arm({"real": 1})})

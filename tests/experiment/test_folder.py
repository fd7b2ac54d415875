"""Laws of a run's folder: one experiment in it, one run at a time, and only links of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest
from example import example_report

from trimix.core.contracts import Json
from trimix.core.errors import ConfigError, DataError, TrimixError
from trimix.core.workers import Tick
from trimix.evaluate.planned import ComparisonPlan
from trimix.experiment.config import Arm, Experiment
from trimix.experiment.folder import RunFolder
from trimix.experiment.source_kinds import Sim, StandIn
from trimix.experiment.store import Store

PLAN = ComparisonPlan((("sim-only", "real-only"),), (3,))


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
    with folder.held(experiment) as held:
        held.finish(example_report(), ())


def everything(root: Path) -> dict[str, bytes | None]:
    """What is in a folder, and where its links lead."""
    paths = [p for p in sorted(root.rglob("*")) if p.is_file() or p.is_symlink()]
    return {
        str(p.relative_to(root)): str(p.readlink()).encode() if p.is_symlink() else p.read_bytes()
        for p in paths
    }


def test_a_finished_run_is_not_written_over_by_another_experiment(folder: RunFolder) -> None:
    finish(folder, Experiment())
    with (
        pytest.raises(ConfigError, match=r"another experiment: batch_size was 64 and is 8"),
        folder.held(Experiment(batch_size=8)),
    ):
        pass
    finish(folder, Experiment(seeds=4))
    with pytest.raises(ConfigError), folder.held(replace(Experiment(), seed=7)):
        pass


def test_a_run_that_did_not_finish_may_be_corrected(folder: RunFolder) -> None:
    with pytest.raises(KeyboardInterrupt), folder.held(Experiment(batch_size=8)):
        folder.link("sources", "old", folder.store.make(Note("old")))
        raise KeyboardInterrupt
    finish(folder, Experiment())
    assert not (folder.out / "sources" / "old").exists()


def test_a_run_that_is_refused_leaves_the_one_before_it_as_it_was(folder: RunFolder) -> None:
    """The cheat: settings, plan and links of an attempt beside the report of another run."""
    with folder.held(Experiment()) as held:
        held.save_plan(PLAN, True)
        held.link("policies", "a", folder.store.make(Note("one")))
        held.finish(example_report(), ())
    before = everything(folder.out)
    more = {**Experiment().arms, "more": Arm({"real": 1, "sim": 3})}
    again = RunFolder(folder.out, folder.store)
    with pytest.raises(ConfigError, match="no"), again.held(Experiment(arms=more)) as held:
        held.save_plan(PLAN, False)
        held.link("policies", "b", folder.store.make(Note("two")))
        raise ConfigError("no")
    after = everything(folder.out)
    assert {k: v for k, v in after.items() if not k.startswith("unfinished/")} == before
    finish(RunFolder(folder.out, folder.store), Experiment())
    assert not (folder.out / "unfinished").exists()


@pytest.mark.parametrize("name", ["config.yaml", "report.html", "locks/uv.lock", "suites/a.json"])
def test_a_folder_of_something_else_is_refused_and_kept(folder: RunFolder, name: str) -> None:
    mine = folder.out / name
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(ConfigError, match="holds something else"), folder.held(Experiment()):
        pass
    assert everything(folder.out) == {name: b"mine"}


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
    with folder.held(Experiment()) as held:
        held.link("sources", "a", folder.store.make(Note("one")), "part")
        held.link("policies", "b", folder.store.make(Note("two")))
        held.finish(example_report(), ())
    assert (folder.out / "sources" / "a" / "word").read_text() == "one"
    assert (folder.out / "policies" / "b" / "part" / "word").read_text() == "two"
    with RunFolder(folder.out, folder.store).held(Experiment()) as held:
        held.link("sources", "a", folder.store.make(Note("three")), "part")
        held.finish(example_report(), ())
    assert (folder.out / "sources" / "a" / "word").read_text() == "three"
    assert not (folder.out / "policies" / "b").exists()


def test_what_is_not_ours_stays(folder: RunFolder, tmp_path: Path) -> None:
    finish(folder, Experiment())
    mine = folder.out / "sources" / "mine"
    mine.parent.mkdir(parents=True)
    mine.symlink_to(tmp_path)
    (folder.out / "locks").mkdir()
    (folder.out / "locks" / "notes.txt").write_text("mine")
    before = everything(folder.out)
    with folder.held(Experiment()) as held, pytest.raises(DataError, match="in the way"):
        held.link("sources", "mine", folder.store.make(Note("one")))
        held.finish(example_report(), ())
    after = everything(folder.out)
    assert {k: v for k, v in after.items() if not k.startswith("unfinished/")} == before


@pytest.mark.parametrize("name", ["../../mine", "a/b", "", "..", " ", "a\nb", "a" * 101])
def test_a_name_that_leads_out_of_the_folder_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"a file.s name"):
        Experiment(arms={name: Arm({"real": 1})})
    with pytest.raises(ConfigError, match=r"a file.s name"):
        Experiment(sources={"real": StandIn(), name: Sim()}, arms={"a": Arm({"real": 1})})

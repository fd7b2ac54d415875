"""Laws of running benchmarks: what is kept can be traced to a commit."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from trimix.bench import BENCHES
from trimix.bench import run as runner
from trimix.bench.figure import Figure
from trimix.bench.results import Line, read
from trimix.core.errors import ConfigError


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that the benchmark "fake" gives; a clean tree, unless a test says otherwise."""
    figures = [Figure("fake.a", 1.0, "s", 3, 2.0, "why"), Figure("fake.b", 2.0, "", 1)]

    def run(quick: bool) -> Iterator[Figure]:
        yield from figures

    monkeypatch.setattr(runner, "BENCHES", {"fake": run})
    monkeypatch.setattr(runner, "commit_of", lambda root: "abc")
    return figures


@pytest.mark.parametrize("name", BENCHES)
def test_every_benchmark_runs_on_little(name: str) -> None:
    """Its figures are numbers, named once, and a quick run keeps nothing."""
    lines = runner.run_benches([name], quick=True, record=Path("/nowhere/bench.jsonl"))
    assert lines and not Path("/nowhere").exists()
    assert all(line["command"] == f"trimix bench {name} quick=true" for line in lines)


def test_a_line_says_what_was_measured_where_and_when(bench: list[Figure], tmp_path: Path) -> None:
    kept = tmp_path / "bench.jsonl"
    told: list[Line] = []
    lines = runner.run_benches(["fake"], record=kept, found=told.append)
    assert read(kept) == lines == told
    first = lines[0]
    assert (first["figure"], first["value"], first["unit"]) == ("fake.a", 1.0, "s")
    assert (first["n"], first["baseline"], first["about"]) == (3, 2.0, "why")
    assert (first["commit"], first["command"]) == ("abc", "trimix bench fake")
    assert "cores" in first["machine"] and first["date"].endswith("+00:00")
    assert lines[1]["baseline"] is None


def test_nothing_is_measured_whose_commit_would_not_say_what_it_was(
    bench: list[Figure], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "bench.jsonl"
    ran = []
    monkeypatch.setattr(runner, "BENCHES", {"fake": ran.append})
    for commit in ("abc-dirty", ""):
        monkeypatch.setattr(runner, "commit_of", lambda root, commit=commit: commit)
        with pytest.raises(ConfigError, match="has no commit; commit first, or give dirty=true"):
            runner.run_benches(["fake"], record=kept)
    assert not ran and not kept.exists()


def test_what_is_measured_on_changes_is_marked(
    bench: list[Figure], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "commit_of", lambda root: "abc-dirty")
    runner.run_benches(["fake"], record=tmp_path / "bench.jsonl", dirty=True)
    assert {line["commit"] for line in read(tmp_path / "bench.jsonl")} == {"abc-dirty"}


def test_what_was_measured_before_a_fault_is_kept(bench: list[Figure], tmp_path: Path) -> None:
    bench.append(Figure("fake.c", float("nan"), "s", 1))
    with pytest.raises(ConfigError, match=r"fake\.c.* is no new measurement"):
        runner.run_benches(["fake"], record=tmp_path / "bench.jsonl")
    assert [line["figure"] for line in read(tmp_path / "bench.jsonl")] == ["fake.a", "fake.b"]


@pytest.mark.parametrize(
    "figure",
    [
        Figure("fake.a", 1.0, "s", 1),
        Figure("fake.c", float("inf"), "s", 1),
        Figure("fake.c", 1.0, "s", 1, float("nan")),
        Figure("fake.c", 1.0, "s", 0),
    ],
)
def test_a_figure_that_is_none_is_refused(bench: list[Figure], figure: Figure) -> None:
    bench.append(figure)
    with pytest.raises(ConfigError, match="is no new measurement"):
        runner.run_benches(["fake"])


def test_results_make_no_tree_dirty_and_everything_else_does(tmp_path: Path) -> None:
    """Or a second benchmark could never follow a first."""

    def git(*arguments: str) -> None:
        me = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        subprocess.run(["git", "-C", str(tmp_path), *me, *arguments], check=True)

    assert runner.commit_of(tmp_path) == ""
    git("init", "-q")
    (tmp_path / "code.py").write_text("1")
    results = tmp_path / runner.RESULTS
    results.mkdir(parents=True)
    (results / "bench.jsonl").write_text("{}\n")
    git("add", "-A")
    git("commit", "-qm", "all")
    clean = runner.commit_of(tmp_path)
    assert len(clean) == 12
    (results / "bench.jsonl").write_text("{}\n{}\n")
    (results / "new.md").write_text("new")
    assert runner.commit_of(tmp_path) == clean
    (tmp_path / "untracked.py").write_text("a module that no commit holds")
    assert runner.commit_of(tmp_path) == f"{clean}-dirty"
    (tmp_path / "untracked.py").unlink()
    (tmp_path / "code.py").write_text("2")
    assert runner.commit_of(tmp_path) == f"{clean}-dirty"

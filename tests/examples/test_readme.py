"""The README's commands do what it says, in its order, on less of everything."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import trimix
from trimix.cli.main import main
from trimix.core.version import ROOT
from trimix.evaluate.report import write_report

TEXT = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
COMMANDS = [
    shlex.split(line, comments=True)
    for language, block in BLOCKS
    for line in block.splitlines()
    if not language and line.startswith("trimix ")
]
LESS = {
    "collect": ["episodes=5", "workers=1"],
    "verify": ["threads=[1]", "rows=[2]"],
    "train": ["policy.loop.steps=4", "policy.loop.warmup_steps=1", "policy.width=32"],
    "evaluate": ["scenes=2", "run.rows=2", "run.workers=1"],
    "bench": ["quick=true"],
}
"""verb -> what makes it small; later settings of a command win over earlier ones."""


def test_the_verbs_stand_in_an_order_that_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chain of verbs, one after the other, in one folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "evaluate"))
    monkeypatch.setenv("TRIMIX_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("TRIMIX_CACHE", str(tmp_path / "cache"))
    recipe = (ROOT / "examples" / "recipe.yaml").read_text()
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "recipe.yaml").write_text(
        recipe.replace("batch_size: 64", "batch_size: 4").replace("steps: 2000", "steps: 4")
    )
    from example import example_report

    write_report(tmp_path / "runs" / "tiny", example_report())
    chain = [c for c in COMMANDS if c[1] not in ("pipeline", "doctor") and "<verb>" not in c]
    assert [c[1] for c in chain] == [
        *("collect", "verify", "import", "mix", "train"),
        *("evaluate", "report", "view", "store", "bench"),
    ]
    for command in chain:
        assert main([*command[1:], *LESS.get(command[1], [])]) == 0, command
    assert main(["doctor", "data=datasets/push"]) == 0


@pytest.mark.parametrize("command", [c for c in COMMANDS if c[1] == "pipeline"])
def test_what_the_readme_sets_can_be_set(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The main job has tests of its own; here its words."""
    assert main([*command[1:], "--cfg", "job"]) == 0
    assert "out: runs/" in capsys.readouterr().out


def test_the_first_python_is_in_the_first_screen_and_builds_a_comparison(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ((_, code),) = [b for b in BLOCKS if b[0] == "python"]
    assert TEXT[: TEXT.index(code)].count("\n") < 30
    asked: list[trimix.Experiment] = []

    class Found:
        answer, page = "", ""

    def run(experiment: trimix.Experiment, out: str) -> Found:
        asked.append(experiment)
        return Found()

    monkeypatch.setattr(trimix, "run", run, raising=False)
    exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})  # noqa: S102
    (experiment,) = asked
    assert set(experiment.arms) == {"real-only", "real+sim"} and experiment.seeds == 3


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")])
def test_links_and_pictures_are_there(page: str | Path) -> None:
    file = ROOT / page
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", file.read_text()):
        assert target.startswith("http") or (file.parent / target).exists(), target


def test_every_page_of_docs_can_be_found_from_the_readme() -> None:
    reached, new = set(), [ROOT / "README.md"]
    while new:
        page = new.pop()
        reached.add(page)
        links = re.findall(r"\]\(([^)#]+\.md)[^)]*\)", page.read_text())
        new += [p for t in links if (p := (page.parent / t).resolve()) not in reached]
    missing = set(ROOT.glob("docs/*.md")) - reached
    assert not missing

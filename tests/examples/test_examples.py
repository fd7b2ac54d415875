"""Every example runs as its first lines say, from the folder that they say, as a user would."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import pytest

import trimix
from trimix.core.version import ROOT

EXAMPLES = ROOT / "examples"
TRIMIX = (sys.executable, "-P", "-m", "trimix.cli.main")


class Run(Protocol):
    """Runs a command in a folder; gives what it prints."""

    def __call__(self, *command: str, cwd: Path) -> str: ...


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """In an environment that knows of no earlier run, and keeps what it leaves out of the tree."""
    fresh = {"TRIMIX_STORE": str(tmp_path / "store"), "TRIMIX_CACHE": str(tmp_path / "cache")}

    def call(*command: str, cwd: Path) -> str:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, **fresh},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return call


def example(name: str) -> str:
    """Its path, once it is sure that it says how it is run."""
    file = EXAMPLES / name
    assert f"python examples/{name}" in (ast.get_docstring(ast.parse(file.read_text())) or "")
    return str(file)


def commands(file: Path, **less: str) -> list[list[str]]:
    """The command lines of its first lines, with less of everything."""
    text = ast.get_docstring(ast.parse(file.read_text())) or ""
    found = [shlex.split(line) for line in re.findall(r"^ +trimix (.+)$", text, re.MULTILINE)]
    assert found
    for command in found:
        for key, value in less.items():
            at = [i for i, word in enumerate(command) if word.startswith(f"{key}=")]
            for i in at:
                command[i] = f"{key}={value}"
    return found


def test_the_quickstart_goes_from_episodes_to_a_score(run: Run, tmp_path: Path) -> None:
    said = run(sys.executable, example("quickstart.py"), cwd=tmp_path)
    assert "none: 8 episodes" in said and "strong: 8 episodes" in said
    assert "'320 windows drawn, share 0.25'" in said
    assert re.search(r"ceiling: [34] of 4 succeeded", said)
    assert re.search(r"mine: \d of 4 succeeded", said)


def test_an_ablation_is_short_and_gives_a_report(run: Run, tmp_path: Path) -> None:
    file = example("ablation.py")
    assert len(Path(file).read_text().splitlines()) <= 25
    said = run(sys.executable, file, cwd=tmp_path).splitlines()
    assert said[-1] == "runs/ablation/report.html" and (tmp_path / said[-1]).stat().st_size > 20_000
    # Three seeds of six steps show nothing, and the report must not say that they do.
    assert "can't be told apart" in said[-2]
    policies = list((tmp_path / "runs/ablation/policies").iterdir())
    assert len(policies) == 9


def test_your_own_data_leads_to_a_report(run: Run, tmp_path: Path) -> None:
    """Another robot than the task's: what cannot be mixed is left out and said."""
    spec = trimix.MujocoSpec("push_t", image_hw=(32, 32))
    trimix.collect(spec, trimix.policy_of("expert"), tmp_path / "sim", episodes=5)
    recorded = trimix.ImportConfig(str(tmp_path / "sim"), str(tmp_path / "mine"), stand_in=True)
    trimix.import_dataset(recorded)
    said = run(sys.executable, example("own_data.py"), "mine", "--steps", "6", cwd=tmp_path)
    assert said.startswith("5 episodes, ")
    assert "left out: mine+sim" in said and "runs/own_data/report.html" in said


def test_a_task_of_your_own_is_collected_and_evaluated(run: Run, tmp_path: Path) -> None:
    folder = EXAMPLES / "own_task"
    less = {"episodes": "3", "scenes": "3", "out": str(tmp_path / "made")}
    collected, evaluated = (
        run(*TRIMIX, *command, cwd=folder) for command in commands(folder / "coin.py", **less)
    )
    assert "3 episodes" in collected and "3 succeeded" in collected
    assert "expert: 3/3 succeeded" in evaluated


def test_a_policy_of_your_own_acts(run: Run, tmp_path: Path) -> None:
    folder = EXAMPLES / "own_policy"
    (command,) = commands(folder / "spiral.py", scenes="2")
    said = run(*TRIMIX, *command, cwd=folder)
    assert re.search(r"^mine: \d/2 succeeded", said, re.MULTILINE)


@pytest.mark.parametrize("folder", [EXAMPLES, *(p for p in EXAMPLES.iterdir() if p.is_dir())])
def test_every_example_is_run_here(folder: Path) -> None:
    text = Path(__file__).read_text()
    for file in folder.glob("*.py"):
        assert f'"{file.name}"' in text

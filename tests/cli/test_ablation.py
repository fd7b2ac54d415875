"""An ablation in Python gives what the command line gives, to the byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import trimix
from trimix.cli.main import main
from trimix.experiment.flat import FlatSettings
from trimix.experiment.settings import as_settings

CLOCKS = ("created", "wall_s", "peak_rss_gb", "warnings", "command")

COMMAND = """
task=push_t image_hw=[16,16] real.standin_episodes=4 real.heldout=0.5 sim.episodes=3
arms.real+sim={real: 1, sim: 1} only=[real-only,sim-only,real+sim] seeds=3
policy.width=32 policy.loop.steps=3 policy.loop.warmup_steps=1 batch_size=4
evaluate.scenes=1 evaluate.expert_presets=[] evaluate.offline_windows=20
"""


def ablation() -> trimix.Experiment:
    """Three arms and three training seeds."""
    return trimix.Experiment(
        sources={
            "real": trimix.StandIn(4, heldout=0.5),
            "sim": trimix.Sim(3),
            "dream": trimix.Dream(),
        },
        arms={
            "real-only": trimix.Arm({"real": 1}),
            "sim-only": trimix.Arm({"sim": 1}),
            "real+sim": trimix.Arm({"real": 1, "sim": 1}),
        },
        seeds=3,
        task="push_t",
        image_hw=(16, 16),
        policy=trimix.PolicyTrainConfig(width=32, loop=trimix.LoopConfig(3, warmup_steps=1)),
        batch_size=4,
        scoring=trimix.Scoring(scenes=1, expert_presets=(), offline_windows=20),
    )


def told(out: Path) -> dict[str, Any]:
    """The bytes of what a run says, but for when and how fast it was made."""
    report = json.loads((out / "report.json").read_text())
    others = {p.name: p.read_bytes() for p in sorted((out / "locks").iterdir())}
    others |= {name: (out / name).read_bytes() for name in ("plan.json", "suites/confirm.json")}
    links = {str(p.relative_to(out)): p.resolve() for p in out.glob("*/*") if p.is_symlink()}
    return {"report": {k: v for k, v in report.items() if k not in CLOCKS}, **others, **links}


def arguments() -> list[str]:
    """The command's words; braces keep their spaces."""
    words = COMMAND.replace(": ", ":\0").replace(", ", ",\0").split()
    return [word.replace("\0", " ") for word in words]


@pytest.mark.timeout(900)
def test_python_and_the_command_line_give_the_same_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "python"
    result = trimix.run(ablation(), out, executor=trimix.Local(1))
    assert len(result.policies) == 9
    assert main(["pipeline", *arguments(), f"out={tmp_path / 'typed'}", "workers=1"]) == 0
    assert "running" not in capsys.readouterr().out
    assert told(out) == told(tmp_path / "typed")
    assert (out / "config.yaml").read_text() == (tmp_path / "typed" / "config.yaml").read_text()


def test_the_command_line_s_defaults_are_python_s() -> None:
    assert as_settings(FlatSettings().experiment()) == as_settings(trimix.Experiment())

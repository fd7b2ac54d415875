"""The main job, tiny: it runs to a report, and a second run does nothing again."""

from __future__ import annotations

from pathlib import Path

import pytest

from trimix.cli.main import main
from trimix.evaluate.report import load_report


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pipeline") / "run"
    assert main(["pipeline", "preset=tiny", f"out={out}", "task=push_t"]) == 0
    return out


@pytest.mark.timeout(600)
def test_the_report_has_every_arm_with_evidence_and_label(run: Path) -> None:
    report = load_report(run)
    assert report["real"]["label"] == "stand-in (simulated)"
    assert [a["name"] for a in report["arms"]] == [
        "real-only",
        "sim-only",
        "real+sim",
        "real+sim+dream",
    ]
    for arm in report["arms"]:
        assert arm["closed_loop"] is not None and arm["closed_loop"]["n"] == 3
        assert arm["offline"] is not None and set(arm["offline"]["baselines"]) == {
            "predict_mean",
            "repeat_last",
        }
    assert report["worldmodel"] is not None
    assert set(report["worldmodel"]["heldout"]) == {"real", "sim"}
    assert len(report["comparisons"]) == 6
    page = (run / "report.html").read_text()
    assert "stand-in (simulated)" in page and "http" not in page.split("<body", 1)[1]


@pytest.mark.timeout(600)
def test_a_second_run_does_no_stage_again(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {p.name: p.stat().st_mtime_ns for p in (run / "stages").glob("*.json")}
    assert main(["pipeline", "preset=tiny", f"out={run}", "task=push_t"]) == 0
    assert "running" not in capsys.readouterr().out
    assert {p.name: p.stat().st_mtime_ns for p in (run / "stages").glob("*.json")} == before

"""The main job, tiny: it runs to a report, and a second run does nothing again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trimix.cli.main import main
from trimix.evaluate.report import load_report
from trimix.evaluate.schema import Report

LITTLE = ("preset=tiny", "seeds=1", "policy.loop.steps=6", "policy.loop.warmup_steps=1")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pipeline") / "run"
    assert main(["pipeline", *LITTLE, f"out={out}", "task=push_t"]) == 0
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
    assert "stand-in (simulated)" in page and "http:" not in page.split("<body", 1)[1]


@pytest.mark.timeout(600)
def test_a_second_run_does_no_stage_again(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = load_report(run)
    assert main(["pipeline", *LITTLE, f"out={run}", "task=push_t"]) == 0
    assert "running" not in capsys.readouterr().out
    assert without_clocks(load_report(run)) == without_clocks(before)


def without_clocks(report: Report) -> dict[str, Any]:
    """What a report says, but for when and how fast it was made."""
    told = dict(report)
    for name in ("created", "wall_s", "peak_rss_gb", "command", "warnings"):
        told.pop(name)
    return told


@pytest.mark.timeout(600)
def test_shares_are_chosen_on_seeds_and_scenes_that_are_not_compared_on(
    run: Path, tmp_path: Path
) -> None:
    run = tmp_path / "chosen"
    candidates = (
        "choose.candidates={little: {real: 0.75, sim: 0.25}, much: {real: 0.25, sim: 0.75}}"
    )
    given = [
        "exploratory=true",
        "only=[real-only,real+sim]",
        "choose.arm=real+sim",
        "choose.scenes=2",
        candidates,
    ]
    assert main(["pipeline", *LITTLE, f"out={run}", "task=push_t", *given]) == 0
    report = load_report(run)
    choice, arms = report["choice"], {a["name"]: a for a in report["arms"]}
    by_name = {c["name"]: c for c in choice["candidates"]}
    assert set(by_name) == {"little", "much"}
    assert arms["real+sim"]["shares"] == by_name[choice["chosen"]]["shares"]
    best = max(c["closed_loop"]["success"] for c in choice["candidates"])
    assert by_name[choice["chosen"]]["closed_loop"]["success"] == best
    compared = arms["real+sim"]["closed_loop"]
    assert compared is not None
    for candidate in choice["candidates"]:
        assert not set(candidate["train_seeds"]) & set(arms["real+sim"]["train_seeds"])
        assert candidate["closed_loop"]["n"] == 2
    chosen_on, compared_on = (
        {
            (x["seed"], x["episode"])
            for x in json.loads((run / "suites" / f"{s}.json").read_text())["scenes"]
        }
        for s in ("choose", "confirm")
    )
    assert chosen_on and not chosen_on & compared_on
    assert choice["chosen"] in (run / "report.html").read_text()


@pytest.mark.timeout(600)
def test_policies_are_evaluated_in_dreams_as_they_are_in_mujoco(run: Path, tmp_path: Path) -> None:
    model, real = run / "worldmodels" / "dream" / "pipeline", run / "sources" / "real"
    policy = run / "policies" / "real-only-0" / "policy"
    dream = ["world=dream", f"dream.worldmodel={model}", f"dream.datasets=[{real}]"]
    cut = ["dream.seconds=0.3", "dream.abstain_below=0", "scenes=2", "run.workers=1"]
    given = [f"policies.mine={policy}", f"policies.mean=mean:{real}", f"out={tmp_path}"]
    assert main(["evaluate", *given, *dream, *cut]) == 0
    evaluations = json.loads((tmp_path / "evaluation.json").read_text())
    assert [(e["arm"], len(e["outcomes"])) for e in evaluations] == [("mine", 2), ("mean", 2)]
    suite = json.loads((tmp_path / "suite.json").read_text())
    assert suite["task"] == "recorded"  # imported episodes do not say more
    assert all(s["parent"]["split"] == "heldout" for s in suite["scenes"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["choose.arm=real+sim", "only=[real-only]"], "only runs real-only"),
        (["choose.arm=best"], "arm 'best' is not known"),
        (["choose.candidates={odd: {synthetic: 1}}"], "source 'synthetic' is not known"),
        (["arms={odd: {real: 1, synthetic: 1}}"], "source 'synthetic' is not known"),
        (["arms.odd={real: much}"], "share 'much' of real is no number"),
        (["real.aspect=fisheye"], "aspect 'fisheye' is not known"),
    ],
)
def test_what_cannot_be_chosen_is_refused_before_anything_is_made(
    given: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pipeline", "preset=tiny", f"out={tmp_path / 'run'}", *given]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run").exists()

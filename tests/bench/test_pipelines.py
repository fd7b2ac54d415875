"""What a report says becomes figures, and nothing else does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from trimix.bench import pipelines
from trimix.core.errors import TrimixError
from trimix.core.version import ROOT
from trimix.evaluate.schema import Report


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> Report:
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "evaluate"))
    from example import example_report

    made: Report = example_report()
    return made


def test_every_arm_s_scores_are_figures_with_their_intervals(report: Report) -> None:
    found = {f.figure: f for f in pipelines.figures("demo", report)}
    for arm in report["arms"]:
        closed = arm["closed_loop"]
        if closed is None:
            assert f"demo.success.{arm['name']}" not in found
            continue
        figure = found[f"demo.success.{arm['name']}"]
        assert figure.value == 100 * closed["success"] and figure.n == closed["n"]
        low, high = closed.get("ci95", closed["wilson95"])
        assert f"{low:.1%} to {high:.1%}" in figure.about
    heads = [f.about for name, f in found.items() if name.endswith(".arms")]
    assert heads and all(text.endswith(".") for text in heads)


def test_an_arm_without_scores_gives_no_figure(report: Report) -> None:
    for arm in report["arms"]:
        arm["closed_loop"] = arm["offline"] = None
    names = [f.figure for f in pipelines.figures("demo", report)]
    assert not [n for n in names if "success" in n or "heldout" in n]


def test_a_run_that_fails_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(TrimixError, match="ended with status 3: why"):
        code = "import sys; print('why', file=sys.stderr); sys.exit(3)"
        pipelines._timed([sys.executable, "-c", code], tmp_path)

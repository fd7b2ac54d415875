"""Laws of the results file and of the tables that are rendered from it."""

from __future__ import annotations

import itertools
import json
import threading
from pathlib import Path

import pytest

from trimix.bench.results import NOTHING, Line, append, latest, read, render, render_pages, table
from trimix.core.errors import ConfigError, DataError, MissingError, TrimixError
from trimix.core.version import ROOT

PAGE = "before\n\n<!-- bench: plan.* figure value baseline n -->\n<!-- /bench -->\n\nafter\n"


def test_what_is_appended_is_read_in_its_order(tmp_path: Path, line: Line) -> None:
    path = tmp_path / "new" / "bench.jsonl"
    given: list[Line] = [line, {**line, "value": -1e-9, "baseline": None}, {**line, "unit": "é"}]
    for each in given:
        append(path, each)
    assert read(path) == given


def test_lines_of_several_writers_never_mix(tmp_path: Path, line: Line) -> None:
    path = tmp_path / "bench.jsonl"

    def write(name: str) -> None:
        for _ in range(50):
            append(path, {**line, "figure": name, "about": "x" * 3000})

    writers = [threading.Thread(target=write, args=(n,)) for n in "abc"]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    assert sorted(x["figure"] for x in read(path)) == sorted("abc" * 50)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "bench.jsonl:2: is not JSON"),
        ("[]", "bench.jsonl:2: has no 'figure'"),
        ({"value": "fast"}, "bench.jsonl:2: value is 'fast'"),
        ({"value": True}, "value is True"),
        ({"n": 1.5}, "n is 1.5"),
        ({"commit": None}, "commit is None"),
    ],
)
def test_a_line_that_is_none_is_named(tmp_path: Path, line: Line, text: object, said: str) -> None:
    path = tmp_path / "bench.jsonl"
    append(path, line)
    bad = text if isinstance(text, str) else json.dumps({**line, **dict(text)})  # type: ignore[call-overload]
    path.write_text(path.read_text() + bad + "\n")
    with pytest.raises(DataError, match=said):
        read(path)


def test_a_folder_in_the_way_is_one_clear_error(tmp_path: Path, line: Line) -> None:
    with pytest.raises(TrimixError, match="a folder is in the way"):
        append(tmp_path, line)
    with pytest.raises(MissingError, match="there are no results"):
        read(tmp_path / "none.jsonl")


def test_the_last_line_of_a_figure_counts_and_numbers_sort_as_numbers(line: Line) -> None:
    names = ["plan.mb.3", "plan.mb.5000", "plan.mb.20", "import.frames_per_s"]
    old: list[Line] = [{**line, "figure": n, "value": 0.0} for n in names]
    new: list[Line] = [{**line, "figure": n, "value": 1.0} for n in names]
    for order in itertools.permutations(new):
        found = latest([*old, *order])
        assert list(found) == ["import.frames_per_s", "plan.mb.3", "plan.mb.20", "plan.mb.5000"]
        assert {each["value"] for each in found.values()} == {1.0}


def test_rendering_again_changes_nothing_and_touches_nothing_else(line: Line) -> None:
    once = render(PAGE, [line])
    assert render(once, [line]) == once != PAGE
    assert once.startswith("before\n\n<!-- bench") and once.endswith("<!-- /bench -->\n\nafter\n")
    assert "| `plan.mb.3` | 12.5 MB | 100 MB | 7 |" in once


def test_a_table_follows_its_figures(line: Line) -> None:
    """A typed number does not survive."""
    once = render(PAGE, [line])
    typed = once.replace("12.5 MB", "1.25 MB")
    assert typed != once and render(typed, [line]) == once
    assert "13.5 MB" in render(once, [line, {**line, "value": 13.5}])


def test_every_table_says_what_measured_it(line: Line) -> None:
    other: Line = {**line, "figure": "plan.b", "commit": "fedcba987654-dirty", "load": 3.0}
    text = table([line, other, {**line, "figure": "plan.c"}], ["figure"])
    assert text.count("`trimix bench plan` at 0123456789ab, 2026-11-23; 2 cores.") == 1
    assert "at fedcba987654-dirty, 2026-11-23, beside other work (load 3); 2 cores." in text


def test_cells_cannot_break_the_table(line: Line) -> None:
    rows = table([line], ["figure", "about"]).splitlines()[:3]
    assert [row.replace("\\|", "").count("|") for row in rows] == [3, 3, 3]


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("<!-- bench: plan.* -->\n", "a table is never closed"),
        ("<!-- bench: plan.* -->\n<!-- bench: plan.* -->\n<!-- /bench -->", "never closed"),
        ("<!-- bench: plan.* speed -->\n<!-- /bench -->", "'speed' is not known; available: fig"),
    ],
)
def test_a_page_that_cannot_be_rendered_says_why(line: Line, page: str, said: str) -> None:
    with pytest.raises(ConfigError, match=f"page.md: .*{said}"):
        render(page, [line], where="page.md")


def test_a_table_without_figures_says_so_and_keeps_nothing_that_was_typed(line: Line) -> None:
    typed = "<!-- bench: speed.* -->\n| speed | 9000 |\n<!-- /bench -->"
    assert render(typed, [line]) == f"<!-- bench: speed.* -->\n{NOTHING}<!-- /bench -->"


def test_pages_are_rendered_in_place(tmp_path: Path, line: Line) -> None:
    append(tmp_path / "bench.jsonl", line)
    (tmp_path / "a.md").write_text(PAGE)
    (tmp_path / "b.md").write_text("no table\n")
    assert render_pages(tmp_path, tmp_path / "bench.jsonl") == [tmp_path / "a.md"]
    assert (tmp_path / "a.md").read_text() == render(PAGE, [line])
    assert render_pages(tmp_path, tmp_path / "bench.jsonl") == []


def test_the_committed_tables_are_what_the_committed_figures_say() -> None:
    """Every table of docs/results is rendered, never typed: `make docs` renders them."""
    folder = ROOT / "docs" / "results"
    kept = folder / "bench.jsonl"
    lines = read(kept) if kept.exists() else []
    pages = sorted(folder.glob("*.md"))
    assert pages
    for page in pages:
        text = page.read_text()
        assert render(text, lines, where=page.name) == text

"""Laws of the stage cache: done once, done again when what it reads changed, never half taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from trimix.cli.stage import Stages
from trimix.core.errors import DataError


def write(text: str, made: list[str]):
    def work(place: Path) -> str:
        place.mkdir(parents=True, exist_ok=True)
        (place / "out").write_text(text)
        made.append(text)
        return text

    return work


def test_a_stage_is_done_again_only_when_it_reads_something_else(tmp_path: Path) -> None:
    made: list[str] = []
    for reads, text in (({"a": 1}, "one"), ({"a": 1}, "two"), ({"a": 2}, "three")):
        result = Stages(tmp_path, lambda line: None).run("s", reads, write(text, made))
    assert made == ["one", "three"]
    assert result == "three"


def test_a_reused_stage_keeps_its_time_and_is_named(tmp_path: Path) -> None:
    first = Stages(tmp_path, lambda line: None)
    first.run("s", 1, write("x", []))
    again = Stages(tmp_path, lambda line: None)
    again.run("s", 1, write("x", []))
    assert again.seconds == pytest.approx(first.seconds, abs=1e-6)
    assert (first.reused, again.reused) == ([], ["s"])


def test_an_interrupted_stage_goes_on_where_it_was(tmp_path: Path) -> None:
    def interrupted(place: Path) -> None:
        place.mkdir()
        (place / "half").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Stages(tmp_path, lambda line: None).run("s", 1, interrupted)
    seen: list[bool] = []
    Stages(tmp_path, lambda line: None).run("s", 1, lambda p: seen.append((p / "half").exists()))
    assert seen == [True]


def test_what_another_stage_left_is_removed(tmp_path: Path) -> None:
    Stages(tmp_path, lambda line: None).run("s", 1, write("x", []))
    seen: list[bool] = []
    Stages(tmp_path, lambda line: None).run("s", 2, lambda p: seen.append(p.exists()))
    assert seen == [False]


def test_what_no_run_made_is_refused_and_stays(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "precious").write_text("mine")
    with pytest.raises(DataError, match="no run of the pipeline"):
        Stages(tmp_path, lambda line: None).run("s", 1, write("x", []))
    assert (tmp_path / "s" / "precious").read_text() == "mine"


@pytest.mark.parametrize("damage", ["{}", "[]", "{", ""])
def test_a_damaged_record_or_a_lost_folder_means_doing_it_again(
    tmp_path: Path, damage: str
) -> None:
    made: list[str] = []
    Stages(tmp_path, lambda line: None).run("s", 1, write("one", made))
    (tmp_path / "stages" / "s.json").write_text(damage)
    Stages(tmp_path, lambda line: None).run("s", 1, write("two", made))
    (tmp_path / "s" / "out").unlink()
    (tmp_path / "s").rmdir()
    Stages(tmp_path, lambda line: None).run("s", 1, write("three", made))
    assert made == ["one", "two", "three"]

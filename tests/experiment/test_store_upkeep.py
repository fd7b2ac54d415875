"""Laws of looking after a store: what is told is so, and nothing goes that is wanted."""

from __future__ import annotations

import os
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from shared_units import Count, Promise, Sum

from trimix.cli.main import main
from trimix.core.errors import ConfigError, MissingError
from trimix.experiment import code
from trimix.experiment.store import Store
from trimix.experiment.store_explain import differences, explain, explain_record
from trimix.experiment.store_prune import Choice, listing, prunable


@pytest.fixture
def filled(store: Store) -> Store:
    entry = store.make(Count())
    store.make(Count(seed=1))
    store.make(Sum(str(entry.folder), entry.digest))
    store.make(Promise("kept"))
    return store


def labels(entries) -> list[str]:
    return sorted(entry.label for entry in entries)


def test_records_hang_on_no_code_and_are_not_pruned_unless_named(filled: Store) -> None:
    promise = Promise("kept")
    assert filled.find(replace(promise, promised="otherwise")).result == "kept"
    (record,) = [r for r in filled.records() if r.kind == "plan"]
    assert set(record.parts) == {"kind", "reads"}
    assert labels(prunable(filled, Choice())) == ["count to 3 seed 0", "count to 3 seed 1", "sum"]
    assert labels(prunable(filled, Choice(kinds=["plan"]))) == ["promise"]


def test_what_a_run_links_to_stays(filled: Store, tmp_path: Path) -> None:
    run = tmp_path / "runs" / "mine"
    filled.link(filled.make(Count(seed=1)), run / "data" / "one")
    filled.link(filled.make(Count()), run / "deep" / "file", "1.txt")
    assert labels(prunable(filled, Choice(runs=[str(tmp_path / "runs")]))) == ["sum"]
    with pytest.raises(MissingError, match="not a folder of runs"):
        Choice(runs=[str(tmp_path / "nothing")])


def test_what_was_used_of_late_stays(filled: Store) -> None:
    for entry in filled.entries():
        old = time.time() - 10 * 86_400
        os.utime(entry.folder.parent / "entry.json", (old, old))
    filled.find(Count())
    assert labels(prunable(filled, Choice(days=9))) == ["count to 3 seed 1", "sum"]
    assert prunable(filled, Choice(days=11)) == []
    with pytest.raises(ConfigError, match="available: count, plan, sum"):
        prunable(filled, Choice(kinds=["counts"]))


def test_every_entry_is_listed(filled: Store) -> None:
    *lines, last = listing(filled)
    assert len(lines) == 4
    assert all(re.search(r"made \d{4}-\d\d-\d\dT\d\d:\d\d  used \d{4}", line) for line in lines)
    assert "4 entries" in last


def test_explaining_names_what_is_different_and_nothing_else(filled: Store) -> None:
    assert "is there" in explain(filled, Count())[0]
    first, *rest = explain(filled, Count(seed=1, scale=3.0))
    assert "is not there; beside" in first
    assert rest == ["  reads scale: 1.0 -> 3.0"]
    assert explain(Store(filled.root.parent / "empty"), Count()) == [
        "count to 3 seed 0: there is no count"
    ]


def test_explaining_an_entry_says_what_became_of_its_code(filled: Store, monkeypatch) -> None:
    (record,) = [r for r in filled.records() if r.label == "count to 3 seed 1"]
    told = explain_record(filled, record)
    assert "its code and libraries are what they were" in told
    assert told[-1] == "  reads seed: 0 -> 1"
    old = replace(
        record,
        parts={
            **record.parts,
            "code": {**record.parts["code"], "trimix.core.seeds": "0"},
            "libraries": {**record.parts["libraries"], "numpy": "1.0"},
        },
    )
    now = code.metadata.version("numpy")
    told = explain_record(filled, old)
    assert told[1:4] == [
        "since then:",
        "  code trimix.core.seeds changed",
        f"  libraries numpy: 1.0 -> {now}",
    ]


def test_differences_see_types_lengths_and_absence() -> None:
    assert differences({"reads": {"a": [1, 2]}}, {"reads": {"a": [1.0], "b": None}}) == [
        "  reads a[0]: 1 -> 1.0",
        "  reads a[1]: 2 -> nothing",
    ]
    assert differences({"x": 1}, {"x": 1}) == []


def test_the_verb_lists_explains_and_prunes(filled: Store, tmp_path: Path, capsys) -> None:
    store, runs = f"store={filled.root}", "runs=[]"
    assert main(["store", store]) == 0
    assert "4 entries" in capsys.readouterr().out
    key = filled.key(Count(seed=1))
    assert main(["store", store, f"why='{key}'"]) == 0
    assert "count to 3 seed 1" in capsys.readouterr().out
    assert main(["store", store, "why=xyz"]) == 2
    assert "no entry's key begins with 'xyz'" in capsys.readouterr().err
    assert main(["store", "prune", store, runs]) == 0
    assert "nothing was deleted" in capsys.readouterr().out
    assert len(filled.entries()) == 4
    root = filled.root
    del filled
    assert main(["store", "prune", store, runs, "yes=true"]) == 0
    assert re.search(r"entries deleted, \d in use", capsys.readouterr().out)
    assert [e.kind for e in Store(root).entries() if e.kind == "plan"] == ["plan"]


@pytest.mark.parametrize(
    ("mark", "said"),
    [('{"format": 2}', "format 2"), ("{", "not valid JSON"), (None, "not a store")],
)
def test_a_store_that_is_none_is_one_line_and_exit_2(
    tmp_path: Path, capsys, mark: str | None, said: str
) -> None:
    (tmp_path / "file").write_text("mine")
    if mark is not None:
        (tmp_path / "store.json").write_text(mark)
    assert main(["store", f"store={tmp_path}"]) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert told.err.count("\n") == 1
    assert told.out == ""

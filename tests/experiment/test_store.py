"""Laws of the store: made once, served as made, and only to those who ask for the same."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared_units import Count, Fill, Refuse, Sum

from trimix.core.errors import ConfigError, DataError, TrimixError
from trimix.data import files
from trimix.experiment.store import Entry, Store


def lines(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def texts(entry: Entry) -> dict[str, str]:
    return {p.name: p.read_text() for p in sorted(entry.folder.iterdir())}


def test_what_was_made_is_served_and_not_made_again(store: Store, tmp_path: Path) -> None:
    unit, log = Count(log=str(tmp_path / "log")), tmp_path / "log"
    assert store.find(unit) is None
    made = store.make(unit)
    assert (made.reused, made.result, made.kind) == (False, {"files": 3, "last": 2.0}, "count")
    assert texts(made) == {f"{i}.txt": f"{float(i)} 0 \n" for i in range(3)}
    again = Store(store.root).make(unit)
    assert again == replace(made, reused=True)
    assert len(lines(log)) == 2
    assert [e.key for e in store.entries()] == [made.key] == [store.key(unit)]


def test_results_chain_by_content(store: Store) -> None:
    """Equal inputs give one entry, whoever made them; an input made otherwise gives another."""
    one, same, other = store.make(Count()), store.make(Count()), store.make(Count(scale=2.0))
    sums = [Sum(str(e.folder), e.digest) for e in (one, same, other)]
    assert store.key(sums[0]) == store.key(sums[1]) != store.key(sums[2])
    assert [store.make(s).result for s in sums] == [3.0, 3.0, 6.0]


settings = st.fixed_dictionaries(
    {
        "n": st.integers(0, 99),
        "seed": st.integers(-(2**63), 2**63),
        "scale": st.floats(allow_nan=False, allow_infinity=False),
        "name": st.text(),
        "tags": st.lists(st.text(), max_size=3).map(tuple),
    }
)


@given(settings, settings)
def test_equal_settings_have_equal_keys_and_no_others(one, two) -> None:
    # -0.0 and 0.0 are equal to Python, and not to a simulator.
    same = json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True)
    store = Store("unused")
    assert (store.key(Count(**one)) == store.key(Count(**two))) == same
    for name, value in two.items():
        if json.dumps(value) != json.dumps(one[name]):
            assert store.key(Count(**{**one, name: value})) != store.key(Count(**one))


def test_the_class_and_its_roots_are_part_of_the_key(store: Store) -> None:
    keys = {store.key(u) for u in (Count(), Refuse(), Fill(), Count(roots=()))}
    assert len(keys) == 4


def test_what_decides_nothing_is_not_in_the_key(store: Store) -> None:
    assert store.key(Count(pause_s=3.0, log="x")) == store.key(Count())


def test_what_json_cannot_hold_is_refused(store: Store) -> None:
    with pytest.raises(ConfigError, match="plain JSON"):
        store.key(Count(name=float("nan")))  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="plain JSON"):
        store.key(Count(name=Path("x")))  # type: ignore[arg-type]


def test_the_root_is_named_by_the_environment(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRIMIX_STORE", raising=False)
    assert Store().root == tmp_path / "runs" / "store"
    monkeypatch.setenv("TRIMIX_STORE", str(tmp_path / "mine"))
    assert Store().root == tmp_path / "mine"
    assert not any(tmp_path.iterdir()), "nothing is written before there is something to keep"


def empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def edit(folder: Path) -> None:
    """Same size, same modification time: a cheat that only the change time or a digest shows."""
    path = folder / "1.txt"
    before = path.stat()
    path.write_text("9" + path.read_text()[1:])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


DAMAGES = {
    "emptied": empty,
    "edited": edit,
    "cut short": lambda folder: (folder / "2.txt").write_text(""),
    "one file lost": lambda folder: (folder / "0.txt").unlink(),
    "one file more": lambda folder: (folder / "3.txt").write_text("3"),
    "one file a link": lambda folder: relink(folder / "1.txt"),
    "no record": lambda folder: (folder.parent / "entry.json").write_text("{}"),
    "another result": lambda folder: change(
        folder.parent / "entry.json", '"last": 2.0', '"last": 9.0'
    ),
    "another label": lambda folder: change(
        folder.parent / "entry.json", "count to 3", "count to 4"
    ),
    "half a record": lambda folder: cut(folder.parent / "entry.json"),
}


def relink(path: Path) -> None:
    path.unlink()
    path.symlink_to("0.txt")


def change(path: Path, old: str, new: str) -> None:
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def cut(path: Path) -> None:
    path.write_text(path.read_text()[:100])


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("fresh", [True, False], ids=["first opened", "opened before"])
def test_what_is_not_what_was_made_is_made_again(store: Store, damage, fresh: bool) -> None:
    entry = store.make(Count())
    before = texts(entry)
    if not fresh:
        assert store.find(Count()) is not None
    damage(entry.folder)
    reader = Store(store.root) if fresh else store
    assert reader.find(Count()) is None
    assert entry.folder.parent.is_dir(), "moved without a lease"
    again = reader.make(Count())
    assert not again.reused
    assert texts(again) == before
    assert len(list((store.root / "damaged").iterdir())) == 1
    assert reader.make(Count()).reused


def test_files_that_did_not_change_are_not_read_again(store: Store, monkeypatch) -> None:
    monkeypatch.setattr("trimix.data.digests._SETTLED_NS", -1)  # as if these files were old
    read: list[str] = []
    digest = files.digest
    monkeypatch.setattr(files, "digest", lambda p, *_: read.append(p.name) or digest(p))
    entry = store.make(Count())
    read.clear()
    assert store.find(Count())
    assert sorted(read) == ["0.txt", "1.txt", "2.txt"]
    assert Store(store.root).find(Count())
    assert len(read) == 3
    (entry.folder / "1.txt").touch()
    assert store.find(Count())
    assert read[3:] == ["1.txt"]


def test_an_interrupted_try_is_gone_on_with(store: Store, tmp_path: Path) -> None:
    class Stop(BaseException):
        pass

    def stop_at_two() -> None:
        ticks.append(None)
        if len(ticks) == 2:
            raise Stop

    ticks: list[None] = []
    with pytest.raises(Stop):
        store.make(Count(n=4), stop_at_two)
    (partial,) = store.partials()
    assert sorted(p.name for p in (partial / "files").iterdir()) == ["0.txt", "1.txt"]
    first = (partial / "files" / "0.txt").stat().st_mtime_ns
    assert store.entries() == []
    entry = store.make(Count(n=4))
    assert (entry.folder / "0.txt").stat().st_mtime_ns == first
    assert texts(entry) == texts(Store(tmp_path / "other").make(Count(n=4)))
    assert store.partials() == []


def test_a_store_of_another_version_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "store"
    Store(root).make(Count())
    (root / "store.json").write_text('{"format": 2}')
    with pytest.raises(DataError, match=r"format 2, this version of trimix keeps format 1"):
        Store(root)


def test_a_folder_of_other_things_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(DataError, match="not a store"):
        Store(tmp_path)


def test_a_file_in_the_place_of_the_store_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TrimixError, match="in the way"):
        Store(tmp_path / "file" / "store").make(Count())


def test_links_are_relative_and_replaced(store: Store, tmp_path: Path) -> None:
    one, two = store.make(Count()), store.make(Count(seed=1))
    at = tmp_path / "runs" / "mine" / "data"
    for entry in (one, two):
        store.link(entry, at)
        assert not at.readlink().is_absolute()
        assert at.resolve() == entry.folder
    assert [p.name for p in at.parent.iterdir()] == ["data"]
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (tmp_path / "runs").rename(moved / "runs")
    (tmp_path / "store").rename(moved / "store")
    assert (moved / "runs" / "mine" / "data" / "0.txt").is_file()


@pytest.mark.parametrize("what", ["file", "folder", "link"])
def test_a_link_never_takes_the_place_of_what_is_not_ours(
    store: Store, tmp_path: Path, what: str
) -> None:
    entry, at = store.make(Count()), tmp_path / "at"
    {
        "file": lambda: at.write_text("mine"),
        "folder": at.mkdir,
        "link": lambda: at.symlink_to(tmp_path / "mine"),
    }[what]()
    with pytest.raises(DataError, match="move it away"):
        store.link(entry, at)
    assert at.is_symlink() == (what == "link")
    assert (what != "file") or at.read_text() == "mine"


def test_removal_takes_what_is_named_and_nothing_else(store: Store) -> None:
    one, two = store.make(Count()), store.make(Count(seed=1))
    assert store.remove([one]) == [one]
    assert store.find(Count()) is None
    assert store.find(Count(seed=1)) is not None
    assert store.remove([one]) == [one], "what is gone already is no mistake"
    assert not any((store.root / "trash").iterdir())
    assert texts(store.make(Count())) == texts(two) | {
        f"{i}.txt": f"{float(i)} 0 \n" for i in range(3)
    }


def test_a_fault_leaves_no_entry_and_is_told_as_it_is(store: Store) -> None:
    with pytest.raises(ConfigError, match="is refused"):
        store.make(Refuse())
    assert store.find(Refuse()) is None
    assert store.make(Count()), "the lease was given back"

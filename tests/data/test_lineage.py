"""Fingerprints in data sets: imports, copies and dreams are known for what they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trimix.core.contracts import Parent
from trimix.core.episode import Episode, Provenance
from trimix.core.errors import DataError
from trimix.data import lineage
from trimix.data.checking.check import check
from trimix.data.dataset import Dataset
from trimix.data.fingerprint import FingerprintSet, named
from trimix.data.importing.importer import ImportConfig, import_dataset
from trimix.data.lerobot import layout
from trimix.data.writing.writer import DatasetWriter


def bring(source: Path, out: Path, **options: Any) -> Dataset:
    return import_dataset(ImportConfig(path=str(source), out=str(out), **options))


def same(one: Dataset, two: Dataset) -> dict[int, list[int]]:
    """Source episode of one -> the source episodes of two that are known to be the same."""
    return {
        a.source_index: [
            b.source_index
            for b in two.episodes
            if two.fingerprints[b.index] in FingerprintSet([one.fingerprints[a.index]])
        ]
        for a in one.episodes
    }


def without_lineage(root: Path) -> None:
    """As a data set that was written before fingerprints were kept."""
    path = root / layout.EPISODES.format(chunk_index=0, file_index=0)
    table = pq.read_table(path)
    left = [n for n in table.column_names if n not in ("trimix/fingerprint", "trimix/models")]
    pq.write_table(table.select(left), path)
    (root / layout.MANIFEST).unlink()


def test_every_import_of_an_episode_is_known_as_one(foreign: Any, tmp_path: Path) -> None:
    foreign.lengths = {0: 60, 3: 61, 4: 75}
    foreign.extra = {"observation.effort": 3}
    foreign.write()
    one = bring(foreign.root, tmp_path / "one", seed=1, image_hw=(8, 8))
    others = {
        "another seed": bring(foreign.root, tmp_path / "a", seed=2),
        "another rate": bring(foreign.root, tmp_path / "b", fps=7.0),
        "another state": bring(foreign.root, tmp_path / "c", state_keys=("observation.effort",)),
        "no camera": bring(foreign.root, tmp_path / "d", cameras={}),
    }
    others["an import of an import"] = bring(others["another rate"].root, tmp_path / "e", fps=5.0)
    others["taken for a robot's"] = bring(tmp_path / "e", tmp_path / "f", stand_in=True)
    for what, other in others.items():
        numbers = {e.index: e.source_index for e in one.episodes}
        expected = {k: [k] for k in numbers.values()}
        if "import" in what or "robot" in what:  # numbered anew
            expected = {k: [i] for i, k in numbers.items()}
        assert same(one, other) == expected, what


def test_episodes_that_say_nothing_are_known_by_their_place(foreign: Any, tmp_path: Path) -> None:
    """Constant rows: two imports of one source agree, two episodes of it do not."""
    foreign.lengths = {0: 6, 1: 6}
    rows = foreign.rows
    foreign.rows = lambda i: {k: v * 0 if v.ndim > 1 else v for k, v in rows(i).items()}
    foreign.write()
    one, two = (bring(foreign.root, tmp_path / f"{s}", seed=s, heldout=0.5) for s in (1, 2))
    assert same(one, two) == {0: [0], 1: [1]}


def test_what_was_not_kept_is_computed_from_the_rows(ours: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(ours, tmp_path / "old")
    without_lineage(tmp_path / "old")
    old, new = Dataset.open(tmp_path / "old"), Dataset.open(ours)
    assert all(not e.provenance.fingerprint for e in old.episodes)
    assert old.fingerprints == new.fingerprints
    assert same(new, old) == {i: [i] for i in range(6)}


def test_an_import_that_lost_its_lineage_is_known_by_what_was_written(
    foreign: Any, tmp_path: Path
) -> None:
    """At another rate none of its rows is one of the source's."""
    foreign.lengths = {0: 60, 1: 70}
    foreign.write()
    kept = bring(foreign.root, tmp_path / "kept", fps=7.0)
    lost = bring(foreign.root, tmp_path / "lost", fps=7.0)
    without_lineage(lost.root)
    assert same(kept, Dataset.open(lost.root)) == {0: [0], 1: [1]}


def test_every_vector_of_a_recording_is_evidence(foreign: Any) -> None:
    foreign.lengths, foreign.extra = {0: 60, 1: 60}, {"observation.effort": 3, "phase": 1}
    rows = [foreign.rows(i) for i in (0, 1)]
    effort = lineage.of_rows({"renamed": rows[0]["observation.effort"]})
    assert effort in FingerprintSet([lineage.of_rows(rows[0])])
    assert effort not in FingerprintSet([lineage.of_rows(rows[1])])
    assert lineage.of_rows({"phase": rows[0]["phase"]}) == (), "a lone number may be a counter"


def write_dreams(root: Path, make_episode: Callable[..., Episode], models: Any) -> Dataset:
    line = {"fingerprint": named("root"), "models": ("two", "one")}
    parent = Parent("somewhere", 0, 0)
    with DatasetWriter(root, make_episode(0).interface, models=models) as writer:
        for i in range(2):
            made = Provenance(origin="dream", parent=parent, episode=i, **line)
            writer.add(i, replace(make_episode(i), provenance=made, sim_state=None))
        writer.finalize()
    return Dataset.open(root)


def test_dreams_carry_their_root_and_what_their_models_learned_from(
    make_episode: Callable[..., Episode], tmp_path: Path
) -> None:
    models = {"one": (named("a"), named("b")), "two": (named("c"),), "third": (named("d"),)}
    dreams = write_dreams(tmp_path / "dreams", make_episode, models)
    assert dreams.fingerprints == (named("root"),) * 2
    assert dreams.episodes[1].provenance.models == ("two", "one")
    assert dreams.models == {"one": models["one"], "two": models["two"]}
    again = bring(dreams.root, tmp_path / "again", fps=5.0)
    assert again.fingerprints == dreams.fingerprints and again.models == dreams.models
    unknown = write_dreams(tmp_path / "unknown", make_episode, {"one": models["one"]})
    assert set(unknown.models) == {"one"}


def test_a_dream_that_nobody_can_trace_stays_unknown(
    make_episode: Callable[..., Episode], tmp_path: Path
) -> None:
    dreams = write_dreams(tmp_path / "dreams", make_episode, {})
    without_lineage(dreams.root)
    assert Dataset.open(dreams.root).fingerprints == ((), ())


def test_broken_lineage_is_an_error(
    make_episode: Callable[..., Episode], tmp_path: Path, ours: Path
) -> None:
    dreams = write_dreams(tmp_path / "dreams", make_episode, {"one": (named("a"),)})
    (dreams.root / layout.MANIFEST).unlink()
    for broken in ([], {"models": {"one": ["zz"]}}, {"models": 3}):
        (dreams.root / layout.LINEAGE).write_text(json.dumps(broken))
        with pytest.raises(DataError, match=r"lineage\.json: not the lineage"):
            _ = Dataset.open(dreams.root).models
    assert np.all([len(f) > 0 for f in Dataset.open(ours).fingerprints])


def change_columns(root: Path, change: Callable[[Any], Any]) -> None:
    path = root / layout.EPISODES.format(chunk_index=0, file_index=0)
    pq.write_table(change(pq.read_table(path)), path)
    (root / layout.MANIFEST).unlink()


def written(name: str, value: str | None) -> Callable[[Any], Any]:
    def change(table: Any) -> Any:
        place = table.column_names.index(name)
        return table.set_column(place, name, pa.array([value] * len(table), pa.string()))

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.drop_columns(["trimix/origin"]),
        lambda table: table.drop_columns(["trimix/split"]),
        written("trimix/origin", "Dream"),
        written("trimix/origin", None),
        written("trimix/split", None),
        written("trimix/split", ""),
        written("trimix/draw", "{"),
    ],
)
def test_a_dream_whose_columns_were_edited_is_nobodys_recording(
    make_episode: Callable[..., Episode], tmp_path: Path, change: Callable[[Any], Any]
) -> None:
    dreams = write_dreams(tmp_path / "dreams", make_episode, {"one": (named("a"),)})
    change_columns(dreams.root, change)
    with pytest.raises(DataError, match="the trimix/ columns of meta/episodes are broken"):
        Dataset.open(dreams.root)
    with pytest.raises(DataError, match="the trimix/ columns of meta/episodes are broken"):
        bring(dreams.root, tmp_path / "again")
    (problem,) = {p.group: p for p in check(dreams.root)}.values()
    assert problem.severity == "blocks"


def test_dreams_play_no_robots_part(make_episode: Callable[..., Episode], tmp_path: Path) -> None:
    """They would become recordings, and what their models learned from would be forgotten."""
    dreams = write_dreams(tmp_path / "dreams", make_episode, {"one": (named("a"),)})
    with pytest.raises(DataError, match="dreams cannot stand in"):
        bring(dreams.root, tmp_path / "real", stand_in=True)
    assert not (tmp_path / "real").exists()

"""The same laws on data sets that the writer wrote."""

from dataclasses import replace

import numpy as np
import pytest
from mix_fakes import INTERFACE

from trimix.core.contracts import Parent
from trimix.core.episode import Episode, Provenance
from trimix.core.errors import DataError, MissingError
from trimix.core.seeds import stream
from trimix.data.dataset import Dataset
from trimix.data.writing.writer import DatasetWriter
from trimix.mix.compile import compile_recipe
from trimix.mix.ledger import Ledger
from trimix.mix.loader import MixLoader
from trimix.mix.lock import Lock
from trimix.mix.prefetch import Prefetcher
from trimix.mix.recipe import Filter, Recipe, Source
from trimix.mix.source import DiskStore

SEEN = replace(INTERFACE, cameras={"wrist": (32, 48)})


def episode(tag: int, rows: int, provenance: Provenance) -> Episode:
    """Rows whose state tells the data set, the row and the episode."""
    rng = stream(tag, provenance.episode, "mix test")
    value = 100.0 * tag + 10.0 * provenance.episode + np.arange(rows, dtype=np.float32)[:, None]
    return Episode(
        interface=SEEN,
        instruction=f"task {tag}",
        images={"wrist": rng.integers(0, 255, (rows, 32, 48, 3), np.uint8)},
        state=value.astype(np.float32),
        action=(-value).astype(np.float32),
        provenance=provenance,
        trust=np.linspace(1, 0.5, rows, dtype=np.float32),
    )


def write(root, tag, provenances, rows=9, models=None):
    with DatasetWriter(root, SEEN, robot_type="test", models=models) as writer:
        for i, provenance in enumerate(provenances):
            writer.add(i, episode(tag, rows + i, replace(provenance, episode=i)))
        writer.finalize()
    return Dataset.open(root)


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """Three data sets, and a recipe over them."""
    root = tmp_path_factory.mktemp("mix")
    splits = ["train", "heldout", "train"]
    real = write(root / "real", 1, [Provenance("real", split=s) for s in splits])
    write(root / "sim", 2, [Provenance("sim", success=s) for s in (True, False, True)])
    dreams = [
        Provenance(
            "dream",
            parent=Parent(real.content_hash, i, 0, "train"),
            fingerprint=real.fingerprints[i],
            models=("model",),
        )
        for i in (0, 1)
    ]
    models = {"model": real.fingerprints[:1]}
    write(root / "dream", 3, dreams, rows=20, models=models)
    recipe = Recipe(
        sources={
            "real": Source(str(root / "real")),
            "sim": Source(str(root / "sim"), Filter(success=True)),
            "dream": Source(str(root / "dream"), Filter(min_trust=0.7)),
            "none": Source(str(root / "nowhere")),
        },
        shares={"real": 0.5, "sim": 0.3, "dream": 0.2, "none": 0.0},
        batch_size=20,
        steps=30,
        image_hw=(16, 24),
    )
    return root, recipe, DiskStore(root / "cache")


def test_filters_and_lineage_hold_on_disk(here):
    _, recipe, store = here
    lock = compile_recipe(recipe, store)
    chosen = {s.name: s for s in lock.sources}
    assert tuple(chosen["real"].episodes) == (0, 2)
    assert tuple(chosen["sim"].episodes) == (0, 2)
    assert tuple(chosen["dream"].episodes) == (0,)
    assert 0 < chosen["dream"].windows < 20
    assert lock.unused == ("none",)
    assert lock.interface.cameras == {"wrist": (16, 24)}


def test_loaded_windows_are_the_stored_rows_and_the_ledger_agrees(here):
    root, recipe, store = here
    lock = compile_recipe(recipe, store)
    loader, ledger = MixLoader(lock, store), Ledger(lock)
    tags = {str(root / name): i for i, name in enumerate(("real", "sim", "dream"), 1)}
    for k in range(lock.steps):
        batch = loader.load(k)
        ledger.record(batch)
        tag = np.array([tags[lock.sources[i].path] for i in batch.source])
        expected = 100 * tag + 10 * batch.episode + batch.frame
        assert (batch.state[:, -1, 0] == expected).all()
        assert (batch.action[:, 0, 0] == -expected).all()
        assert batch.instruction == [f"task {t}" for t in tag]
        assert (batch.trust[tag == 3] >= 0.7).all()
        assert batch.images["wrist"].shape == (20, 2, 16, 24, 3)
    assert ledger.differences() == ()
    assert ledger.to_json()["origins"] == {"dream": 120, "real": 300, "sim": 180}


def test_workers_read_the_same_bytes_from_disk(here):
    _, recipe, store = here
    lock = compile_recipe(recipe, store)
    loader = MixLoader(lock, store)
    with Prefetcher(MixLoader(lock, store), 2) as ahead:
        for k in range(20, lock.steps):
            batch, again = ahead.load(k), loader.load(k)
            assert np.array_equal(batch.images["wrist"], again.images["wrist"])
            assert np.array_equal(batch.state, again.state)
            assert np.array_equal(batch.augment_seed, again.augment_seed)


def test_a_lock_follows_the_content_not_the_place(here, tmp_path):
    root, recipe, store = here
    lock = compile_recipe(recipe, store)
    (root / "sim").rename(tmp_path / "sim")
    try:
        with pytest.raises(MissingError):
            MixLoader(lock, store)
        moved = MixLoader(lock, store, {"sim": str(tmp_path / "sim")})
        assert moved.lock.hash == lock.hash
        moved.load(0)
    finally:
        (tmp_path / "sim").rename(root / "sim")


def test_changed_data_is_refused(here, tmp_path):
    root, recipe, store = here
    write(tmp_path / "sim", 2, [Provenance("sim", success=True)] * 3, rows=12)
    lock = Lock.from_json(compile_recipe(recipe, store).to_json())
    with pytest.raises(DataError, match="source 'sim' changed"):
        MixLoader(lock, store, {"sim": str(tmp_path / "sim")})
    MixLoader(lock, store, {"sim": str(root / "sim")})

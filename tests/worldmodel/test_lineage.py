"""Dreams of dreams carry every world model on their line, and what each of them learned from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from trimix.core.contracts import Parent, PolicyInterface, Start
from trimix.core.episode import Provenance
from trimix.data.dataset import Dataset
from trimix.data.fingerprint import named
from trimix.data.writing.writer import DatasetWriter
from trimix.worldmodel.clips import EpisodeSplit
from trimix.worldmodel.lineage import trained_on
from trimix.worldmodel.pipeline import WorldModelPipeline
from trimix.worldmodel.world import DreamWorld

ROOT, LEARNED = named("root"), (named("a"), named("b"))


@pytest.fixture(params=[True, False], ids=["known", "unknown"])
def dreams(
    request: pytest.FixtureRequest, labelled: Dataset, interface: PolicyInterface, tmp_path: Path
) -> Dataset:
    """Two dreams of an older world model; what it learned from may be lost."""
    models = {"older": LEARNED} if request.param else {}
    parent = Parent(labelled.content_hash, 0, 0)
    made = Provenance(origin="dream", parent=parent, fingerprint=ROOT, models=("older",))
    with DatasetWriter(tmp_path / "dreams", interface, models=models) as writer:
        for i in range(2):
            writer.add(i, replace(labelled.read_episode(i), provenance=made, sim_state=None))
        return writer.finalize()


def test_a_dream_of_a_dream_names_both_models(
    dreams: Dataset, pipeline: WorldModelPipeline, cache_dir: Path
) -> None:
    world = DreamWorld(pipeline, [dreams], 1, cache_dir=cache_dir)
    world.reset(options={"starts": [Start(0, 0, parent=Parent(dreams.content_hash, 1, 0))]})
    said: Any = world.provenance(0)
    assert said["models"] == (world.model_hash, "older") and said["fingerprint"] == ROOT
    assert world.models.get("older") == dreams.models.get("older")


def test_a_model_that_learns_from_dreams_learns_from_what_they_depend_on(
    dreams: Dataset,
) -> None:
    split = EpisodeSplit(dynamics=[0], trust=[1])
    for part in trained_on(dreams, split):
        assert part["fingerprints"] == [list(ROOT)]
        through = [list(f) for f in sorted(LEARNED)] if dreams.models else None
        assert part["models"] == through, "and where that is lost, nobody knows"

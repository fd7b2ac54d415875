"""What a world model learned from, and that it is not judged by that."""

from __future__ import annotations

from collections.abc import Sequence

from trimix.core.errors import DataError
from trimix.data.dataset import Dataset
from trimix.data.fingerprint import FingerprintSet
from trimix.worldmodel.clips import EpisodeSplit
from trimix.worldmodel.pipeline import TrainedOn, WorldModelPipeline


def trained_on(dataset: Dataset, split: EpisodeSplit) -> list[TrainedOn]:
    """The entries of a model's card for one data set: every part that anything is learned from."""
    return [
        _part(dataset, name, episodes)
        for name, episodes in (("dynamics", split.dynamics), ("trust", split.trust))
    ]


def _part(dataset: Dataset, name: str, episodes: Sequence[int]) -> TrainedOn:
    dreamed_by = {m for i in episodes for m in dataset.episodes[i].provenance.models}
    known = dreamed_by <= set(dataset.models)
    through = {f for m in dreamed_by for f in dataset.models[m]} if known else set()
    return TrainedOn(
        dataset=dataset.content_hash,
        part=name,
        episodes=list(episodes),
        fingerprints=[list(dataset.fingerprints[i]) for i in episodes],
        models=[list(f) for f in sorted(through)] if known else None,
    )


def require_unseen(pipeline: WorldModelPipeline, dataset: Dataset, episodes: Sequence[int]) -> None:
    """Raise DataError if the model learned from one of these episodes, or if nobody knows."""
    learned = pipeline.learned_from()
    if learned is None:
        raise DataError(
            "nobody knows which episodes the world model learned from",
            where=str(dataset.root),
            do="train it again: its card was written before they were kept",
        )
    seen = FingerprintSet(learned)
    leaked = [i for i in episodes if dataset.fingerprints[i] in seen]
    if leaked:
        raise DataError(
            f"the world model learned from {len(leaked)} of the {len(episodes)} episodes that it "
            f"is to be judged by (the first: episode {leaked[0]})",
            where=str(dataset.root),
            do="train it on an import with the same held-out episodes",
        )

"""Which episodes may never be drawn: the held-out ones, and the dreams that descend from one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trimix.core.episode import Provenance
from trimix.mix.recipe import HELDOUT
from trimix.mix.source import SourceData

HeldOut = Mapping[str, frozenset[int]]
"""content hash -> indices of its held-out episodes, of the data sets that are at hand."""


def held_out_in(sources: Sequence[SourceData]) -> HeldOut:
    """The held-out episodes of the data sets that dreams in this recipe may have begun in.

    A dream can begin in a dream, so lineage is followed until nothing new is found.
    """
    held: dict[str, frozenset[int]] = {}
    while True:
        found = {
            s.content_hash: frozenset(
                e.index for e in s.episodes if is_held_out(e.provenance, held)
            )
            for s in sources
        }
        if found == held:
            return held
        held = found


def is_held_out(provenance: Provenance, held: HeldOut) -> bool:
    """Whether the episode is held out, itself or through the frame that it was dreamed from.

    A dream states the split of its start frame and, as its own split, that of its world model's
    training data. When the parent data set is at hand, its word on the frame counts too.
    """
    if provenance.split == HELDOUT:
        return True
    parent = provenance.parent
    if parent is None:
        return False
    return parent.split == HELDOUT or parent.episode in held.get(parent.dataset, ())

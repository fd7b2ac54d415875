"""Which episodes may never be drawn: the held-out ones, whatever copy or dream of them is met.

An episode is known by its fingerprint (data/fingerprint.py), so that what is held out in one
import is held out in every other import, copy and dream of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from trimix.core.episode import HELDOUT, Fingerprint
from trimix.data.fingerprint import FingerprintSet
from trimix.data.lineage import Traced, recordings
from trimix.mix.lock import Lock
from trimix.mix.source import Store

HELD_OUT, UNKNOWN = "held out", "unknown lineage"
"""Why an episode is refused."""


def learned_from(lock: Lock, store: Store) -> tuple[Fingerprint, ...]:
    """Every recording that a policy trained on this mix depends on, also through dreams.

    Raises:
        TrimixError: a source cannot be opened.
    """
    found: set[Fingerprint] = set()
    for source in lock.sources:
        data = store.open(source.path)
        models = {m for i in source.episodes for m in data.episodes[i].provenance.models}
        found.update(data.fingerprints[i] for i in source.episodes)
        found.update(f for name in models for f in data.models[name])
    return tuple(sorted(found))


class HeldOut:
    """What is held out in any of some data sets, and what is known of where dreams come from.

    Args:
        at_hand: the data sets.
    """

    def __init__(self, at_hand: Sequence[Traced]) -> None:
        self._at_hand = list(at_hand)

    def refusals(self, data: Traced) -> list[str | None]:
        """Why each episode of a data set may not be trained on; None for one that may be.

        A recorded episode may not if it is held out here or in another data set at hand. A dream
        may not if it says so, or the recording that it goes back to is held out, or a world model
        on its line learned from one that is; nor if the recording is in no data set at hand or
        nobody knows what the world models learned from.
        """
        leaky = {name: self._model_refusal(learned) for name, learned in data.models.items()}
        return [self._refusal(data, i, leaky) for i in range(len(data.episodes))]

    def _refusal(self, data: Traced, i: int, models: Mapping[str, str | None]) -> str | None:
        known = data.episodes[i].provenance
        parent = known.parent
        if known.split == HELDOUT or (parent is not None and parent.split == HELDOUT):
            return HELD_OUT
        if known.origin != "dream":
            return HELD_OUT if self._held and data.fingerprints[i] in self._held else None
        root = data.fingerprints[i]
        reasons = {models.get(name, UNKNOWN) for name in known.models or ("",)}
        reasons.add(HELD_OUT if root in self._held else None)
        reasons.add(None if root in self._recorded else UNKNOWN)
        return next((reason for reason in (HELD_OUT, UNKNOWN) if reason in reasons), None)

    def _model_refusal(self, learned: Sequence[Fingerprint]) -> str | None:
        if any(f in self._held for f in learned):
            return HELD_OUT
        return None if learned and all(learned) else UNKNOWN

    @cached_property
    def _held(self) -> FingerprintSet:
        return FingerprintSet(f for data in self._at_hand for f in recordings(data, HELDOUT))

    @cached_property
    def _recorded(self) -> FingerprintSet:
        return FingerprintSet(f for data in self._at_hand for f in recordings(data))

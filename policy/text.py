"""Instructions as numbers, without a language model or a download.

A text becomes a bag of hashed character trigrams and words (the "hashing trick" of Weinberger et
al., ICML 2009), which a policy's own linear layer embeds. Small edits move the bag a little.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from trimix.core.contracts import F32

BUCKETS = 256


@lru_cache(maxsize=4096)
def _bag(text: str) -> tuple[float, ...]:
    words = text.casefold().split()
    padded = f" {' '.join(words)} "
    pieces = [padded[i : i + 3] for i in range(len(padded) - 2)] + [f"<{w}>" for w in words]
    bag = np.zeros(BUCKETS, np.float32)
    for piece in pieces:
        bag[zlib.crc32(piece.encode()) % BUCKETS] += 1.0
    norm = float(np.linalg.norm(bag))
    return tuple((bag / norm if norm else bag).tolist())


def embed(texts: Sequence[str]) -> F32:
    """(B, BUCKETS) float32 of unit norm; zeros for an empty text. Case and spacing don't matter."""
    return np.array([_bag(text) for text in texts], np.float32).reshape(len(texts), BUCKETS)

"""Counter-based random streams.

Every stream is keyed by (root seed, episode, purpose), so that what an episode draws does not
depend on the batch size, the number of workers or the order of work. Philox is the
counter-based generator of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

import hashlib

import numpy as np

_WORD = 2**64 - 1


def key(*parts: int | str) -> int:
    """A 128-bit key that depends on every part, its type and its place."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, bool) or not isinstance(part, (int, str, np.integer)):
            raise TypeError(f"a stream's key has ints and strings, not {type(part).__name__}")
        text = f"s{part}" if isinstance(part, str) else f"i{int(part)}"
        digest.update(len(text.encode()).to_bytes(4, "little") + text.encode())
    return int.from_bytes(digest.digest(), "little")


def stream(*parts: int | str) -> np.random.Generator:
    """The random stream with this key, from its beginning.

    Args:
        parts: conventionally (root seed, episode, purpose).
    """
    return np.random.Generator(np.random.Philox(key=key(*parts)))


class Streams:
    """One generator that goes to whatever stream is asked for: 15 times faster than a new one.

    What it gave before is no longer there: draw from one place before asking for the next.
    """

    def __init__(self) -> None:
        self._bits = np.random.Philox(key=0)
        self._generator = np.random.Generator(self._bits)
        self._state = self._bits.state

    def at(self, key: int, step: int = 0, lane: int = 0) -> np.random.Generator:
        """The stream of a key (of `key`), or one at a place of its own, as if keyed by it as well.

        Args:
            step, lane: in [0, 2**63).
        """
        inner = self._state["state"]
        inner["key"][:] = key & _WORD, key >> 64
        inner["counter"][:] = 0, 0, lane, step
        self._state["buffer_pos"], self._state["has_uint32"] = 4, 0
        self._bits.state = self._state
        return self._generator


def seed63(*parts: int | str) -> int:
    """A seed in [0, 2**63) for libraries that take an int64."""
    return key(*parts) & (2**63 - 1)

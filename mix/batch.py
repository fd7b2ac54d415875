"""A batch of the mix: windows of several sources, in one set of arrays.

Axes: B windows, T observation history, K action chunk, H x W pixels, D state, A action channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from trimix.core.contracts import F32, I64, U8, BoolArray, Origin
from trimix.data.windows import WindowBatch
from trimix.mix.permutation import U64

_Scalar = TypeVar("_Scalar", bound=np.generic)


@dataclass(frozen=True)
class MixBatch:
    """What a training step gets.

    Args:
        step: the batch's number.
        images: camera -> (B, T, H, W, 3) uint8 RGB.
        state: (B, T, D) float32.
        action: (B, K, A) float32.
        action_valid: (B, K) False where the chunk runs past the episode.
        history_valid: (B, T) False where the history begins before the episode.
        instruction: B strings.
        episode, frame: (B,) where the window stands in its data set.
        trust: (B,) in [0, 1].
        source: (B,) index into the lock's sources.
        window: (B,) index into the source's chosen windows.
        domain: B origins.
        domain_shown: (B,) whether the policy may be told the origin.
        augment_seed: (B,) keys of the samples' augmentations.
    """

    step: int
    images: dict[str, U8]
    state: F32
    action: F32
    action_valid: BoolArray
    history_valid: BoolArray
    instruction: list[str]
    episode: I64
    frame: I64
    trust: F32
    source: I64
    window: I64
    domain: list[Origin]
    domain_shown: BoolArray
    augment_seed: U64

    def __len__(self) -> int:
        return len(self.source)


def join(parts: Sequence[tuple[I64, WindowBatch]]) -> WindowBatch:
    """One batch from parts of it.

    Args:
        parts: (slots, windows): where in the batch these windows go; together 0..B-1, each once.
    """
    where = [slots for slots, _ in parts]
    windows = [w for _, w in parts]
    cameras = sorted(windows[0].images)
    texts = [text for w in windows for text in w.instruction]
    return WindowBatch(
        images={c: _place(where, [w.images[c] for w in windows]) for c in cameras},
        state=_place(where, [w.state for w in windows]),
        action=_place(where, [w.action for w in windows]),
        action_valid=_place(where, [w.action_valid for w in windows]),
        history_valid=_place(where, [w.history_valid for w in windows]),
        instruction=[texts[i] for i in np.argsort(np.concatenate(where))],
        episode=_place(where, [w.episode for w in windows]),
        frame=_place(where, [w.frame for w in windows]),
        trust=_place(where, [w.trust for w in windows]),
    )


def _place(where: Sequence[I64], parts: Sequence[npt.NDArray[_Scalar]]) -> npt.NDArray[_Scalar]:
    """Scatter the parts into one array: one copy, as a concatenation would take."""
    size = sum(len(slots) for slots in where)
    out = np.empty((size, *parts[0].shape[1:]), parts[0].dtype)
    for slots, part in zip(where, parts, strict=True):
        out[slots] = part
    return out

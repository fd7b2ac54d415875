"""What policies predict on recorded data: chunks for windows, without a world.

Axes: B windows, c steps of a chunk, A action channels, F rows of a data set, R draws.
"""

from __future__ import annotations

import numpy as np

from trimix.core.contracts import F32, I64
from trimix.core.seeds import stream
from trimix.data.windows import WindowBatch
from trimix.policy.chunk import ChunkPolicy
from trimix.policy.normalization import Normalization


def predict_chunks(
    policy: ChunkPolicy, batch: WindowBatch, *, samples: int = 8, seed: int = 0
) -> F32:
    """The chunk that the policy would plan at each window.

    Args:
        samples: noise draws that are averaged before a switch is snapped. One is what the policy
            does in a world; the mean of many is what has the least squared error.
        seed: keys the noise, with the window's episode and frame: not its place in the batch.

    Returns:
        (B, c, A) in physical units.
    """
    draws = samples if policy.model.stochastic else 1
    shape = (draws, policy.model.chunk, policy.model.action_dim)
    noise = np.stack(
        [
            stream(seed, int(episode), int(frame), "predict").standard_normal(shape, np.float32)
            for episode, frame in zip(batch.episode, batch.frame, strict=True)
        ]
    )
    chunks = policy.sample_chunks(batch.images, batch.state, list(batch.instruction), noise)
    return policy.physical(chunks.mean(axis=1))


def mean_chunks(normalization: Normalization, batch: WindowBatch) -> F32:
    """(B, c, A): the training mean at every step, switches at the nearer level. A baseline."""
    unit = np.zeros((*batch.action_valid.shape, len(normalization.action_mean)), np.float32)
    return normalization.to_action(unit)


def repeat_last_chunks(action: F32, start: I64, batch: WindowBatch) -> F32:
    """(B, c, A): the action of the row before the window, at every step. A baseline.

    At an episode's first frame, where nothing came before, it is given that frame's own action.

    Args:
        action: (F, A) flat rows of the data set.
        start: (B,) first flat row of each window's episode.
    """
    before = action[start + np.maximum(batch.frame - 1, 0)]
    return np.repeat(before[:, None], batch.action_valid.shape[1], axis=1)

"""How well the world model foresees recorded frames, against repeating the last one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch

from trimix.core.contracts import F32
from trimix.core.errors import ConfigError, DataError
from trimix.core.seeds import stream
from trimix.data.dataset import Dataset, with_split
from trimix.worldmodel.clips import Clips
from trimix.worldmodel.lineage import require_unseen
from trimix.worldmodel.pipeline import WorldModelPipeline
from trimix.worldmodel.trust import psnr_db

_BATCH = 32


class Foresight(TypedDict):
    """PSNR in dB at each number of steps ahead (as text, for JSON), and what it is of.

    psnr, copy_last: mean over starts of the PSNR of one frame; both of byte images.
    trust, right: mean trust, and the share of frames whose PSNR reaches the trust's threshold.
    state_rmse: per step, root mean square over channels of the state's error in its own units.
    n: starts. episodes: that they are from.
    """

    psnr: dict[str, float]
    copy_last: dict[str, float]
    trust: dict[str, float]
    right: dict[str, float]
    state_rmse: dict[str, float]
    n: int
    episodes: int


def evaluate_worldmodel(
    pipeline: WorldModelPipeline,
    dataset: Dataset,
    *,
    split: str = "heldout",
    steps: Sequence[int] = (1, 5, 10),
    n_starts: int = 256,
    seed: int = 0,
    sampler_steps: int | None = None,
    cache_dir: Path | None = None,
) -> Foresight:
    """Roll the model on itself under the recorded actions, from two recorded frames.

    Args:
        split: which episodes.
        steps: how many frames ahead to look.
        n_starts: drawn without repeats among all frames that have enough after them.
        sampler_steps: see WorldModelPipeline.

    Raises:
        ConfigError: steps are not positive.
        DataError: no episode of this split is long enough; the model learned from one of them.
        InterfaceError: the data set has another interface than the model.
    """
    if not steps or min(steps) < 1:
        raise ConfigError(f"steps are {list(steps)}", do="give numbers of 1 or more")
    pipeline.interface.require_same(dataset.interface, where=str(dataset.root))
    chosen = with_split(dataset, split)
    if not chosen:
        raise DataError(f"it has no episode of split {split!r}", where=str(dataset.root))
    require_unseen(pipeline, dataset, chosen)
    horizon = max(steps)
    clips = Clips(dataset, chosen, cache_dir)
    rows = clips.require_starts(horizon)
    rng = stream(seed, 0, "world model evaluation")
    rows = np.sort(rng.choice(rows, min(n_starts, len(rows)), replace=False))
    parts = [
        _roll(pipeline, clips, rows[i : i + _BATCH], horizon, seed, sampler_steps)
        for i in range(0, len(rows), _BATCH)
    ]
    model, copy, trust, error = (np.concatenate(x) for x in zip(*parts, strict=True))
    threshold = pipeline.trust.right_psnr_db

    def at_steps(values: F32) -> dict[str, float]:
        return {str(k): round(float(values[:, k - 1].mean()), 4) for k in steps}

    return Foresight(
        psnr=at_steps(model),
        copy_last=at_steps(copy),
        trust=at_steps(trust),
        right=at_steps((model >= threshold).astype(np.float32)),
        state_rmse={k: round(v**0.5, 6) for k, v in at_steps(error).items()},
        n=len(rows),
        episodes=len({int(clips.first[r]) for r in rows}),
    )


def _roll(
    pipeline: WorldModelPipeline,
    clips: Clips,
    rows: np.ndarray,
    horizon: int,
    seed: int,
    sampler_steps: int | None,
) -> tuple[F32, F32, F32, F32]:
    """(B, horizon) PSNR of the model and of repeating the last frame, trust, squared error."""
    device = next(pipeline.motion.parameters()).device
    clip = clips.gather(rows, horizon)
    belief = clip.belief().to(device)
    start = belief.last
    model, copy, trust, error = [], [], [], []
    for k in range(horizon):
        noise = np.stack(
            [
                stream(seed, int(r), "evaluation noise", k).standard_normal(
                    pipeline.noise_shape(), dtype=np.float32
                )
                for r in rows
            ]
        )
        prediction = pipeline(
            belief, clip.action[:, k].to(device), torch.from_numpy(noise).to(device), sampler_steps
        )
        belief = prediction.belief
        truth = clip.frames[:, k + 1].to(device)
        model.append(psnr_db(belief.last, truth))
        copy.append(psnr_db(start, truth))
        trust.append(prediction.trust)
        difference = belief.state - clip.state[:, k + 1].to(device)
        width = max(1, difference.shape[1])
        error.append(difference.square().sum(1) / width)
    stacked = (torch.stack(x, 1).cpu().numpy() for x in (model, copy, trust, error))
    a, b, c, d = stacked
    return a, b, c, d

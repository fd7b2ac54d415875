"""Runs of consecutive recorded frames, to train on, to start dreams from and to compare with.

Axes: B samples, C cameras, H x W pixels, F flat rows of a data set, T steps ahead, D state
channels, A action channels.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from trimix.core.contracts import F32, I64, U8, BoolArray
from trimix.core.errors import DataError
from trimix.core.seeds import stream
from trimix.data.cache import open_cache
from trimix.data.dataset import Dataset, with_split
from trimix.worldmodel.pipeline import Belief, image_layout


@dataclass(frozen=True)
class Labels:
    """Flat rows: what arriving at row i + 1 brought; valid says whether somebody labelled it.

    Args:
        reward, success, end: (F,) float32.
    """

    reward: F32
    success: F32
    end: F32
    has_reward: bool
    has_success: bool


@dataclass(frozen=True)
class Clip:
    """B runs of T steps.

    Args:
        previous: (B, 3C, H, W) in [-1, 1]; frames: (B, T + 1, 3C, H, W), the first is the start.
        previous_state: (B, D); state: (B, T + 1, D); action: (B, T, A).
        reward, success, end: (B, T) what each action led to.
        has_reward, has_success: (B,) bool: labelled at all.
    """

    previous: Tensor
    frames: Tensor
    previous_state: Tensor
    state: Tensor
    action: Tensor
    reward: Tensor
    success: Tensor
    end: Tensor
    has_reward: Tensor
    has_success: Tensor

    def belief(self) -> Belief:
        """What is known at the start."""
        return Belief.recorded(
            self.previous, self.frames[:, 0], self.previous_state, self.state[:, 0]
        )

    def to(self, device: torch.device) -> Clip:
        """The same on another device."""
        return Clip(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})

    @classmethod
    def concatenate(cls, clips: Sequence[Clip]) -> Clip:
        """All samples of clips of equal T."""
        if len(clips) == 1:
            return clips[0]
        return cls(**{f.name: torch.cat([getattr(c, f.name) for c in clips]) for f in fields(cls)})


class Clips:
    """The runs of some episodes of a data set.

    Args:
        dataset: any.
        episodes: which; None for all.
        cache_dir: see open_cache.
    """

    def __init__(
        self, dataset: Dataset, episodes: list[int] | None = None, cache_dir: Path | None = None
    ) -> None:
        self.dataset = dataset
        self.cameras, self.image_hw = image_layout(dataset.interface)
        self.episodes = list(range(len(dataset.episodes))) if episodes is None else episodes
        cache = open_cache(dataset, cache_dir=cache_dir)
        self._images: list[U8] = [cache.images[c] for c in self.cameras]
        self.state, self.action = dataset.state(), dataset.action()
        self.first = np.empty(dataset.n_frames, np.int64)
        self.final = np.empty(dataset.n_frames, np.int64)
        for row in dataset.episodes:
            rows = slice(row.start, row.start + row.length)
            self.first[rows], self.final[rows] = row.start, row.start + row.length - 1
        self.labels = _labels(dataset, self.final)
        self._starts: dict[int, I64] = {}

    def lengths(self) -> list[int]:
        """Rows of the chosen episodes."""
        return [self.dataset.episodes[i].length for i in self.episodes]

    def follows(self) -> BoolArray:
        """(F,) whether row i + 1 goes on from row i."""
        return np.arange(len(self.final)) < self.final

    def starts(self, horizon: int) -> I64:
        """Flat rows of the chosen episodes that have so many more rows after them."""
        if horizon not in self._starts:
            parts = [np.empty(0, np.int64)]
            for index in self.episodes:
                row = self.dataset.episodes[index]
                parts.append(np.arange(row.start, row.start + max(0, row.length - horizon)))
            self._starts[horizon] = np.concatenate(parts)
        return self._starts[horizon]

    def require_starts(self, horizon: int) -> I64:
        """`starts`, or DataError if there are none."""
        rows = self.starts(horizon)
        if not len(rows):
            raise DataError(f"no episode has {horizon + 1} frames", where=str(self.dataset.root))
        return rows

    def frames(self, rows: I64) -> U8:
        """(B, H, W, 3C) uint8, cameras stacked by name."""
        return np.concatenate([images[rows] for images in self._images], -1)

    def gather(self, rows: I64, horizon: int) -> Clip:
        """Runs from these flat rows.

        The frame before an episode's first is that first one.

        Args:
            rows: (B,) each with `horizon` more rows after it.
        """
        steps = rows[:, None] + np.arange(horizon + 1)
        before = np.maximum(rows - 1, self.first[rows])
        labels = self.labels
        return Clip(
            previous=to_tensor(self.frames(before)),
            frames=torch.stack([to_tensor(self.frames(r)) for r in steps.T], 1),
            previous_state=torch.from_numpy(self.state[before]),
            state=torch.from_numpy(self.state[steps]),
            action=torch.from_numpy(self.action[steps[:, :-1]]),
            reward=torch.from_numpy(labels.reward[steps[:, :-1]]),
            success=torch.from_numpy(labels.success[steps[:, :-1]]),
            end=torch.from_numpy(labels.end[steps[:, :-1]]),
            has_reward=torch.full((len(rows),), labels.has_reward),
            has_success=torch.full((len(rows),), labels.has_success),
        )


@dataclass(frozen=True)
class EpisodeSplit:
    """Indices of the training episodes: for the dynamics, and kept from them for trust."""

    dynamics: list[int]
    trust: list[int]


def split_episodes(
    dataset: Dataset, trust_fraction: float, seed: int, refused: Collection[int] = ()
) -> EpisodeSplit:
    """Keep some training episodes apart; held-out and refused episodes are in neither part.

    With fewer than five training episodes trust learns from what the dynamics trained on, and
    is then too high.

    Raises:
        DataError: there is no training episode.
    """
    train = [i for i in with_split(dataset, "train") if i not in refused]
    if not train:
        raise DataError("it has no episode of split 'train'", where=str(dataset.root))
    kept = max(1, round(trust_fraction * len(train))) if trust_fraction else 0
    if len(train) < 5 or not kept or kept == len(train):
        return EpisodeSplit(train, train)
    order = stream(seed, 0, "trust episodes").permutation(train)
    return EpisodeSplit(sorted(map(int, order[kept:])), sorted(map(int, order[:kept])))


def to_tensor(frames: U8) -> Tensor:
    """(B, H, W, channels) uint8 to (B, channels, H, W) in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float() / 127.5 - 1


def _labels(dataset: Dataset, final: I64) -> Labels:
    """Labels of the transitions i -> i + 1.

    The frame after an episode's last action was not recorded. So what that action led to (often
    the success itself) is moved to the transition into the last frame. Without a `next.done`
    column the last frame is the end: weak, but it is where the person stopped recording.
    """
    count = dataset.n_frames
    into_last = np.flatnonzero(np.arange(count) == final - 1)

    def column(name: str) -> F32 | None:
        values = dataset.column(name)
        return None if values is None else np.asarray(values, np.float32).reshape(count).copy()

    reward, success = column("next.reward"), column("next.success")
    end = column("next.done")
    if end is None:
        end = (np.arange(count) == final).astype(np.float32)
    for values in (success, end):
        if values is not None:
            values[into_last] = np.maximum(values[into_last], values[into_last + 1])
    if success is not None:
        # An episode that merely ran out of time did not end: the dream's own limit does that.
        end *= success
    if reward is not None:
        reward[into_last] += reward[into_last + 1]
    zeros = np.zeros(count, np.float32)
    return Labels(
        reward=zeros if reward is None else reward,
        success=zeros if success is None else success,
        end=end,
        has_reward=reward is not None,
        has_success=success is not None,
    )

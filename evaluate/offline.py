"""How well a policy predicts the recorded actions of episodes that nothing was trained on.

Axes: B windows of a batch, K actions of a chunk, A action channels, E episodes, C scored
continuous channels, G binary channels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimix.core.contracts import F32, F64, I64, BoolArray
from trimix.core.episode import Fingerprint
from trimix.core.errors import ConfigError, DataError
from trimix.data.dataset import Dataset
from trimix.data.fingerprint import FingerprintSet
from trimix.data.windows import WindowBatch, Windows
from trimix.evaluate.jackknife import jackknife_interval, leave_one_out, margin_interval
from trimix.evaluate.schema import BASELINES
from trimix.policy.predict import repeat_last_chunks

Predictor = Callable[[WindowBatch], F32]
"""Windows -> (B, K, A) actions in physical units, each window on its own: a learned policy's is
partial(policy.predict.predict_chunks, policy)."""


@dataclass(frozen=True)
class OfflineConfig:
    """How offline metrics are taken.

    Args:
        batch: windows a batch.
        max_windows: evenly spaced windows to score; None scores all.
        still: a continuous channel whose std is below this fraction of the largest std of the
            training actions carries no motion and is not scored.
        margins: how many margins over a baseline are shown beside each other, of all arms; their
            intervals hold together (Bonferroni).
    """

    batch: int = 64
    max_windows: int | None = None
    still: float = 1e-3
    margins: int = len(BASELINES)


@dataclass(frozen=True)
class Channels:
    """What kind each action channel is, read off the training actions.

    Args:
        continuous: the C scored channels.
        binary: the G channels whose only values are 0 and 1.
        still: the channels that do not move.
        mean: (A,) mean of the training actions.
    """

    continuous: tuple[int, ...]
    binary: tuple[int, ...]
    still: tuple[int, ...]
    mean: F64


def channels_of(action: F32, still: float) -> Channels:
    """Sort the channels of (F, A) training actions."""
    mean, std = action.mean(0, dtype=np.float64), action.std(0, dtype=np.float64)
    both = [set(np.unique(column)) == {0.0, 1.0} for column in action.T]
    largest = max((s for s, b in zip(std, both, strict=True) if not b), default=0.0)
    moves = std > still * largest
    numbers = range(action.shape[1])
    return Channels(
        continuous=tuple(c for c in numbers if not both[c] and moves[c]),
        binary=tuple(c for c in numbers if both[c]),
        still=tuple(c for c in numbers if not both[c] and not moves[c]),
        mean=mean,
    )


@dataclass
class _Sums:
    """Per-episode sums of one predictor: squared error (E, C), and (E, G) counts."""

    error: F64
    hit: F64
    false: F64
    miss: F64

    @classmethod
    def zeros(cls, episodes: int, kinds: Channels) -> _Sums:
        c, g = len(kinds.continuous), len(kinds.binary)
        return cls(
            np.zeros((episodes, c)), *(np.zeros((episodes, g)) for _ in ("hit", "false", "miss"))
        )

    @classmethod
    def mean(cls, parts: Sequence[_Sums]) -> _Sums:
        """Of several policies; an F1 of averaged counts is one of pooled counts."""
        return cls(
            error=np.mean([p.error for p in parts], axis=0),
            hit=np.mean([p.hit for p in parts], axis=0),
            false=np.mean([p.false for p in parts], axis=0),
            miss=np.mean([p.miss for p in parts], axis=0),
        )


def evaluate_offline(
    dataset: Dataset,
    heldout: Windows,
    predictors: Sequence[Predictor],
    *,
    train_episodes: Sequence[int],
    learned: Iterable[Fingerprint],
    config: OfflineConfig | None = None,
) -> dict[str, Any]:
    """Score an arm's policies on held-out windows beside two trivial baselines.

    The velocity error of a channel is its squared error over the valid part of the chunks,
    divided by the held-out variance about the training mean, so predicting the mean scores
    exactly 1; the figure is the mean over the scored channels. Windows at an episode's first
    frame are left out for every predictor, since repeating the last action has none there.

    Args:
        dataset: the data set that the windows were cut from.
        heldout: windows of the held-out episodes.
        predictors: the arm's policies, one a training seed; their errors are averaged.
        train_episodes: the episodes that define the mean, the still and the binary channels.
        learned: every recording that a policy depends on (policy.store.learned_from): told by
            what was recorded, whatever import, copy or dream of it the policy was trained on.
        config: how.

    Returns:
        velocity_nmse and gripper_f1 (None without a scored channel of that kind), their
        intervals (over episodes, not over training seeds), each seed's error, per-channel errors,
        what was left out, and `baselines` with the same figures and each margin (policy minus
        baseline) with its interval; an arm's `offline` in the report.

    Raises:
        ConfigError: there are no windows or no predictors.
        DataError: a policy learned from a held-out episode, or its actions have the wrong shape or
            are not finite.
    """
    config = config or OfflineConfig()
    action = dataset.action()
    start = {row.index: row.start for row in dataset.episodes}
    spans = [slice(r.start, r.start + r.length) for r in dataset.episodes]
    chosen = set(train_episodes)
    train = [s for r, s in zip(dataset.episodes, spans, strict=True) if r.index in chosen]
    if not predictors:
        raise ConfigError("there is no policy to score")
    if not train or len(heldout) == 0:
        raise ConfigError(
            "offline metrics need training and held-out episodes",
            where=str(dataset.root),
            do="import with a held-out fraction above 0",
        )
    seen = FingerprintSet([*learned, *(dataset.fingerprints[e] for e in chosen)])
    kinds = channels_of(np.concatenate([action[s] for s in train]), config.still)
    seeds = [f"policy {i}" for i in range(len(predictors))]
    number = {row.index: e for e, row in enumerate(dataset.episodes)}
    sums = {name: _Sums.zeros(len(number), kinds) for name in (*seeds, *BASELINES)}
    variance = np.zeros((len(number), len(kinds.continuous)))
    counted = np.zeros(len(number))
    for ids in scored_windows(len(heldout), config):
        batch = heldout.gather(ids)
        for e in np.unique(batch.episode):
            if dataset.fingerprints[e] in seen:
                raise DataError(
                    f"episode {e} is held out, and a policy learned from it",
                    where=str(dataset.root),
                    do="hold the same episodes out of every data set that is mixed",
                )
        first = np.asarray([start[int(e)] for e in batch.episode], np.int64)
        shape = batch.action.shape
        predictions: dict[str, F32 | F64] = {
            **{
                name: _checked(predict(batch), shape)
                for name, predict in zip(seeds, predictors, strict=True)
            },
            "predict_mean": np.broadcast_to(kinds.mean, shape),
            "repeat_last": repeat_last_chunks(action, first, batch),
        }
        valid = batch.action_valid & (batch.frame > 0)[:, None]
        episode = np.asarray([number[int(e)] for e in batch.episode])
        np.add.at(counted, episode, batch.frame > 0)
        about_mean = batch.action[..., kinds.continuous] - kinds.mean[list(kinds.continuous)]
        np.add.at(variance, episode, _total(about_mean**2, valid))
        for name, predicted in predictions.items():
            _add(sums[name], kinds, episode, predicted, batch.action, valid)
    sums["policy"] = _Sums.mean([sums[name] for name in seeds])
    return {
        **_summary(dataset, kinds, sums, variance, counted, config),
        "per_seed": [_nmse(sums[name].error.sum(0), variance.sum(0)) for name in seeds],
    }


def scored_windows(n: int, config: OfflineConfig) -> list[I64]:
    """Which of n windows are scored, batch by batch."""
    k = n if config.max_windows is None else min(n, config.max_windows)
    ids = np.unique(np.linspace(0, n - 1, k).round().astype(np.int64))
    return np.split(ids, range(config.batch, len(ids), config.batch))


def _checked(predicted: F32, shape: tuple[int, ...]) -> F32:
    if predicted.shape != shape:
        raise DataError(f"the policy predicted actions of shape {predicted.shape}, not {shape}")
    if not np.isfinite(predicted).all():
        raise DataError("the policy predicted actions that are not finite")
    return predicted


def _total(values: F64 | BoolArray, valid: BoolArray) -> F64:
    """(B, K, X) and (B, K) -> (B, X): summed over the valid part of the chunk."""
    return np.asarray(np.where(valid[..., None], values, 0.0).sum(1, dtype=np.float64))


def _add(
    sums: _Sums,
    kinds: Channels,
    episode: I64,
    predicted: F32 | F64,
    truth: F32,
    valid: BoolArray,
) -> None:
    error = (predicted - truth)[..., kinds.continuous].astype(np.float64)
    np.add.at(sums.error, episode, _total(error**2, valid))
    said = predicted[..., kinds.binary] > 0.5
    true = truth[..., kinds.binary] > 0.5
    np.add.at(sums.hit, episode, _total(said & true, valid))
    np.add.at(sums.false, episode, _total(said & ~true, valid))
    np.add.at(sums.miss, episode, _total(~said & true, valid))


def _summary(
    dataset: Dataset,
    kinds: Channels,
    sums: Mapping[str, _Sums],
    variance: F64,
    counted: F64,
    config: OfflineConfig,
) -> dict[str, Any]:
    present = counted > 0
    e = int(present.sum())
    if e == 0:
        raise ConfigError("every held-out episode is one frame long", where=str(dataset.root))
    # A channel that never leaves the training mean in the held-out episodes has no scale.
    scored = variance.sum(0) > 0
    weights = leave_one_out(e)
    nmse, f1 = {}, {}
    for name in ("policy", *BASELINES):
        s = sums[name]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = (weights @ s.error[present]) / (weights @ variance[present])
        nmse[name] = ratio[:, scored].mean(1) if scored.any() else None
        f1[name] = _f1(s, present, weights)
    names = [c.name for c in dataset.interface.action]
    error = sums["policy"].error.sum(0) / np.where(scored, variance.sum(0), 1.0)
    flat = [c for c, ok in zip(kinds.continuous, scored, strict=True) if not ok]
    return {
        **_figures(nmse["policy"], f1["policy"]),
        "per_channel": {
            names[c]: float(v)
            for c, v, ok in zip(kinds.continuous, error, scored, strict=True)
            if ok
        },
        "channels_left_out": [names[c] for c in sorted((*kinds.still, *flat))],
        "windows": int(counted.sum()),
        "episodes": e,
        "baselines": {
            name: {
                **_figures(nmse[name], f1[name]),
                **_margin(nmse["policy"], nmse[name], 1 - 0.05 / config.margins),
            }
            for name in BASELINES
        },
    }


def _nmse(error: F64, variance: F64) -> float | None:
    """Mean over the channels that have a scale; None if none has."""
    scored = variance > 0
    return float((error[scored] / variance[scored]).mean()) if scored.any() else None


def _f1(sums: _Sums, present: BoolArray, weights: F64) -> F64 | None:
    """(1 + E,) F1 pooled over the binary channels; None if nothing is or is said to be closed."""
    hit, wrong = sums.hit[present].sum(1), (sums.false + sums.miss)[present].sum(1)
    below = weights @ (2 * hit + wrong)
    if sums.hit.shape[1] == 0 or below[0] == 0:
        return None
    return np.asarray(2 * (weights @ hit) / np.where(below > 0, below, 1.0))


def _figures(nmse: F64 | None, f1: F64 | None) -> dict[str, Any]:
    """Figures, from (1 + E,) values with each episode left out, and their intervals."""
    f1_ends = None if f1 is None else jackknife_interval(f1)
    return {
        "velocity_nmse": None if nmse is None else float(nmse[0]),
        "velocity_nmse_ci95": None if nmse is None else jackknife_interval(nmse, positive=True),
        "gripper_f1": None if f1 is None else float(f1[0]),
        "gripper_f1_ci95": f1_ends and (max(f1_ends[0], 0.0), min(f1_ends[1], 1.0)),
    }


def _margin(ours: F64 | None, theirs: F64 | None, level: float) -> dict[str, Any]:
    if ours is None or theirs is None:
        return {"margin": None, "margin_ci95": None}
    ends = margin_interval(ours, theirs, level)
    return {"margin": float(ours[0] - theirs[0]), "margin_ci95": ends}

"""Runs of recorded frames: what they hold and what they must never mix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from trimix.core.errors import DataError
from trimix.data.dataset import Dataset
from trimix.worldmodel.clips import Clips, to_tensor
from trimix.worldmodel.objectives import draw_clip


def test_no_run_crosses_an_episode(labelled: Dataset, cache_dir: Path) -> None:
    clips = Clips(labelled, cache_dir=cache_dir)
    for horizon in (0, 1, 5):
        rows = clips.starts(horizon)
        assert len(rows) == sum(max(0, e.length - horizon) for e in labelled.episodes)
        assert (clips.first[rows] == clips.first[rows + horizon]).all()


def test_a_run_holds_the_recorded_rows(labelled: Dataset, cache_dir: Path) -> None:
    clips = Clips(labelled, cache_dir=cache_dir)
    episode = labelled.read_episode(2)
    start = labelled.episodes[2].start
    clip = clips.gather(np.asarray([start, start + 3]), 2)
    stacked = np.concatenate([episode.images[c] for c in sorted(episode.images)], -1)
    for k in range(3):
        torch.testing.assert_close(clip.frames[1, k], to_tensor(stacked[3 + k : 4 + k])[0])
    torch.testing.assert_close(clip.previous[1], to_tensor(stacked[2:3])[0])
    torch.testing.assert_close(clip.previous[0], clip.frames[0, 0])
    np.testing.assert_array_equal(clip.action[1].numpy(), episode.action[3:5])
    np.testing.assert_array_equal(clip.state[1].numpy(), episode.state[3:6])


def test_labels_of_the_last_row_move_to_the_transition_into_it(
    labelled: Dataset, cache_dir: Path
) -> None:
    clips = Clips(labelled, cache_dir=cache_dir)
    row = labelled.episodes[0]
    clip = clips.gather(np.asarray([row.start]), row.length - 1)
    expected = torch.zeros(row.length - 1)
    expected[-1] = 1
    for values in (clip.reward, clip.success, clip.end):
        torch.testing.assert_close(values[0], expected)


def test_unlabelled_data_say_so_and_end_at_their_last_frame(
    unlabelled: Dataset, cache_dir: Path
) -> None:
    clips = Clips(unlabelled, cache_dir=cache_dir)
    row = unlabelled.episodes[1]
    clip = clips.gather(np.asarray([row.start]), row.length - 1)
    assert not clip.has_reward.any() and not clip.has_success.any()
    assert clip.end[0].tolist() == [0.0] * (row.length - 2) + [1.0]


def test_each_data_set_is_drawn_equally_often_and_by_key(
    labelled: Dataset, unlabelled: Dataset, cache_dir: Path
) -> None:
    sources = [Clips(labelled, [0], cache_dir), Clips(unlabelled, cache_dir=cache_dir)]
    counts = np.zeros(2)
    for step in range(4):
        clip = draw_clip(sources, (0, step, "test"), 3, 1)
        again = draw_clip(sources, (0, step, "test"), 3, 1)
        torch.testing.assert_close(clip.frames, again.frames)
        counts += [int(clip.has_reward.sum()), int((~clip.has_reward).sum())]
    assert counts.tolist() == [6, 6]


def test_draws_set_how_often_each_data_set_is_drawn(
    labelled: Dataset, unlabelled: Dataset, cache_dir: Path
) -> None:
    sources = [Clips(labelled, cache_dir=cache_dir), Clips(unlabelled, cache_dir=cache_dir)]
    counts = [
        int(draw_clip(sources, (0, step, "test"), 5, 1, (2, 1)).has_reward.sum())
        for step in range(6)
    ]
    assert sum(counts) == 20 and set(counts) <= {3, 4}


def test_too_long_a_run_is_an_error_that_names_the_data_set(
    labelled: Dataset, cache_dir: Path
) -> None:
    with pytest.raises(DataError, match="no episode has 101 frames"):
        Clips(labelled, cache_dir=cache_dir).require_starts(100)

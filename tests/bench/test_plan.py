"""The plan at its full size: a billion windows, whatever the number of sources."""

from __future__ import annotations

import numpy as np
import pytest

from trimix.bench import plan
from trimix.mix.sampler import MixSampler
from trimix.mix.shuffle import BLOCK, POOL


@pytest.mark.parametrize("sources", plan.SOURCES)
def test_a_billion_windows_take_no_table(sources: int) -> None:
    """Indices of the windows alone would be 7,600 MiB."""
    found = plan._in_a_process(sources, plan.WINDOWS, 40)
    assert found["mb"] <= 200
    if sources == 3:
        assert found["blocks"] <= 2 * POOL * sources <= 20 < found["uniform_blocks"] / 40


def test_a_batch_that_goes_over_to_the_next_pools_stays_within_the_bound() -> None:
    """Around the ends of the first pools of each source, batch by batch."""
    lock = plan.plan_of(3, plan.WINDOWS)
    sampler, most = MixSampler(lock), 0
    first = POOL * BLOCK * 3 // plan.BATCH
    for k in range(first * 3 // 4, first * 3 // 2, 2):
        drawn = sampler.batch(k)
        most = max(most, plan._groups(drawn.source, drawn.window, BLOCK)[0])
    assert 3 * POOL < most <= 2 * POOL * 3


def test_every_window_is_drawn_once_over_the_whole_training() -> None:
    """A tenth of a thousandth of the size, drawn through: sources of many pools and one short."""
    lock = plan.plan_of(3, 2_000_000)
    sampler = MixSampler(lock)
    seen = [np.zeros(s.windows, np.int64) for s in lock.sources]
    for k in range(lock.steps):
        drawn = sampler.batch(k)
        for i in range(3):
            np.add.at(seen[i], drawn.window[drawn.source == i], 1)
    assert sum(int(s.sum()) for s in seen) == lock.steps * lock.batch_size
    assert all(s.max() - s.min() <= 1 for s in seen)


def test_locks_of_the_benchmark_are_locks() -> None:
    lock = plan.plan_of(5, 10_000)
    assert type(lock).from_json(lock.to_json()) == lock
    assert sum(s.windows for s in lock.sources) == 10_000

"""How many training windows a second one process reads, warm.

Windows of 2 frames and 8 actions in random order, batches of 64, of simulated episodes at 64 px.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from trimix.bench.figure import Figure
from trimix.core.seeds import stream
from trimix.core.workers import Local
from trimix.data.cache import open_cache
from trimix.data.dataset import Dataset
from trimix.data.lerobot import video
from trimix.data.windows import Windows, WindowSpec
from trimix.mix.compile import compile_recipe
from trimix.mix.loader import MixLoader
from trimix.mix.recipe import Recipe, Source
from trimix.mix.source import DiskStore
from trimix.rollout.collect import collect
from trimix.rollout.mujoco import ExpertSpec, MujocoSpec

BATCH, STEPS = 64, 2000


def run(quick: bool) -> Iterator[Figure]:
    """Windows of a data set and batches of a mix, beside copying and beside decoding."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "data"
        spec = MujocoSpec("banana_on_plate", randomization="mild")
        count = 2 if quick else 100
        dataset = collect(spec, ExpertSpec(), root, episodes=count, executor=Local(2))
        yield from _figures(dataset, root, Path(folder) / "cache", 0.1 if quick else 4.0)


def _figures(dataset: Dataset, root: Path, folder: Path, seconds: float) -> Iterator[Figure]:
    cache = open_cache(dataset, cache_dir=folder)
    windows = Windows(dataset, cache, WindowSpec(2, 8))
    ids = stream(0, "bench windows").integers(len(windows), size=(STEPS, BATCH))
    loaded = {c: np.array(frames) for c, frames in cache.images.items()}
    rows = stream(0, "bench rows").integers(dataset.n_frames, size=(STEPS, 2 * BATCH))
    recipe = Recipe(
        sources={"all": Source(str(root))}, shares={"all": 1.0}, batch_size=BATCH, steps=STEPS
    )
    loader = MixLoader(compile_recipe(recipe), DiskStore(folder))
    loader.prepare()
    episodes = stream(0, "bench episodes").integers(len(dataset.episodes), size=STEPS)

    def decode(k: int) -> None:
        for i in range(BATCH):
            number = int(episodes[(k * BATCH + i) % STEPS])
            start = (7 * i) % max(1, dataset.episodes[number].length - 2)
            for span in dataset.source.episodes[number].videos.values():
                video.read(span.path, span.start + start, 2, dataset.fps)

    def copy(k: int) -> None:
        for frames in loaded.values():
            frames[rows[k]]

    copied, _ = _rate(copy, seconds)
    for name, work, about in (
        ("windows.per_s", lambda k: windows.gather(ids[k]), "ceiling: frames copied from memory"),
        ("windows.mixed_per_s", loader.load, "batches of a mix; ceiling as above"),
        ("windows.decoded_per_s", decode, "each frame decoded from its video; ceiling as above"),
    ):
        rate, n = _rate(work, seconds)
        yield Figure(name, rate, "windows/s", n, copied, about)


def _rate(work: Callable[[int], object], seconds: float) -> tuple[float, int]:
    """Windows a second after a warm-up of a tenth of the time, and how many were read."""
    for limit in (seconds / 10, seconds):
        began, batches = time.perf_counter(), 0
        while (spent := time.perf_counter() - began) < limit:
            work(batches % STEPS)
            batches += 1
    return batches * BATCH / spent, batches * BATCH

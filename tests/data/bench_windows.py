"""How many training windows a second one process reads, beside a ceiling and a baseline.

    python tests/data/bench_windows.py <data set> [seconds]

Windows of 2 frames and 8 actions in random order, batches of 64. The ceiling copies as many frames
out of memory and does nothing else; the baseline decodes each window's frames from the videos.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from trimix.core.seeds import stream
from trimix.data.cache import open_cache
from trimix.data.dataset import Dataset
from trimix.data.lerobot import video
from trimix.data.windows import Windows, WindowSpec
from trimix.mix.compile import compile_recipe
from trimix.mix.loader import MixLoader
from trimix.mix.recipe import Recipe, Source

BATCH, STEPS = 64, 2000


def rate(work: Callable[[int], object], seconds: float) -> float:
    """Samples a second, after a warm-up of a tenth of the time."""
    for limit in (seconds / 10, seconds):
        began, batches = time.perf_counter(), 0
        while (spent := time.perf_counter() - began) < limit:
            work(batches % STEPS)
            batches += 1
    return batches * BATCH / spent


def main(root: str, seconds: float) -> None:
    dataset = Dataset.open(root)
    cache = open_cache(dataset)
    windows = Windows(dataset, cache, WindowSpec(2, 8))
    ids = stream(0, "bench windows").integers(len(windows), size=(STEPS, BATCH))
    loaded = {c: np.array(frames) for c, frames in cache.images.items()}
    rows = stream(0, "bench rows").integers(dataset.n_frames, size=(STEPS, 2 * BATCH))
    recipe = Recipe(
        sources={"all": Source(root)}, shares={"all": 1.0}, batch_size=BATCH, steps=STEPS
    )
    loader = MixLoader(compile_recipe(recipe))
    loader.prepare()
    episodes = stream(0, "bench episodes").integers(len(dataset.episodes), size=STEPS)

    def decode(k: int) -> None:
        for i in range(BATCH):
            number = int(episodes[(k * BATCH + i) % STEPS])
            start = (7 * i) % max(1, dataset.episodes[number].length - 2)
            for span in dataset.source.episodes[number].videos.values():
                video.read(span.path, span.start + start, 2, dataset.fps)

    found = {
        "ceiling: frames copied from memory": rate(
            lambda k: [frames[rows[k]] for frames in loaded.values()], seconds
        ),
        "windows of the data set": rate(lambda k: windows.gather(ids[k]), seconds),
        "batches of a mix": rate(loader.load, seconds),
        "baseline: frames decoded from the videos": rate(decode, seconds),
    }
    print(f"{Path(root).name}: {len(windows)} windows, cameras {dict(dataset.interface.cameras)}")
    for name, value in found.items():
        print(f"{value:12,.0f} samples/s  {name}")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 5.0)

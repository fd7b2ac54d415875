"""How fast episodes are made: simulated, drawn, encoded and safe on disk."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from trimix.bench.figure import Figure
from trimix.core.contracts import Policy, Start, World
from trimix.core.errors import TrimixError
from trimix.core.rollout import rollout
from trimix.core.workers import Local, Tick
from trimix.rollout.collect import collect
from trimix.rollout.mujoco import ExpertSpec, MujocoSpec

ROWS, WORKERS = 16, 2
_SPEC = MujocoSpec("banana_on_plate", randomization="mild")
_BLIND = MujocoSpec("banana_on_plate", randomization="mild", draw_images=False)


def run(quick: bool) -> Iterator[Figure]:
    """Frames a second of the expert in two processes, start-up included."""
    episodes, rows = (2, 2) if quick else (200, ROWS)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        made = collect(
            _SPEC,
            ExpertSpec(),
            Path(folder) / "made",
            episodes=episodes,
            rows=rows,
            executor=Local(WORKERS),
        )
        rate = made.n_frames / (time.perf_counter() - began)
    began = time.perf_counter()
    blocks = [range(i, episodes, WORKERS) for i in range(WORKERS)]
    died = TrimixError("a process died")
    frames = sum(n for _, n in Local(WORKERS).run(_act, blocks, setup=partial(_blind), died=died))
    alone = frames / (time.perf_counter() - began)
    about = "banana_on_plate, mild, 64 px, two processes; baseline: neither drawn nor written"
    yield Figure("collect.frames_per_s", rate, "frames/s", made.n_frames, alone, about)


@contextmanager
def _blind() -> Iterator[tuple[World, Policy]]:
    """The same world without cameras, and its expert."""
    world = _BLIND.make(ROWS)
    try:
        yield world, ExpertSpec().load(world)
    finally:
        world.close()


def _act(maker: tuple[World, Policy], indices: Sequence[int], tick: Tick) -> int:
    """Frames of these episodes."""
    starts = [Start(0, i) for i in indices]
    return sum(len(episode) for _, episode in rollout(*maker, starts))

"""What the plan of a mix costs at a billion windows: memory, time a batch, locality.

Locks are made without files. The training is one pass over the windows, in batches of 1,024: a
third of the steps at one set of shares, then a ramp to another.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from trimix.bench.figure import Figure
from trimix.core.contracts import F64, I64, Channel, PolicyInterface
from trimix.core.errors import TrimixError
from trimix.core.seeds import stream
from trimix.data.windows import WindowSpec
from trimix.mix.apportion import PARTS
from trimix.mix.lock import Lock, LockedSource
from trimix.mix.runs import Runs
from trimix.mix.sampler import MixSampler
from trimix.mix.schedule import Segment
from trimix.mix.shuffle import BLOCK
from trimix.mix.source import View

WINDOWS, BATCH, EPISODE = 10**9, 1024, 200
SOURCES = (3, 5000)
_MB = 2**20
_INTERFACE = PolicyInterface({}, (), (Channel("v"),), "undeclared", 0.1)


def run(quick: bool) -> Iterator[Figure]:
    """Each size in a process of its own, so that its peak of memory is its own."""
    batches = 20 if quick else 1000
    for sources in SOURCES:
        found = _in_a_process(sources, WINDOWS // 1000 if quick else WINDOWS, batches)
        table = 8 * WINDOWS / _MB
        about = f"peak over building and {batches} batches; baseline: a table of the windows' order"
        yield Figure(f"plan.mb.{sources}", found["mb"], "MiB", 1, table, about)
        about = "median; baseline: as many numbers drawn by numpy's choice from one source"
        ms = found["ms"]
        yield Figure(f"plan.ms_per_batch.{sources}", ms, "ms", batches, found["choice_ms"], about)
        if sources == SOURCES[0]:
            about = f"most in a batch, of {BLOCK:,} windows; baseline: a uniform shuffle's"
            n, uniform = int(found["batches"]), found["uniform_blocks"]
            yield Figure("plan.blocks_per_batch", found["blocks"], "blocks", n, uniform, about)
            about = f"of a batch's windows, beside another of their episode ({EPISODE} windows)"
            met, by_chance = found["met"], found["uniform_met"]
            yield Figure("plan.same_episode", met, "", n, by_chance, about)


def plan_of(sources: int, windows: int, *, batch_size: int = BATCH) -> Lock:
    """A lock over this many windows in sources of one size, with shares that change on a ramp."""
    each, steps = windows // sources, max(2, windows // batch_size)
    rng = stream(sources, "bench plan")
    segments = tuple(
        Segment(end, _parts(rng.uniform(0.5, 1.5, sources))) for end in (steps // 3 or 1, steps)
    )
    return Lock(
        sources=tuple(_source(i, each) for i in range(sources)),
        segments=segments,
        linear=True,
        batch_size=batch_size,
        seed=0,
        view=View(WindowSpec()),
        interface=_INTERFACE,
    )


def measure(sources: int, windows: int, batches: int) -> dict[str, float]:
    """Build a plan and draw batches of it, from all over the training and in a row.

    Returns:
        mb: peak of resident memory beyond what the process held before, MiB; ms: median time of
        a batch; choice_ms: of numpy's choice; blocks: the most blocks that a batch touches; met:
        the mean part of its windows that have another of their episode beside them; uniform_...:
        the same of a uniform shuffle; batches: how many were looked at.
    """
    before = _memory_mb("VmRSS")
    lock = plan_of(sources, windows)
    sampler = MixSampler(lock)
    rng = stream(sources, "bench batches")
    apart = np.sort(rng.integers(0, lock.steps, batches // 2))
    row = np.arange(batches - len(apart)) + lock.steps // 2
    seconds, blocks, met = [], 0, 0.0
    for k in np.concatenate([apart, np.minimum(row, lock.steps - 1)]).tolist():
        began = time.perf_counter()
        plan = sampler.batch(k)
        seconds.append(time.perf_counter() - began)
        blocks = max(blocks, _groups(plan.source, plan.window, BLOCK)[0])
        met += _groups(plan.source, plan.window, EPISODE)[1]
    peak = _memory_mb("VmHWM") - before
    each = lock.sources[0].windows
    choice = []
    for _ in range(min(batches, 50)):
        began = time.perf_counter()
        rng.choice(each, BATCH, replace=True)
        choice.append(time.perf_counter() - began)
    anywhere = np.arange(BATCH) % sources, rng.integers(0, each, BATCH)
    return {
        "mb": peak,
        "ms": 1000 * float(np.median(seconds)),
        "choice_ms": 1000 * float(np.median(choice)),
        "blocks": blocks,
        "uniform_blocks": _groups(*anywhere, BLOCK)[0],
        "met": met / len(seconds),
        "uniform_met": _groups(*anywhere, EPISODE)[1],
        "batches": len(seconds),
    }


def _in_a_process(sources: int, windows: int, batches: int) -> dict[str, float]:
    code = (
        "import json; from trimix.bench import plan; "
        f"print(json.dumps(plan.measure({sources}, {windows}, {batches})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        raise TrimixError(f"ended with status {done.returncode}", where=done.stderr[-300:])
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _parts(weights: F64) -> tuple[int, ...]:
    parts = (weights / weights.sum() * PARTS).astype(np.int64)
    parts[0] += PARTS - parts.sum()
    return tuple(parts.tolist())


def _source(i: int, windows: int) -> LockedSource:
    name = f"source {i}"
    return LockedSource(
        identity=f"{i:032x}",
        names=(name,),
        path=name,
        content_hash=name,
        episodes=Runs(f"0-{max(1, windows // EPISODE)}"),
        min_trust=0.0,
        windows=windows,
        origins={"sim": windows},
        excluded={},
        domain=True,
        max_repeats=None,
        asked_share=0.0,
        share=0.0,
        draws=0,
        repeats=0.0,
    )


def _groups(source: I64, window: I64, size: int) -> tuple[int, float]:
    """Groups of `size` windows that a batch touches; which part of it is not alone in its own."""
    near = Counter(zip(source.tolist(), (window // size).tolist(), strict=True))
    return len(near), sum(n for n in near.values() if n > 1) / len(source)


def _memory_mb(what: str) -> float:
    """What this process holds in memory (VmRSS), or the most that it has held (VmHWM), MiB.

    Raises:
        TrimixError: the system does not tell.
    """
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    for line in lines:
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) / 1024
    raise TrimixError("a process's memory is not known here", where=str(status), do="run on Linux")

"""Two policies on the same scenes, looked at as often as one likes, stopped once one is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from trimix.core.contracts import BoolArray
from trimix.core.errors import ConfigError
from trimix.core.workers import Executor
from trimix.evaluate.betting import betting_interval
from trimix.evaluate.closed_loop import ClosedLoopConfig, Job, Progress, evaluate
from trimix.evaluate.evaluation import Evaluation
from trimix.evaluate.schema import Comparison
from trimix.evaluate.statistics import mcnemar


def head_to_head(a: Evaluation, b: Evaluation, level: float = 0.95) -> Comparison:
    """Success of policy a minus success of policy b, with an interval that stands peeking.

    It holds for all numbers of scenes at once (see `betting`): the two may have been stopped at
    whatever scene, for whatever reason, and may be given more. It is of these two policies.

    Raises:
        ConfigError: they did not meet the same scenes.
    """
    if a.suite_hash != b.suite_hash or len(a.outcomes) != len(b.outcomes):
        raise ConfigError(f"{a.arm!r} and {b.arm!r} did not meet the same scenes")
    row = pair_row(a.arm, b.arm, a.success, b.success, level)
    return {**row, "world": a.world, "suite": a.suite}


def pair_row(a: str, b: str, ours: BoolArray, theirs: BoolArray, level: float = 0.95) -> Comparison:
    """The same of (N,) successes on the scenes so far."""
    difference = ours.astype(int) - theirs.astype(int)
    won, tied, lost = (int((difference == sign).sum()) for sign in (1, 0, -1))
    low, high = betting_interval(won, tied, lost, level)
    return {
        "a": a,
        "b": b,
        "n": len(difference),
        "delta": float(np.mean(difference)),
        "ci95": (low, high),
        "scope": "these policies",
        "status": "unregistered",
        "verdict": "better" if low > 0 else "worse" if high < 0 else "open",
        "any_time": True,
        "mcnemar_p": mcnemar(ours, theirs).p,
        "scenes": len(difference),
        "seeds": 1,
    }


def evaluate_until_apart(
    jobs: Sequence[Job],
    config: ClosedLoopConfig,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> list[Evaluation]:
    """Evaluate two policies block by block, and no further once one of them is better.

    Args:
        jobs: two, of one suite.
        config: its block is the number of scenes after which to look.
        executor, progress: as in `closed_loop.evaluate`.

    Returns:
        Their evaluations, on the first scenes of the suite, in the order of jobs.

    Raises:
        ConfigError: there are not two jobs of one suite.
    """
    if len(jobs) != 2 or jobs[0].suite.hash != jobs[1].suite.hash:
        raise ConfigError("stopping early compares two policies on one suite", do="name two")
    suite = jobs[0].suite
    found: list[Evaluation] = []
    for start in range(0, len(suite), config.block):
        part = replace(suite, scenes=suite.scenes[start : start + config.block])
        seen = len(jobs) * start

        def said(done: int, _: int, seen: int = seen) -> None:
            if progress is not None:
                progress(seen + done, len(jobs) * len(suite))

        block = evaluate(
            [replace(job, suite=part) for job in jobs], config, executor=executor, progress=said
        )
        found = [_joined(e, f) for e, f in zip(found, block, strict=True)] if found else block
        if head_to_head(found[0], found[1])["verdict"] != "open":
            break
    return [replace(e, suite_hash=suite.hash) for e in found]


def _joined(first: Evaluation, then: Evaluation) -> Evaluation:
    """The same policy's outcomes on more scenes, with the first film of a success and a failure."""
    n = len(first.outcomes)
    more = tuple(replace(o, scene=n + o.scene) for o in then.outcomes)
    filmed = {first.outcomes[scene].success for scene in first.clips}
    new = {n + s: film for s, film in then.clips.items() if then.outcomes[s].success not in filmed}
    return replace(first, outcomes=first.outcomes + more, clips={**first.clips, **new})

"""The arms of a comparison: mixes that differ in their shares, trained alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from trimix.cli.progress import Report
from trimix.cli.train import train_from_lock
from trimix.core.contracts import ORIGINS, Origin
from trimix.core.errors import ConfigError, TrimixError, unknown
from trimix.core.workers import Tick, run_tasks
from trimix.data.files import combined_digest, digest, files_below
from trimix.data.windows import WindowSpec
from trimix.mix.compile import compile_recipe
from trimix.mix.lock import Lock
from trimix.mix.recipe import Filter, Recipe, Source
from trimix.train.policy import PolicyTrainConfig


def require_known(arms: Mapping[str, Mapping[str, float]]) -> None:
    """Raise ConfigError for an arm with a source that is not an origin, or a share that is none.

    The command line's own check would take 0.5 for a share, and refuse 1.
    """
    for name, shares in arms.items():
        for source, share in shares.items():
            if source not in ORIGINS:
                raise unknown("source", source, ORIGINS, where=f"arm {name!r}")
            if isinstance(share, bool) or not isinstance(share, (int, float)):
                raise ConfigError(
                    f"share {share!r} of {source} is no number", where=f"arm {name!r}"
                )
        if min(shares.values(), default=0.0) < 0 or sum(shares.values()) <= 0:
            raise ConfigError(
                f"shares are {dict(shares)}", where=f"arm {name!r}", do="give one above 0"
            )


def uses(shares: Mapping[str, float]) -> set[str]:
    """The sources with a share."""
    return {name for name, share in shares.items() if share > 0}


def compile_arm(
    name: str,
    shares: Mapping[str, float],
    data: Mapping[Origin, Path],
    *,
    cameras: Sequence[str],
    policy: PolicyTrainConfig,
    batch_size: int,
    seed: int,
    min_trust: float,
) -> Lock:
    """The lock of an arm. Failed sim episodes and untrusted dreams are not drawn."""
    filters: dict[Origin, Filter] = {
        "real": Filter(),
        "sim": Filter(success=True),
        "dream": Filter(min_trust=min_trust),
    }
    recipe = Recipe(
        sources={k: Source(str(path), filters[k]) for k, path in data.items()},
        shares={k: v for k, v in shares.items() if k in data},
        batch_size=batch_size,
        steps=policy.loop.steps,
        seed=seed,
        window=WindowSpec(policy.history, policy.chunk),
        cameras=tuple(cameras),
        lineage=tuple(map(str, data.values())),
    )
    return compile_recipe(recipe, where=f"arm {name!r}")


@dataclass(frozen=True)
class Training:
    """One policy to train: an arm's lock under one training seed."""

    arm: str
    seed: int
    lock: str
    run_dir: str
    config: PolicyTrainConfig


def train_all(
    trainings: Sequence[Training], workers: int, report: Report | None = None
) -> list[dict[str, Any]]:
    """Train every policy, `workers` at a time with one thread each, or one by one with all.

    Returns:
        For each training: arm, seed, policy (its folder in the run's), digest of that folder,
        seconds, history.
    """
    results: dict[int, dict[str, Any]] = {}
    died = TrimixError("a training process died", do="if memory ran out, ask for fewer workers")
    for at, result in run_tasks(
        _train,
        trainings,
        setup=partial(nullcontext, 1 if min(workers, len(trainings)) > 1 else None),
        workers=workers,
        died=died,
    ):
        results[at] = result
        if report is not None:
            report(len(results), len(trainings))
    return [results[i] for i in range(len(trainings))]


def _train(threads: int | None, training: Training, _: Tick) -> dict[str, Any]:
    loop = training.config.loop
    loop = replace(loop, seed=training.seed, threads=threads or loop.threads)
    config = replace(training.config, loop=loop)
    trained = train_from_lock(Lock.load(training.lock), config, Path(training.run_dir))
    policy = Path(training.run_dir) / "policy"
    paths = files_below(policy, ".")
    return {
        "arm": training.arm,
        "seed": training.seed,
        "policy": str(policy),
        "digest": combined_digest({p.relative_to(policy).as_posix(): digest(p) for p in paths}),
        "seconds": trained.result.seconds,
        "history": [
            {"step": h["step"], "loss": h["loss"]} for h in _thin(trained.result.history, 400)
        ],
    }


def _thin(history: Sequence[Mapping[str, float]], most: int) -> list[Mapping[str, float]]:
    step = max(1, len(history) // most)
    return list(history[::step])

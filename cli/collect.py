"""trimix collect: episodes from MuJoCo, a world model or any other world, into a data set."""

from __future__ import annotations

from dataclasses import dataclass

from trimix.cli.progress import bar
from trimix.cli.verb import Verb
from trimix.experiment.executor import executor_of
from trimix.rollout.collect import collect
from trimix.rollout.settings import WorldSettings


@dataclass(frozen=True)
class CollectSettings(WorldSettings):
    """What to collect, and where; see WorldSettings.

    Args:
        out: the data set to write.
        episodes: how many, numbered from 0.
        policy: see rollout.policies.policy_of; empty: expert in mujoco, perturbed in dreams.
        label: a policy that says of every frame what should have been done (DAgger); empty: none.
        seed: root seed; equal seeds give equal episodes.
        rows: episodes that run together in a process.
        workers, executor: how many processes, and where: local, ray, or a Ray cluster's address.
    """

    randomization: str = "mild"
    out: str = "datasets/sim"
    episodes: int = 100
    policy: str = ""
    label: str = ""
    seed: int = 0
    rows: int = 16
    workers: int = 2
    executor: str = "local"


def _command(settings: CollectSettings) -> None:
    with bar(f"collect {settings.out}", "episode") as progress:
        dataset = collect(
            settings.world_spec("train"),
            settings.acting(settings.policy, settings.label),
            settings.out,
            episodes=settings.episodes,
            seed=settings.seed,
            rows=settings.rows,
            executor=executor_of(settings.executor, settings.workers),
            progress=progress,
        )
    good = sum(bool(e.provenance.success) for e in dataset.episodes)
    print(f"{dataset.about()}\n{good} succeeded")


VERB = Verb("collect", CollectSettings, _command)

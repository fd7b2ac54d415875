"""trimix pipeline: real episodes, MuJoCo and a world model into mixes, policies and a report."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from hydra.core.hydra_config import HydraConfig

from trimix.cli.progress import listener
from trimix.cli.verb import Verb
from trimix.evaluate.report import summary
from trimix.experiment.executor import executor_of
from trimix.experiment.flat import FlatSettings
from trimix.experiment.run import run


@dataclass(frozen=True)
class PipelineSettings(FlatSettings):
    """The main job; see FlatSettings.

    Args:
        out: folder of the run.
        store: of results; empty: $TRIMIX_STORE, else runs/store.
        workers, executor: how many processes, and where: local, ray, or a Ray cluster's address.
    """

    out: str = "runs/pipeline"
    store: str = ""
    workers: int = 2
    executor: str = "local"


def _command(settings: PipelineSettings) -> None:
    experiment = settings.experiment()
    with listener() as told:
        result = run(
            experiment,
            settings.out,
            store=settings.store or None,
            executor=executor_of(settings.executor, settings.workers),
            listener=told,
            command=shlex.join(["trimix", "pipeline", *HydraConfig.get().overrides.task]),
        )
    print(f"{summary(result.report)}\n\nreport: {result.page}")


VERB = Verb("pipeline", PipelineSettings, _command)

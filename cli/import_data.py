"""trimix import: a LeRobot directory of any robot, checked, resampled and cut to the camera."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trimix.cli.progress import bar
from trimix.cli.verb import Verb
from trimix.data.importing.importer import import_dataset
from trimix.data.importing.settings import RecordedSettings
from trimix.experiment.executor import executor_of


@dataclass(frozen=True)
class ImportSettings(RecordedSettings):
    """What to bring in; see RecordedSettings.

    Args:
        out: the data set to write.
        image_hw: of every camera; null keeps the sizes.
        seed: of the held-out choice.
        workers, executor: how many processes decode, and where: local, ray, or a Ray cluster's
            address.
    """

    path: str = "???"
    out: str = "datasets/real"
    image_hw: tuple[int, int] | None = None
    seed: int = 0
    workers: int = 2
    executor: str = "local"


def _command(settings: ImportSettings) -> None:
    config = settings.config(settings.out, image_hw=settings.image_hw, seed=settings.seed)
    executor = executor_of(settings.executor, settings.workers)
    with bar(f"import {Path(settings.path).name}", "episode") as progress:
        dataset = import_dataset(config, progress, executor)
    print(dataset.about())


VERB = Verb("import", ImportSettings, _command)

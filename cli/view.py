"""trimix view: episodes as a recording for the rerun viewer."""

from __future__ import annotations

from dataclasses import dataclass

from trimix.cli.verb import Verb
from trimix.core.errors import ConfigError
from trimix.experiment.view import view


@dataclass(frozen=True)
class ViewSettings:
    """A data set, or the folder of a run; where to write; which of a data set's episodes."""

    path: str = ""
    out: str = ""
    episodes: tuple[int, ...] = ()


def _command(settings: ViewSettings) -> None:
    if not settings.path:
        raise ConfigError("nothing to view", do="name a data set or a run with path=")
    written = view(settings.path, settings.out or None, settings.episodes)
    print(f"{written}: open it with `rerun {written}`")


VERB = Verb("view", ViewSettings, _command, bare="path")

"""trimix view: episodes as a recording for the rerun viewer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trimix.cli.verb import Verb
from trimix.core.errors import ConfigError
from trimix.data.dataset import Dataset
from trimix.data.lerobot.layout import INFO
from trimix.evaluate.recording import MOST_EPISODES, of_dataset, of_folder, write_recording


@dataclass(frozen=True)
class ViewSettings:
    """A data set, or the folder of a run; where to write; which of a data set's episodes."""

    path: str = ""
    out: str = ""
    episodes: tuple[int, ...] = ()


def _command(settings: ViewSettings) -> None:
    if not settings.path:
        raise ConfigError("nothing to view", do="name a data set or a run with path=")
    folder = Path(settings.path)
    if (folder / INFO).is_file() or not folder.is_dir():
        dataset = Dataset.open(folder)
        shown = of_dataset(dataset, settings.episodes)
        if not settings.episodes and len(dataset.episodes) > MOST_EPISODES:
            print(f"the first {len(shown)} of {len(dataset.episodes)} episodes: see episodes=")
    else:
        shown = of_folder(folder)
    out = Path(settings.out) if settings.out else folder.with_name(f"{folder.resolve().name}.rrd")
    write_recording(out, folder.resolve().name, shown)
    print(f"{out}: {', '.join(one.name for one in shown)}; open it with `rerun {out}`")


VERB = Verb("view", ViewSettings, _command, bare="path")

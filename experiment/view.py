"""A data set's or a run's episodes as a recording for the rerun viewer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from trimix.data.dataset import Dataset
from trimix.data.lerobot.layout import INFO
from trimix.evaluate.recording import Shown, of_dataset, of_folder, of_rollouts, write_recording
from trimix.experiment.film import load_rollouts


def view(path: str | Path, out: str | Path | None = None, episodes: Sequence[int] = ()) -> Path:
    """Write what is worth seeing of a folder as a recording (.rrd).

    Args:
        path: a data set, of which its first episodes are shown; or a run, of which a typical
            episode of each data set, and a success and a failure of every arm.
        out: the file; None for one beside the folder, of its name.
        episodes: of a data set: which to show.

    Returns:
        The file.

    Raises:
        MissingError: there is neither, or rerun is not installed.
        DataError: what is there cannot be read.
        TrimixError: the disk is full or refuses the write.
    """
    folder = Path(path)
    shown: list[Shown] = []
    if (folder / INFO).is_file() or not folder.is_dir():
        shown = of_dataset(Dataset.open(folder), episodes)
    else:
        for arm, filmed in load_rollouts(folder / "rollouts").items():
            shown += of_rollouts(arm, filmed)
        shown += of_folder(folder, needed=not shown)
    name = folder.resolve().name
    return write_recording(folder.with_name(f"{name}.rrd") if out is None else out, name, shown)

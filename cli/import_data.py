"""trimix import: a LeRobot directory of any robot, checked, resampled and cut to the camera."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from trimix.cli.progress import bar
from trimix.cli.verb import Verb
from trimix.core.errors import unknown
from trimix.data.dataset import Dataset
from trimix.data.images import Aspect
from trimix.data.importing.importer import import_dataset
from trimix.data.importing.plan import ImportConfig

_DEFAULT = ImportConfig("", "")


@dataclass(frozen=True)
class ImportSettings:
    """data.ImportConfig, with lists and mappings as a command line writes them.

    Args:
        path: a LeRobotDataset directory, v2.0, v2.1 or v3.0.
        out: the data set to write.
        fps, image_hw: see ImportConfig; null keeps the source's.
        cameras: camera of the source: new name; empty takes all.
        units of state and action: one for all channels, or one each.
        state_keys, action_key: features that are the state and the action; null takes those that
            are known to be.
        workers: processes that decode.
        absolute_actions: see ImportConfig; empty: told by names and values.
    """

    path: str = "???"
    out: str = "datasets/real"
    fps: float | None = _DEFAULT.fps
    cameras: dict[str, str] = field(default_factory=dict)
    image_hw: tuple[int, int] | None = None
    aspect: str = _DEFAULT.aspect
    control_mode: str = _DEFAULT.control_mode
    absolute_actions: tuple[str, ...] = ()
    state_keys: tuple[str, ...] | None = _DEFAULT.state_keys
    action_key: str | None = _DEFAULT.action_key
    state_unit: tuple[str, ...] = ("",)
    action_unit: tuple[str, ...] = ("",)
    heldout: float = _DEFAULT.heldout
    seed: int = _DEFAULT.seed
    robot_type: str | None = _DEFAULT.robot_type
    skip_bad: bool = _DEFAULT.skip_bad
    workers: int = 2

    def config(self) -> ImportConfig:
        """The importer's settings."""
        return ImportConfig(
            path=self.path,
            out=self.out,
            fps=self.fps,
            cameras=self.cameras or None,
            image_hw=self.image_hw,
            aspect=aspect_of(self.aspect),
            control_mode=self.control_mode,
            absolute_actions=self.absolute_actions or None,
            state_keys=self.state_keys,
            action_key=self.action_key,
            state_unit=one_or_each(self.state_unit),
            action_unit=one_or_each(self.action_unit),
            heldout=self.heldout,
            seed=self.seed,
            robot_type=self.robot_type,
            skip_bad=self.skip_bad,
            workers=self.workers,
        )


def aspect_of(name: str) -> Aspect:
    """The way of scaling that has this name."""
    if name == "stretch":
        return "stretch"
    if name == "crop":
        return "crop"
    raise unknown("aspect", name, ("stretch", "crop"))


def one_or_each(units: tuple[str, ...]) -> str | tuple[str, ...]:
    """What ImportConfig takes: one unit for all channels, or one for each."""
    return units[0] if len(units) == 1 else units


def _command(settings: ImportSettings) -> None:
    with bar(f"import {Path(settings.path).name}", "episode") as report:
        dataset = import_dataset(settings.config(), report)
    print(describe(dataset))


def describe(dataset: Dataset) -> str:
    """What came in, what is held out and what was left out, in one paragraph."""
    heldout = sum(e.provenance.split == "heldout" for e in dataset.episodes)
    lines = [
        f"{dataset.root}: {len(dataset.episodes)} episodes ({heldout} held out), "
        f"{dataset.n_frames} frames at {dataset.fps:g} Hz"
    ]
    lines += [f"  left out: {reason}" for reason in dataset.skipped.values()]
    return "\n".join(lines)


VERB = Verb("import", ImportSettings, _command)

"""What to say of recordings, in the plain lists and mappings that files and command lines have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import get_args

from trimix.core.errors import unknown
from trimix.data.images import Aspect
from trimix.data.importing.plan import ImportConfig

_DEFAULT = ImportConfig("", "")


@dataclass(frozen=True)
class RecordedSettings:
    """Recorded episodes of a robot, and what their LeRobot directory does not say of itself.

    Args:
        path: the directory, v2.0, v2.1 or v3.0.
        fps: what the episodes are resampled to; null keeps theirs.
        cameras: camera of the source: new name; empty takes all.
        aspect: of images that change shape: stretch or crop.
        control_mode: what the actions mean.
        absolute_actions: see ImportConfig; empty: told by names and values.
        state_keys, action_key: features that are the state, joined in this order, and the action;
            null takes those that are known to be.
        state_unit, action_unit: one for all channels, or one for each.
        heldout: the part of the episodes that is never trained on.
        robot_type: null keeps the source's.
        skip_bad: leave out episodes that cannot be trusted, and say so.
    """

    path: str = ""
    fps: float | None = _DEFAULT.fps
    cameras: dict[str, str] = field(default_factory=dict)
    aspect: str = _DEFAULT.aspect
    control_mode: str = _DEFAULT.control_mode
    absolute_actions: tuple[str, ...] = ()
    state_keys: tuple[str, ...] | None = _DEFAULT.state_keys
    action_key: str | None = _DEFAULT.action_key
    state_unit: tuple[str, ...] = ("",)
    action_unit: tuple[str, ...] = ("",)
    heldout: float = _DEFAULT.heldout
    robot_type: str | None = _DEFAULT.robot_type
    skip_bad: bool = _DEFAULT.skip_bad

    def __post_init__(self) -> None:
        if self.aspect not in get_args(Aspect):
            raise unknown("aspect", self.aspect, get_args(Aspect))

    def config(
        self, out: str = "", *, image_hw: tuple[int, int] | None = None, seed: int = 0
    ) -> ImportConfig:
        """The importer's settings.

        Args:
            out: the data set to write.
            image_hw: of every camera; None keeps the sizes.
            seed: of the held-out choice.
        """
        return ImportConfig(
            path=self.path,
            out=out,
            fps=self.fps,
            cameras=dict(self.cameras) or None,
            image_hw=image_hw,
            aspect="crop" if self.aspect == "crop" else "stretch",
            control_mode=self.control_mode,
            absolute_actions=self.absolute_actions or None,
            state_keys=self.state_keys,
            action_key=self.action_key,
            state_unit=_one_or_each(self.state_unit),
            action_unit=_one_or_each(self.action_unit),
            heldout=self.heldout,
            seed=seed,
            robot_type=self.robot_type,
            skip_bad=self.skip_bad,
        )


def _one_or_each(units: tuple[str, ...]) -> str | tuple[str, ...]:
    return units[0] if len(units) == 1 else units

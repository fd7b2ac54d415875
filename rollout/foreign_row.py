"""One environment of another library, as a row of a ForeignWorld sees it.

Axes: H x W pixels, D state channels, A action channels.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from trimix.core.contracts import F32, U8, BoolArray
from trimix.core.errors import ConfigError
from trimix.data.images import resize

_NO_LIMIT = 1e10


@dataclass(frozen=True)
class Seen:
    """What one environment shows after a reset or a step.

    Args:
        state: (D,) float32.
        images: camera -> (H, W, 3) uint8.
        success: None where the environment does not tell.
    """

    state: F32
    images: Mapping[str, U8]
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False
    success: bool | None = None


class Environment(Protocol):
    """One environment of another library.

    Attributes:
        state: D names of channels.
        cameras: names of the cameras that it shows.
        low, high: (A,) float32, limits of its actions.
    """

    state: tuple[str, ...]
    cameras: tuple[str, ...]
    low: F32
    high: F32

    def reset(self, seed: int) -> Seen:
        """Begin an episode: equal seeds, equal episodes, as far as the library keeps to it."""

    def step(self, action: F32) -> Seen:
        """One control period; action: (A,) within its limits.

        Raises:
            Diverged: the simulation left the finite numbers.
            Unfit: what it gave cannot be used.
        """

    def close(self) -> None:
        """Free what it holds."""


class Unfit(Exception):
    """What an environment gave cannot be used; the text says what it was."""


class Diverged(Exception):
    """The simulation of an environment gave no finite numbers."""


def require_finite(seen: Seen, state: Sequence[str]) -> None:
    """Raise Diverged, naming the number, unless the state and the reward are finite."""
    finite = np.isfinite(seen.state)
    if not finite.all():
        raise Diverged(f"{state[int(np.argmin(finite))]} is not finite")
    if not abs(seen.reward) <= np.finfo(np.float32).max:  # nor is NaN
        raise Diverged(f"the reward is {seen.reward}")


def fault_text(fault: Exception) -> str:
    """A fault of another library's code in one line, with the place in it."""
    if isinstance(fault, Unfit):
        return str(fault)
    said = " ".join(str(fault).split())
    frames = traceback.extract_tb(fault.__traceback__)
    place = f" ({Path(frames[-1].filename).name} line {frames[-1].lineno})" if frames else ""
    return f"{type(fault).__name__}{': ' if said else ''}{said}{place}"


def flat_state(parts: Sequence[Any]) -> F32:
    """(D,) float32 of arrays of any shape; what float32 cannot hold is infinite."""
    rows = [np.asarray(part, np.float64).reshape(-1) for part in parts]
    with np.errstate(over="ignore"):
        return np.concatenate([*rows, np.zeros(0)]).astype(np.float32)


def unlimited(low: np.ndarray, high: np.ndarray) -> BoolArray:
    """(A,) whether nothing limits an action: MuJoCo and dm_control say 1e10 for "no limit"."""
    bounded = (np.abs(low) < _NO_LIMIT) & (np.abs(high) < _NO_LIMIT)
    return np.asarray(~bounded, bool)


def picture(value: Any, image_hw: tuple[int, int], of: str) -> U8:
    """A picture of theirs scaled to ours.

    Args:
        of: what gave it, for the error.

    Raises:
        Unfit: it is not (H, W, 3) uint8.
    """
    if not isinstance(value, np.ndarray):
        raise Unfit(f"{of} gave {type(value).__name__}, not a picture (H, W, 3) uint8")
    if value.dtype != np.uint8 or value.ndim != 3 or value.shape[2] != 3 or not value.size:
        raise Unfit(f"{of} gave {value.shape} {value.dtype}, not a picture (H, W, 3) uint8")
    return np.array(resize(value[None], image_hw)[0], np.uint8)


def camera_name(name: str) -> str:
    """The name as a camera of a data set: files are called by it."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)


def chosen_cameras(
    wanted: Sequence[str], there: Sequence[str], usual: Sequence[str], where: str
) -> tuple[str, ...]:
    """The cameras of these names, the usual ones where none is named.

    Raises:
        ConfigError: a camera that is not there, or one that is named twice.
    """
    named = [camera_name(name) for name in wanted] or list(usual)
    missing = [name for name in named if name not in there]
    if missing or len(set(named)) < len(named):
        what = f"camera {missing[0]!r} is not there" if missing else f"cameras {named} repeat"
        raise ConfigError(what, where=where, do=f"available: {', '.join(there) or 'none'}")
    return tuple(named)

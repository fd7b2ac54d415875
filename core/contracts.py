"""Every noun that the rooms share, on one page.

Axes: N rows of a world, H x W pixels (origin top left, RGB), D state channels,
A action channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal, Protocol, TypedDict, runtime_checkable

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from trimix.core.errors import InterfaceError

Origin = Literal["real", "sim", "dream"]
ORIGINS: tuple[Origin, ...] = ("real", "sim", "dream")
CONTROL_MODES = ("joint_velocity", "joint_position", "ee_delta", "undeclared")

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Draw = Mapping[str, Json]
"""The numbers that one episode's randomization drew: target -> value, plain JSON."""

BoolArray = npt.NDArray[np.bool_]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Channel:
    """One number of a state or action vector.

    Args:
        name: e.g. "joint_0".
        unit: e.g. "rad"; "" when the data set does not say.
        low, high: limits of an action in its unit; None when undeclared.
    """

    name: str
    unit: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class PolicyInterface:
    """What a policy sees and gives: the only thing that it may know about a world.

    Args:
        cameras: name -> (height, width) in pixels.
        state: the D state channels.
        action: the A action channels.
        control_mode: what the action means, one of CONTROL_MODES.
        control_dt_s: control period in seconds.
    """

    cameras: Mapping[str, tuple[int, int]]
    state: tuple[Channel, ...]
    action: tuple[Channel, ...]
    control_mode: str
    control_dt_s: float

    def difference(self, other: PolicyInterface) -> str | None:
        """What keeps data of the two apart, as one clause; None when nothing does.

        A unit or limit that one side does not declare agrees with anything. Limits never keep
        data apart: they belong to the robot, not to the recording.
        """
        if dict(self.cameras) != dict(other.cameras):
            return f"cameras {_cameras(self)} against {_cameras(other)}"
        for kind, ours, theirs in (
            ("state", self.state, other.state),
            ("action", self.action, other.action),
        ):
            if [c.name for c in ours] != [c.name for c in theirs]:
                return f"{kind} channels {_names(ours)} against {_names(theirs)}"
            for a, b in zip(ours, theirs, strict=True):
                if a.unit and b.unit and a.unit != b.unit:
                    return f"unit of {kind} channel {a.name!r}: {a.unit!r} against {b.unit!r}"
        if self.control_mode != other.control_mode:
            return f"control mode {self.control_mode!r} against {other.control_mode!r}"
        if abs(self.control_dt_s - other.control_dt_s) > 1e-6:
            return f"control period {self.control_dt_s:g} s against {other.control_dt_s:g} s"
        return None

    def require_same(self, other: PolicyInterface, *, where: str, do: str = "") -> None:
        """Raise InterfaceError, naming the difference, unless data of the two can be mixed."""
        difference = self.difference(other)
        if difference is not None:
            raise InterfaceError(f"interfaces differ: {difference}", where=where, do=do)

    def select(self, cameras: Sequence[str]) -> PolicyInterface:
        """The same interface seen through only these cameras."""
        missing = [c for c in cameras if c not in self.cameras]
        if missing:
            raise InterfaceError(
                f"camera {missing[0]!r} is not in the interface",
                do=f"available: {', '.join(self.cameras) or 'none'}",
            )
        chosen = {c: self.cameras[c] for c in cameras}
        return PolicyInterface(
            chosen, self.state, self.action, self.control_mode, self.control_dt_s
        )

    def to_json(self) -> dict[str, Any]:
        out = asdict(self)
        out["cameras"] = {k: list(v) for k, v in self.cameras.items()}
        return out

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> PolicyInterface:
        return cls(
            cameras={k: (int(v[0]), int(v[1])) for k, v in raw["cameras"].items()},
            state=tuple(Channel(**c) for c in raw["state"]),
            action=tuple(Channel(**c) for c in raw["action"]),
            control_mode=str(raw["control_mode"]),
            control_dt_s=float(raw["control_dt_s"]),
        )


def _names(channels: Sequence[Channel]) -> str:
    return f"{len(channels)} [{', '.join(c.name for c in channels)}]"


def _cameras(interface: PolicyInterface) -> str:
    return ", ".join(f"{k} {h}x{w}" for k, (h, w) in interface.cameras.items()) or "none"


class Obs(TypedDict):
    """images {camera: (N, H, W, 3) uint8}, state (N, D) float32, instruction: N strings."""

    images: dict[str, U8]
    state: F32
    instruction: list[str]


Info = dict[str, Any]
"""success (N,) float32 in [0, 1], trust (N,) float32 in [0, 1], abstained (N,) bool, ...

A world that cannot tell success or reward adds success_known or reward_known, (N,) bool: where
False, the value is nobody's label and the episode holds None instead of it.
"""


@dataclass(frozen=True)
class Parent:
    """The recorded frame that a dream starts from.

    Args:
        dataset: content hash of the data set.
        episode, frame: where in it.
        split: the split of that episode, which the dream inherits.
    """

    dataset: str
    episode: int
    frame: int
    split: str = "train"


@dataclass(frozen=True)
class Goal:
    """What one episode asks for, drawn with its start.

    Args:
        instruction: in words: one of the task's phrasings of this goal.
        params: what reward, success and expert read of it, e.g. {"object": "red", "into": "left"}.
        wordings: other instructions for the same: those of training, and those that are held out.
    """

    instruction: str
    params: Mapping[str, Json] = field(default_factory=dict)
    wordings: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

    def worded(self, at: float) -> Goal:
        """The same goal, said as the part at in [0, 1) of the training wordings says, or, 1 more,
        of the held-out ones; as it is where it has no such wordings, or at is negative."""
        words = self.wordings[int(at >= 1)] if at >= 0 else ()
        return replace(self, instruction=words[int(at % 1 * len(words))]) if words else self

    def text(self, name: str) -> str:
        """A parameter that is a string."""
        return str(self.params[name])


@dataclass(frozen=True)
class Start:
    """How one episode begins. Equal starts in equal worlds give equal episodes.

    Args:
        seed: root seed.
        episode: the episode's number under that seed.
        draw: the randomization to apply; None lets the world draw its own from (seed, episode).
        parent: dreams only: the frame to start from; None lets the world choose by its stream.
    """

    seed: int
    episode: int
    draw: Draw | None = None
    parent: Parent | None = None


class World(gym.vector.VectorEnv[Any, Any, Any]):
    """N rows of one task that can be reset and stepped.

    Autoreset is disabled: a finished row freezes (its observation repeats, its reward is 0)
    until it is reset. `reset` takes options {"starts": N of Start | None, "reset_mask": (N,)
    bool}: rows outside the mask go on. Without starts, row i starts from Start(seed, i).
    """

    interface: PolicyInterface
    origin: Origin
    time_limit_s: float
    model_hash: str  # of the compiled model or of the world model's weights
    # world model's hash -> fingerprints of the episodes that it learned from, of those known
    models: Mapping[str, Sequence[tuple[str, ...]]] = MappingProxyType({})

    def snapshot(self) -> F64 | None:
        """(N, S) simulator state from which the rows' futures follow; None if there is none."""
        return None

    def frame(self) -> Mapping[str, npt.NDArray[Any]]:
        """name -> (N, ...), what the simulator knows of the rows now, for whoever learns from it:
        where cameras and props are, what the servos were told. Policies do not see it."""
        return {}

    def provenance(self, row: int) -> Mapping[str, Any]:
        """What the row's episode came from: keys of episode.Provenance except policy."""
        raise NotImplementedError


@runtime_checkable
class Policy(Protocol):
    """Maps observations to actions, row by row, with whatever memory it keeps for each row."""

    @property
    def interface(self) -> PolicyInterface: ...

    def reset(self, rows: BoolArray, seeds: I64) -> None:
        """Forget these rows and seed them. rows: (N,) bool; seeds: (N,) int64."""

    def act(self, obs: Obs) -> F32:
        """(N, A) float32 in physical units."""


@runtime_checkable
class LabellingPolicy(Policy, Protocol):
    """A policy that says of each action what should have been done instead.

    Attributes:
        labels: (N, A) float32, of the last `act`: what is learned from.
    """

    labels: F32

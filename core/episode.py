"""An episode: T rows and where they came from.

Axes: T rows, H x W pixels, D state channels, A action channels, S simulator state.
Row t holds an observation, the action taken on it, and what followed from that action.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from trimix.core.contracts import (
    F32,
    F64,
    U8,
    BoolArray,
    Draw,
    Json,
    Origin,
    Parent,
    PolicyInterface,
)

HELDOUT = "heldout"
"""The split that nothing is trained on."""
Fingerprint = tuple[str, ...]
"""What identifies a recorded episode (see data/fingerprint.py); empty if nobody knows it."""


@dataclass(frozen=True)
class Provenance:
    """Where an episode came from; for a sim episode, enough to replay it bit for bit.

    Args:
        origin: real, sim or dream.
        task: registered name of the task; "" for imported data.
        seed, episode: the start's random stream.
        draw: the randomization's numbers; empty if none.
        goal: what was asked for, as numbers and names; empty if nobody recorded it.
        robot: sim only: registered name of the robot.
        policy: what acted, as a short name.
        world: name of the world, e.g. "mujoco", "mujoco:target", "dream".
        model_hash: hash of the compiled model or of the world model's weights.
        versions: package -> version of what made it.
        parent: dreams only: the frame it began from.
        split: "train" or "heldout".
        success: whether the task was done; None when nobody labelled it.
        abstained: whether the episode was cut because its world or policy said "I don't know".
        fingerprint: of the episode as it was recorded; a dream's is of the recorded episode at
            the root of its line: where the dream began, or where that dream began.
        models: dreams only: hashes of the world models on that line, its own first.
    """

    origin: Origin
    task: str = ""
    seed: int = 0
    episode: int = 0
    draw: Draw = field(default_factory=dict)
    goal: Mapping[str, Json] = field(default_factory=dict)
    robot: str = ""
    policy: str = ""
    world: str = ""
    model_hash: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    parent: Parent | None = None
    split: str = "train"
    success: bool | None = None
    abstained: bool = False
    fingerprint: Fingerprint = ()
    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class Episode:
    """T rows of one episode.

    Args:
        interface: the channels and cameras below.
        instruction: what the robot was asked to do.
        images: camera -> (T, H, W, 3) uint8 RGB.
        state: (T, D) float32.
        action: (T, A) float32, the action to be learned for row t's observation: the one taken,
            unless `frames` holds another as "executed".
        provenance: where it came from.
        reward, success, done: (T,), what followed the action; None if nobody labelled them.
        trust: (T,) float32 in [0, 1]; None means 1 throughout.
        sim_state: (T, S) float64, the simulator's state at row t's observation; None if none.
        frames: name -> (T, ...), what else is known of each row: see World.frame; "executed",
            (T, A) float32, is the action that was taken where it is not the one to be learned.
    """

    interface: PolicyInterface
    instruction: str
    images: Mapping[str, U8]
    state: F32
    action: F32
    provenance: Provenance
    reward: F32 | None = None
    success: BoolArray | None = None
    done: BoolArray | None = None
    trust: F32 | None = None
    sim_state: F64 | None = None
    frames: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.action)

    @property
    def executed(self) -> F32:
        """(T, A) float32, the actions that were taken."""
        return self.frames.get("executed", self.action)

    def validate(self) -> None:
        """Raise ValueError unless shapes, lengths and dtypes agree with the interface."""
        t = len(self)
        if t == 0:
            raise ValueError("an episode has at least one row")
        expected: dict[str, tuple[np.ndarray, tuple[int, ...], str]] = {
            "state": (self.state, (t, len(self.interface.state)), "float32"),
            "action": (self.action, (t, len(self.interface.action)), "float32"),
        }
        if set(self.images) != set(self.interface.cameras):
            raise ValueError(
                f"cameras {sorted(self.images)} are not the interface's "
                f"{sorted(self.interface.cameras)}"
            )
        for name, (h, w) in self.interface.cameras.items():
            expected[f"images[{name}]"] = (self.images[name], (t, h, w, 3), "uint8")
        if self.reward is not None:
            expected["reward"] = (self.reward, (t,), "float32")
        if self.success is not None:
            expected["success"] = (self.success, (t,), "bool")
        if self.done is not None:
            expected["done"] = (self.done, (t,), "bool")
        if self.trust is not None:
            expected["trust"] = (self.trust, (t,), "float32")
        if self.sim_state is not None:
            width = self.sim_state.shape[-1]
            expected["sim_state"] = (self.sim_state, (t, width), "float64")
        for name, array in self.frames.items():
            if len(array) != t:
                raise ValueError(f"frames[{name!r}] has {len(array)} rows, not {t}")
        for name, (array, shape, dtype) in expected.items():
            if array.shape != shape or array.dtype != np.dtype(dtype):
                raise ValueError(f"{name} is {array.shape} {array.dtype}, expected {shape} {dtype}")
        for name in ("state", "action"):
            if not np.isfinite(getattr(self, name)).all():
                raise ValueError(f"{name} has values that are not finite")

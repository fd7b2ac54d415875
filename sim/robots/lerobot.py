"""What LeRobot's recordings of an SO-101 call the joints, and what their numbers mean.

LeRobot 0.2 and later read a servo's ticks and give, for the five joints of the arm, degrees from
the middle of the range that calibration found (`use_degrees=True`), or per cent of half of that
range (the default of some versions); for the gripper per cent of its range, 0 closed, 100 open. The
MJCF's zeros are the middles of the nominal ranges, and LeRobot's own kinematics feeds those degrees
to the same model's URDF without sign or offset. So signs of +1 and offsets of 0 are the nominal
calibration.

What nobody can know from a recording alone: where *that* arm's zeros were. The middle of a range
that was swept by hand is a degree or more off. The wrist's roll is worse: LeRobot counts it from
the pose in which its owner held it while calibrating. Offsets are therefore the user's to give; the
signs follow from LeRobot's code and the model, and were not checked on an arm.

Axes: N rows, 5 joints of the arm, then the gripper.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trimix.core.contracts import F64
from trimix.core.errors import ConfigError, MissingError

MOTORS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
UNITS = ("deg", "percent")
CLOSED_RAD, OPEN_RAD = -0.174533, 1.745329
"""The gripper's range in the model."""
_TICK_RAD = 2 * np.pi / 4096  # of the STS3215's encoder


@dataclass(frozen=True)
class Calibration:
    """One arm's numbers against the model's.

    A joint of q rad in the model reads `sign * degrees(q) + offset` degrees in the recording.

    Args:
        signs: (5,) 1 or -1.
        offsets_deg: (5,) degrees that the arm reads in the model's zero pose.
        gripper_rad: the model's angle at 0 and at 100 per cent.
        unit: of the arm's joints in the recording: "deg" or "percent".
        halves_deg: (5,) half of each joint's calibrated range, where unit is "percent".

    Raises:
        ConfigError: another unit, a sign that is none, per cent without ranges.
    """

    signs: tuple[float, ...] = (1.0,) * 5
    offsets_deg: tuple[float, ...] = (0.0,) * 5
    gripper_rad: tuple[float, float] = (CLOSED_RAD, OPEN_RAD)
    unit: str = "deg"
    halves_deg: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        where = "calibration of an SO-101"
        if self.unit not in UNITS:
            raise ConfigError(f"unit {self.unit!r}", where=where, do=f"use {' or '.join(UNITS)}")
        sized = {"signs": self.signs, "offsets_deg": self.offsets_deg}
        if self.unit == "percent":
            sized["halves_deg"] = self.halves_deg
        for name, values in sized.items():
            if len(values) != len(MOTORS) - 1:
                raise ConfigError(
                    f"{name} has {len(values)} numbers",
                    where=where,
                    do=f"give one for each of {', '.join(MOTORS[:-1])}",
                )
        if set(map(abs, self.signs)) != {1.0}:
            raise ConfigError(f"signs {self.signs}", where=where, do="use 1 and -1")
        if self.unit == "percent" and min(self.halves_deg) <= 0:
            raise ConfigError("a range is empty", where=where, do="calibrate the arm again")
        if self.gripper_rad[0] == self.gripper_rad[1]:
            raise ConfigError("gripper_rad is one angle", where=where, do="give closed and open")

    @classmethod
    def from_file(
        cls,
        file: str | Path,
        *,
        unit: str = "deg",
        offsets_deg: tuple[float, ...] = (0.0,) * 5,
        signs: tuple[float, ...] = (1.0,) * 5,
    ) -> Calibration:
        """Of the file that `lerobot-calibrate` wrote: it has the ranges, so that per cent can be
        read too, and how far this arm's gripper opens.

        Raises:
            MissingError: there is no such file.
            ConfigError: it is not such a file, or a motor's direction is turned round in it.
        """
        where = str(file)
        motors = _motors(Path(file))
        spans = {}
        for motor in MOTORS:
            if motor not in motors:
                raise ConfigError(
                    f"it has no motor {motor!r}", where=where, do=f"it has {', '.join(motors)}"
                )
            try:
                low, high = (int(motors[motor][k]) for k in ("range_min", "range_max"))
                turned = int(motors[motor].get("drive_mode", 0))
            except (KeyError, TypeError, ValueError) as error:
                raise ConfigError(
                    f"motor {motor!r} has no range ({error!r})",
                    where=where,
                    do="give the file that lerobot-calibrate wrote",
                ) from error
            if turned:
                raise ConfigError(
                    f"motor {motor!r} has drive_mode {turned}, which is not read",
                    where=where,
                    do="give signs in its place, and drive_mode 0",
                )
            spans[motor] = (high - low) * _TICK_RAD
        return cls(
            signs=signs,
            offsets_deg=offsets_deg,
            gripper_rad=(CLOSED_RAD, CLOSED_RAD + spans["gripper"]),
            unit=unit,
            halves_deg=tuple(float(np.degrees(spans[m] / 2)) for m in MOTORS[:-1]),
        )

    def read(self, joints: F64) -> F64:
        """(..., 5) what the recording says of joints (..., 5) in rad."""
        degrees = np.asarray(self.signs) * np.degrees(joints) + np.asarray(self.offsets_deg)
        return np.asarray(degrees / self._part())

    def joints(self, read: F64) -> F64:
        """(..., 5) rad in the model, of what a recording says; the inverse of `read`."""
        degrees = read * self._part() - np.asarray(self.offsets_deg)
        return np.asarray(np.radians(np.asarray(self.signs) * degrees))

    def read_gripper(self, angle: F64) -> F64:
        """(...) per cent of the gripper's range, 0 closed, at an angle in rad."""
        closed, opened = self.gripper_rad
        return np.asarray(100.0 * (angle - closed) / (opened - closed))

    def gripper(self, read: F64) -> F64:
        """(...) rad; the inverse of `read_gripper`."""
        closed, opened = self.gripper_rad
        return np.asarray(closed + read / 100.0 * (opened - closed))

    def _part(self) -> F64:
        """Degrees of one unit of the recording."""
        if self.unit == "deg":
            return np.ones(len(MOTORS) - 1)
        return np.asarray(self.halves_deg) / 100.0


def _motors(file: Path) -> Mapping[str, Mapping[str, Any]]:
    try:
        raw = json.loads(file.read_text())
    except FileNotFoundError as error:
        raise MissingError("there is no such file", where=str(file)) from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"it cannot be read ({error})", where=str(file)) from error
    if not isinstance(raw, dict) or not all(isinstance(v, dict) for v in raw.values()):
        raise ConfigError(
            "it is no table of motors",
            where=str(file),
            do="give the file that lerobot-calibrate wrote",
        )
    return raw

"""Cameras: where they stand, how they look, and their lenses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from trimix.core.errors import ConfigError
from trimix.sim.axes.contract import Axis, Cells, Change, FieldAxis, RowView
from trimix.sim.axes.turning import turned


@dataclass(frozen=True, kw_only=True)
class Rotation(FieldAxis):
    """A rotation vector in rad, in the camera's own axes."""

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        vector = self.result(change, np.zeros(3))
        for i in ids:
            row["cam_quat"][i] = turned(row.before("cam_quat")[i], vector, local=True)


@dataclass(frozen=True, kw_only=True)
class FieldOfView(Axis):
    """Vertical field of view in degrees, also of cameras given by focal length."""

    def cells(self, model: mujoco.MjModel, ids: Sequence[int]) -> Cells:
        return {"cam_fovy": list(ids), "cam_intrinsic": list(ids)}

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        for i in ids:
            base = row.before("cam_fovy")[i]
            new = float(self.result(change, base))
            row["cam_fovy"][i] = new
            ratio = np.tan(np.radians(base) / 2) / np.tan(np.radians(new) / 2)
            row["cam_intrinsic"][i, :2] = np.asarray(row.before("cam_intrinsic")[i, :2]) * ratio


@dataclass(frozen=True, kw_only=True)
class PrincipalPoint(FieldAxis):
    """Offset of the optical axis, as parts of the sensor's width and height."""

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        offset = self.result(change, np.zeros(2))
        for i in ids:
            moved = offset * row.model.cam_sensorsize[i]
            row["cam_intrinsic"][i, 2:] = row.before("cam_intrinsic")[i, 2:] + moved

    def check(self, model: mujoco.MjModel, ids: Sequence[int], target: str) -> None:
        for i in ids:
            if not model.cam_sensorsize[i].all():
                raise ConfigError(
                    f"camera {model.camera(i).name!r} is given by its field of view alone",
                    where=target,
                    do="give it a sensorsize, a resolution and a focal length",
                )


POS = FieldAxis(
    name="camera/pos",
    label="position",
    changes="pixels",
    unit="m",
    low=-100.0,
    high=100.0,
    field="cam_pos",
)
ROTATION = Rotation(
    name="camera/rotation",
    label="rotation",
    changes="pixels",
    unit="rad",
    low=-np.pi,
    high=np.pi,
    hows=("add",),
    field="cam_quat",
)
FOVY = FieldOfView(
    name="camera/fovy",
    label="field of view",
    changes="pixels",
    unit="degrees",
    low=1.0,
    high=170.0,
)
PRINCIPAL = PrincipalPoint(
    name="camera/principal",
    label="offset of the principal point",
    changes="pixels",
    unit="of the sensor's size",
    low=-0.5,
    high=0.5,
    hows=("set", "add"),
    field="cam_intrinsic",
    order=1,
)

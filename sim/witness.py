"""What the simulator knows of each frame, for whoever learns from it; policies do not see it.

Axes: N rows, P props and fixtures. A pose is 9 numbers: x, y, z in m, then the first and second
column of the rotation matrix, in the workspace frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from trimix.core.contracts import F64
from trimix.sim.physics import Physics
from trimix.sim.scene import Inventory

F32Array = npt.NDArray[np.float32]


class Witness:
    """Reads the frames of a world.

    Args:
        physics: whose rows.
        things: props and fixtures, in this order.
        cameras: name -> (height, width) px.
    """

    def __init__(
        self, physics: Physics, things: Inventory, cameras: Mapping[str, tuple[int, int]]
    ) -> None:
        self._physics, self._sizes = physics, dict(cameras)
        self.props = (*things.props, *things.fixtures)
        names = physics.names
        self._bodies = np.array([names.find("body", p) for p in self.props], int)
        self._cameras = [names.find("camera", c) for c in self._sizes]
        bind = physics.batch.bind
        self._xpos, self._xmat = bind("xpos"), bind("xmat")
        self._cam_xpos, self._cam_xmat = bind("cam_xpos"), bind("cam_xmat")

    def frame(self) -> dict[str, npt.NDArray[Any]]:
        """tool (N, 9), props (N, P, 9), opening (N,), camera/<name> (N, 9), lens/<name> (N, 4)."""
        physics = self._physics
        out: dict[str, npt.NDArray[Any]] = {
            "tool": _pose(physics.tool_pos(), physics.tool_mat().reshape(-1, 9)),
            "opening": physics.finger_opening().astype(np.float32),
        }
        if len(self._bodies):
            out["props"] = _pose(
                np.asarray(self._xpos[:, self._bodies]), np.asarray(self._xmat[:, self._bodies])
            )
        for name, i in zip(self._sizes, self._cameras, strict=True):
            out[f"camera/{name}"] = _pose(
                np.asarray(self._cam_xpos[:, i]), np.asarray(self._cam_xmat[:, i])
            )
            out[f"lens/{name}"] = self._lens(name, i)
        return out

    def _lens(self, name: str, camera: int) -> F32Array:
        """(N, 4): focal lengths in x and y and the middle in x and y, in px."""
        height, width = self._sizes[name]
        model, parameters = self._physics.model, self._physics.parameters
        lens = np.empty((self._physics.n, 4), np.float32)
        for row in range(self._physics.n):
            sensor = model.cam_sensorsize[camera]
            if sensor.any():  # a camera that is given by its focal length
                fx, fy, cx, cy = parameters.row_field("cam_intrinsic", row)[camera]
                scale = np.array([width, height]) / sensor
                lens[row] = (
                    fx * scale[0],
                    fy * scale[1],
                    width / 2 + cx * scale[0],
                    height / 2 + cy * scale[1],
                )
            else:
                fovy = float(np.asarray(parameters.row_field("cam_fovy", row))[camera])
                focal = height / 2 / np.tan(np.radians(fovy) / 2)
                lens[row] = (focal, focal, width / 2, height / 2)
        return lens


def _pose(pos: F64, mat: F64) -> F32Array:
    """(..., 9) of positions (..., 3) and flat rotation matrices (..., 9)."""
    m = mat.reshape(*mat.shape[:-1], 3, 3)
    return np.concatenate([pos, m[..., :, 0], m[..., :, 1]], axis=-1).astype(np.float32)

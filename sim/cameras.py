"""Pictures of rows, and what a cheap camera adds to them.

Axes: H x W pixels, RGB uint8, origin top left.
"""

from __future__ import annotations

import atexit
import os
import platform
import weakref
from collections.abc import Iterable, Mapping
from typing import Any

import mujoco
import numpy as np

from trimix.core.contracts import U8
from trimix.core.errors import MissingError, unknown
from trimix.sim.physics import Physics

_MAX_GEOMS = 1000


class Cameras:
    """Draws rows of a batch from named cameras.

    The OpenGL context is made at the first picture.

    Args:
        physics: whose rows are drawn.
        sizes: camera -> (height, width) px.

    Raises:
        ConfigError: a camera that the scene does not have.
    """

    def __init__(self, physics: Physics, sizes: Mapping[str, tuple[int, int]]) -> None:
        self._physics = physics
        self.sizes = dict(sizes)
        model = physics.model
        known = [model.camera(i).name for i in range(model.ncam)]
        for name in self.sizes:
            if name not in known:
                raise unknown("camera", name, known, where=f"scene with {physics.robot.name}")
        self._model = physics.batch.get_model(0)
        self._data = mujoco.MjData(self._model)
        self._canvas: _Canvas | None = None

    def draw(self, row: int) -> dict[str, U8]:
        """camera -> (H, W, 3) uint8 of one row as it is now.

        Raises:
            MissingError: no OpenGL library.
        """
        if not self.sizes:
            return {}
        if self._physics.parameters.expanded:
            self._physics.batch.get_model(row, self._model)
        self._physics.batch.get_data(row, self._data)
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_comPos(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)
        if self._canvas is None:
            self._canvas = _Canvas(self._model, self.sizes.values())
        canvas = self._canvas
        return {
            name: canvas.draw(self._model, self._data, name, size)
            for name, size in self.sizes.items()
        }

    def close(self) -> None:
        """Free the OpenGL context; the next picture makes another."""
        if self._canvas is not None:
            self._canvas.close()
            self._canvas = None


class _Canvas:
    """One OpenGL context, and the scene that is drawn in it."""

    def __init__(self, model: mujoco.MjModel, sizes: Iterable[tuple[int, int]]) -> None:
        height, width = (max(side) for side in zip(*sizes, strict=True))
        model.vis.global_.offheight, model.vis.global_.offwidth = height, width
        try:
            self._gl: Any = _context_class()(width, height)
            self._gl.make_current()
            self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50)
        except (ImportError, AttributeError, OSError, RuntimeError, mujoco.FatalError) as error:
            raise MissingError(
                f"no OpenGL context can be made ({error})",
                do="install libegl1 and libgl1-mesa-dri, or libosmesa6 with MUJOCO_GL=osmesa",
            ) from error
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._scene = mujoco.MjvScene(model, maxgeom=_MAX_GEOMS)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SKYBOX] = 0
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = int(model.light_castshadow.any())
        self._option = mujoco.MjvOption()
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        # EGL complains of a context that outlives its display: free it before, whoever forgot to.
        self.close = weakref.finalize(self, _free, self._gl, self._context)
        atexit.register(self.close)

    def draw(
        self, model: mujoco.MjModel, data: mujoco.MjData, name: str, size: tuple[int, int]
    ) -> U8:
        """(H, W, 3) uint8 from the named camera."""
        self._gl.make_current()
        self._camera.fixedcamid = model.camera(name).id
        mujoco.mjv_updateScene(
            model,
            data,
            self._option,
            None,
            self._camera,
            mujoco.mjtCatBit.mjCAT_ALL,
            self._scene,
        )
        height, width = size
        view = mujoco.MjrRect(0, 0, width, height)
        mujoco.mjr_render(view, self._scene, self._context)
        pixels = np.empty((height, width, 3), np.uint8)
        mujoco.mjr_readPixels(pixels, None, view, self._context)
        # OpenGL's origin is bottom left.
        return np.ascontiguousarray(pixels[::-1])


def _free(gl: Any, context: mujoco.MjrContext) -> None:
    gl.make_current()  # else another world's context loses what has the same numbers
    context.free()
    gl.free()


def renderer() -> str:
    """What draws here: egl, osmesa or a window's. $MUJOCO_GL, else EGL on Linux without display."""
    asked = os.environ.get("MUJOCO_GL", "").lower()
    if not asked and platform.system() == "Linux" and not os.environ.get("DISPLAY"):
        asked = "egl"
    return asked if asked in ("egl", "osmesa") else "window"


def _context_class() -> Any:
    """MuJoCo's context for this machine."""
    asked = renderer()
    if asked == "egl":
        from mujoco.egl import GLContext
    elif asked == "osmesa":
        from mujoco.osmesa import GLContext
    else:
        from mujoco.rendering.classic.gl_context import GLContext
    return GLContext


def degrade(image: U8, gain: float, noise_std: float, rng: np.random.Generator) -> U8:
    """Exposure gain and Gaussian pixel noise (in 0..255 levels) of a cheap camera."""
    levels = image * np.float32(gain)
    if noise_std:
        noise = rng.standard_normal(image.shape, np.float32)
        noise *= np.float32(noise_std)
        levels += noise
    np.rint(levels, out=levels)
    np.clip(levels, 0, 255, out=levels)
    return levels.astype(np.uint8)

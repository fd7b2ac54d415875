"""Pictures of rows, and what a cheap camera adds to them.

Axes: R rows that are drawn, H x W pixels, RGB uint8, origin top left.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import importlib
import os
import platform
import weakref
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import mujoco
import numpy as np
from PIL import Image

from trimix.core.contracts import U8
from trimix.core.errors import ConfigError, MissingError, unknown
from trimix.sim.figures import Figures
from trimix.sim.physics import Physics

_MAX_GEOMS = 1000


class Cameras:
    """Draws rows of a batch from named cameras.

    The OpenGL context is made at the first picture.

    Args:
        physics: whose rows are drawn.
        sizes: camera -> (height, width) px.
        supersample: draws so many times as high and wide, and averages: smooth edges, at the
            price of that many pixels more.

    Raises:
        ConfigError: a camera that the scene does not have; less than one sample.
    """

    def __init__(
        self, physics: Physics, sizes: Mapping[str, tuple[int, int]], *, supersample: int = 1
    ) -> None:
        if supersample < 1:
            raise ConfigError(f"supersample is {supersample}", do="1 draws each pixel once")
        self._physics = physics
        self.sizes = dict(sizes)
        self._supersample = supersample
        model = physics.model
        ids = {model.camera(i).name: i for i in range(model.ncam)}
        for name in self.sizes:
            if name not in ids:
                raise unknown("camera", name, ids, where=f"scene with {physics.robot.name}")
        self._ids = {name: ids[name] for name in self.sizes}
        self._model = physics.batch.get_model(0)
        self._data = mujoco.MjData(self._model)
        self._figures = Figures(physics)
        self._canvas: Canvas | None = None

    def draw(self, row: int) -> dict[str, U8]:
        """camera -> (H, W, 3) uint8 of one row as it is now.

        Raises:
            MissingError: no OpenGL library.
        """
        return {name: images[0] for name, images in self.draw_rows([row]).items()}

    def draw_rows(self, rows: Sequence[int]) -> dict[str, U8]:
        """camera -> (R, H, W, 3) uint8 of rows as they are now.

        Raises:
            MissingError: no OpenGL library.
        """
        out = {name: np.empty((len(rows), *hw, 3), np.uint8) for name, hw in self.sizes.items()}
        if not out or not len(rows):
            return out
        self._figures.follow(rows)
        canvas = self.canvas
        canvas.make_current()
        for k, row in enumerate(rows):
            self._take(k, row)
            for name, camera in self._ids.items():
                canvas.draw(self._model, self._data, camera, out[name][k])
        return out

    def take(self, row: int) -> tuple[mujoco.MjModel, mujoco.MjData]:
        """What the canvas draws of a row as it is now, from any camera; until the next is drawn."""
        self._figures.follow([row])
        self._take(0, row)
        return self._model, self._data

    def _take(self, k: int, row: int) -> None:
        """The k-th of the rows that figures follow."""
        model, data = self._model, self._data
        if self._physics.parameters.expanded:
            self._physics.batch.get_model(row, model)
        self._physics.batch.get_data(row, data)
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_camlight(model, data)
        self._figures.place(k, model, data, self.canvas.option)

    @property
    def canvas(self) -> Canvas:
        """What is drawn on; made when it is first asked for.

        Raises:
            MissingError: no OpenGL library.
        """
        if self._canvas is None:
            self._canvas = Canvas(
                self._model,
                self.sizes.values(),
                supersample=self._supersample,
                mapped_shadows=not self._figures.planar_shadows,
                additive=self._figures.additive,
            )
        return self._canvas

    def close(self) -> None:
        """Free the OpenGL context; the next picture makes another."""
        if self._canvas is not None:
            self._canvas.close()
            self._canvas = None


class Canvas:
    """One OpenGL context, and the scene that is drawn in it."""

    def __init__(
        self,
        model: mujoco.MjModel,
        sizes: Iterable[tuple[int, int]],
        *,
        supersample: int,
        mapped_shadows: bool,
        additive: bool,
    ) -> None:
        self._supersample = supersample
        height, width = (supersample * max(side) for side in zip(*sizes, strict=True))
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
        _one_mipmap(self._context)
        self._scene = mujoco.MjvScene(model, maxgeom=_MAX_GEOMS)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SKYBOX] = 0
        cast = mapped_shadows and bool(model.light_castshadow.any())
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = int(cast)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_ADDITIVE] = int(additive)
        self.option = mujoco.MjvOption()
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        # EGL complains of a context that outlives its display: free it before, whoever forgot to.
        self.close = weakref.finalize(self, _free, self._gl, self._context)
        atexit.register(self.close)

    @functools.cached_property
    def gl(self) -> str:
        """Which OpenGL draws, and its version: another may draw other pixels."""
        self.make_current()
        gl = importlib.import_module("OpenGL.raw.GL.VERSION.GL_1_0")
        said = (gl.glGetString(name) for name in (gl.GL_RENDERER, gl.GL_VERSION))
        return ", ".join(ctypes.string_at(text).decode() for text in said)

    def make_current(self) -> None:
        """Draw here from now on: another world may have drawn in between."""
        self._gl.make_current()

    def draw(self, model: mujoco.MjModel, data: mujoco.MjData, camera: int, out: U8) -> None:
        """Fill out (H, W, 3) uint8 with what a camera sees."""
        self._camera.fixedcamid = camera
        mujoco.mjv_updateScene(
            model,
            data,
            self.option,
            None,
            self._camera,
            mujoco.mjtCatBit.mjCAT_ALL,
            self._scene,
        )
        many = self._supersample
        height, width = (many * side for side in out.shape[:2])
        view = mujoco.MjrRect(0, 0, width, height)
        mujoco.mjr_render(view, self._scene, self._context)
        pixels = np.empty((height, width, 3), np.uint8)
        mujoco.mjr_readPixels(pixels, None, view, self._context)
        if many > 1:
            pixels = np.asarray(Image.fromarray(pixels).reduce(many))
        # OpenGL's origin is bottom left.
        out[:] = pixels[::-1]


def _one_mipmap(context: mujoco.MjrContext) -> None:
    """Sample one level of each texture instead of two: a sixth of the time a pixel takes.

    Levels then change in steps; below 200 px nobody sees them.
    """
    # Of PyOpenGL, which is there wherever MuJoCo draws, the two functions: the rest takes 0.2 s.
    gl_1_0 = importlib.import_module("OpenGL.raw.GL.VERSION.GL_1_0")
    gl_1_1 = importlib.import_module("OpenGL.raw.GL.VERSION.GL_1_1")
    for k in range(context.ntexture):
        if context.textureType[k] == mujoco.mjtTexture.mjTEXTURE_2D:
            gl_1_1.glBindTexture(gl_1_1.GL_TEXTURE_2D, int(context.texture[k]))
            gl_1_0.glTexParameteri(
                gl_1_1.GL_TEXTURE_2D, gl_1_1.GL_TEXTURE_MIN_FILTER, gl_1_1.GL_LINEAR_MIPMAP_NEAREST
            )
    gl_1_1.glBindTexture(gl_1_1.GL_TEXTURE_2D, 0)


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


def name_renderer() -> None:
    """Says in $MUJOCO_GL what draws here: libraries that draw read it when they are imported."""
    if renderer() != "window":
        os.environ.setdefault("MUJOCO_GL", renderer())


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

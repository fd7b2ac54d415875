"""What things look like: colours, textures, shine."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from trimix.core.errors import ConfigError, unknown
from trimix.sim.axes.contract import Array, Axis, Cells, Change, FieldAxis, RowView

_RGB = int(mujoco.mjtTextureRole.mjTEXROLE_RGB)


@dataclass(frozen=True, kw_only=True)
class Tint(FieldAxis):
    """Three shifts of the colour: hue in turns, saturation and value, both cut to [0, 1].

    A shift of each of red, green and blue instead turns grey into any colour; this keeps to
    colours that are near to the eye.
    """

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        shift = self.result(change, np.zeros(3))
        for i in ids:
            row[self.field][i, :3] = shifted(row.before(self.field)[i, :3], shift)


def shifted(rgb: Array, shift: Array) -> Array:
    """(3,) a colour, moved in hue, saturation and value."""
    red, green, blue = (float(c) for c in np.clip(rgb, 0.0, 1.0))
    hue, saturation, value = np.array(colorsys.rgb_to_hsv(red, green, blue)) + shift
    saturation, value = np.clip([saturation, value], 0.0, 1.0)
    return np.array(colorsys.hsv_to_rgb(hue % 1.0, saturation, value))


@dataclass(frozen=True, kw_only=True)
class Texture(Axis):
    """The name of a texture that the model has."""

    def cells(self, model: mujoco.MjModel, ids: Sequence[int]) -> Cells:
        return {"mat_texid": list(ids)}

    def apply(self, row: RowView, ids: Sequence[int], change: Change) -> None:
        if change.how != "set":
            raise ConfigError(f"a texture is set, not {change.how}", where=change.target)
        known = texture_names(row.model)
        if change.value not in known:
            raise unknown("texture", str(change.value), known, where=change.target)
        for i in ids:
            row["mat_texid"][i, _RGB] = known.index(str(change.value))


def texture_names(model: mujoco.MjModel) -> list[str]:
    """Names of the model's textures, in the order of ids."""
    return [
        mujoco.mj_id2name(model, mujoco.mjtObj.mjOBJ_TEXTURE, i) or "" for i in range(model.ntex)
    ]


@dataclass(frozen=True, kw_only=True)
class Textured(FieldAxis):
    """A property of the texture that a material has."""

    def check(self, model: mujoco.MjModel, ids: Sequence[int], target: str) -> None:
        if not (model.mat_texid[list(ids), _RGB] >= 0).any():
            raise ConfigError("no material of it has a texture", where=target)


def _tint(kind: str, field: str) -> Tint:
    return Tint(
        name=f"{kind}/hsv",
        label="shift of hue, saturation and value",
        changes="pixels",
        unit="",
        low=-1.0,
        high=1.0,
        hows=("add",),
        field=field,
        order=1,
    )


def _rgba(kind: str, field: str) -> FieldAxis:
    # A sum may leave [0, 1]: OpenGL cuts the lit colour, and stored draws rely on it.
    return FieldAxis(
        name=f"{kind}/rgba",
        label="colour",
        changes="pixels",
        unit="",
        low=-1.0,
        high=2.0,
        field=field,
    )


def _part(attribute: str, label: str) -> FieldAxis:
    return FieldAxis(
        name=f"material/{attribute}",
        label=label,
        changes="pixels",
        unit="",
        low=0.0,
        high=1.0,
        field=f"mat_{attribute}",
    )


RGBA, GEOM_RGBA = _rgba("material", "mat_rgba"), _rgba("geom", "geom_rgba")
HSV, GEOM_HSV = _tint("material", "mat_rgba"), _tint("geom", "geom_rgba")
SHININESS = _part("shininess", "shininess")
SPECULAR = _part("specular", "specular reflection")
EMISSION = _part("emission", "emission")
TEXTURE = Texture(
    name="material/texture",
    label="texture",
    changes="pixels",
    unit="",
    low=0.0,
    high=0.0,
    hows=("set",),
)
REPEAT = Textured(
    name="material/repeat",
    label="repeats of the texture",
    changes="pixels",
    unit="",
    low=0.01,
    high=1000.0,
    field="mat_texrepeat",
)

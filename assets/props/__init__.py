"""Smooth, cheap meshes for what is seen: shapes, and the things that tasks handle.

What is touched stays made of primitives; these lie over them. Metres, z up.
"""

from trimix.assets.props.banana import BANANA_TEXTURE_HW, banana, banana_texture
from trimix.assets.props.mesh import Mesh, box_uv, hull, merge, volume
from trimix.assets.props.shapes import capsule, cylinder, ellipsoid, lathe, rounded_box, sheet, tube
from trimix.assets.props.things import bowl, handle, mug, peg, plate

__all__ = [
    "BANANA_TEXTURE_HW",
    "Mesh",
    "banana",
    "banana_texture",
    "bowl",
    "box_uv",
    "capsule",
    "cylinder",
    "ellipsoid",
    "handle",
    "hull",
    "lathe",
    "merge",
    "mug",
    "peg",
    "plate",
    "rounded_box",
    "sheet",
    "tube",
    "volume",
]

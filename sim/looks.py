"""What a scene looks like: meshes over colliders, a room, table tops, light; all cheap to draw.

On a CPU a picture costs by the call: a capsule or cylinder of MuJoCo's own takes about 20 us, a
mesh of the same shape 5 us, whatever else is in it. So what is seen is one mesh a body and
material, and what is touched is hidden. Functions here change a MjSpec before it is compiled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from trimix.assets.props import (
    Mesh,
    box_uv,
    capsule,
    cylinder,
    ellipsoid,
    merge,
    rounded_box,
    sheet,
)
from trimix.core.contracts import F64
from trimix.core.errors import ConfigError

Vec3 = Sequence[float]

# MjvOption shows the groups 0 to 2: what only touches goes to the first that it does not show.
HIDDEN = 3
_SEEN = 2
_TILE_M = 0.25
_KIND = mujoco.mjtGeom
_ROUND = {
    _KIND.mjGEOM_CAPSULE,
    _KIND.mjGEOM_CYLINDER,
    _KIND.mjGEOM_SPHERE,
    _KIND.mjGEOM_ELLIPSOID,
}


@dataclass(frozen=True)
class Quality:
    """How finely pictures are drawn; what it costs is in docs/results.

    Args:
        shadow_px: side of the key light's shadow map; 0 draws no shadows.
        shadow_m: half side of the square that the map covers, around the light's target.
        samples: of antialiasing a pixel; 0 leaves edges jagged. llvmpipe knows 4 alone.
    """

    shadow_px: int = 128
    shadow_m: float = 0.6
    samples: int = 4

    def __post_init__(self) -> None:
        if self.shadow_px < 0 or self.samples < 0 or self.shadow_m <= 0:
            raise ConfigError(f"{self} has a negative size")


def apply_quality(spec: mujoco.MjSpec, quality: Quality) -> None:
    """Write the quality into a spec: what is drawn how finely, near and far."""
    visual = spec.visual
    visual.quality.numslices, visual.quality.numstacks = 12, 6
    visual.quality.numquads = 1
    visual.quality.offsamples = quality.samples
    visual.quality.shadowsize = max(quality.shadow_px, 1)
    visual.headlight.ambient = [0.0, 0.0, 0.0]
    visual.headlight.diffuse = [0.0, 0.0, 0.0]
    visual.headlight.specular = [0.0, 0.0, 0.0]
    visual.headlight.active = 0
    # A light's square of shadow is shadowclip * extent to each side of it.
    spec.stat.extent, spec.stat.center = 1.0, [0.0, 0.0, 0.0]
    visual.map.shadowclip = quality.shadow_m
    visual.map.znear, visual.map.zfar = 0.005, 12.0


def add_texture(spec: mujoco.MjSpec, name: str, image: npt.NDArray[np.uint8]) -> str:
    """A (H, W, 3) picture as a texture of the spec."""
    height, width, channels = image.shape
    spec.add_texture(
        name=name,
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        width=width,
        height=height,
        nchannel=channels,
        data=image.reshape(-1).tolist(),
    )
    return name


def add_mesh(spec: mujoco.MjSpec, name: str, mesh: Mesh) -> str:
    """A mesh of the spec, for `add_visual`."""
    spec.add_mesh(
        name=name,
        uservert=mesh.vertices.ravel(),
        userface=mesh.faces.ravel(),
        usernormal=mesh.normals.ravel(),
        usertexcoord=mesh.uv.ravel(),
        # A sheet has no volume.
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
    )
    return name


def add_visual(
    body: mujoco.MjsBody,
    mesh: str,
    material: str,
    *,
    pos: Vec3 = (0, 0, 0),
    quat: Sequence[float] = (1, 0, 0, 0),
    name: str = "",
) -> mujoco.MjsGeom:
    """A mesh of the spec on a body: seen, weightless, never touched."""
    return body.add_geom(
        name=name,
        type=_KIND.mjGEOM_MESH,
        meshname=mesh,
        material=material,
        pos=list(pos),
        quat=list(quat),
        contype=0,
        conaffinity=0,
        mass=0.0,
        group=_SEEN,
    )


def hide(geom: mujoco.MjsGeom) -> None:
    """Keep touching with this geom, and draw it no more."""
    geom.group = HIDDEN


def dress(spec: mujoco.MjSpec, *, segments: int = 10, bevel_m: float = 0.0) -> int:
    """Lay one mesh a body and material over every seen capsule, cylinder, sphere and box.

    The primitives stay, hidden, with their masses and contacts: the motion does not change. Call
    it once, last before compiling. Geoms without a material, of other kinds, and boxes that are
    alone in their body and material, are drawn as they are: that costs no more.

    Args:
        segments: around what is round.
        bevel_m: radius of the edges of boxes and cylinders; bevels cost eight times a box's
            triangles.

    Returns:
        How many meshes were laid.
    """
    model = spec.compile()
    parts: dict[tuple[str, str], list[mujoco.MjsGeom]] = {}
    for geom in spec.geoms:
        seen = geom.group <= _SEEN and geom.material and geom.rgba[3] > 0
        if seen and geom.type in _ROUND | {_KIND.mjGEOM_BOX}:
            parts.setdefault((geom.parent.name, geom.material), []).append(geom)
    laid = 0
    for (body, material), geoms in parts.items():
        if len(geoms) == 1 and geoms[0].type == _KIND.mjGEOM_BOX and not bevel_m:
            continue
        meshes = [
            _placed(_shape(model.geom_type[g.id], model.geom_size[g.id], segments, bevel_m), model, g)
            for g in geoms
        ]
        name = add_mesh(spec, f"look_{body}_{material}", merge(meshes))
        add_visual(geoms[0].parent, name, material, name=name)
        laid += 1
        for geom in geoms:
            hide(geom)
    return laid


def _placed(mesh: Mesh, model: mujoco.MjModel, geom: mujoco.MjsGeom) -> Mesh:
    """A geom's mesh in the frame of its body."""
    turn = np.empty(9)
    mujoco.mju_quat2Mat(turn, model.geom_quat[geom.id])
    return mesh.moved(model.geom_pos[geom.id], turn.reshape(3, 3))


def _shape(kind: int, size: F64, segments: int, bevel: float) -> Mesh:
    """The mesh of a primitive in its own frame."""
    if kind == _KIND.mjGEOM_CAPSULE:
        return capsule(size[0], size[1], segments, 2)
    if kind == _KIND.mjGEOM_CYLINDER:
        return cylinder(size[0], size[1], segments, min(bevel, size[1] / 2))
    if kind == _KIND.mjGEOM_SPHERE:
        return ellipsoid([size[0]] * 3, segments, segments // 2)
    if kind == _KIND.mjGEOM_ELLIPSOID:
        return ellipsoid(size, segments, segments // 2)
    return box_uv(rounded_box(size, min(bevel, float(size.min()) / 2)), _TILE_M)


def add_room(
    spec: mujoco.MjSpec,
    *,
    center: Sequence[float] = (0.0, 0.0),
    half: Sequence[float] = (2.5, 2.5),
    floor_z: float = -0.7,
    height: float = 2.6,
    floor: str,
    wall: str,
) -> None:
    """A floor and four walls seen from inside: instead of a sky, which is dear, or of black.

    Args:
        center, half: m, in x and y.
        floor_z, height: m.
        floor, wall: materials; a wall's texture goes once around, its v from floor to ceiling.
    """
    world = spec.worldbody
    middle = (center[0], center[1], floor_z)
    add_mesh(spec, "room_floor", sheet(half, 4, 1.0))
    add_visual(world, "room_floor", floor, pos=middle, name="room_floor")
    add_mesh(spec, "room_wall", room_walls(half, height))
    add_visual(world, "room_wall", wall, pos=middle, name="room_wall")


def room_walls(half: Sequence[float], height: float) -> Mesh:
    """Four walls around the origin that look inwards, from z = 0; no ceiling (nobody looks up)."""
    x, y = half
    corners = np.array([(x, -y), (-x, -y), (-x, y), (x, y), (x, -y)], float)
    walls = []
    for k in range(4):
        a, b = corners[k], corners[k + 1]
        along = (b - a) / np.linalg.norm(b - a)
        inward = np.array([-along[1], along[0], 0.0])
        inward *= np.sign(-inward[:2] @ (a + b)) or 1.0
        ends = [(*a, 0.0), (*b, 0.0), (*b, height), (*a, height)]
        uv = np.array([(k, 0), (k + 1, 0), (k + 1, 1), (k, 1)], float) / (4, 1)
        face = np.cross(np.subtract(ends[1], ends[0]), np.subtract(ends[2], ends[0])) @ inward
        faces = [(0, 1, 2), (0, 2, 3)] if face > 0 else [(0, 2, 1), (0, 3, 2)]
        walls.append(Mesh.of(ends, faces, [inward] * 4, uv))
    return merge(walls)

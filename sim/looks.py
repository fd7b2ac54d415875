"""What a scene looks like: meshes over colliders, shadows, a room, light; all cheap to draw.

On a CPU a picture costs 5 us a geom and 0.08 us a triangle, whatever the number of pixels: a
capsule or cylinder of MuJoCo's own about 20 us. So what is seen is one mesh of few triangles a body
and material, and what is touched is hidden. These functions change a MjSpec before it is
compiled; `sim.figures` moves at each picture what has to follow.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import mujoco
import numpy as np

from trimix.assets.props import (
    Mesh,
    box_uv,
    capsule,
    cylinder,
    ellipsoid,
    hull,
    merge,
    rounded_box,
    sheet,
    volume,
)
from trimix.core.contracts import F64, U8
from trimix.core.errors import ConfigError, unknown

Vec3 = Sequence[float]

SEEN = 2
"""The last group that MuJoCo draws by itself."""
HIDDEN = 3
"""The group of what is touched and not seen."""
SHADOWS = "shadows"
"""Name of the body, the material and the tuple of the shadows."""
GROUND = "shadows_ground"
"""Name of the plane that the shadows lie on, and of its material."""
SHADOW_GROUP = 5
_TILE_M = 0.5  # one texture on a box; a material's texrepeat makes it smaller
_HULL = 1.5  # as much larger may a hull be than what it is around
_KIND = mujoco.mjtGeom
_PRIMITIVES = (
    _KIND.mjGEOM_CAPSULE,
    _KIND.mjGEOM_CYLINDER,
    _KIND.mjGEOM_SPHERE,
    _KIND.mjGEOM_ELLIPSOID,
    _KIND.mjGEOM_BOX,
)
# What MuJoCo draws with a single quad, or with 12 triangles.
_CHEAP = _KIND.mjGEOM_BOX


def add_texture(spec: mujoco.MjSpec, name: str, image: U8) -> str:
    """A (H, W, 3) picture as a texture of the spec."""
    height, width, channels = image.shape
    texture = spec.add_texture(
        name=name,
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        width=width,
        height=height,
        nchannel=channels,
    )
    texture.data = image.tobytes()
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
    group: int = SEEN,
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
        group=group,
    )


def hide(geom: mujoco.MjsGeom) -> None:
    """Keep touching with this geom, and draw it no more."""
    geom.group = HIDDEN


def clothe(body: mujoco.MjsBody, spec: mujoco.MjSpec, mesh: Mesh, material: str) -> None:
    """Lay a mesh of one's own, in the body's frame, over the geoms that it has so far."""
    for geom in body.geoms:
        hide(geom)
    name = add_mesh(spec, f"look_{body.name}", mesh)
    add_visual(body, name, material, name=name)


def dress(spec: mujoco.MjSpec, *, segments: int = 10, bevel_m: float = 0.0) -> int:
    """Lay one mesh a body and material over every seen capsule, cylinder, sphere and box.

    The primitives stay, hidden, with their masses and contacts: the motion does not change. Call
    it once, last before compiling. Geoms without a material or of other kinds are drawn as they
    are, and so are boxes that are alone in their body and material: that costs no more. A plane
    with edges is lit at 25 points or more, so that a lamp is seen on it.

    Args:
        segments: around what is round.
        bevel_m: radius of the edges of boxes and cylinders; bevels have nine times a box's
            triangles.

    Returns:
        How many meshes were laid.
    """
    model = spec.compile()
    parts: dict[tuple[str, str], list[mujoco.MjsGeom]] = {}
    for geom in (*_seen(spec), *(g for g in spec.geoms if g.name == GROUND)):
        if geom.type == _KIND.mjGEOM_PLANE and (geom.size[:2] > 0).all():
            geom.size[2] = geom.size[:2].min() / 2  # of a plane, this is drawn alone: the grid
        if geom.material and geom.type in _PRIMITIVES:
            parts.setdefault((geom.parent.name, geom.material), []).append(geom)
    alone = {k for k, g in parts.items() if len(g) == 1 and g[0].type == _CHEAP}
    # All shapes first: a geom's id holds only until the spec gets another.
    shapes = {
        key: merge([_primitive(model, g.id, segments, bevel_m) for g in geoms])
        for key, geoms in parts.items()
        if bevel_m or key not in alone
    }
    for (body, material), shape in shapes.items():
        geoms = parts[body, material]
        name = add_mesh(spec, f"look_{body}_{material}", shape)
        add_visual(geoms[0].parent, name, material, name=name)
        for geom in geoms:
            hide(geom)
    return len(shapes)


def add_shadows(
    spec: mujoco.MjSpec,
    *,
    light: str = "key",
    onto: str = "table",
    darkness: float = 0.4,
    segments: int = 6,
    shapes: Mapping[str, Mesh] | None = None,
) -> int:
    """Give every body a shadow: a black copy, pressed flat onto a plane where the light puts it.

    MuJoCo's own shadows draw the scene three times, and at a resolution that takes no longer than
    that they have steps. These fall on one plane alone, and cost 10 us a body. They lie under the
    plane, which becomes see-through, on a ground of its colour: where they overlap they are not
    darker. `sim.figures.Figures` places them; other viewers do not show them. Call it before
    `dress`.

    Args:
        light: directional; where it casts no shadow (castshadow = 0), nothing changes.
        onto: a plane with edges and a material.
        darkness: 1 is black.
        segments: around what is round, of the shadows alone.
        shapes: body -> a coarse mesh in its frame, instead of its primitives.

    Returns:
        How many shadows there are: one of all that is fixed to each other.

    Raises:
        ConfigError: no such light or plane.
    """
    planes = [g for g in spec.geoms if g.type == _KIND.mjGEOM_PLANE and g.material]
    for kind, name, known in (("light", light, spec.lights), ("plane", onto, planes)):
        if name not in [k.name for k in known]:
            raise unknown(kind, name, [k.name for k in known if k.name], where="shadows")
    model = spec.compile()
    found = _casters(spec, model, segments, shapes or {})
    if not found:
        return 0
    spec.add_material(name=SHADOWS, rgba=[0.0, 0.0, 0.0, 1.0], specular=0.0, shininess=0.0)
    spec.add_material(name=GROUND, specular=0.0, shininess=0.0)
    # A body of their own, so that their geoms' ids follow each other.
    body = spec.worldbody.add_body(name=SHADOWS)
    body.add_geom(
        name=GROUND,
        type=_KIND.mjGEOM_PLANE,
        size=list(spec.geom(onto).size),
        material=GROUND,
        group=SHADOW_GROUP,
        contype=0,
        conaffinity=0,
    )
    entries = [(mujoco.mjtObj.mjOBJ_LIGHT, light, darkness), (mujoco.mjtObj.mjOBJ_GEOM, onto, 0.0)]
    for caster, shape in found.items():
        name = add_mesh(spec, f"shadow_{caster}", shape)
        add_visual(body, name, SHADOWS, name=name, group=SHADOW_GROUP)
        entries.append((mujoco.mjtObj.mjOBJ_BODY, caster, 0.0))
    kinds, names, numbers = zip(*entries, strict=True)
    spec.add_tuple(name=SHADOWS, objtype=list(kinds), objname=list(names), objprm=list(numbers))
    return len(found)


def add_lights(
    spec: mujoco.MjSpec,
    *,
    key: float = 0.60,
    fill: float = 0.45,
    ambient: float = 0.35,
    key_from: Vec3 = (0.45, -0.5, 1.2),
    fill_from: Vec3 = (-0.4, 0.7, 0.9),
    center: Vec3 = (0.0, 0.0, 0.0),
    scale: float = 1.0,
) -> tuple[str, str]:
    """A window and a lamp: "key" comes from a direction, "fill" from a place, so that the table's
    brightness falls off across it. The camera's own lamp gives the light that is everywhere.

    Args:
        key, fill, ambient: brightness; what faces both lights gets the sum.
        key_from, fill_from: (3,) m from the center.
        center: (3,) m, what they light.
        scale: of the lamp's distance, in a cell of another size.

    Returns:
        Their names.
    """
    headlight = spec.visual.headlight
    headlight.ambient, headlight.diffuse = [ambient] * 3, [0.0] * 3
    headlight.specular = [0.0] * 3
    direction = -np.asarray(key_from, float)
    spec.worldbody.add_light(
        name="key",
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        pos=list(np.asarray(center, float) + key_from),
        dir=list(direction / np.linalg.norm(direction)),
        diffuse=[key] * 3,
        specular=[0.4 * key] * 3,
        castshadow=True,
    )
    place = scale * np.asarray(fill_from, float)
    near = float(np.linalg.norm(place))
    spec.worldbody.add_light(
        name="fill",
        # MuJoCo's renderer leaves out lights of type point: a wide cone does.
        type=mujoco.mjtLightType.mjLIGHT_SPOT,
        dir=list(-place / near),
        cutoff=80.0,
        exponent=1.0,
        pos=list(np.asarray(center, float) + place),
        # Half as bright as at the center where it is 1.4 times as far.
        attenuation=[0.0, 0.0, 1 / near**2],
        diffuse=[fill] * 3,
        specular=[0.3 * fill] * 3,
        castshadow=False,
    )
    return "key", "fill"


def add_room(
    spec: mujoco.MjSpec,
    floor: str,
    wall: str,
    *,
    center: Sequence[float] = (0.0, 0.0),
    half: Sequence[float] = (2.5, 2.5),
    floor_z: float = -0.7,
    height: float = 2.6,
) -> tuple[str, str]:
    """A floor and four walls seen from inside: a sky costs ten times as much, and none is black.

    Args:
        floor, wall: materials. One floor texture is a metre; a wall's goes once along each wall,
            its v from floor to ceiling. Give `wall` emission: lamps do not light it evenly.
        center, half: m, in x and y.
        floor_z, height: m.

    Returns:
        The geoms' names.
    """
    middle = (center[0], center[1], floor_z)
    for name, mesh, material in (
        ("room_floor", sheet(half, 4, 1.0), floor),
        ("room_wall", room_walls(half, height), wall),
    ):
        add_mesh(spec, name, mesh)
        add_visual(spec.worldbody, name, material, pos=middle, name=name)
    return "room_floor", "room_wall"


def room_walls(half: Sequence[float], height: float) -> Mesh:
    """Four walls around the origin that look inwards, from z = 0; nobody looks up at a ceiling."""
    if min(*half, height) <= 0:
        raise ConfigError(
            f"a room of half sides {tuple(half)} m and height {height} m has no inside"
        )
    x, y = half
    # From inside, each is to the left of the next.
    corners = [(x, y), (-x, y), (-x, -y), (x, -y), (x, y)]
    walls = []
    for k, (a, b) in enumerate(itertools.pairwise(corners)):
        inward = -np.array([a[0] + b[0], a[1] + b[1], 0.0]) / 2
        ends = [(*b, 0.0), (*a, 0.0), (*a, height), (*b, height)]
        uv = [(k + 1, 0), (k, 0), (k, 1), (k + 1, 1)]
        walls.append(Mesh.of(ends, [(0, 1, 2), (0, 2, 3)], [inward] * 4, uv))
    return merge(walls)


def _seen(spec: mujoco.MjSpec) -> list[mujoco.MjsGeom]:
    return [g for g in spec.geoms if g.group <= SEEN and g.rgba[3] > 0]


def _casters(
    spec: mujoco.MjSpec, model: mujoco.MjModel, segments: int, shapes: Mapping[str, Mesh]
) -> dict[str, Mesh]:
    """Body -> what casts its shadow, and those of bodies fixed to it, in its frame.

    Of a body without a shape of its own, its seen primitives; the hidden ones where a mesh alone is
    seen. One convex mesh for all that moves as one, unless that is much larger: overlapping
    shadows are darker.
    """
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    found: dict[int, list[Mesh]] = {}
    for body in {g.parent.id: g.parent for g in _seen(spec) if g.parent.id}.values():
        mesh = shapes.get(body.name)
        if mesh is None:
            chosen = [g for g in body.geoms if g.type in _PRIMITIVES and g.rgba[3] > 0]
            seen = [g for g in chosen if g.group <= SEEN]
            if not chosen:
                continue
            mesh = _one([_primitive(model, g.id, segments, 0.0, 1) for g in seen or chosen])
        root = int(model.body_weldid[body.id]) or body.id
        turn, to = data.xmat[root].reshape(3, 3).T, data.xmat[body.id].reshape(3, 3)
        offset = turn @ (data.xpos[body.id] - data.xpos[root])
        found.setdefault(root, []).append(mesh.moved(offset, turn @ to))
    for body in spec.bodies:
        if body.id in found and not body.name:
            body.name = f"body_{body.id}"
    return {b.name: _one(found[b.id]) for b in spec.bodies if b.id in found}


def _one(meshes: list[Mesh]) -> Mesh:
    """Several meshes as their hull, if that is not much larger than they are, else side by side."""
    if len(meshes) == 1:
        return meshes[0]
    around = hull(merge(meshes))
    return around if volume(around) < _HULL * sum(map(volume, meshes)) else merge(meshes)


def _primitive(
    model: mujoco.MjModel, geom: int, segments: int, bevel: float, stacks: int = 2
) -> Mesh:
    """A geom's mesh in the frame of its body."""
    turn = np.empty(9)
    mujoco.mju_quat2Mat(turn, model.geom_quat[geom])
    shape = _shape(model.geom_type[geom], model.geom_size[geom], segments, bevel, stacks)
    return shape.moved(model.geom_pos[geom], turn.reshape(3, 3))


def _shape(kind: int, size: F64, segments: int, bevel: float, stacks: int) -> Mesh:
    """The mesh of a primitive in its own frame; stacks of a quarter circle."""
    if kind == _KIND.mjGEOM_CAPSULE:
        return capsule(size[0], size[1], segments, stacks)
    if kind == _KIND.mjGEOM_CYLINDER:
        return cylinder(size[0], size[1], segments, min(bevel, size[1] / 2))
    if kind == _KIND.mjGEOM_SPHERE:
        return ellipsoid([size[0]] * 3, segments, 2 * stacks)
    if kind == _KIND.mjGEOM_ELLIPSOID:
        return ellipsoid(size, segments, 2 * stacks)
    return box_uv(rounded_box(size, min(bevel, float(size.min()) / 2)), _TILE_M)

"""A robot alone: what of an MJCF hangs on its base body, and nothing else.

A file of a user's own usually brings a floor, lights, keyframes, options and defaults that are
right where it comes from. In a scene of ours they would be a second floor, or change the props.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import mujoco

from trimix.core.errors import ConfigError, unknown

# Defaults that a file gives to everything: its own elements have them by the time it is read, and
# what a scene adds must not.
_DEFAULTS = {
    "geom": (
        *("type", "size", "pos", "contype", "conaffinity", "condim", "priority", "friction"),
        *("solmix", "solref", "solimp", "margin", "gap", "mass", "density", "rgba", "group"),
        *("material", "fluid_ellipsoid", "fluid_coefs", "typeinertia"),
    ),
    "joint": (
        *("type", "axis", "pos", "damping", "armature", "frictionloss", "stiffness", "springref"),
        *("ref", "limited", "range", "margin", "solref_limit", "solimp_limit", "group"),
        *("solref_friction", "solimp_friction", "actfrclimited", "actfrcrange", "actgravcomp"),
    ),
    "site": ("type", "size", "pos", "rgba", "group", "material"),
    "camera": ("fovy", "resolution", "sensor_size", "focal_length", "ipd", "mode"),
    "light": (
        *("type", "active", "castshadow", "ambient", "diffuse", "specular", "attenuation"),
        *("cutoff", "exponent", "range", "intensity", "bulbradius", "mode"),
    ),
    "material": (
        *("rgba", "specular", "shininess", "emission", "reflectance", "metallic", "roughness"),
        *("texrepeat", "texuniform"),
    ),
    "equality": ("solref", "solimp", "active"),
    "tendon": ("stiffness", "damping", "frictionloss", "limited", "range", "rgba", "width"),
}

_COMPILER = (
    *("boundmass", "boundinertia", "settotalmass", "balanceinertia", "inertiafromgeom"),
    *("fusestatic", "discardvisual", "alignfree", "autolimits"),
)
# Of what MuJoCo writes: elements whose names are the scene's too, and attributes that use them.
_NAMED = {"body", "geom", "site", "camera", "material", "texture", "mesh", "hfield"}
_USES = {
    *("body", "body1", "body2", "geom", "geom1", "geom2", "sidesite", "site", "site1", "site2"),
    *("refsite", "cranksite", "slidersite", "material", "texture", "mesh", "hfield"),
}


def strip(spec: mujoco.MjSpec, root: str, where: str) -> None:
    """Take away, in place, what does not hang on the body `root`; it stands at the origin then.

    Actuators, constraints, tendons and exclusions stay where all bodies that they need do. Sensors,
    keyframes, lights, options, top-level defaults, and materials and meshes that nobody uses any
    more do not.

    Raises:
        ConfigError: there is no such body, or it hangs on another one.
    """
    body = spec.body(root) if root else None
    if body is None:
        known = [b.name for b in spec.bodies[1:] if b.name]
        raise unknown("body", root, known, where=f"{where}: root")
    if body.parent.name != "world":
        raise ConfigError(
            f"body {root!r} hangs on body {body.parent.name!r}",
            where=f"{where}: root",
            do=f"name the body that stands in the world: {_outermost(body).name!r}",
        )
    world = spec.worldbody
    _delete(spec, [*spec.keys, *spec.sensors, *spec.lights, *spec.texts, *spec.numerics])
    _delete(spec, [*spec.tuples, *spec.skins, *spec.flexes])
    _delete(spec, [*world.geoms, *world.sites, *world.cameras])
    _delete(spec, [b for b in world.bodies if b.name != root])
    _delete_unused(spec)
    _stand_alone(spec, body)
    fresh = mujoco.MjSpec()
    spec.option, spec.visual, spec.stat = fresh.option, fresh.visual, fresh.stat
    spec.memory, spec.njmax, spec.nconmax = fresh.memory, fresh.njmax, fresh.nconmax
    for kind, names in _DEFAULTS.items():
        ours, plain = getattr(spec.default, kind), getattr(fresh.default, kind)
        for name in names:
            setattr(ours, name, getattr(plain, name))


def rewritten(
    spec: mujoco.MjSpec,
    where: str,
    *,
    assets: Mapping[str, bytes] | None = None,
    rename: Callable[[str], str] | None = None,
) -> mujoco.MjSpec:
    """The same model read anew from what MuJoCo writes of it.

    Angles are in radians then, masses and inertias explicit, paths absolute: the file's compiler
    settings do not reach what a scene adds.

    Args:
        spec: is used up.
        where: for errors.
        assets: file name -> content, of a spec that was read from a string.
        rename: new names of bodies, geoms, sites, cameras, materials, textures and meshes. Joints
            and actuators keep theirs: channels are called by them.

    Raises:
        ConfigError: it does not compile.
    """
    assets = dict(assets or {})
    _find_files(spec, assets)
    compiler = spec.compiler
    compiler.saveinertial = True
    compiler.fusestatic = compiler.discardvisual = False
    try:
        spec.compile()
        text = spec.to_xml()
        if rename is not None:
            text = _renamed(text, rename)
        out = mujoco.MjSpec.from_string(text, assets=assets)
    except (ValueError, mujoco.FatalError) as error:
        raise ConfigError(
            f"the robot's part does not compile: {' '.join(str(error).split())}", where=where
        ) from error
    plain = mujoco.MjSpec().compiler
    for name in _COMPILER:
        setattr(out.compiler, name, getattr(plain, name))
    return out


def _find_files(spec: mujoco.MjSpec, assets: Mapping[str, bytes]) -> None:
    """Absolute paths of meshes and textures: what MuJoCo writes forgets where the file lay."""
    compiler = spec.compiler
    lists: tuple[tuple[Iterable[Any], str], ...] = (
        (spec.meshes, spec.meshdir),
        (spec.hfields, spec.meshdir),
        (spec.textures, spec.texturedir),
    )
    for elements, folder in lists:
        for element in elements:
            if element.file and element.file not in assets:
                element.file = str(Path(spec.modelfiledir, folder, element.file).resolve())
    spec.meshdir = spec.texturedir = compiler.meshdir = compiler.texturedir = ""


def _renamed(text: str, rename: Callable[[str], str]) -> str:
    """MJCF as MuJoCo writes it, with new names where they are given and where they are used."""
    tree = ElementTree.fromstring(text)  # noqa: S314
    for element in tree.iter():
        if element.tag in _NAMED and "name" in element.attrib:
            element.set("name", rename(element.attrib["name"]))
        for attribute in _USES & element.attrib.keys():
            element.set(attribute, rename(element.attrib[attribute]))
        if element.tag in ("camera", "light") and "target" in element.attrib:
            element.set("target", rename(element.attrib["target"]))
    return ElementTree.tostring(tree, encoding="unicode")


def _outermost(body: Any) -> Any:
    while body.parent.name != "world":
        body = body.parent
    return body


def _delete(spec: mujoco.MjSpec, elements: Iterable[Any]) -> None:
    for element in elements:
        spec.delete(element)


def _delete_unused(spec: mujoco.MjSpec) -> None:
    """Assets of what is gone; their names are likely to be those of the scene's own."""
    meshes = {g.meshname for g in spec.geoms}
    _delete(spec, [m for m in spec.meshes if m.name not in meshes])
    fields = {g.hfieldname for g in spec.geoms}
    _delete(spec, [f for f in spec.hfields if f.name not in fields])
    drawn = [*spec.geoms, *spec.sites, *spec.tendons, *spec.meshes]
    materials = {e.material for e in drawn}
    _delete(spec, [m for m in spec.materials if m.name not in materials])
    textures = {t for m in spec.materials for t in m.textures}
    _delete(spec, [t for t in spec.textures if t.name not in textures])


def _stand_alone(spec: mujoco.MjSpec, body: Any) -> None:
    """At the origin, turned by nothing: the cell says where it stands."""
    plain = mujoco.mjtOrientation.mjORIENTATION_QUAT
    frame = body.frame
    for element in [body, *spec.frames]:
        if element is body or (frame is not None and element.parent.name == "world"):
            element.pos, element.quat = [0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]
            element.alt.type = plain

"""What a scene has, by what it is for: presets refer to roles, never to a scene's names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from trimix.core.errors import ConfigError, unknown
from trimix.randomization.vary import Vary

ROLES: Mapping[str, str] = MappingProxyType(
    {
        # Things.
        "props": "bodies that the task is about",
        "sizable": "props that touch with primitive shapes alone, and can be larger or smaller",
        "loose": "the free ones of them, which can be longer or flatter",
        "lopsided": "free props whose centre of mass can lie off their middle",
        "contact_bodies": "bodies whose friction decides in some contact: props, fingers, trays",
        "twisting": "those of them that resist spinning on a spot",
        "rolling": "those of them that resist rolling",
        "distractors": "bodies that are parked out of sight, to be put beside the props",
        "damped": "joints of props, drawers, doors and buttons that have damping",
        "rubbing": "those that have dry friction",
        "springs": "those that have a spring",
        # The place.
        "tables": "geoms that props stand on",
        "level": "tables whose height and tilt a start follows",
        "contact_geoms": "tables whose friction decides in some contact",
        "ground": 'gravity, called "world", where free props may slide',
        # The robot.
        "base": "the body that it stands on",
        "joints": "its joints that have damping",
        "geared": "those that have armature",
        "servos": "the actuators of its joints",
        "limited": "actuators with a limit to their force, fingers too",
        "links": "bodies whose weight the controller compensates",
        "hand": "the body that carries what is held",
        # Looks.
        "cameras": "cameras that the policy sees",
        "lensed": "those of them that have a sensor, which can be off the axis",
        "lights": "all lights",
        "directed": "lights that have a direction",
        "lamps": "lights that have a place",
        "spare_lights": "lights that can be off: all but the first",
        "shadows": "lights that cast shadows",
        "prop_materials": "materials of props, and of what stands beside them",
        "table_materials": "materials of tables",
        "robot_materials": "materials of the robot",
        "backdrop_materials": "materials of floor, walls and what stands behind",
        "distractor_materials": "materials of distractors",
    }
)
"""Role -> what has it. A scene need not have any."""
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Parts:
    """The names that the sealed target of version 1 refers to, beside table, key and fill.

    Args:
        props: bodies that also name a material and their geoms.
        cameras: cameras that the policy sees.
        own: axes of the task's own, for mild and strong.
    """

    props: Sequence[str]
    cameras: Sequence[str]
    own: Sequence[Vary] = ()


@dataclass(frozen=True)
class Roles:
    """The names of one scene, by role.

    Args:
        names: role -> names, of the roles that the scene has.
        own: axes of the task's own, which mild and strong vary as well.

    Raises:
        ConfigError: a role that is not known.
    """

    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    own: tuple[Vary, ...] = ()

    def __post_init__(self) -> None:
        for role in self.names:
            if role not in ROLES:
                raise unknown("role", role, ROLES)

    def __getitem__(self, role: str) -> tuple[str, ...]:
        """Names that have a role; none where the scene has nothing of it."""
        if role not in ROLES:
            raise unknown("role", role, ROLES)
        return self.names.get(role, ())

    def expand(self, axes: Iterable[Vary]) -> list[Vary]:
        """Every axis with {role} in place of a name, once for each name that has it.

        Raises:
            ConfigError: a role that is not known.
        """
        out = []
        for axis in axes:
            found = _PLACE.search(axis.target)
            if found is None:
                if "{" in axis.target:
                    raise ConfigError(
                        f"target {axis.target!r} has no role in braces",
                        do='e.g. "body/{props}/mass"',
                    )
                out.append(axis)
                continue
            if found.group(1) not in ROLES:
                raise unknown("role", found.group(1), ROLES, where=axis.target)
            for name in self[found.group(1)]:
                target = axis.target.replace(found.group(0), name)
                out.append(replace(axis, target=target))
        return out

    def parts(self) -> Parts:
        """What the sealed target of version 1 needs."""
        return Parts(self["props"], self["cameras"], self.own)

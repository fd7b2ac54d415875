"""Presets: how much of what is randomized, from nothing to strong, and the sealed target shift."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trimix.core.errors import unknown
from trimix.randomization.distributions import Choice, Constant, LogUniform, Normal, Uniform
from trimix.randomization.vary import Randomizer, Vary

TEXTURES = ("plain", "speckle", "cloud", "wood", "checker", "brushed", "stain")


@dataclass(frozen=True)
class Parts:
    """The names in a scene that presets refer to.

    Args:
        props: bodies that also name a material and their geoms.
        cameras: cameras that the policy sees.
        own: axes of the task's own, for mild and strong.
    """

    props: Sequence[str]
    cameras: Sequence[str]
    own: Sequence[Vary] = ()


@dataclass(frozen=True)
class Strength:
    """How far each axis goes. Scales are factors s: LogUniform(1/s, s)."""

    friction: float
    mass: float
    size: float
    damping: float
    gain: float
    latency_s: float
    camera_m: float
    camera_rad: float
    fovy: float
    light_m: float
    light: float
    colour: float
    textures: tuple[str, ...]
    exposure: float
    grain: float
    state_noise: float


MILD = Strength(
    friction=1.25,
    mass=1.25,
    size=1.05,
    damping=1.3,
    gain=1.15,
    latency_s=0.03,
    camera_m=0.005,
    camera_rad=0.02,
    fovy=1.03,
    light_m=0.4,
    light=1.3,
    colour=0.08,
    textures=("plain", "speckle", "cloud"),
    exposure=1.1,
    grain=3.0,
    state_noise=0.001,
)
STRONG = Strength(
    friction=1.6,
    mass=1.7,
    size=1.10,
    damping=2.0,
    gain=1.4,
    latency_s=0.08,
    camera_m=0.015,
    camera_rad=0.07,
    fovy=1.08,
    light_m=1.0,
    light=1.9,
    colour=0.25,
    textures=TEXTURES,
    exposure=1.35,
    grain=9.0,
    state_noise=0.003,
)


def axes(strength: Strength, parts: Parts) -> list[Vary]:
    """Every axis at this strength, for these parts."""
    s = strength
    colour = Uniform((-s.colour,) * 3 + (0.0,), (s.colour,) * 3 + (0.0,))
    return [
        # Physics.
        Vary("geom/table/friction", "scale", _factor(s.friction)),
        Vary("joint/*/damping", "scale", _factor(s.damping)),
        Vary("actuator/*/gain", "scale", _factor(s.gain)),
        Vary("action/robot/latency_s", "set", Uniform(0.0, s.latency_s)),
        Vary("state/robot/noise_std", "set", Uniform(0.0, s.state_noise)),
        *(Vary(f"geom/{p}*/friction", "scale", _factor(s.friction)) for p in parts.props),
        *(Vary(f"body/{p}/mass", "scale", _factor(s.mass)) for p in parts.props),
        *(Vary(f"body/{p}/scale", "scale", _factor(s.size)) for p in parts.props),
        # Looks.
        *(
            Vary(f"camera/{c}/pos", "add", Normal((0.0,) * 3, (s.camera_m,) * 3))
            for c in parts.cameras
        ),
        *(
            Vary(f"camera/{c}/rotation", "add", Normal((0.0,) * 3, (s.camera_rad,) * 3))
            for c in parts.cameras
        ),
        *(Vary(f"camera/{c}/fovy", "scale", _factor(s.fovy)) for c in parts.cameras),
        Vary("light/key/dir", "add", Uniform((-s.light_m / 2,) * 3, (s.light_m / 2,) * 3)),
        # Colour and intensity of the light, then intensity of the one that fills the shadows.
        Vary("light/key/diffuse", "scale", Uniform((1 / s.light,) * 3, (s.light,) * 3)),
        # A factor for each of red, green and blue: the fill light's colour.
        Vary("light/fill/diffuse", "scale", LogUniform((1 / s.light,) * 3, (s.light,) * 3)),
        Vary("material/table/rgba", "add", colour),
        Vary("material/table/texture", "set", Choice(s.textures)),
        *(Vary(f"material/{p}/rgba", "add", colour) for p in parts.props),
        *(Vary(f"material/{p}/texture", "set", Choice(s.textures)) for p in parts.props),
        Vary("image/camera/gain", "set", _factor(s.exposure)),
        Vary("image/camera/noise_std", "set", Uniform(0.0, s.grain)),
        *parts.own,
    ]


def target(parts: Parts) -> list[Vary]:
    """The sealed shift of the stand-in: another cell, with its own physics and looks.

    It plays the real world where there is none: its episodes are the "real" ones of the embedded
    default, and it is where policies are scored. Nobody tunes against it, and it does not
    change: a test holds its digest. Each axis moves away from nominal and scatters a little, as
    days in one laboratory do.
    """
    return [
        Vary("geom/table/friction", "scale", LogUniform(1.25, 1.45)),
        Vary("joint/*/damping", "scale", LogUniform(1.5, 1.8)),
        Vary("actuator/*/gain", "scale", LogUniform(0.70, 0.80)),
        Vary("action/robot/latency_s", "set", Uniform(0.04, 0.06)),
        Vary("action/robot/noise_std", "set", Constant(0.01)),
        Vary("state/robot/noise_std", "set", Constant(0.002)),
        *(Vary(f"geom/{p}*/friction", "scale", LogUniform(0.75, 0.90)) for p in parts.props),
        *(Vary(f"body/{p}/mass", "scale", LogUniform(1.3, 1.5)) for p in parts.props),
        *(Vary(f"body/{p}/scale", "scale", LogUniform(1.03, 1.06)) for p in parts.props),
        *(
            Vary(f"camera/{c}/pos", "add", Normal((0.008, -0.006, 0.006), (0.001,) * 3))
            for c in parts.cameras
        ),
        *(
            Vary(f"camera/{c}/rotation", "add", Normal((0.03, -0.04, 0.04), (0.003,) * 3))
            for c in parts.cameras
        ),
        *(Vary(f"camera/{c}/fovy", "scale", LogUniform(1.04, 1.06)) for c in parts.cameras),
        Vary("light/key/dir", "add", Normal((0.35, -0.25, 0.0), (0.05,) * 3)),
        Vary("light/key/diffuse", "scale", LogUniform(0.60, 0.75)),
        Vary("light/fill/diffuse", "scale", LogUniform(1.5, 1.9)),
        Vary("material/table/rgba", "add", Normal((0.16, 0.09, 0.02, 0.0), (0.01,) * 3 + (0.0,))),
        Vary("material/table/texture", "set", Constant("wood")),
        *(
            Vary(
                f"material/{p}/rgba", "add", Normal((-0.10, -0.06, 0.05, 0.0), (0.01,) * 3 + (0.0,))
            )
            for p in parts.props
        ),
        Vary("image/camera/gain", "set", LogUniform(0.85, 0.95)),
        Vary("image/camera/noise_std", "set", Constant(5.0)),
    ]


PRESETS: dict[str, Callable[[Parts], list[Vary]]] = {
    "none": lambda parts: [],
    "mild": lambda parts: axes(MILD, parts),
    "strong": lambda parts: axes(STRONG, parts),
    "target": target,
}


def preset(name: str, parts: Parts) -> Randomizer:
    """A preset for a scene's parts.

    Raises:
        ConfigError: no such preset.
    """
    if name not in PRESETS:
        raise unknown("randomization", name, PRESETS)
    return Randomizer(PRESETS[name](parts), name)


def _factor(most: float) -> LogUniform:
    return LogUniform(1 / most, most)

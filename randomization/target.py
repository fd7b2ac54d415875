"""The sealed shift of the stand-in, version 2: another laboratory's physics, and its looks.

It plays the real world where there is none: its episodes are the "real" ones of the embedded
default, and it is where policies are scored. Nobody tunes against it, and it does not change: a
test holds its digest. Each axis moves away from nominal and scatters a little, as days in one
laboratory do. Most lie inside of what "strong" draws, in one corner of it; surfaces and wordings
are of the held-out pools.
"""

from __future__ import annotations

from trimix.assets.textures import HELDOUT
from trimix.randomization.distributions import Choice, Constant, LogUniform, Normal, Uniform
from trimix.randomization.roles import Roles
from trimix.randomization.vary import Vary


def target_physics(roles: Roles) -> list[Vary]:
    """Its physics: the arm stands lower and turned, servos are soft and late and have play, hands
    are heavy, things are heavier, larger and more slippery, the table is not level."""
    return roles.expand(
        [
            Vary("body/{base}/pos", "add", Normal((0.004, -0.004, -0.012), (0.001, 0.001, 0.002))),
            Vary("body/{base}/rotation", "add", Normal((0.0, 0.0, 0.018), (0.0, 0.0, 0.003))),
            Vary("body/{contact_bodies}/friction", "scale", LogUniform(0.60, 0.75)),
            Vary("geom/{contact_geoms}/friction", "scale", LogUniform(0.60, 0.75)),
            Vary("body/{contact_bodies}/softness", "scale", Uniform(1.4, 2.0)),
            Vary("body/{props}/mass", "scale", LogUniform(1.4, 1.7)),
            Vary("body/{sizable}/size", "scale", LogUniform(1.05, 1.09)),
            Vary("joint/{damped}/damping", "scale", LogUniform(1.5, 1.8)),
            Vary("joint/{rubbing}/frictionloss", "scale", LogUniform(1.5, 1.8)),
            Vary("gravity/{ground}/tilt", "add", Normal((0.012, -0.012), (0.002, 0.002))),
            Vary("actuator/{servos}/stiffness", "scale", LogUniform(0.65, 0.75)),
            Vary("actuator/{servos}/damping", "scale", LogUniform(1.3, 1.5)),
            Vary("actuator/{limited}/strength", "scale", Uniform(0.60, 0.75)),
            Vary("joint/{geared}/armature", "scale", LogUniform(1.3, 1.6)),
            Vary("body/{hand}/payload", "set", Uniform(0.3, 0.5)),
            Vary("action/robot/latency_s", "set", Uniform(0.04, 0.06)),
            Vary("action/robot/noise_std", "set", Constant(0.01)),
            Vary("action/robot/dropped", "set", Constant(0.02)),
            Vary("action/robot/backlash", "set", Uniform(0.003, 0.004)),
            Vary("state/robot/noise_std", "set", Constant(0.002)),
            Vary("state/robot/delay_s", "set", Uniform(0.02, 0.04)),
        ]
    )


def target_looks(roles: Roles) -> list[Vary]:
    """Its looks: cameras mounted otherwise, evening light from another side, other surfaces and
    colours, a worse camera, other words."""
    surfaces = Choice(HELDOUT)
    return roles.expand(
        [
            Vary("camera/{cameras}/pos", "add", Normal((0.010, -0.008, 0.008), (0.001,) * 3)),
            Vary("camera/{cameras}/rotation", "add", Normal((0.03, -0.04, 0.05), (0.004,) * 3)),
            Vary("camera/{cameras}/fovy", "scale", LogUniform(1.04, 1.07)),
            Vary("light/{directed}/rotation", "add", Normal((0.3, -0.25, 0.2), (0.04,) * 3)),
            Vary("light/{lamps}/pos", "add", Normal((0.25, -0.25, 0.1), (0.03,) * 3)),
            Vary("light/{lights}/diffuse", "scale", LogUniform(0.60, 0.80)),
            Vary("light/{lights}/ambient", "set", Uniform(0.06, 0.12)),
            Vary("light/{lights}/warmth", "set", Uniform(0.15, 0.25)),
            Vary("material/{table_materials}/texture", "set", surfaces),
            Vary("material/{table_materials}/hsv", "add", Normal((0.04, 0.12, 0.10), (0.01,) * 3)),
            Vary("material/{backdrop_materials}/texture", "set", surfaces),
            Vary("material/{prop_materials}/hsv", "add", Normal((0.02, -0.15, -0.10), (0.01,) * 3)),
            Vary("material/{robot_materials}/hsv", "add", Normal((0.3, 0.15, -0.15), (0.02,) * 3)),
            Vary("image/camera/gain", "set", LogUniform(0.85, 0.95)),
            Vary("image/camera/gamma", "set", LogUniform(1.10, 1.20)),
            Vary("image/camera/warmth", "set", Uniform(-0.15, -0.05)),
            Vary("image/camera/noise_std", "set", Constant(5.0)),
            Vary("image/camera/blur", "set", Constant(0.006)),
            Vary("image/camera/jpeg_loss", "set", Constant(40.0)),
            Vary("words/task/paraphrase", "set", Uniform(1.0, 1.999)),
        ]
    )


def target(roles: Roles) -> list[Vary]:
    """All of it."""
    return [*target_physics(roles), *target_looks(roles)]

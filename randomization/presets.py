"""Presets: how much of what is randomized, from nothing to strong, and the sealed target shift.

A preset is a list of axes over roles ("body/{props}/mass"), and expands over what a scene has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from trimix.assets import textures
from trimix.core.errors import unknown
from trimix.randomization.distributions import (
    Choice,
    Distribution,
    LogUniform,
    Normal,
    Uniform,
)
from trimix.randomization.roles import Parts, Roles
from trimix.randomization.target import target, target_looks, target_physics
from trimix.randomization.target_v1 import target_v1
from trimix.randomization.vary import How, Randomizer, Vary

__all__ = ["PRESETS", "TEXTURES", "Parts", "Roles", "preset", "target", "texture_pool"]

TEXTURES: tuple[str, ...] = tuple(textures.NAMES)


def texture_pool(name: str) -> tuple[str, ...]:
    """Names of the textures to train on ("train"), or of those never trained on ("heldout").

    Raises:
        ConfigError: another pool.
    """
    if name not in ("train", "heldout"):
        raise unknown("pool of textures", name, ("train", "heldout"))
    return textures.TRAIN if name == "train" else textures.HELDOUT


def _few_textures() -> tuple[str, ...]:
    pool = texture_pool("train")
    return pool[: max(3, len(pool) // 3)]


def _factor(most: float, n: int = 0) -> LogUniform:
    """As often made smaller as larger: one factor, or one for each of n components."""
    return LogUniform((1 / most,) * n, (most,) * n) if n else LogUniform(1 / most, most)


def _within(*most: float) -> Uniform:
    """U(-most, most) in each component."""
    return Uniform(tuple(-m for m in most), most) if len(most) > 1 else Uniform(-most[0], most[0])


def _normal(std: float, n: int) -> Normal:
    return Normal((0.0,) * n, (std,) * n)


@dataclass(frozen=True)
class Line:
    """One axis of strong, and of mild where one laboratory differs by it from day to day."""

    target: str
    how: How
    mild: Distribution | None
    strong: Distribution


def lines() -> tuple[Line, ...]:
    """Every axis of mild and strong. Ranges are of what laboratories differ by, as far as known."""
    set_: How = "set"
    scale: How = "scale"
    add: How = "add"
    few, all_ = Choice(_few_textures()), Choice(texture_pool("train"))
    up = Uniform
    return (
        # Contacts. Softness is a time constant: 10 ms is the least that a step
        # of 5 ms can follow, and only more is softer.
        Line("body/{contact_bodies}/friction", scale, _factor(1.25), _factor(1.6)),
        Line("geom/{contact_geoms}/friction", scale, _factor(1.25), _factor(1.6)),
        Line("body/{twisting}/torsional", scale, _factor(1.5), _factor(3.0)),
        Line("body/{rolling}/rolling", scale, _factor(1.5), _factor(3.0)),
        Line("body/{contact_bodies}/softness", scale, up(1.0, 1.3), up(1.0, 2.5)),
        Line("geom/{contact_geoms}/softness", scale, up(1.0, 1.3), up(1.0, 2.5)),
        Line("geom/{contact_geoms}/restitution", set_, up(0.0, 0.1), up(0.0, 0.4)),
        # Props.
        Line("body/{props}/mass", scale, _factor(1.25), _factor(1.7)),
        Line("body/{sizable}/size", scale, _factor(1.05), _factor(1.10)),
        Line("body/{loose}/shape", scale, _factor(1.02, 3), _factor(1.06, 3)),
        Line("body/{loose}/inertia", scale, _factor(1.1), _factor(1.4)),
        Line("body/{lopsided}/com", add, _within(*(0.001,) * 3), _within(*(0.005,) * 3)),
        Line("joint/{damped}/damping", scale, _factor(1.3), _factor(2.0)),
        Line("joint/{rubbing}/frictionloss", scale, _factor(1.3), _factor(2.0)),
        Line("joint/{springs}/stiffness", scale, _factor(1.2), _factor(1.6)),
        Line("body/{distractors}/present", set_, Choice((0.0, 0.0, 1.0)), Choice((0.0, 1.0))),
        Line("body/{distractors}/pos", add, _within(0.02, 0.02, 0.0), _within(0.05, 0.05, 0.0)),
        Line("body/{distractors}/rotation", add, _within(0.0, 0.0, 0.5), _within(0.0, 0.0, 1.5)),
        # The place.
        Line("gravity/{ground}/tilt", add, _within(0.005, 0.005), _within(0.02, 0.02)),
        Line("geom/{level}/height", add, _within(0.005), _within(0.02)),
        Line("geom/{level}/tilt", add, _within(0.003, 0.003), _within(0.01, 0.01)),
        # Where the robot stands: tables are as much lower as its base is higher.
        Line("body/{base}/pos", add, _within(0.002, 0.002, 0.004), _within(0.005, 0.005, 0.015)),
        Line("body/{base}/rotation", add, _within(*(0.002,) * 3), _within(*(0.006,) * 3)),
        # The robot. A servo is late by damping / stiffness; friction is a part of its strength.
        Line("actuator/{servos}/stiffness", scale, _factor(1.15), _factor(1.4)),
        Line("actuator/{servos}/damping", scale, _factor(1.15), _factor(1.4)),
        Line("actuator/{servos}/encoder_offset", add, Normal(0.0, 0.001), Normal(0.0, 0.004)),
        Line("actuator/{limited}/strength", scale, up(0.8, 1.1), up(0.5, 1.2)),
        Line("actuator/{limited}/friction", set_, up(0.0, 0.01), up(0.0, 0.04)),
        Line("joint/{geared}/armature", scale, _factor(1.2), _factor(1.6)),
        Line("joint/{joints}/damping", scale, _factor(1.3), _factor(2.0)),
        Line("body/{links}/gravcomp", scale, up(0.97, 1.03), up(0.85, 1.15)),
        Line("body/{hand}/payload", set_, up(0.0, 0.1), up(0.0, 0.6)),
        # Commands and what is told of the joints.
        Line("action/robot/latency_s", set_, up(0.0, 0.03), up(0.0, 0.08)),
        Line("action/robot/noise_std", set_, up(0.0, 0.005), up(0.0, 0.02)),
        Line("action/robot/dropped", set_, up(0.0, 0.01), up(0.0, 0.05)),
        Line("action/robot/stuck", set_, up(0.0, 0.01), up(0.0, 0.05)),
        Line("action/robot/backlash", set_, up(0.0, 0.001), up(0.0, 0.004)),
        Line("state/robot/noise_std", set_, up(0.0, 0.001), up(0.0, 0.003)),
        Line("state/robot/bias_std", set_, up(0.0, 0.001), up(0.0, 0.003)),
        Line("state/robot/delay_s", set_, up(0.0, 0.02), up(0.0, 0.08)),
        # Cameras.
        Line("camera/{cameras}/pos", add, _normal(0.005, 3), _normal(0.015, 3)),
        Line("camera/{cameras}/rotation", add, _normal(0.02, 3), _normal(0.07, 3)),
        Line("camera/{cameras}/fovy", scale, _factor(1.03), _factor(1.08)),
        Line("camera/{lensed}/principal", add, _within(0.01, 0.01), _within(0.03, 0.03)),
        # Lights.
        Line("light/{directed}/rotation", add, _within(*(0.15,) * 3), _within(*(0.5,) * 3)),
        Line("light/{lamps}/pos", add, _within(*(0.1,) * 3), _within(*(0.4,) * 3)),
        Line("light/{lights}/diffuse", scale, _factor(1.3), _factor(1.9)),
        Line("light/{lights}/ambient", set_, up(0.0, 0.05), up(0.0, 0.2)),
        Line("light/{lights}/specular", scale, _factor(1.5), _factor(3.0)),
        Line("light/{lights}/warmth", set_, _within(0.08), _within(0.3)),
        Line("light/{spare_lights}/active", set_, Choice((0.0, 1.0, 1.0, 1.0)), Choice((0.0, 1.0))),
        Line("light/{shadows}/shadow", set_, Choice((0.0, 1.0, 1.0, 1.0)), Choice((0.0, 1.0))),
        # Colours and textures.
        Line(
            "material/{prop_materials}/hsv", add, _within(0.01, 0.1, 0.1), _within(0.04, 0.3, 0.3)
        ),
        Line(
            "material/{table_materials}/hsv", add, _within(0.05, 0.1, 0.1), _within(0.5, 0.3, 0.3)
        ),
        Line(
            "material/{robot_materials}/hsv", add, _within(0.05, 0.1, 0.1), _within(0.5, 0.3, 0.3)
        ),
        Line(
            "material/{backdrop_materials}/hsv",
            add,
            _within(0.05, 0.1, 0.1),
            _within(0.5, 0.3, 0.3),
        ),
        Line(
            "material/{distractor_materials}/hsv",
            add,
            _within(0.05, 0.1, 0.1),
            _within(0.5, 0.3, 0.3),
        ),
        Line("material/{prop_materials}/texture", set_, few, all_),
        Line("material/{table_materials}/texture", set_, few, all_),
        Line("material/{backdrop_materials}/texture", set_, few, all_),
        Line("material/{table_materials}/repeat", scale, _factor(1.5), _factor(3.0)),
        Line("material/{backdrop_materials}/repeat", scale, _factor(1.5), _factor(3.0)),
        Line("material/{table_materials}/specular", set_, up(0.1, 0.4), up(0.0, 1.0)),
        Line("material/{table_materials}/shininess", set_, up(0.3, 0.5), up(0.0, 1.0)),
        Line("material/{prop_materials}/specular", set_, up(0.1, 0.4), up(0.0, 1.0)),
        # What a cheap camera adds.
        Line("image/camera/gain", set_, _factor(1.1), _factor(1.35)),
        Line("image/camera/gamma", set_, _factor(1.1), _factor(1.35)),
        Line("image/camera/warmth", set_, _within(0.05), _within(0.2)),
        Line("image/camera/noise_std", set_, up(0.0, 3.0), up(0.0, 9.0)),
        Line("image/camera/blur", set_, None, up(0.0, 0.015)),
        Line("image/camera/jpeg_loss", set_, None, up(0.0, 70.0)),
        Line("image/camera/dropped", set_, up(0.0, 0.01), up(0.0, 0.08)),
        Line("image/camera/delay_s", set_, up(0.0, 0.03), up(0.0, 0.1)),
        Line("words/task/paraphrase", set_, up(0.0, 1.0), up(0.0, 1.0)),
    )


def mild(roles: Roles) -> list[Vary]:
    """What one laboratory differs by from day to day."""
    axes = (Vary(line.target, line.how, line.mild) for line in lines() if line.mild)
    return [*roles.expand(axes), *roles.expand(roles.own)]


def strong(roles: Roles) -> list[Vary]:
    """What laboratories differ by, as far as an expert still copes."""
    axes = (Vary(line.target, line.how, line.strong) for line in lines())
    return [*roles.expand(axes), *roles.expand(roles.own)]


PRESETS: dict[str, Callable[[Roles], list[Vary]]] = {
    "none": lambda roles: [],
    "mild": mild,
    "strong": strong,
    "target": target,
    "target_physics": target_physics,
    "target_looks": target_looks,
    "target_v1": lambda roles: target_v1(roles.parts()),
}


def preset(name: str, roles: Roles | Parts) -> Randomizer:
    """A preset for what a scene has.

    Raises:
        ConfigError: no such preset.
    """
    if name not in PRESETS:
        raise unknown("randomization", name, PRESETS)
    if isinstance(roles, Parts):
        names = {"props": tuple(roles.props), "cameras": tuple(roles.cameras)}
        roles = Roles(names, tuple(roles.own))
    return Randomizer(PRESETS[name](roles), name)

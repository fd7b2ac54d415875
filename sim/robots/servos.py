"""Position servos: what every joint that is commanded needs, under the joint's own name.

A file's own servo of a joint is found by the joint and renamed. What is none (a motor, a velocity
servo, a tendon's actuator) is replaced where the user says by which servo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mujoco

from trimix.core.errors import ConfigError, unknown

_JOINTS = (mujoco.mjtTrn.mjTRN_JOINT, mujoco.mjtTrn.mjTRN_JOINTINPARENT)
_ONE_DOF = (mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_SLIDE)


@dataclass(frozen=True)
class Servo:
    """A position servo to put in a joint.

    Args:
        kp: N m/rad, or N/m.
        kv: N m s/rad, or N s/m.
        force: the most that it gives, N m or N; 0 for that of the actuator that it replaces.
    """

    kp: float
    kv: float
    force: float = 0.0


def give_servos(
    spec: mujoco.MjSpec, joints: Sequence[str], servo: Servo | None, where: str
) -> None:
    """See that each joint has one position servo, of its own name.

    Args:
        joints: hinges and slides.
        servo: replaces whatever drives a joint and is none; None: that is an error.

    Raises:
        ConfigError: no such joint, or one of more than one degree of freedom, or one that
            something else than a position servo drives, or nothing.
    """
    for name in joints:
        joint = spec.joint(name)
        if joint is None:
            raise unknown("joint", name, [j.name for j in spec.joints if j.name], where=where)
        if joint.type not in _ONE_DOF:
            raise ConfigError(f"joint {name!r} is neither hinge nor slide", where=where)
        own = [a for a in spec.actuators if a.trntype in _JOINTS and a.target == name]
        good = [a for a in own if _is_position(a)]
        if servo is None or (len(own) == 1 and good):
            _require_one(name, own, good, where)
            _rename(spec, good[0], name)
            continue
        force = servo.force or max((_limit(a) for a in own), default=0.0)
        for actuator in [*own, *_through_tendons(spec, name)]:
            spec.delete(actuator)
        made = spec.add_actuator(name=name, target=name, trntype=_JOINTS[0])
        made.set_to_position(kp=servo.kp, kv=servo.kv)
        if force:
            made.forcelimited, made.forcerange = True, [-force, force]


def _require_one(name: str, own: Sequence[Any], good: Sequence[Any], where: str) -> None:
    do = "say `servo: {kp: ..., kv: ...}` to put a position servo in its place"
    if not own:
        raise ConfigError(f"joint {name!r} has no actuator of its own", where=where, do=do)
    if not good:
        raise ConfigError(
            f"actuator {own[0].name!r} of joint {name!r} is no position servo",
            where=where,
            do=do,
        )
    if len(own) > 1:
        names = ", ".join(repr(a.name) for a in own)
        raise ConfigError(
            f"joint {name!r} has {len(own)} actuators: {names}",
            where=where,
            do="leave it one, or say `servo: {kp: ..., kv: ...}` to replace them",
        )


def _rename(spec: mujoco.MjSpec, actuator: Any, name: str) -> None:
    other = spec.actuator(name)
    if other is not None and other.target != name:
        other.name = f"{name} of {other.target}"
    actuator.name = name


def _is_position(actuator: Any) -> bool:
    """Its force is kp times (command - position), in the joint's own unit."""
    return bool(
        actuator.gaintype == mujoco.mjtGain.mjGAIN_FIXED
        and actuator.biastype == mujoco.mjtBias.mjBIAS_AFFINE
        and actuator.dyntype == mujoco.mjtDyn.mjDYN_NONE
        and actuator.biasprm[1] < 0
        and abs(actuator.gainprm[0] + actuator.biasprm[1]) <= 1e-6 * actuator.gainprm[0]
        and actuator.gear[0] == 1.0
    )


def _limit(actuator: Any) -> float:
    """The most that an actuator gives its joint; 0 where nothing says."""
    gear = abs(float(actuator.gear[0]))
    if actuator.forcerange[1] > actuator.forcerange[0]:
        return float(max(abs(actuator.forcerange))) * gear
    motor = actuator.biastype == mujoco.mjtBias.mjBIAS_NONE
    if motor and actuator.ctrlrange[1] > actuator.ctrlrange[0]:
        return float(max(abs(actuator.ctrlrange)) * abs(actuator.gainprm[0])) * gear
    return 0.0


def _through_tendons(spec: mujoco.MjSpec, joint: str) -> list[Any]:
    """Actuators of fixed tendons that run over a joint: two masters would pull at it."""
    pulled = {
        tendon.name
        for tendon in spec.tendons
        for wrap in tendon.path
        if wrap.type == mujoco.mjtWrap.mjWRAP_JOINT and wrap.target.name == joint
    }
    return [
        a for a in spec.actuators if a.trntype == mujoco.mjtTrn.mjTRN_TENDON and a.target in pulled
    ]

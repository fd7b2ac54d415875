"""dm_control's Kinova Jaco: the six-joint arm with the three-finger hand, in our scenes.

It is composed by dm_control (JacoArm, JacoHand) and taken over as an MJCF. Its velocity servos
become position servos with the same limits, which dm_control has from Kinova's data sheets: 30.5
and 6.8 N m of the large and the small actuators, 36 and 48 degrees/s in their firmware, a grip of
25 N at 1 N m a finger. The arm bears its own weight, as Kinova's controller does. Gains are ours:
damped critically against dm_control's armatures of 4, 2 and 0.1 kg m^2.

Axes: none.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import mujoco
import numpy as np

from trimix.core.errors import MissingError, unknown
from trimix.sim.cameras import name_renderer
from trimix.sim.cell import Cell
from trimix.sim.robots.robot import VISUALS, Gripper, Robot
from trimix.sim.robots.servos import Servo, give_servos
from trimix.sim.robots.subtree import rewritten, strip

_LARGE = ("joint_1", "joint_2", "joint_3")
_SMALL = ("joint_4", "joint_5", "joint_6")
_FINGERS = ("hand_finger_1", "hand_finger_2", "hand_finger_3")
_LARGE_SERVO, _SMALL_SERVO = Servo(kp=2500, kv=200, force=30.5), Servo(kp=1200, kv=98, force=6.8)
_FINGER_SERVO = Servo(kp=40, kv=4, force=1.0)
_SEEN, _HIDDEN = 2, 3  # groups of geoms that cameras draw and do not draw
# Primitives that are fitted to the meshes where cheap pictures are asked for.
_BOXES = ("hand_3finger_main",)
_GRIP = (1.1, 0.02, 0.0005)


@dataclass(frozen=True)
class Jaco(Robot):
    """The arm and hand that the package dm_control brings."""

    def spec(self, visual: str = "low") -> mujoco.MjSpec:
        """Its MJCF alone, editable; contacts are with the meshes' hulls either way.

        Raises:
            MissingError: dm_control is not installed.
            ConfigError: another visual.
        """
        if visual not in VISUALS:
            raise unknown("visual", visual, VISUALS, where=f"robot {self.name!r}")
        text, assets = _exported()
        spec = mujoco.MjSpec.from_string(text, assets=dict(assets))
        strip(spec, self.root, self.xml)
        give_servos(spec, _LARGE, _LARGE_SERVO, self.xml)
        give_servos(spec, _SMALL, _SMALL_SERVO, self.xml)
        give_servos(spec, _FINGERS, _FINGER_SERVO, self.xml)
        for body in spec.bodies[1:]:
            body.gravcomp = 1.0
            for geom in list(body.geoms):
                geom.contype, geom.conaffinity, geom.group = 1, 0, _SEEN
                if body.name.startswith("hand_b_finger"):
                    geom.friction, geom.priority, geom.condim = list(_GRIP), 2, 4
                if visual == "low" and geom.type == mujoco.mjtGeom.mjGEOM_MESH:
                    _simplify(body, geom)
        for name in ("b_base", "b_1"):
            for geom in spec.body(name).geoms:
                geom.contype = 0
        hand = spec.body("hand_hand")
        hand.add_site(name=self.tool, pos=[0.003, 0.003, -0.195], quat=_TOOL_QUAT, group=4)
        hand.add_camera(name="wrist", pos=[0.085, 0.003, -0.05], quat=_CAMERA_QUAT, fovy=60.0)
        return rewritten(spec, self.xml, assets=assets)


def _simplify(body: mujoco.MjsBody, geom: mujoco.MjsGeom) -> None:
    """A primitive is drawn in a mesh's place, which is still what touches."""
    geom.group = _HIDDEN
    box = geom.meshname in _BOXES
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_BOX if box else mujoco.mjtGeom.mjGEOM_CAPSULE,
        meshname=geom.meshname,
        material=geom.material,
        pos=geom.pos,
        quat=geom.quat,
        group=_SEEN,
        contype=0,
        conaffinity=0,
        mass=0,
    )


@functools.cache
def _exported() -> tuple[str, Mapping[str, bytes]]:
    """MJCF, and its meshes by file name."""
    name_renderer()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its viewer complains of a machine without a screen
            from dm_control.entities.manipulators import kinova
    except ImportError as error:
        raise MissingError(
            f"package dm_control cannot be imported ({error})",
            where="robot 'jaco'",
            do="use Python 3.11 or 3.12 and pip install dm_control, or another robot",
        ) from error
    arm, hand = kinova.JacoArm(), kinova.JacoHand(name="hand")
    arm.attach(hand)
    # A slash parts names in randomization targets.
    text = arm.mjcf_model.to_xml_string().replace("hand/", "hand_")
    return text, MappingProxyType(arm.mjcf_model.get_assets())


# z of the tool is -z of the hand, x its y.
_TOOL_QUAT = [0.0, np.sqrt(0.5), np.sqrt(0.5), 0.0]
_CAMERA_QUAT = [1.0, 0.0, 0.0, 0.0]

JACO = Jaco(
    name="jaco",
    xml="dm_control.entities.manipulators.kinova",
    root="b_base",
    joints=(*_LARGE, *_SMALL),
    unit="rad",
    speed_limit=(np.deg2rad(36.0),) * 3 + (np.deg2rad(48.0),) * 3,
    home=(0.153, 2.804, 4.93, 0.327, -1.192, 2.051),
    home_spread=tuple(tuple(0.03 if i == j else 0.0 for j in range(6)) for i in range(6)),
    cell=Cell(base=(-0.4, 0.0, 0.0)),
    gripper=Gripper(
        actuators=_FINGERS,
        open=(0.7,) * 3,
        closed=(1.35,) * 3,
        seconds=0.6,
        fingers=tuple((f"hand_b_finger_{k}", f"hand_b_finger_tip_{k}") for k in (1, 2, 3)),
        width_m=0.08,
    ),
)

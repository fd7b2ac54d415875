"""Randomization axes: what can differ between episodes, one kind a line.

A new kind is an Axis (see contract.py) and a line here; the contract suite and the effect meter
pick it up by themselves. One's own needs no line: "module:attribute" in place of the kind, as in
"my_axes:Sag/table/depth".
"""

from __future__ import annotations

from trimix.core.registry import Registry

_HERE = "trimix.sim.axes"

AXES = Registry(
    "randomization axis",
    {
        # Contacts: of a geom, of all geoms of a body, of an explicit pair.
        "geom/friction": f"{_HERE}.contact:GEOM_FRICTION",
        "geom/torsional": f"{_HERE}.contact:GEOM_TORSION",
        "geom/rolling": f"{_HERE}.contact:GEOM_ROLLING",
        "geom/softness": f"{_HERE}.contact:GEOM_SOFTNESS",
        "geom/restitution": f"{_HERE}.contact:GEOM_RESTITUTION",
        "geom/solref": f"{_HERE}.contact:GEOM_SOLREF",
        "geom/solimp": f"{_HERE}.contact:GEOM_SOLIMP",
        "body/friction": f"{_HERE}.contact:BODY_FRICTION",
        "body/torsional": f"{_HERE}.contact:BODY_TORSION",
        "body/rolling": f"{_HERE}.contact:BODY_ROLLING",
        "body/softness": f"{_HERE}.contact:BODY_SOFTNESS",
        "body/restitution": f"{_HERE}.contact:BODY_RESTITUTION",
        "body/solimp": f"{_HERE}.contact:BODY_SOLIMP",
        "pair/friction": f"{_HERE}.contact:PAIR_FRICTION",
        "pair/solref": f"{_HERE}.contact:PAIR_SOLREF",
        "pair/solimp": f"{_HERE}.contact:PAIR_SOLIMP",
        # Bodies.
        "body/mass": f"{_HERE}.bodies:MASS",
        "body/inertia": f"{_HERE}.bodies:INERTIA",
        "body/com": f"{_HERE}.bodies:COM",
        "body/payload": f"{_HERE}.bodies:PAYLOAD",
        "body/gravcomp": f"{_HERE}.bodies:GRAVCOMP",
        "body/pos": f"{_HERE}.bodies:POS",
        "body/rotation": f"{_HERE}.bodies:ROTATION",
        "body/present": f"{_HERE}.bodies:PRESENT",
        "body/size": f"{_HERE}.shapes:SIZE",
        "body/shape": f"{_HERE}.shapes:SHAPE",
        "body/scale": f"{_HERE}.shapes:SCALE",
        # Tables.
        "geom/height": f"{_HERE}.surfaces:HEIGHT",
        "geom/tilt": f"{_HERE}.surfaces:TILT",
        # Joints and gravity.
        "joint/armature": f"{_HERE}.joints:ARMATURE",
        "joint/damping": f"{_HERE}.joints:DAMPING",
        "joint/frictionloss": f"{_HERE}.joints:FRICTIONLOSS",
        "joint/stiffness": f"{_HERE}.joints:STIFFNESS",
        "joint/rest": f"{_HERE}.joints:REST",
        "gravity/tilt": f"{_HERE}.joints:TILT",
        "gravity/magnitude": f"{_HERE}.joints:MAGNITUDE",
        # Servos.
        "actuator/gain": f"{_HERE}.servos:GAIN",
        "actuator/stiffness": f"{_HERE}.servos:STIFFNESS",
        "actuator/damping": f"{_HERE}.servos:DAMPING",
        "actuator/strength": f"{_HERE}.servos:STRENGTH",
        "actuator/friction": f"{_HERE}.servos:FRICTION",
        "actuator/encoder_offset": f"{_HERE}.servos:ENCODER",
        # Cameras.
        "camera/pos": f"{_HERE}.cameras:POS",
        "camera/rotation": f"{_HERE}.cameras:ROTATION",
        "camera/fovy": f"{_HERE}.cameras:FOVY",
        "camera/principal": f"{_HERE}.cameras:PRINCIPAL",
        # Lights.
        "light/pos": f"{_HERE}.lights:POS",
        "light/dir": f"{_HERE}.lights:DIR",
        "light/rotation": f"{_HERE}.lights:ROTATION",
        "light/diffuse": f"{_HERE}.lights:DIFFUSE",
        "light/specular": f"{_HERE}.lights:SPECULAR",
        "light/ambient": f"{_HERE}.lights:AMBIENT",
        "light/warmth": f"{_HERE}.lights:WARMTH",
        "light/active": f"{_HERE}.lights:ACTIVE",
        "light/shadow": f"{_HERE}.lights:SHADOW",
        # Colours and textures.
        "material/rgba": f"{_HERE}.materials:RGBA",
        "material/hsv": f"{_HERE}.materials:HSV",
        "material/texture": f"{_HERE}.materials:TEXTURE",
        "material/repeat": f"{_HERE}.materials:REPEAT",
        "material/shininess": f"{_HERE}.materials:SHININESS",
        "material/specular": f"{_HERE}.materials:SPECULAR",
        "material/emission": f"{_HERE}.materials:EMISSION",
        "geom/rgba": f"{_HERE}.materials:GEOM_RGBA",
        "geom/hsv": f"{_HERE}.materials:GEOM_HSV",
        # Between the simulator and the policy.
        "action/latency_s": f"{_HERE}.signals:LATENCY",
        "action/noise_std": f"{_HERE}.signals:ACTION_NOISE",
        "action/dropped": f"{_HERE}.signals:DROPPED",
        "action/stuck": f"{_HERE}.signals:STUCK",
        "action/backlash": f"{_HERE}.signals:BACKLASH",
        "state/noise_std": f"{_HERE}.signals:STATE_NOISE",
        "state/delay_s": f"{_HERE}.signals:STATE_DELAY",
        "state/bias_std": f"{_HERE}.signals:STATE_BIAS",
        "image/gain": f"{_HERE}.signals:EXPOSURE",
        "image/gamma": f"{_HERE}.signals:GAMMA",
        "image/warmth": f"{_HERE}.signals:WARMTH",
        "image/noise_std": f"{_HERE}.signals:IMAGE_NOISE",
        "image/blur": f"{_HERE}.signals:BLUR",
        "image/jpeg_loss": f"{_HERE}.signals:JPEG",
        "image/dropped": f"{_HERE}.signals:FRAME_DROPPED",
        "image/delay_s": f"{_HERE}.signals:FRAME_DELAY",
        "words/paraphrase": f"{_HERE}.signals:PARAPHRASE",
    },
    needs=(),
)
"""kind/attribute -> contract.Axis; a user's own "module:attribute" is called to give one."""

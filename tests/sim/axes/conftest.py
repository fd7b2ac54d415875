"""A small scene with one of everything that an axis can be about, and a world around it."""

from types import SimpleNamespace

import mujoco
import mujoco.batch
import numpy as np
import pytest

from trimix.randomization.distributions import Choice, LogUniform, Uniform
from trimix.randomization.presets import texture_pool
from trimix.randomization.vary import Vary
from trimix.sim.axes.bodies import PARKED_M
from trimix.sim.axes.roles import find_roles
from trimix.sim.cameras import Cameras
from trimix.sim.parameters import Parameters

GEOM, JOINT, LIGHT = mujoco.mjtGeom, mujoco.mjtJoint, mujoco.mjtLightType
PROPS = ("brick", "ball", "rod", "can", "sled")
JOINTS = ("reach", "lift")
CAMERAS = ("front", "eye")
SUBSTEPS, STEPS = 10, 14
SEEN = (0, 7, STEPS)  # steps whose pictures are drawn


def build(change=None):
    """The scene's spec; `change` edits it before it is compiled."""
    spec = mujoco.MjSpec()
    option = spec.option
    option.timestep, option.cone = 0.005, mujoco.mjtCone.mjCONE_ELLIPTIC
    option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.visual.quality.shadowsize, spec.visual.quality.offsamples = 256, 0
    for k, name in enumerate(texture_pool("train")):
        stripes = np.full((8, 8, 3), 255, np.uint8)
        if k:
            stripes[:, ::2] = 90 + k
        spec.add_texture(
            name=name,
            type=mujoco.mjtTexture.mjTEXTURE_2D,
            width=8,
            height=8,
            nchannel=3,
            data=stripes.reshape(-1).tolist(),
        )
    for name in ("table", "floor", "robot", *PROPS, "toy"):
        made = spec.add_material(name=name, rgba=[0.6, 0.4, 0.3, 1], specular=0.3, shininess=0.4)
        made.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = texture_pool("train")[0]
    world = spec.worldbody
    world.add_geom(
        name="table", type=GEOM.mjGEOM_BOX, size=[0.4, 0.4, 0.02], pos=[0, 0, -0.02],
        material="table", friction=[0.5, 0.005, 1e-4], condim=3,
    )  # fmt: skip
    world.add_geom(
        name="floor", type=GEOM.mjGEOM_BOX, size=[2, 2, 0.01], pos=[0, 0, -0.5],
        material="floor", contype=0, conaffinity=0,
    )  # fmt: skip
    world.add_geom(
        name="ramp", type=GEOM.mjGEOM_BOX, size=[0.15, 0.06, 0.01], pos=[0, -0.3, 0.05],
        quat=[np.cos(0.15), 0, np.sin(0.15), 0],
    )  # fmt: skip
    world.add_light(
        name="key", type=LIGHT.mjLIGHT_DIRECTIONAL, pos=[0, 0, 2], dir=[0.3, 0.2, -1],
        diffuse=[0.4] * 3, castshadow=True,
    )  # fmt: skip
    world.add_light(
        name="lamp", type=LIGHT.mjLIGHT_SPOT, pos=[0.2, 0.2, 1], dir=[0, 0, -1],
        diffuse=[0.3] * 3, castshadow=False, cutoff=40,
    )  # fmt: skip
    world.add_camera(name="front", pos=[0.0, -0.4, 0.7], xyaxes=[1, 0, 0, 0, 0.87, 0.5], fovy=60)
    world.add_camera(
        name="eye", pos=[0, 0, 0.7], xyaxes=[1, 0, 0, 0, 1, 0],
        resolution=[40, 40], sensor_size=[0.1, 0.1], focal_length=[0.1, 0.1],
    )  # fmt: skip
    _arm(world, spec)
    _things(world, spec)
    if change:
        change(spec)
    return spec.compile()


def _arm(world, spec):
    base = world.add_body(name="base", pos=[-0.25, 0, 0.04])
    carriage = base.add_body(name="carriage", gravcomp=1)
    carriage.add_joint(
        name="reach", type=JOINT.mjJNT_SLIDE, axis=[1, 0, 0], damping=[4, 0, 0], armature=0.3
    )
    carriage.add_geom(type=GEOM.mjGEOM_BOX, size=[0.01] * 3, mass=1, contype=0, conaffinity=0)
    hand = carriage.add_body(name="hand", gravcomp=1)
    hand.add_joint(
        name="lift", type=JOINT.mjJNT_SLIDE, axis=[0, 0, 1], damping=[4, 0, 0], armature=0.3
    )
    hand.add_geom(
        name="paddle", type=GEOM.mjGEOM_BOX, size=[0.01, 0.15, 0.03], mass=1,
        material="robot", friction=[0.9, 0.01, 1e-4], condim=4, priority=2,
    )  # fmt: skip
    hand.add_site(name="tool")
    for joint in JOINTS:
        motor = spec.add_actuator(name=joint, target=joint)
        motor.trntype = mujoco.mjtTrn.mjTRN_JOINT
        motor.set_to_position(kp=150, kv=15)
        motor.forcelimited, motor.forcerange = True, [-12, 12]


def _things(world, spec):
    def prop(name, pos, quat=(1, 0, 0, 0)):
        body = world.add_body(name=name, pos=pos, quat=list(quat))
        body.simple = False
        body.add_freejoint(name=name)
        return body

    looks = {"condim": 6, "friction": [0.5, 0.01, 0.001], "priority": 1}
    prop("brick", [-0.15, 0.06, 0.035]).add_geom(
        name="brick", type=GEOM.mjGEOM_BOX, size=[0.03, 0.02, 0.03], mass=0.4,
        material="brick", **looks,
    )  # fmt: skip
    prop("ball", [-0.17, -0.06, 0.05]).add_geom(
        name="ball", type=GEOM.mjGEOM_SPHERE, size=[0.025, 0, 0], mass=0.1,
        material="ball", **looks,
    )  # fmt: skip
    rod = prop("rod", [0.1, 0.1, 0.06])
    rod.add_geom(
        name="rod", type=GEOM.mjGEOM_CAPSULE, fromto=[0, 0, 0, 0.05, 0.03, 0.01],
        size=[0.012, 0, 0], mass=0.1, material="rod", **looks,
    )  # fmt: skip
    rod.add_geom(
        name="rod_1", type=GEOM.mjGEOM_SPHERE, pos=[0.05, 0.03, 0.01], size=[0.018, 0, 0],
        mass=0.05, material="rod", **looks,
    )  # fmt: skip
    rod.add_site(name="rod_end", pos=[0.05, 0.03, 0.01], size=[0.01, 0.01, 0.01])
    prop("can", [0.1, -0.08, 0.08], (0.9, 0.3, 0.2, 0.1)).add_geom(
        name="can", type=GEOM.mjGEOM_CYLINDER, size=[0.02, 0.04, 0], mass=0.2,
        material="can", **looks,
    )  # fmt: skip
    prop("sled", [-0.05, -0.3, 0.1], (np.cos(0.15), 0, np.sin(0.15), 0)).add_geom(
        name="sled", type=GEOM.mjGEOM_BOX, size=[0.02, 0.02, 0.01], mass=0.1, material="sled",
        friction=[0.2, 0.005, 1e-4],
    )  # fmt: skip
    spec.add_pair(
        geomname1="sled", geomname2="ramp", name="slide", condim=3,
        friction=[0.1, 0.1, 0.005, 1e-4, 1e-4],
    )  # fmt: skip
    drawer = world.add_body(name="drawer", pos=[0.3, 0.2, 0.1])
    drawer.add_joint(
        name="drawer", type=JOINT.mjJNT_SLIDE, axis=[1, 0, -0.5], damping=[1.5, 0, 0],
        frictionloss=0.3, stiffness=[20, 0, 0],
    )  # fmt: skip
    drawer.add_geom(
        type=GEOM.mjGEOM_BOX, size=[0.03] * 3, mass=0.5, contype=0, conaffinity=0
    )  # fmt: skip
    toy = world.add_body(name="toy", pos=[0.2, -0.2, 0.03 - PARKED_M])
    toy.add_geom(name="toy", type=GEOM.mjGEOM_BOX, size=[0.05, 0.02, 0.03], material="toy")


class ToyWorld:
    """Rows of the scene, which a paddle sweeps: sim.axes.effects.Simulated."""

    def __init__(self, n, model=None, *, draw_images=True):
        self.model, self.num_envs = model or build(), n
        batch = mujoco.batch.Batch(self.model, n, 1)
        parameters = Parameters(self.model, batch)
        at = [self.model.joint(j).qposadr[0] for j in JOINTS]
        self.physics = SimpleNamespace(
            model=self.model,
            n=n,
            batch=batch,
            parameters=parameters,
            robot=SimpleNamespace(name="toy"),
            joint_qpos=np.array(at),
            joints=lambda: np.array(batch.bind("qpos")[:, at]),
        )
        self._ctrl = batch.bind("ctrl")
        self._step = 0
        self._cameras = Cameras(self.physics, dict.fromkeys(CAMERAS, (40, 40)))
        self._draw_images = draw_images
        self._images = {}

    def reset(self, *, seed=None, options=None):
        starts = options["starts"]
        rows = [i for i in range(self.num_envs) if options["reset_mask"][i]]
        physics = self.physics
        physics.batch.reset(rows, stage=0)
        physics.parameters.restore(rows)
        for i in rows:
            for target, entry in starts[i].draw.items():
                physics.parameters.adjust(i, target, entry["how"], entry["value"])
        physics.parameters.commit(rows)
        # The ball spins on its spot.
        physics.batch.bind("qvel")[rows, self.model.joint("ball").dofadr[0] + 5] = 8.0
        physics.batch.forward(rows)
        self._step = 0
        return self._obs(), {"abstained": np.zeros(self.num_envs, bool)}

    def step(self, action):
        self._ctrl[:] = action
        self.physics.batch.step(nstep=SUBSTEPS, stage=int(mujoco.mjtStage.mjSTAGE_POS))
        self._step += 1
        no = np.zeros(self.num_envs, bool)
        return self._obs(), np.zeros(self.num_envs), no, no, {"abstained": no}

    def close(self):
        self._cameras.close()

    def _obs(self):
        if self._draw_images and self._step in SEEN:
            drawn = [self._cameras.draw(i) for i in range(self.num_envs)]
            self._images = {c: np.stack([d[c] for d in drawn]) for c in CAMERAS}
        return {
            "images": self._images if self._draw_images else {},
            "state": self.physics.joints().astype(np.float32),
            "instruction": [""] * self.num_envs,
        }


TURN, MOVE = Uniform((-0.3,) * 3, (0.3,) * 3), Uniform((-0.03,) * 3, (0.03,) * 3)
SAMPLES = {
    "geom/friction": ("brick", "scale", LogUniform(0.5, 2.0)),
    "geom/torsional": ("ball", "scale", LogUniform(0.2, 5.0)),
    "geom/rolling": ("ball", "scale", LogUniform(0.2, 5.0)),
    "geom/softness": ("brick", "scale", Uniform(1.0, 2.5)),
    "geom/restitution": ("ball", "set", Uniform(0.0, 0.7)),
    "geom/solref": ("brick", "scale", Uniform((1.0, 0.5), (2.0, 1.0))),
    "geom/solimp": ("can", "set", Uniform((0.3, 0.9, 0.001, 0.5, 2), (0.9, 0.95, 0.01, 0.5, 2))),
    "body/friction": ("ball", "scale", LogUniform((0.5,) * 3, (2.0,) * 3)),
    "body/torsional": ("ball", "scale", LogUniform(0.2, 5.0)),
    "body/rolling": ("ball", "scale", LogUniform(0.2, 5.0)),
    "body/softness": ("can", "scale", Uniform(1.0, 2.5)),
    "body/restitution": ("rod", "set", Uniform(0.0, 0.7)),
    "body/solimp": ("rod", "set", Uniform((0.3, 0.9, 0.001, 0.5, 2), (0.9, 0.95, 0.01, 0.5, 2))),
    "pair/friction": ("slide", "scale", LogUniform(0.5, 2.0)),
    "pair/solref": ("slide", "scale", Uniform((1.0, 0.5), (2.0, 1.0))),
    "pair/solimp": ("slide", "set", Uniform((0.1, 0.9, 0.01, 0.5, 2), (0.9, 0.95, 0.02, 0.5, 2))),
    "body/mass": ("brick", "scale", LogUniform(0.6, 1.7)),
    "body/inertia": ("brick", "scale", Uniform((0.8,) * 3, (1.2,) * 3)),
    "body/com": ("rod", "add", Uniform((-0.005,) * 3, (0.005,) * 3)),
    "body/payload": ("hand", "set", Uniform(0.0, 0.6)),
    "body/gravcomp": ("hand", "scale", Uniform(0.8, 1.2)),
    "body/pos": ("drawer", "add", MOVE),
    "body/rotation": ("drawer", "add", TURN),
    "body/present": ("toy", "set", Choice((0.0, 1.0))),
    "body/size": ("rod", "scale", LogUniform(0.9, 1.1)),
    "body/shape": ("rod", "scale", LogUniform((0.9,) * 3, (1.1,) * 3)),
    "body/scale": ("rod", "scale", LogUniform(0.9, 1.1)),
    "geom/height": ("table", "add", Uniform(-0.02, 0.02)),
    "geom/tilt": ("table", "add", Uniform((-0.02,) * 2, (0.02,) * 2)),
    "joint/armature": ("lift", "scale", LogUniform(0.6, 1.6)),
    "joint/damping": ("drawer", "scale", LogUniform(0.5, 2.0)),
    "joint/frictionloss": ("drawer", "add", Uniform(0.0, 0.5)),
    "joint/stiffness": ("drawer", "scale", LogUniform(0.6, 1.6)),
    "joint/rest": ("drawer", "add", Uniform(-0.02, 0.02)),
    "gravity/tilt": ("world", "add", Uniform((-0.03,) * 2, (0.03,) * 2)),
    "gravity/magnitude": ("world", "scale", Uniform(0.9, 1.1)),
    "actuator/gain": ("reach", "scale", LogUniform(0.7, 1.4)),
    "actuator/stiffness": ("reach", "scale", LogUniform(0.7, 1.4)),
    "actuator/damping": ("reach", "scale", LogUniform(0.7, 1.4)),
    "actuator/strength": ("reach", "scale", Uniform(0.5, 1.2)),
    "actuator/friction": ("lift", "set", Uniform(0.0, 0.05)),
    "actuator/encoder_offset": ("reach", "add", Uniform(-0.005, 0.005)),
    "camera/pos": ("front", "add", MOVE),
    "camera/rotation": ("front", "add", TURN),
    "camera/fovy": ("*", "scale", LogUniform(0.9, 1.1)),
    "camera/principal": ("eye", "add", Uniform((-0.03,) * 2, (0.03,) * 2)),
    "light/pos": ("lamp", "add", Uniform((-0.2,) * 3, (0.2,) * 3)),
    "light/dir": ("key", "add", Uniform((-0.2,) * 3, (0.2,) * 3)),
    "light/rotation": ("*", "add", TURN),
    "light/diffuse": ("*", "scale", LogUniform((0.6,) * 3, (1.6,) * 3)),
    "light/specular": ("key", "scale", Uniform(0.0, 2.0)),
    "light/ambient": ("lamp", "set", Uniform(0.0, 0.2)),
    "light/warmth": ("key", "set", Uniform(-0.3, 0.3)),
    "light/active": ("lamp", "set", Choice((0.0, 1.0))),
    "light/shadow": ("key", "set", Choice((0.0, 1.0))),
    "material/rgba": ("table", "add", Uniform((-0.1,) * 3 + (0.0,), (0.1,) * 3 + (0.0,))),
    "material/hsv": ("*", "add", Uniform((-0.1,) * 3, (0.1,) * 3)),
    "material/texture": ("table", "set", Choice(texture_pool("train"))),
    "material/repeat": ("table", "scale", LogUniform(0.3, 3.0)),
    "material/shininess": ("table", "set", Uniform(0.0, 1.0)),
    "material/specular": ("table", "set", Uniform(0.0, 1.0)),
    "material/emission": ("table", "set", Uniform(0.0, 0.3)),
    "geom/rgba": ("floor", "set", Uniform((0.0,) * 3 + (1.0,), (1.0,) * 4)),
    "geom/hsv": ("floor", "add", Uniform((-0.1,) * 3, (0.1,) * 3)),
    "action/latency_s": ("robot", "set", Uniform(0.0, 0.1)),
    "action/noise_std": ("robot", "set", Uniform(0.0, 0.02)),
    "action/dropped": ("robot", "set", Uniform(0.0, 0.1)),
    "action/stuck": ("robot", "set", Uniform(0.0, 0.1)),
    "action/backlash": ("robot", "set", Uniform(0.0, 0.01)),
    "state/noise_std": ("robot", "set", Uniform(0.0, 0.01)),
    "state/delay_s": ("robot", "set", Uniform(0.0, 0.1)),
    "state/bias_std": ("robot", "set", Uniform(0.0, 0.01)),
    "image/gain": ("camera", "set", LogUniform(0.7, 1.4)),
    "image/gamma": ("camera", "set", LogUniform(0.7, 1.4)),
    "image/warmth": ("camera", "set", Uniform(-0.2, 0.2)),
    "image/noise_std": ("camera", "set", Uniform(0.0, 9.0)),
    "image/blur": ("camera", "set", Uniform(0.0, 0.02)),
    "image/jpeg_loss": ("camera", "set", Uniform(0.0, 70.0)),
    "image/dropped": ("camera", "set", Uniform(0.0, 0.1)),
    "image/delay_s": ("camera", "set", Uniform(0.0, 0.1)),
    "words/paraphrase": ("task", "set", Uniform(0.0, 1.0)),
}
"""Axis -> a name in the scene, how, and a range in which it clearly acts."""


@pytest.fixture(scope="session")
def samples():
    """Axis -> Vary on the scene; a new axis needs a line in SAMPLES."""
    found = {}
    for axis, (name, how, value) in SAMPLES.items():
        kind, attribute = axis.split("/")
        found[axis] = Vary(f"{kind}/{name}/{attribute}", how, value)
    return found


@pytest.fixture(scope="session")
def make_toy():
    """(n, model, draw_images) -> a world; all are closed at the end."""
    made = []

    def make(n=2, model=None, **settings):
        made.append(ToyWorld(n, model, **settings))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture(scope="session")
def model():
    """The compiled scene."""
    return build()


@pytest.fixture(scope="session")
def compiled():
    """change -> the scene compiled after this edit of its spec."""
    return build


@pytest.fixture(scope="session")
def roles(model):
    """The scene's roles."""
    return find_roles(
        model,
        props=PROPS,
        cameras=CAMERAS,
        joints=JOINTS,
        tool="tool",
        tables=("table",),
        level=("table",),
    )


@pytest.fixture(scope="session")
def sweep():
    """(T, 2) commands: the paddle advances through the props and hops."""
    t = np.linspace(0, 1, STEPS)
    return np.stack([0.35 * t, 0.02 * np.sin(6 * t)], axis=1).astype(np.float32)


@pytest.fixture(scope="session")
def batch_of():
    """(model, n) -> a batch and its parameters, without cameras."""

    def make(model, n=3, targets=()):
        batch = mujoco.batch.Batch(model, n, 1)
        return batch, Parameters(model, batch, targets)

    return make

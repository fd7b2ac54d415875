"""What axes of physics mean: the row moves as a scene that was compiled so, or as a law says."""

import mujoco
import numpy as np
import pytest

from trimix.core.errors import ConfigError
from trimix.sim.axes.bodies import PARKED_M
from trimix.sim.axes.servos import encoder_offset
from trimix.sim.axes.surfaces import top
from trimix.sim.axes.turning import turned

STRETCH = np.array([1.3, 0.8, 1.1])


def after(model, steps=120, ctrl=(0.2, 0.01)):
    """Positions (nq,) after a sweep."""
    data = mujoco.MjData(model)
    data.ctrl[:] = ctrl
    for _ in range(steps):
        mujoco.mj_step(model, data)
    return data.qpos.copy()


def row(batch_of, model, *changes):
    """The model of a row after these (target, how, value)."""
    batch, parameters = batch_of(model, 1)
    for change in changes:
        parameters.adjust(0, *change)
    parameters.commit([0])
    return batch.get_model(0)


def edit(kind, name, **values):
    """An edit of a spec: attributes of one element."""

    def change(spec):
        element = getattr(spec, kind)(name)
        for attribute, value in values.items():
            setattr(element, attribute, value)

    return change


def stretch_brick(spec):
    spec.geom("brick").size = STRETCH * spec.geom("brick").size


def heavier_brick(spec):
    spec.geom("brick").mass = 2 * spec.geom("brick").mass


def larger_rod(spec):
    rod, ball = spec.geom("rod"), spec.geom("rod_1")
    rod.fromto, rod.size = 1.2 * np.array(rod.fromto), 1.2 * np.array(rod.size)
    ball.pos, ball.size = 1.2 * np.array(ball.pos), 1.2 * np.array(ball.size)


TILT = [np.cos(0.01), np.sin(0.01), 0, 0]
SAME = [
    (edit("geom", "brick", friction=[1.0, 0.02, 0.002]), ("geom/brick/friction", "scale", 2.0)),
    (edit("geom", "brick", solref=[0.04, 1.0]), ("body/brick/softness", "scale", 2.0)),
    (edit("geom", "brick", solimp=[0.5, 0.9, 0.002, 0.5, 2]),
     ("geom/brick/solimp", "set", [0.5, 0.9, 0.002, 0.5, 2])),
    (heavier_brick, ("body/brick/mass", "scale", 2.0)),
    (larger_rod, ("body/rod/size", "scale", 1.2)),
    (stretch_brick, ("body/brick/shape", "scale", list(STRETCH))),
    (edit("geom", "table", pos=[0, 0, 0.01]), ("geom/table/height", "add", 0.03)),
    (edit("geom", "table", quat=TILT), ("geom/table/tilt", "add", [0.02, 0.0])),
    (edit("body", "base", pos=[-0.22, 0, 0.04]), ("body/base/pos", "add", [0.03, 0, 0])),
    (edit("body", "hand", gravcomp=0.5), ("body/hand/gravcomp", "scale", 0.5)),
    (edit("joint", "drawer", damping=[3.0, 0, 0]), ("joint/drawer/damping", "scale", 2.0)),
    (edit("joint", "drawer", frictionloss=0.9), ("joint/drawer/frictionloss", "scale", 3.0)),
    (edit("joint", "drawer", stiffness=[40.0, 0, 0]), ("joint/drawer/stiffness", "scale", 2.0)),
    (edit("joint", "reach", armature=0.6), ("joint/reach/armature", "scale", 2.0)),
    (edit("actuator", "reach", forcerange=[-3, 3]), ("actuator/reach/strength", "scale", 0.25)),
    (edit("joint", "reach", frictionloss=1.2), ("actuator/reach/friction", "set", 0.1)),
    (lambda spec: spec.actuator("reach").set_to_position(kp=300, kv=15),
     ("actuator/reach/stiffness", "scale", 2.0)),
    (lambda spec: spec.actuator("reach").set_to_position(kp=150, kv=30),
     ("actuator/reach/damping", "scale", 2.0)),
]  # fmt: skip


@pytest.mark.parametrize(("change", "entry"), SAME, ids=lambda x: x[0] if type(x) is tuple else "")
def test_a_row_moves_as_a_scene_compiled_so(change, entry, model, compiled, batch_of):
    """Nothing is stale: inertia, bounds, frames, inverse weights, flags of the compiler."""
    want = after(compiled(change))
    got = after(row(batch_of, model, entry))
    assert np.abs(want - after(model)).max() > 1e-5  # it moves otherwise than nominal
    assert got == pytest.approx(want, abs=1e-9)


def test_an_offset_centre_of_mass_moves_as_one_compiled_so(model, compiled, batch_of):
    def change(spec):
        body, nominal = spec.body("brick"), model.body("brick")
        body.explicitinertial, body.mass = True, float(nominal.mass[0])
        body.inertia, body.ipos = nominal.inertia, [0.01, 0.0, -0.005]

    want = after(compiled(change))
    got = after(row(batch_of, model, ("body/brick/com", "add", [0.01, 0.0, -0.005])))
    assert got == pytest.approx(want, abs=1e-9)
    assert np.abs(want - after(model)).max() > 1e-3


def test_a_centre_of_mass_that_is_compiled_in_says_so(compiled, batch_of):
    def simple(spec):
        spec.body("brick").simple = True

    _, parameters = batch_of(compiled(simple), 1)
    for act in (parameters.check, lambda t: parameters.adjust(0, t, "add", [0.01, 0, 0])):
        with pytest.raises(ConfigError, match=r"brick.*give it simple='false'"):
            act("body/brick/com")


def test_stretching_a_turned_body_stretches_its_mass(model, batch_of):
    """Inertia is that of the points p moved to S p, whatever the principal axes."""
    changed = row(batch_of, model, ("body/rod/shape", "scale", list(STRETCH)))
    at = model.body("rod").id

    def second(m):
        """Second moments of mass about the body's origin, body axes."""
        frame = np.empty(9)
        mujoco.mju_quat2Mat(frame, m.body_iquat[at])
        frame = frame.reshape(3, 3)
        moments = m.body_inertia[at]
        about_com = frame @ np.diag(moments.sum() / 2 - moments) @ frame.T
        return about_com + m.body_mass[at] * np.outer(m.body_ipos[at], m.body_ipos[at])

    scale = np.diag(STRETCH)
    assert second(changed) == pytest.approx(scale @ second(model) @ scale, rel=1e-6)
    assert changed.body_mass[at] == model.body_mass[at]
    # The capsule's ends, and the site, are where S puts them.
    geom, site = model.geom("rod").id, model.site("rod_end").id

    def end(m):
        axis = np.empty(3)
        mujoco.mju_rotVecQuat(axis, np.array([0, 0, 1.0]), m.geom_quat[geom])
        return m.geom_pos[geom] + axis * m.geom_size[geom, 1]

    assert end(changed) == pytest.approx(STRETCH * end(model))
    assert changed.site_pos[site] == pytest.approx(STRETCH * model.site_pos[site])
    assert changed.site_size[site] == pytest.approx(STRETCH * model.site_size[site])


def test_a_uniform_stretch_is_a_size(model, batch_of):
    size = row(batch_of, model, ("body/rod/size", "scale", 1.2))
    shape = row(batch_of, model, ("body/rod/shape", "scale", 1.2))
    for name in ("geom_size", "geom_pos", "body_ipos", "body_inertia", "site_pos", "geom_rbound"):
        assert getattr(size, name) == pytest.approx(getattr(shape, name), rel=1e-12), name


def test_the_old_scale_is_what_it_was(model, batch_of):
    """Stored draws have it: geoms and inertia follow, the centre of mass stays."""
    changed = row(
        batch_of, model, ("body/rod/scale", "scale", 1.2), ("body/rod/mass", "scale", 2.0)
    )
    at, geoms = model.body("rod").id, [model.geom(n).id for n in ("rod", "rod_1")]
    assert np.array_equal(changed.body_ipos, model.body_ipos)
    assert changed.geom_pos[geoms] == pytest.approx(1.2 * model.geom_pos[geoms])
    assert changed.body_inertia[at] == pytest.approx(2.0 * 1.2**2 * model.body_inertia[at])


def test_friction_decides_by_priority(model, batch_of):
    """A prop of priority 1 slides as its own friction says, whatever the table's is."""

    def slid(*changes):
        changed = row(batch_of, model, *changes)
        data = mujoco.MjData(changed)
        at = changed.joint("brick").qposadr[0]
        data.qpos[at : at + 3] = [-0.1, 0.3, 0.03]
        data.qvel[changed.joint("brick").dofadr[0]] = 1.0
        for _ in range(200):
            mujoco.mj_step(changed, data)
        return data.qpos[at] + 0.1

    less, nominal = slid(("body/brick/friction", "scale", 0.6)), slid()
    assert less > 1.3 * nominal
    assert slid(("geom/table/friction", "scale", 2.0)) == pytest.approx(nominal, rel=1e-6)
    assert slid(("geom/table/friction", "scale", 0.5)) == pytest.approx(nominal, rel=1e-6)


@pytest.mark.parametrize("asked", [0.0, 0.3, 0.6, 0.8])
def test_restitution_is_the_speed_after_a_bounce(asked, model, batch_of):
    changed = row(batch_of, model, ("body/ball/restitution", "set", asked))
    changed.opt.timestep = 2e-4
    data = mujoco.MjData(changed)
    at, dof = changed.joint("ball").qposadr[0], changed.joint("ball").dofadr[0]
    data.qpos[at : at + 3] = [-0.3, -0.3, 0.025 + 0.2]
    fastest = rebound = 0.0
    for _ in range(3000):
        mujoco.mj_step(changed, data)
        speed = data.qvel[dof + 2]
        fastest = min(fastest, speed)
        if data.qpos[at + 2] > 0.026:
            rebound = max(rebound, speed)
    assert -rebound / fastest == pytest.approx(asked, abs=0.12)


def test_inertia_must_be_of_some_shape(model, batch_of):
    _, parameters = batch_of(model, 1)
    with pytest.raises(ConfigError, match="sum of the other two"):
        parameters.adjust(0, "body/brick/inertia", "scale", [3.0, 1.0, 1.0])


def test_a_payload_hangs_on_the_servos(model, batch_of):
    """Its weight is what no compensation bears: kp times the sag is m g."""

    def height(changed):
        data = mujoco.MjData(changed)
        data.ctrl[1] = 0.1  # clear of the table
        for _ in range(600):
            mujoco.mj_step(changed, data)
        return data.qpos[changed.joint("lift").qposadr[0]]

    sag = height(model) - height(row(batch_of, model, ("body/hand/payload", "set", 0.3)))
    assert sag == pytest.approx(0.3 * 9.81 / 150, rel=0.01)
    changed = row(
        batch_of, model, ("body/hand/mass", "scale", 2.0), ("body/hand/payload", "set", 0.3)
    )
    assert changed.body("hand").mass[0] == pytest.approx(2.3)
    # The servo bears the payload alone, not the heavier hand.
    assert height(model) - height(changed) == pytest.approx(sag, rel=0.05)


def test_the_arm_stands_short_by_the_encoders_offset(model, batch_of):
    batch, parameters = batch_of(model, 2)
    parameters.adjust(1, "actuator/reach/encoder_offset", "set", 0.02)
    parameters.adjust(1, "actuator/reach/stiffness", "scale", 3.0)
    parameters.commit([1])
    batch.reset()
    batch.bind("ctrl")[:] = [0.05, 0.0]
    batch.step(nstep=600)
    reached = batch.bind("qpos")[:, model.joint("reach").qposadr[0]]
    assert reached[0] - reached[1] == pytest.approx(0.02, abs=1e-4)
    servos = [model.actuator(j).id for j in ("reach", "lift")]
    bias, gain = (parameters.fields[f"actuator_{n}prm"].live for n in ("bias", "gain"))
    offsets = encoder_offset(model, bias, gain, servos)
    assert offsets == pytest.approx(np.array([[0, 0], [0.02, 0]]))


def test_a_servo_is_late_by_damping_over_stiffness(model, batch_of):
    def lag(*changes):
        changed = row(batch_of, model, *changes)
        data, at = mujoco.MjData(changed), changed.joint("reach").qposadr[0]
        for k in range(400):
            data.ctrl[0] = -0.05 * (k + 1) * changed.opt.timestep
            mujoco.mj_step(changed, data)
        # The position is a step ahead of the command that it answers.
        return (data.qpos[at] - data.ctrl[0]) / 0.05 + changed.opt.timestep

    # The joint's own damping of 4 adds to the servo's 15.
    assert lag() == pytest.approx(19 / 150, rel=0.03)
    assert lag(("actuator/reach/stiffness", "scale", 2.0)) == pytest.approx(19 / 300, rel=0.03)
    assert lag(("actuator/reach/damping", "scale", 2.0)) == pytest.approx(34 / 150, rel=0.03)


def test_gravity_leans_and_keeps_its_strength(model, batch_of):
    _, parameters = batch_of(model, 1)
    parameters.adjust(0, "gravity/world/tilt", "add", [0.1, 0.0])
    gravity = parameters.fields["opt.gravity"].live[0]
    assert gravity == pytest.approx(9.81 * np.array([0, np.sin(0.1), -np.cos(0.1)]))
    parameters.adjust(0, "gravity/world/magnitude", "scale", 0.5)
    assert np.linalg.norm(gravity) == pytest.approx(9.81 / 2)
    assert gravity[1] == pytest.approx(9.81 / 2 * np.sin(0.1))


def test_a_distractor_is_there_only_when_it_is_drawn(model, batch_of):
    _, parameters = batch_of(model, 2)
    parameters.adjust(1, "body/toy/pos", "add", [0.04, 0.0, 0.0])
    parameters.adjust(1, "body/toy/present", "set", 1.0)
    at = model.body("toy").id
    pos = parameters.fields["body_pos"].live
    assert pos[0, at, 2] == pytest.approx(0.03 - PARKED_M)
    assert pos[1, at] == pytest.approx([0.24, -0.2, 0.03])
    with pytest.raises(ConfigError, match="neither 0 nor 1"):
        parameters.adjust(1, "body/toy/present", "set", 0.5)
    with pytest.raises(ConfigError, match="'drawer' is not parked"):
        parameters.check("body/drawer/present")


@pytest.mark.parametrize("kind", ["box", "plane"])
@pytest.mark.parametrize("tilt", [(0.0, 0.0), (0.03, -0.02)])
def test_the_top_is_where_a_ray_from_above_meets_it(kind, tilt, model):
    quat = turned([1.0, 0, 0, 0], np.array([*tilt, 0.0]), local=False)
    spec = mujoco.MjSpec()
    geom = getattr(mujoco.mjtGeom, f"mjGEOM_{kind.upper()}")
    size, pos = np.array([0.5, 0.4, 0.02]), np.array([0.1, 0.0, 0.3])
    spec.worldbody.add_geom(name="t", type=geom, size=list(size), pos=list(pos), quat=list(quat))
    made = spec.compile()
    data = mujoco.MjData(made)
    mujoco.mj_forward(made, data)
    points = np.array([[0.0, 0.0], [0.3, 0.1], [-0.2, -0.3]])
    hit = np.zeros(1, np.int32)
    down = np.array([0, 0, -1.0])
    below = [mujoco.mj_ray(made, data, [*p, 2.0], down, None, 1, -1, hit) for p in points]
    assert top(int(geom), size, pos, quat, points) == pytest.approx(2.0 - np.array(below), abs=1e-6)


def test_no_top_of_what_has_none():
    sphere, box = mujoco.mjtGeom.mjGEOM_SPHERE, mujoco.mjtGeom.mjGEOM_PLANE
    level, zero = np.array([1.0, 0, 0, 0]), np.zeros(3)
    with pytest.raises(ConfigError, match="box or a plane"):
        top(int(sphere), np.ones(3), zero, level, zero[:2])
    edge = turned(level, np.array([1.4, 0, 0]), local=False)
    with pytest.raises(ConfigError, match="on edge"):
        top(int(box), np.ones(3), zero, edge, zero[:2])

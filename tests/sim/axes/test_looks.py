"""What axes of pixels mean, by pictures and by what is written."""

import colorsys

import mujoco
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimix.core.errors import ConfigError
from trimix.sim.axes.materials import shifted

UNIT = st.floats(0.0, 1.0)
COLOUR = st.tuples(UNIT, UNIT, UNIT).map(np.array)


@pytest.fixture(scope="module")
def world(make_toy):
    return make_toy(2)


@pytest.fixture
def parameters(world):
    world.physics.parameters.restore([0, 1])
    return world.physics.parameters


def picture(world, row, camera):
    """(H, W, 3) of a row at its start."""
    physics = world.physics
    physics.parameters.commit([0, 1])
    physics.batch.reset()
    return world._cameras.draw(row)[camera].astype(int)


@given(COLOUR, st.floats(-1.0, 1.0))
def test_a_turn_of_hue_keeps_saturation_and_value(rgb, hue):
    moved = shifted(rgb, np.array([hue, 0.0, 0.0]))
    before, after = colorsys.rgb_to_hsv(*rgb), colorsys.rgb_to_hsv(*moved)
    assert after[1:] == pytest.approx(before[1:], abs=1e-9)


@given(COLOUR, st.tuples(*[st.floats(-1.0, 1.0)] * 3).map(np.array))
def test_colours_stay_colours(rgb, shift):
    moved = shifted(rgb, shift)
    assert (moved >= 0).all() and (moved <= 1).all()


@given(COLOUR)
def test_grey_stays_grey_and_no_shift_is_none(rgb):
    grey = np.full(3, rgb[0])
    assert np.ptp(shifted(grey, np.array([0.3, 0.0, -0.1]))) < 1e-12
    assert shifted(rgb, np.zeros(3)) == pytest.approx(rgb, abs=1e-9)


def test_a_hue_shift_writes_the_shifted_nominal(parameters, model):
    parameters.adjust(0, "material/table/hsv", "add", [0.25, 0.1, -0.2])
    at = model.material("table").id
    written = parameters.fields["mat_rgba"].live[0, at]
    want = shifted(model.mat_rgba[at, :3].astype(float), np.array([0.25, 0.1, -0.2]))
    assert written[:3] == pytest.approx(want, abs=1e-6) and written[3] == 1.0


def test_the_principal_point_moves_the_picture_by_that_part_of_it(world, parameters):
    """A tenth of the sensor's width is 4 of 40 pixels."""
    nominal = picture(world, 0, "eye")
    parameters.adjust(1, "camera/eye/principal", "add", [0.1, 0.0])
    moved = picture(world, 1, "eye")
    errors = {s: np.abs(np.roll(nominal, s, axis=1) - moved)[:, 8:-8].mean() for s in range(-6, 7)}
    assert abs(min(errors, key=errors.get)) == 4
    assert min(errors.values()) < 0.2 * errors[0]


def test_a_wider_field_of_view_also_shortens_the_focal_length(parameters, model):
    at = model.camera("eye").id
    parameters.adjust(0, "camera/eye/fovy", "set", 90.0)
    focal = parameters.fields["cam_intrinsic"].live[0, at, :2]
    # Half the sensor's height over tan 45 degrees.
    assert focal[1] == pytest.approx(model.cam_sensorsize[at, 1] / 2, rel=1e-3)
    nominal = model.cam_intrinsic[at]
    assert focal[0] / focal[1] == pytest.approx(nominal[0] / nominal[1])


def test_a_light_turns_without_growing(parameters, model):
    parameters.adjust(0, "light/key/rotation", "add", [0.3, -0.4, 0.2])
    at = model.light("key").id
    live = parameters.fields["light_dir"].live[0, at]
    assert np.linalg.norm(live) == pytest.approx(np.linalg.norm(model.light_dir[at]))
    angle = np.arccos(live @ model.light_dir[at] / np.linalg.norm(live) ** 2)
    assert 0.1 < angle <= np.linalg.norm([0.3, -0.4, 0.2]) + 1e-6


def test_a_light_that_is_off_adds_nothing(world, parameters):
    parameters.adjust(0, "light/lamp/active", "set", 0.0)
    parameters.adjust(1, "light/lamp/diffuse", "scale", 0.0)
    parameters.adjust(1, "light/lamp/specular", "scale", 0.0)
    assert np.abs(picture(world, 0, "front") - picture(world, 1, "front")).max() <= 1


def test_a_warm_light_has_more_red_and_less_blue(world, parameters):
    parameters.adjust(1, "light/*/warmth", "set", 0.3)
    before, after = picture(world, 0, "front"), picture(world, 1, "front")
    assert after[..., 0].mean() > before[..., 0].mean()
    assert after[..., 2].mean() < before[..., 2].mean()


@pytest.mark.parametrize(
    ("target", "named"),
    [
        ("light/key/pos", "'key' comes from a direction.*vary its rotation"),
        ("camera/front/principal", "'front' is given by its field of view.*sensorsize"),
        ("geom/table/torsional", "condim=4"),
        ("geom/brick/height", "belongs to a body"),
        ("body/brick/pos", "'brick' is moved by the state"),
        ("joint/brick/stiffness", "'brick' is neither hinge nor slide"),
    ],
)
def test_what_could_not_act_is_refused(target, named, parameters):
    with pytest.raises(ConfigError, match=named) as refused:
        parameters.check(target)
    assert refused.value.where == target


@pytest.mark.parametrize("target", ["light/*/dir", "light/*/rotation"])
def test_a_point_light_has_no_direction(target, compiled, batch_of):
    def point(spec):
        spec.light("lamp").type = mujoco.mjtLightType.mjLIGHT_POINT

    _, parameters = batch_of(compiled(point), 1)
    with pytest.raises(ConfigError, match="'lamp' shines everywhere"):
        parameters.check(target)


@pytest.mark.parametrize("attribute", ["gain", "stiffness", "damping", "encoder_offset"])
def test_a_motor_is_no_servo(attribute, compiled, batch_of):
    def motor(spec):
        spec.actuator("lift").set_to_motor()

    _, parameters = batch_of(compiled(motor), 1)
    parameters.check(f"actuator/reach/{attribute}")
    with pytest.raises(ConfigError, match="'lift' is no position servo"):
        parameters.check(f"actuator/*/{attribute}")


@pytest.mark.parametrize("attribute", ["strength", "friction"])
def test_strength_needs_a_limit(attribute, compiled, batch_of):
    def endless(spec):
        spec.actuator("lift").forcelimited = False

    _, parameters = batch_of(compiled(endless), 1)
    with pytest.raises(ConfigError, match=r"'lift' has no limit.*forcerange"):
        parameters.check(f"actuator/lift/{attribute}")


def shard(spec, **settings):
    """A tetrahedron on the brick, which is only seen unless it is told otherwise."""
    points = np.array([[0, 0, 0], [0.05, 0, 0], [0, 0.05, 0], [0, 0, 0.05]])
    spec.add_mesh(name="shard", uservert=points.reshape(-1).tolist())
    settings = {"contype": 0, "conaffinity": 0} | settings
    spec.body("brick").add_geom(
        name="look", type=mujoco.mjtGeom.mjGEOM_MESH, meshname="shard", mass=0, pos=[0.01, 0, 0.04],
        quat=[0.9, 0.1, 0.2, 0.3], **settings,
    )  # fmt: skip


def test_what_is_compiled_in_cannot_be_stretched(compiled, batch_of):
    def touched(spec):
        shard(spec, contype=1, conaffinity=1)

    _, parameters = batch_of(compiled(touched), 1)
    for attribute in ("size", "shape"):
        with pytest.raises(ConfigError, match="'brick': geom 'look' is a mesh"):
            parameters.check(f"body/brick/{attribute}")
        with pytest.raises(ConfigError, match="other bodies hang on it"):
            parameters.check(f"body/carriage/{attribute}")


def test_a_mesh_that_is_seen_stretches_with_its_body(compiled, make_toy):
    """Its size holds the factors along the body's axes, and it is drawn larger."""
    model = compiled(shard)
    world = make_toy(2, model)
    parameters = world.physics.parameters
    parameters.check("body/brick/shape")
    nominal = picture(world, 0, "eye")
    stretch = np.array([2.0, 1.0, 3.0])
    parameters.adjust(1, "body/brick/shape", "scale", stretch.tolist())
    look = model.geom("look").id
    written = {n: parameters.fields[n].live[1, look] for n in ("geom_size", "geom_pos")}
    stretched = picture(world, 1, "eye")
    assert written["geom_size"] == pytest.approx(model.geom_size[look] * stretch)
    assert written["geom_pos"] == pytest.approx(model.geom_pos[look] * stretch)
    assert (np.abs(stretched - nominal).max(-1) > 1).mean() > 0.01

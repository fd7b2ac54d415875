"""Randomization of a compiled model: every change starts from nominal and stays in its row."""

import copy

import mujoco
import numpy as np
import pytest

from trimix.core.errors import ConfigError
from trimix.core.seeds import stream
from trimix.randomization.vary import Randomizer
from trimix.tasks import TASKS

DERIVED = ("body_subtreemass", "body_invweight0", "dof_invweight0", "dof_M0")


@pytest.fixture(scope="module", params=sorted(TASKS))
def world(request, make_world):
    return make_world(3, "strong", request.param)


@pytest.fixture
def parameters(world):
    world.physics.parameters.restore([0, 1, 2])
    world.physics.parameters.commit([0, 1, 2])
    return world.physics.parameters


def values(parameters, row):
    """All that randomization may touch in a row, as bytes."""
    fields = {k: f.live[row].tobytes() for k, f in parameters.fields.items()}
    return fields | {k: v[row].tobytes() for k, v in parameters.signals.items()}


def draw(world, episode=0):
    return world.randomizer.draw(stream(1, episode, "draw"))


def test_nominal_is_the_compiled_model(world, parameters):
    for name, field in parameters.fields.items():
        nominal = np.asarray(getattr(world.model, name))
        for row in range(3):
            assert field.live[row].tobytes() == nominal.tobytes(), name


def test_applying_twice_equals_once(world, parameters):
    Randomizer.apply(draw(world), 0, parameters)
    once = values(parameters, 0)
    Randomizer.apply(draw(world), 0, parameters)
    assert values(parameters, 0) == once


def test_a_draw_does_not_build_on_the_one_before(world, parameters):
    Randomizer.apply(draw(world, 1), 0, parameters)
    Randomizer.apply(draw(world, 0), 0, parameters)
    Randomizer.apply(draw(world, 0), 1, parameters)
    assert values(parameters, 0) == values(parameters, 1)


def test_each_axis_alone_changes_something_of_its_row_alone(world, parameters):
    nominal = values(parameters, 0)
    drawn = draw(world)
    for target, entry in drawn.items():
        if target.endswith("/texture"):
            entry = {"how": "set", "value": "wood"}  # nominal is among the choices
        Randomizer.apply({target: entry}, 0, parameters)
        assert values(parameters, 0) != nominal, target
        assert values(parameters, 1) == nominal, target


def test_adjusting_again_replaces_and_order_does_not_matter(world, parameters):
    prop = next(t.split("/")[1] for t in draw(world) if t.endswith("/scale"))
    mass, size = f"body/{prop}/mass", f"body/{prop}/scale"
    for value in (1.3, 1.2):
        parameters.adjust(0, "geom/table/friction", "scale", value)
    parameters.adjust(1, "geom/table/friction", "scale", 1.2)
    for target in (mass, size):
        parameters.adjust(0, target, "scale", 1.3)
        parameters.adjust(0, target, "scale", 1.2)
    for target in (size, mass):
        parameters.adjust(1, target, "scale", 1.2)
    assert values(parameters, 0) == values(parameters, 1)
    body = world.model.body(prop).id
    inertia = parameters.fields["body_inertia"]
    assert inertia.live[0, body] == pytest.approx(inertia.nominal[body] * 1.2 * 1.2**2)


def test_restore_brings_nominal_back_to_the_bit(world, parameters):
    nominal = values(parameters, 0)
    Randomizer.apply(draw(world), 0, parameters)
    parameters.commit([0])
    assert values(parameters, 0) != nominal
    parameters.restore([0])
    parameters.commit([0])
    assert values(parameters, 0) == nominal
    model = world.physics.batch.get_model(0)
    untouched = world.physics.batch.get_model(1)
    for name in DERIVED:
        assert np.array_equal(getattr(model, name), getattr(untouched, name)), name


def test_derived_constants_follow_the_mass(world, parameters):
    """Stale ones are the classic bug of randomization (mujoco #1607)."""
    prop = next(t.split("/")[1] for t in draw(world) if t.endswith("/mass"))
    parameters.adjust(0, f"body/{prop}/mass", "scale", 3.0)
    parameters.commit([0])
    fresh = copy.copy(world.model)
    fresh.body(prop).mass = fresh.body(prop).mass * 3.0
    fresh.body(prop).inertia = fresh.body(prop).inertia * 3.0
    mujoco.mj_setConst(fresh, mujoco.MjData(fresh))
    changed, nominal = world.physics.batch.get_model(0), world.physics.batch.get_model(1)
    for name in DERIVED:
        assert getattr(changed, name) == pytest.approx(getattr(fresh, name), rel=1e-9), name
    assert not np.array_equal(changed.body_subtreemass, nominal.body_subtreemass)


@pytest.mark.parametrize(
    ("how", "value", "expected"),
    [
        ("set", 0.5, (0.5, 0.5, 0.5)),
        ("set", [0.1, 0.2, 0.3], (0.1, 0.2, 0.3)),
        ("scale", 2.0, (1.2, 0.01, 0.0002)),
        ("add", [0.1, 0.0, 0.0], (0.7, 0.005, 0.0001)),
    ],
)
def test_set_scale_and_add(world, parameters, how, value, expected):
    parameters.adjust(1, "geom/table/friction", how, value)
    table = world.model.geom("table").id
    assert parameters.fields["geom_friction"].live[1, table] == pytest.approx(expected)


def test_size_scales_every_geom_of_the_body(world, parameters):
    prop = next(t.split("/")[1] for t in draw(world) if t.endswith("/scale"))
    parameters.adjust(2, f"body/{prop}/scale", "scale", 1.5)
    geoms = [
        i
        for i in range(world.model.ngeom)
        if world.model.geom_bodyid[i] == world.model.body(prop).id
    ]
    assert len(geoms) > 1
    for name in ("geom_size", "geom_pos", "geom_rbound"):
        field = parameters.fields[name]
        assert field.live[2, geoms] == pytest.approx(field.nominal[geoms] * 1.5)
    name = world.model.geom(geoms[0]).name
    assert world.physics.geom_size(name, 2) == pytest.approx(world.model.geom_size[geoms[0]] * 1.5)
    assert world.physics.geom_size(name, 0) == pytest.approx(world.model.geom_size[geoms[0]])


def test_a_wider_field_of_view_also_shortens_the_focal_length(make_world):
    world = make_world(1)
    parameters = world.physics.parameters
    camera = world.model.camera("wrist").id
    before = np.array(world.model.cam_intrinsic[camera])
    parameters.adjust(0, "camera/wrist/fovy", "set", 90.0)
    changed = world.physics.batch.get_model(0)
    # Half the sensor's height over tan 45 degrees.
    assert changed.cam_intrinsic[camera, 1] == pytest.approx(
        world.model.cam_sensorsize[camera, 1] / 2, rel=1e-3
    )
    assert changed.cam_intrinsic[camera, 0] / changed.cam_intrinsic[camera, 1] == pytest.approx(
        before[0] / before[1]
    )


@pytest.mark.parametrize(
    ("target", "how", "value", "named"),
    [
        ("geom/table", "set", 1.0, "not kind/name/attribute"),
        ("goem/table/friction", "set", 1.0, "kind of target 'goem'.*geom"),
        ("geom/table/frction", "set", 1.0, "attribute of a geom 'frction'.*friction"),
        ("geom/tabel/friction", "set", 1.0, "geom 'tabel'.*table"),
        ("image/wrist/gain", "set", 1.0, "image 'wrist' is not known; available: camera"),
        ("geom/table/friction", "times", 1.0, "how 'times'.*add, scale, set"),
        ("geom/table/friction", "set", [1.0, 2.0], "does not fit shape"),
        ("geom/table/friction", "set", "high", "not a number"),
        ("geom/table/friction", "set", True, "not a number"),
        ("geom/table/friction", "set", float("nan"), "does not fit"),
        ("material/table/texture", "set", "wod", "texture 'wod'.*wood"),
        ("material/table/texture", "scale", 1.0, "a texture is set"),
        ("camera/front/rotation", "set", [0.0, 0.0, 0.1], "a rotation is added"),
        ("camera/front/fovy", "scale", 10.0, "field of view becomes"),
    ],
)
def test_mistakes_are_named(parameters, target, how, value, named):
    with pytest.raises(ConfigError, match=named):
        parameters.adjust(0, target, how, value)


def test_no_mass_below_zero(world, parameters):
    prop = next(t.split("/")[1] for t in draw(world) if t.endswith("/mass"))
    for attribute in ("mass", "scale"):
        with pytest.raises(ConfigError, match=f"{attribute} becomes -"):
            parameters.adjust(0, f"body/{prop}/{attribute}", "add", -100.0)

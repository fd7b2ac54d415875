"""Randomization of a compiled model: every change starts from nominal and stays in its row."""

import copy

import mujoco
import numpy as np
import pytest

from trimix.core.seeds import stream
from trimix.randomization.vary import Randomizer

DERIVED = ("body_subtreemass", "body_invweight0", "dof_invweight0", "dof_M0")


@pytest.fixture(scope="module", params=["banana_on_plate", "stack_three"])
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

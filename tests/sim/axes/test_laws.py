"""Laws that every registered axis keeps, alone and among others."""

import copy

import mujoco
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trimix.core.errors import ConfigError
from trimix.sim.axes import AXES
from trimix.sim.axes.contract import Axis
from trimix.sim.axes.signals import Signal
from trimix.sim.axes.targets import Targets

NAMES = sorted(AXES)
MANY = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


def values(parameters, row):
    """All that randomization may touch in a row, as bytes."""
    fields = {k: f.live[row].tobytes() for k, f in parameters.fields.items()}
    return fields | {k: v[row].tobytes() for k, v in parameters.signals.items()}


def compiled_bytes(model):
    buffer = np.empty(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, buffer)
    return buffer.tobytes()


def adjust(parameters, row, axis, value):
    parameters.adjust(row, axis.target, axis.how, value)


def apply(parameters, row, entries):
    parameters.restore([row])
    for axis, value in entries:
        adjust(parameters, row, axis, value)


@pytest.fixture(scope="module")
def rows(model, batch_of):
    """A batch of three rows whose fields are all expanded."""
    batch, parameters = batch_of(model)
    return batch, parameters


@pytest.fixture
def parameters(rows):
    _batch, parameters = rows
    parameters.restore([0, 1, 2])
    parameters.commit([0, 1, 2])
    return parameters


@st.composite
def entries(draw, samples):
    """Some axes, each with a value drawn from its sample."""
    chosen = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=12, unique=True))
    seed = draw(st.integers(0, 2**32))
    return [
        (samples[name], samples[name].value.sample(np.random.default_rng([seed, k])))
        for k, name in enumerate(chosen)
    ]


def test_every_axis_has_a_sample(samples):
    assert sorted(samples) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_an_axis_says_what_it_is(name, model, samples):
    axis = AXES[name]
    assert isinstance(axis, Axis) and axis.name == name and axis.label
    assert axis.changes in ("physics", "pixels", "signal", "words")
    low, high = np.atleast_1d(axis.low), np.atleast_1d(axis.high)
    assert low.shape == high.shape and (low <= high).all()
    target = Targets(model).find(samples[name].target)
    cells = target.axis.cells(model, target.ids)
    assert cells and all(len(indices) for indices in cells.values())


@pytest.mark.parametrize("name", NAMES)
def test_alone_it_changes_its_own_cells_of_its_row_alone(name, parameters, model, samples):
    axis = samples[name]
    found = Targets(model).find(axis.target)
    changed = False
    for value in axis.value.ends():
        parameters.restore([0])
        adjust(parameters, 0, axis, value)
        for field, held in parameters.fields.items():
            mine = list(found.cells.get(field, ()))
            others = np.delete(held.live[0], mine, axis=0)
            assert np.array_equal(others, np.delete(held.nominal, mine, axis=0)), field
        changed |= any(not np.array_equal(f.live[0], f.nominal) for f in parameters.fields.values())
        changed |= any(v[0] != AXES[k].nominal for k, v in parameters.signals.items())
        for row in (1, 2):
            for field in parameters.fields.values():
                assert np.array_equal(field.live[row], field.nominal)
    assert changed


@MANY
@given(data=st.data())
def test_any_order_and_any_past_give_the_same(data, parameters, samples):
    chosen = data.draw(entries(samples))
    past = data.draw(entries(samples))
    shuffled = data.draw(st.permutations(chosen))
    apply(parameters, 0, chosen)
    once = values(parameters, 0)
    apply(parameters, 0, chosen)
    assert values(parameters, 0) == once
    apply(parameters, 1, past)
    apply(parameters, 1, shuffled)
    assert values(parameters, 1) == once
    # Without going back to nominal between: what is said again replaces what was said.
    parameters.restore([2])
    for axis, value in [*((a, a.value.ends()[0]) for a, _ in chosen), *shuffled]:
        adjust(parameters, 2, axis, value)
    assert values(parameters, 2) == once


@MANY
@given(data=st.data())
def test_restored_rows_are_the_compiled_model_to_the_bit(data, rows, parameters, samples, model):
    batch, _ = rows
    apply(parameters, 1, data.draw(entries(samples)))
    parameters.commit([1])
    parameters.restore([1])
    parameters.commit([1])
    for name, field in parameters.fields.items():
        assert np.array_equal(field.live[1], field.nominal), name
    assert compiled_bytes(batch.get_model(1)) == compiled_bytes(batch.get_model(2))


@MANY
@given(data=st.data())
def test_derived_constants_are_never_stale(data, rows, parameters, samples):
    """Stale ones are the classic bug of randomization (mujoco #1607)."""
    batch, _ = rows
    apply(parameters, 0, data.draw(entries(samples)))
    parameters.commit([0])
    left = compiled_bytes(batch.get_model(0))
    fresh = batch.get_model(0)
    mujoco.mj_setConst(fresh, mujoco.MjData(fresh))
    assert compiled_bytes(fresh) == left


@pytest.mark.parametrize("name", NAMES)
def test_out_of_range_is_refused_and_changes_nothing(name, parameters, samples):
    axis = samples[name]
    if name == "material/texture":
        pytest.skip("a name has no range")
    adjust(parameters, 0, axis, axis.value.ends()[1])
    before = values(parameters, 0)
    size = np.size(axis.value.ends()[0])
    for wrong in (1e9, -1e9):
        value = wrong if size == 1 else [wrong] * size
        with pytest.raises(ConfigError, match="becomes") as refused:
            adjust(parameters, 0, axis, value)
        assert refused.value.where == axis.target
        assert name in refused.value.do and " to " in refused.value.do
        assert values(parameters, 0) == before


def test_globs_share_one_value_and_the_later_target_counts(parameters, model):
    parameters.adjust(0, "geom/rod*/friction", "scale", 1.5)
    friction = parameters.fields["geom_friction"]
    for name in ("rod", "rod_1"):
        at = model.geom(name).id
        assert friction.live[0, at] == pytest.approx(friction.nominal[at] * 1.5)
    parameters.adjust(0, "geom/*/friction", "scale", 3.0)
    at = model.geom("rod").id
    assert friction.live[0, at] == pytest.approx(friction.nominal[at] * 1.5)
    at = model.geom("brick").id
    assert friction.live[0, at] == pytest.approx(friction.nominal[at] * 3.0)


def test_axes_of_one_cell_compose(parameters, model):
    """Friction of a body, of one of its geoms, and its torsional part alone: all count."""
    parameters.adjust(0, "geom/ball/torsional", "scale", 2.0)
    parameters.adjust(0, "geom/ball/friction", "scale", 3.0)
    friction, at = parameters.fields["geom_friction"], model.geom("ball").id
    assert friction.live[0, at] == pytest.approx(friction.nominal[at] * [3, 6, 3])
    parameters.adjust(0, "actuator/reach/encoder_offset", "set", 0.01)
    parameters.adjust(0, "actuator/reach/stiffness", "scale", 2.0)
    gain = parameters.fields["actuator_gainprm"].live[0, model.actuator("reach").id, 0]
    bias = parameters.fields["actuator_biasprm"].live[0, model.actuator("reach").id]
    assert gain == pytest.approx(300) and bias[0] == pytest.approx(-300 * 0.01)
    assert bias[1] == pytest.approx(-300)


def test_a_new_batch_starts_nominal_whatever_another_does(model, batch_of, samples):
    _first, one = batch_of(model, 1)
    second, other = batch_of(copy.copy(model), 1)
    for axis in samples.values():
        adjust(one, 0, axis, axis.value.ends()[1])
    one.commit([0])
    assert compiled_bytes(second.get_model(0)) == compiled_bytes(model)
    assert not other.expanded and one.expanded


def test_signals_are_floats_of_every_row(parameters):
    signals = {name for name in AXES if isinstance(AXES[name], Signal)}
    assert set(parameters.signals) == signals
    for name, array in parameters.signals.items():
        assert array.shape == (3,) and array.dtype == np.float64
        assert (array == AXES[name].nominal).all()

"""Targets: what is named, what is refused, and whose code may run."""

import sys
import textwrap

import pytest

from trimix.core.errors import ConfigError
from trimix.randomization.distributions import Uniform
from trimix.randomization.vary import Randomizer, Vary
from trimix.sim.axes import AXES

OWN = "wobbly_axes:Wobble"


@pytest.fixture
def parameters(model, batch_of):
    return batch_of(model, 2)[1]


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    """A user's module with an axis of their own."""
    source = """
        from dataclasses import dataclass
        from trimix.sim.axes.contract import FieldAxis

        def Wobble():
            return FieldAxis(
                name="geom/margin", label="margin", changes="physics", unit="m",
                low=0.0, high=0.1, field="geom_margin",
            )

        def Wrong():
            return "no axis"
    """
    (tmp_path / "wobbly_axes.py").write_text(textwrap.dedent(source))
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("wobbly_axes", None)


@pytest.mark.parametrize(
    ("target", "how", "value", "named"),
    [
        ("geom/table", "set", 1.0, "not kind/name/attribute"),
        ("goem/table/friction", "set", 1.0, "kind of target 'goem'.*geom"),
        ("geom/table/frction", "set", 1.0, "attribute of a geom 'frction'.*friction"),
        ("geom/tabel/friction", "set", 1.0, "geom 'tabel'.*table"),
        ("image/front/gain", "set", 1.0, "image 'front' is not known; available: camera"),
        ("words/brick/paraphrase", "set", 0.5, "words 'brick' is not known; available: task"),
        ("gravity/moon/tilt", "add", [0.0, 0.0], "gravity 'moon' is not known; available: world"),
        ("geom/table/friction", "times", 1.0, "how 'times'.*add, scale, set"),
        ("geom/table/friction", "set", [1.0, 2.0], "does not fit shape"),
        ("geom/table/friction", "set", "high", "not a number"),
        ("geom/table/friction", "set", True, "not a number"),
        ("geom/table/friction", "set", [[1.0]], "not a number"),
        ("geom/table/friction", "set", float("nan"), "does not fit"),
        ("geom/table/friction", "scale", -1.0, "friction becomes .*geom/friction takes 0 to 10"),
        ("material/table/texture", "set", "wod", "texture 'wod'.*oak"),
        ("material/table/texture", "scale", 1.0, "a texture is set"),
        ("camera/front/rotation", "set", [0.0, 0.0, 0.1], "a rotation is added"),
        ("camera/front/fovy", "scale", 10.0, "field of view becomes"),
        ("body/brick/mass", "add", -100.0, "mass becomes -99.6 kg.*body/mass takes"),
        ("body/brick/scale", "add", -100.0, "scale becomes -"),
        ("light/lamp/active", "set", 0.3, "neither 0 nor 1"),
    ],
)
def test_mistakes_are_named(parameters, target, how, value, named):
    with pytest.raises(ConfigError, match=named):
        parameters.adjust(0, target, how, value)


def test_a_target_is_found_without_being_adjusted(parameters):
    parameters.check("body/brick/mass")
    assert not parameters.expanded
    with pytest.raises(ConfigError, match=r"body 'brik' is not known; available: .*brick"):
        parameters.check("body/brik/mass")


def test_ones_own_axis_needs_no_line(own_module, model, batch_of):
    target = f"{OWN}/table/margin"
    _, parameters = batch_of(model, 2, targets=[target])
    randomizer = Randomizer([Vary(target, "set", Uniform(0.01, 0.02))])
    randomizer.check(parameters)
    parameters.adjust(1, target, "set", 0.015)
    margin, at = parameters.fields["geom_margin"].live, model.geom("table").id
    assert margin[0, at] == 0 and margin[1, at] == 0.015
    with pytest.raises(ConfigError, match=r"margin becomes 1 m.*takes 0 to 0.1"):
        parameters.adjust(1, target, "set", 1.0)


def test_a_draw_out_of_a_file_starts_no_code(own_module, parameters):
    """Stored draws are data: what they name is imported only if the user named it as well."""
    with pytest.raises(ConfigError, match="no file can start"):
        parameters.adjust(0, f"{OWN}/table/margin", "set", 0.01)
    with pytest.raises(ConfigError, match="no file can start"):
        parameters.adjust(0, "os:getcwd/table/margin", "set", 0.01)
    assert "wobbly_axes" not in sys.modules


@pytest.mark.parametrize(
    ("target", "named"),
    [
        (f"{OWN}/table/depth", "attribute of wobbly_axes:Wobble 'depth'.*margin"),
        (f"{OWN}/tabel/margin", "geom 'tabel' is not known"),
        ("wobbly_axes:Wrong/table/margin", "gives no Axis"),
        ("wobbly_axes:Absent/table/margin", "has no 'Absent'"),
        ("wobbly_absent:Axis/table/margin", "cannot be imported"),
    ],
)
def test_mistakes_in_ones_own_are_named(own_module, model, batch_of, target, named):
    _, parameters = batch_of(model, 1, targets=[target])
    with pytest.raises(ConfigError, match=named):
        parameters.check(target)


def test_the_randomizer_names_itself(parameters):
    randomizer = Randomizer([Vary("geom/tabel/friction", "scale", Uniform(0.5, 2.0))], "my.yaml")
    with pytest.raises(ConfigError, match=r"my.yaml: geom/tabel/friction: geom 'tabel'.*table"):
        randomizer.check(parameters)


def test_every_registered_axis_has_the_name_it_is_registered_by():
    assert len(AXES) >= 34 and all(AXES[name].name == name for name in AXES)

"""What a compiled scene is found to have."""

import mujoco
import pytest

from trimix.core.errors import ConfigError
from trimix.randomization.presets import PRESETS, preset
from trimix.randomization.roles import ROLES
from trimix.randomization.vary import Randomizer
from trimix.sim.axes.roles import find_roles

ASKED = {
    "props": ("brick", "ball", "rod", "can", "sled"),
    "cameras": ("front", "eye"),
    "joints": ("reach", "lift"),
    "tool": "tool",
    "tables": ("table",),
}


def test_every_role_is_found_in_a_scene_that_has_all(roles):
    assert set(roles.names) == set(ROLES)
    assert roles["distractors"] == ("toy",) and roles["hand"] == ("hand",)
    assert roles["lamps"] == ("lamp",) and roles["shadows"] == ("key",)
    assert roles["lensed"] == ("eye",) and roles["springs"] == ("drawer",)
    assert "sled" not in roles["rolling"] and "ball" in roles["rolling"]
    assert roles["links"] == ("hand",)  # nothing lifts the carriage


@pytest.mark.parametrize("name", sorted(name for name in PRESETS if not name.startswith("target")))
def test_every_axis_of_a_preset_can_act_where_its_role_is(name, roles, model, batch_of):
    randomizer = preset(name, roles)
    _, parameters = batch_of(model, 1)
    randomizer.check(parameters)
    for axis in randomizer.axes:
        for value in axis.value.ends():
            parameters.adjust(0, axis.target, axis.how, value)
    Randomizer.apply({}, 0, parameters)


def test_no_role_is_required(batch_of):
    """An empty scene still has a preset: what lies between simulator and policy."""
    model = mujoco.MjSpec().compile()
    roles = find_roles(model, props=(), cameras=(), joints=())
    assert roles.names == {}
    _, parameters = batch_of(model, 1)
    kinds = {axis.target.split("/")[0] for axis in preset("strong", roles).axes}
    assert kinds == {"action", "state", "image", "words"}
    preset("strong", roles).check(parameters)


def test_friction_that_never_decides_has_no_role(compiled):
    """The larger priority decides: a prop of 0 between a table and pads of more has no say."""

    def meek(spec):
        spec.geom("table").priority = 1
        for name in ("brick", "ball", "rod", "rod_1", "can"):
            spec.geom(name).priority = 0
        for geom in spec.geoms:
            if geom.name not in ("table", "brick", "paddle"):
                geom.contype = geom.conaffinity = 0

    found = find_roles(compiled(meek), **ASKED)
    assert found["contact_bodies"] == ("hand",)
    assert found["contact_geoms"] == ("table",)
    assert found["props"] == ASKED["props"]


def test_a_table_under_props_of_higher_priority_has_no_say(compiled):
    def bold(spec):
        spec.geom("sled").priority = 1

    assert find_roles(compiled(bold), **ASKED)["contact_geoms"] == ()


def test_bodies_that_cannot_vary_are_left_out(compiled):
    def simple(spec):
        spec.body("brick").simple = True
        spec.body("can").add_body(name="lid")

    found = find_roles(compiled(simple), **ASKED)
    assert "brick" not in found["lopsided"] and "brick" in found["loose"]
    assert "can" not in found["sizable"] and "can" in found["props"]


def test_gravity_leans_only_where_all_props_are_free(compiled):
    found = find_roles(compiled(), **{**ASKED, "props": ("brick", "drawer")})
    assert found["ground"] == () and found["sizable"] == ("brick", "drawer")


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"props": ("brik",)}, "body 'brik' is not known; available: .*brick"),
        ({"cameras": ("frnt",)}, "camera 'frnt' is not known; available: eye, front"),
        ({"joints": ("reech",)}, "joint 'reech'"),
        ({"tool": "tol"}, "site 'tol' is not known; available: .*tool"),
        ({"tables": ("tabel",)}, "geom 'tabel'"),
        ({"level": ("tabel",)}, "geom 'tabel'"),
    ],
)
def test_mistakes_are_named(asked, named, model):
    with pytest.raises(ConfigError, match=named):
        find_roles(model, **{**ASKED, **asked})

"""Roles: what presets refer to instead of names."""

import pytest

from trimix.core.errors import ConfigError
from trimix.randomization.distributions import Uniform
from trimix.randomization.roles import ROLES, Parts, Roles
from trimix.randomization.vary import Vary

ONE = Uniform(0.5, 2.0)
AXIS = Vary("body/{props}/mass", "scale", ONE)


def test_an_axis_of_a_role_is_one_of_each_name_that_has_it():
    roles = Roles({"props": ("cup", "saucer"), "tables": ("table",)})
    plain = Vary("joint/*/damping", "scale", ONE)
    assert roles.expand([AXIS, plain]) == [
        Vary("body/cup/mass", "scale", ONE),
        Vary("body/saucer/mass", "scale", ONE),
        plain,
    ]


def test_no_role_is_required():
    assert Roles().expand([AXIS]) == []
    assert all(Roles()[role] == () for role in ROLES)


def test_what_the_first_target_needs_follows():
    own = (Vary("geom/x/friction", "scale", ONE),)
    roles = Roles({"props": ("cup",), "cameras": ("eye", "front")}, own)
    assert roles.parts() == Parts(("cup",), ("eye", "front"), own)


def test_mistakes_are_named():
    for act in (
        lambda: Roles({"prop": ("cup",)}),
        lambda: Roles()["prop"],
        lambda: Roles().expand([Vary("body/{prop}/mass", "scale", ONE)]),
    ):
        with pytest.raises(ConfigError, match=r"role 'prop' is not known; available: .*props"):
            act()
    with pytest.raises(ConfigError, match="no role in braces"):
        Roles().expand([Vary("body/{pr ops}/mass", "scale", ONE)])

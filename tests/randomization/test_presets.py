"""The presets, over all roles and in the scenes that they are for."""

import hashlib
import json

import pytest

from trimix.core.errors import ConfigError
from trimix.core.seeds import stream
from trimix.randomization.distributions import Choice, Uniform
from trimix.randomization.presets import PRESETS, Parts, lines, preset, texture_pool
from trimix.randomization.roles import ROLES, Roles
from trimix.randomization.vary import Randomizer, Vary
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS

PARTS = Parts(("plate", "banana"), ("wrist", "front"))
ALL = Roles({role: (f"{role}_a", f"{role}_b") for role in ROLES})
SEALED = {
    "target": "3fa877387589d93c7c2401e32367acd609141e6dd5a20b6a2095e00ae68a9384",
    "target_v1": "11f4e77037d69526399905b7ea83c50d2a25b9a84258b8f467d02c56f8bcd026",
}


def world_of(task, randomization):
    made = TASKS[task]()
    return MujocoWorld(
        made,
        2,
        randomization=randomization,
        config=MujocoConfig(image_hw=(8, 8)),
    )


def kinds(axes):
    return {(axis.target.split("/")[0], axis.target.split("/")[2]) for axis in axes}


@pytest.mark.parametrize("task", sorted(TASKS))
@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_target_of_a_preset_exists_and_takes_what_is_drawn(task, name):
    world = world_of(task, name)
    world.randomizer.check(world.physics.parameters)
    for episode in range(10):
        draw = world.draw(0, episode)
        assert set(draw) == {axis.target for axis in world.randomizer.axes}
        Randomizer.apply(draw, 0, world.physics.parameters)
    world.physics.parameters.commit([0])


@pytest.mark.parametrize("task", sorted(TASKS))
def test_a_tasks_own_axes_are_of_mild_and_strong_alone(task):
    own = {axis.target for axis in TASKS[task]().axes()}
    for name in PRESETS:
        varied = {axis.target for axis in world_of(task, name).randomizer.axes}
        assert own <= varied if name in ("mild", "strong") else not own & varied


@pytest.mark.parametrize("name", ["mild", "strong"])
def test_at_least_thirty_four_kinds_of_axes(name):
    assert len(kinds(preset(name, ALL).axes)) >= 34


def test_every_role_is_of_use():
    used = {line.target.split("{")[1].split("}")[0] for line in lines() if "{" in line.target}
    unused = set(ROLES) - used
    assert unused == {"tables"}  # what level, contact_geoms and table_materials are found among


def test_strong_goes_further_than_mild_on_the_same_axes():
    """Between mild's ends lies no draw that is not between strong's."""
    mild, strong = (preset(name, ALL).axes for name in ("mild", "strong"))
    both = {a.target for a in mild}
    assert {a.target for a in strong} - both == {"image/camera/blur", "image/camera/jpeg_loss"}
    strong = [a for a in strong if a.target in both]
    assert [(a.target, a.how) for a in mild] == [(a.target, a.how) for a in strong]
    farther = 0
    for weak, far in zip(mild, strong, strict=True):
        if isinstance(weak.value, Choice):
            assert set(weak.value.options) <= set(far.value.options)
            continue
        (low, high), (lower, higher) = (
            (a if isinstance(a, list) else [a] for a in axis.value.ends()) for axis in (weak, far)
        )
        assert all(a >= b for a, b in zip(low, lower, strict=True)), weak.target
        assert all(a <= b for a, b in zip(high, higher, strict=True)), weak.target
        farther += (low, high) != (lower, higher)
    assert farther > 0.9 * sum(not isinstance(a.value, Choice) for a in mild)
    textures = next(line for line in lines() if line.target == "material/{table_materials}/texture")
    assert set(textures.mild.options) < set(textures.strong.options) == set(texture_pool("train"))


def test_none_draws_nothing():
    assert preset("none", ALL).draw(stream(0)) == {}


def test_no_role_is_required_and_no_name_is_presumed():
    """A scene without a table or a light called key has what it has."""
    for name in ("mild", "strong"):
        names = {axis.target.split("/")[1] for axis in preset(name, Roles()).axes}
        assert names == {"robot", "camera", "task"}
        found = {axis.target.split("/")[1] for axis in preset(name, ALL).axes}
        assert {n.removesuffix("_a").removesuffix("_b") for n in found} - names <= set(ROLES)


@pytest.mark.parametrize("name", SEALED)
def test_the_targets_are_sealed(name):
    """Results in a target world are comparable only while it does not change. If you must change
    it, all numbers measured in it are void: say so in the CHANGELOG, and then change its digest.
    """
    made = preset(name, PARTS if name == "target_v1" else ALL)
    drawn = [made.draw(stream(0, k, "draw")) for k in range(3)]
    # Nine digits: the last bits of exp differ between processors.
    drawn = json.loads(json.dumps(drawn), parse_float=lambda text: f"{float(text):.9g}")
    text = json.dumps([[repr(axis) for axis in made.axes], drawn], sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest() == SEALED[name]


def test_the_target_is_its_physics_and_its_looks():
    whole, physics, looks = (
        preset(f"target{part}", ALL).axes for part in ("", "_physics", "_looks")
    )
    assert whole == (*physics, *looks)
    kinds = {axis.target.split("/")[0] for axis in physics}
    assert kinds == {"body", "geom", "joint", "gravity", "actuator", "action", "state"}
    assert not kinds & {axis.target.split("/")[0] for axis in looks}


def test_the_target_looks_as_nothing_that_is_trained_on():
    heldout = set(texture_pool("heldout"))
    for axis in preset("target_looks", ALL).axes:
        if axis.target.endswith("/texture"):
            assert set(axis.value.options) <= heldout


def test_mistakes_are_named():
    with pytest.raises(
        ConfigError, match=r"'wild'.*available: mild, none, strong, target, target_looks, target_p"
    ):
        preset("wild", PARTS)
    axis = Vary("geom/tabel/friction", "scale", Uniform(0.5, 2.0))
    with pytest.raises(ConfigError, match=r"geom 'tabel' is not known; available: .*table"):
        world_of("banana_on_plate", Randomizer([axis]))
    own = Vary("geom/table/friction", "scale", Uniform(0.5, 2.0))
    with pytest.raises(ConfigError, match="varied twice"):
        Randomizer([*preset("mild", Roles({}, (own,))).axes, own])

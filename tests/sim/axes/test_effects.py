"""The effect meter, and that no axis is dead."""

from dataclasses import replace

import numpy as np
import pytest

from trimix.core.contracts import Start
from trimix.core.errors import ConfigError
from trimix.randomization.distributions import Choice, Constant, Uniform
from trimix.randomization.presets import preset, texture_pool
from trimix.randomization.vary import Vary
from trimix.sim.axes import AXES
from trimix.sim.axes.effects import Effect, dead, measure, record
from trimix.sim.axes.signals import SUBJECT

START = Start(0, 0)
# A texture's repeats need a texture, a distractor's place that it is there.
BASE = {
    "material/table/texture": {"how": "set", "value": texture_pool("train")[-1]},
    "body/toy/present": {"how": "set", "value": 1.0},
}
# What these change is seen, not felt, or felt, not seen; the others may do both.
STILL = ("camera", "light", "material")


def of_the_model(name):
    return name.split("/")[0] not in SUBJECT


@pytest.fixture(scope="module")
def world(make_toy):
    return make_toy(8)


@pytest.fixture(scope="module")
def effects(world, samples, sweep):
    """Axis -> its effect at the ends of its sample."""
    chosen = {name: axis for name, axis in samples.items() if of_the_model(name)}
    found = measure(world, list(chosen.values()), sweep, START, base=BASE)
    return dict(zip(chosen, found, strict=True))


@pytest.mark.parametrize("name", [n for n in sorted(AXES) if of_the_model(n)])
def test_every_axis_of_the_model_acts(name, effects):
    effect = effects[name]
    assert effect.acts(), effect
    assert not effect.diverged
    if name.split("/")[0] in STILL:
        assert effect.things_mm == effect.joints_milli == 0 and effect.pixels > 0
    if AXES[name].changes == "physics" and name != "body/present":
        assert effect.things_mm > 0.2 or effect.joints_milli > 0.5


def test_strong_has_many_kinds_that_act(world, roles, sweep):
    """Every line of the preset that is not a signal, over all names that it expands to."""
    axes = [axis for axis in preset("strong", roles).axes if of_the_model(axis.target)]
    found = measure(world, axes, sweep, START, base=BASE)
    kinds = {}
    for effect in found:
        kind, _, attribute = effect.target.split("/")
        key = f"{kind}/{attribute}"
        kinds[key] = kinds.get(key, False) or effect.acts()
    assert all(kinds.values()), [k for k, acts in kinds.items() if not acts]
    assert len(kinds) >= 34


def test_nothing_drawn_changes_nothing(world, samples, sweep):
    """Equal rows are equal to the bit, so that whatever the meter says is the axis' doing."""
    still = Vary("geom/brick/friction", "scale", Constant(1.0))
    (effect,) = measure(world, [still], sweep, START, base=BASE)
    assert effect == Effect("geom/brick/friction", (1.0, 1.0))
    assert not effect.acts() and dead([effect]) == ["geom/brick/friction"]


def test_a_known_shift_is_measured_as_it_is(world, sweep):
    """A body 7 mm aside is 7 mm aside; one that turns moves its farthest point as well."""
    aside = Vary("body/drawer/pos", "add", Uniform((0.0, -0.007, 0.0), (0.0, 0.007, 0.0)))
    # About the way that it slides, so that it slides as before.
    along = tuple(0.1 * np.array([2.0, 0.0, -1.0]) / np.sqrt(5))
    turned = Vary("body/drawer/rotation", "add", Constant(along))
    moved, rotated = measure(world, [aside, turned], sweep[:2], START)
    assert moved.things_mm == pytest.approx(7.0, rel=1e-6) and moved.joints_milli == 0
    radius = float(world.model.geom_rbound[world.model.body("drawer").geomadr[0]])
    assert rotated.things_mm == pytest.approx(1e3 * 2 * np.sin(0.05) * radius, rel=1e-3)


def test_rows_at_a_time_do_not_matter(make_toy, world, samples, sweep):
    some = [samples[n] for n in ("body/mass", "light/dir", "gravity/tilt")]
    one = measure(make_toy(1, world.model), some, sweep, START)
    assert one == measure(world, some, sweep, START)


def test_dead_are_those_that_act_in_no_world():
    acts, rests = Effect("a/b/c", (0, 1), things_mm=9.0), Effect("a/b/c", (0, 1))
    other = replace(rests, target="d/e/f")
    assert dead([rests, acts, other]) == ["d/e/f"]
    assert dead([]) == []
    for field in ("joints_milli", "state_milli", "pixels"):
        assert replace(rests, **{field: 1.0}).acts()
    assert replace(rests, words=True).acts()


def test_recorded_actions_are_the_policys_until_the_end(make_toy, sweep):
    class Sweep:
        """Plays the commands, and remembers what it was given."""

        def reset(self, rows, seeds):
            self.t = 0

        def act(self, obs):
            self.t += 1
            return np.repeat(sweep[self.t - 1][None], 2, axis=0)

    world = make_toy(2, draw_images=False)
    assert np.array_equal(record(world, Sweep(), START, 9), sweep[:9])


def test_no_actions_no_effect(world, samples):
    with pytest.raises(ConfigError, match="at least one action"):
        measure(world, [samples["body/mass"]], np.zeros((0, 2), np.float32), START)


def test_ends_of_a_choice_are_its_first_and_last(world, sweep):
    axis = Vary("light/lamp/active", "set", Choice((1.0, 0.0)))
    (effect,) = measure(world, [axis], sweep[:1], START)
    assert effect.ends == (1.0, 0.0) and effect.pixels > 0.5

"""Drawing and applying, without a simulator."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimix.core.errors import ConfigError
from trimix.core.seeds import stream
from trimix.randomization.distributions import Choice, LogUniform, Normal, Uniform
from trimix.randomization.vary import Randomizer, Vary

AXES = [
    Vary("geom/table/friction", "scale", LogUniform(0.5, 2.0)),
    Vary("body/cup/mass", "scale", LogUniform(0.5, 2.0)),
    Vary("camera/eye/pos", "add", Normal((0.0,) * 3, (0.1,) * 3)),
    Vary("material/cup/texture", "set", Choice(("a", "b", "c"))),
    Vary("light/key/diffuse", "scale", Uniform(0.5, 1.5)),
]
SUBSET = st.sets(st.sampled_from(range(len(AXES))))


class Ledger:
    """Rows that remember what was done to them."""

    def __init__(self):
        self.rows = {}

    def restore(self, rows):
        for row in rows:
            self.rows[row] = {}

    def put(self, row, changes):
        self.rows[row] = dict(changes)


@given(SUBSET, st.randoms(use_true_random=False))
def test_an_axis_draws_the_same_whatever_the_others_are(chosen, shuffle):
    whole = Randomizer(AXES).draw(stream(3, 4, "draw"))
    some = [AXES[k] for k in chosen]
    shuffle.shuffle(some)
    draw = Randomizer(some).draw(stream(3, 4, "draw"))
    assert draw == {axis.target: whole[axis.target] for axis in some}


def test_episodes_draw_differently():
    draws = [Randomizer(AXES).draw(stream(0, k, "draw")) for k in range(3)]
    for target in ("geom/table/friction", "camera/eye/pos"):
        assert len({json.dumps(d[target]) for d in draws}) == 3
    assert draws[0]["geom/table/friction"] != draws[0]["body/cup/mass"]  # equal distributions


@given(st.integers(0, 2**32))
def test_a_draw_survives_json(episode):
    draw = Randomizer(AXES).draw(stream(0, episode, "draw"))
    stored = json.loads(json.dumps(draw, allow_nan=False, sort_keys=True))
    assert stored == draw
    a, b = Ledger(), Ledger()
    Randomizer.apply(draw, 0, a)
    Randomizer.apply(stored, 0, b)
    assert a.rows == b.rows and list(a.rows[0]) == list(b.rows[0])  # in the same order too


def test_apply_begins_at_nominal_and_keeps_to_its_row():
    ledger = Ledger()
    ledger.put(0, {"left/over/value": ("set", 1.0)})
    ledger.put(1, {"other/row/value": ("set", 1.0)})
    draw = Randomizer(AXES).draw(stream(0))
    Randomizer.apply(draw, 0, ledger)
    once = dict(ledger.rows[0])
    Randomizer.apply(draw, 0, ledger)
    assert ledger.rows[0] == once and set(once) == {a.target for a in AXES}
    assert set(ledger.rows[1]) == {"other/row/value"}
    Randomizer.apply({}, 0, ledger)
    assert ledger.rows[0] == {}


@pytest.mark.parametrize("target", ["friction", "geom/friction", "geom/a/b/friction", ""])
def test_a_target_has_three_parts(target):
    with pytest.raises(ConfigError, match="kind/name/attribute"):
        Vary(target, "set", Uniform(0.0, 1.0))


def test_mistakes_are_named():
    with pytest.raises(ConfigError, match=r"'multiply'.*set, scale or add"):
        Vary("geom/table/friction", "multiply", Uniform(0.0, 1.0))
    with pytest.raises(ConfigError, match="'geom/table/friction' is varied twice"):
        Randomizer([AXES[0], AXES[0]])
    for entry in (1.0, {"how": "set"}, {"how": "set", "value": 1, "more": 2}):
        with pytest.raises(ConfigError, match="draw of 'geom/table/friction'"):
            Randomizer.apply({"geom/table/friction": entry}, 0, Ledger())

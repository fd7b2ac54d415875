"""Which data may be mixed: the difference between two interfaces."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimix.core.contracts import CONTROL_MODES, Channel, PolicyInterface
from trimix.core.errors import InterfaceError
from trimix.core.spaces import observation_space

NAMES = st.text("abcxyz_", min_size=1, max_size=6)
NUMBERS = st.none() | st.floats(-1e3, 1e3)
CHANNELS = st.lists(
    st.builds(Channel, NAMES, st.sampled_from(["", "rad", "m"]), NUMBERS, NUMBERS),
    max_size=4,
    unique_by=lambda c: c.name,
).map(tuple)
INTERFACES = st.builds(
    PolicyInterface,
    cameras=st.dictionaries(NAMES, st.tuples(st.integers(1, 480), st.integers(1, 640)), max_size=3),
    state=CHANNELS,
    action=CHANNELS,
    control_mode=st.sampled_from(CONTROL_MODES),
    control_dt_s=st.floats(0.001, 1.0),
)
BASE = PolicyInterface(
    cameras={"wrist": (64, 64), "front": (48, 64)},
    state=(Channel("x", "m"), Channel("y", "m")),
    action=(Channel("dx", "m/s", -1.0, 1.0),),
    control_mode="joint_velocity",
    control_dt_s=0.1,
)


@given(INTERFACES)
def test_json_round_trip(interface):
    assert PolicyInterface.from_json(json.loads(json.dumps(interface.to_json()))) == interface


@given(INTERFACES)
def test_nothing_differs_from_itself(interface):
    assert interface.difference(interface) is None


@given(INTERFACES, INTERFACES)
def test_difference_is_symmetric(a, b):
    assert (a.difference(b) is None) == (b.difference(a) is None)


@given(INTERFACES)
def test_undeclared_units_and_limits_agree_with_anything(interface):
    bare = dataclasses.replace(
        interface,
        state=tuple(Channel(c.name) for c in interface.state),
        action=tuple(Channel(c.name) for c in interface.action),
    )
    assert interface.difference(bare) is None


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"cameras": {"wrist": (64, 64)}}, "front 48x64"),
        ({"cameras": {"wrist": (64, 64), "front": (48, 65)}}, "front 48x65"),
        ({"state": (Channel("y", "m"), Channel("x", "m"))}, r"state channels 2 \[x, y\] against"),
        ({"state": (Channel("x", "m"),)}, r"1 \[x\]"),
        ({"state": (Channel("x", "mm"), Channel("y", "m"))}, "state channel 'x': 'm' against 'mm'"),
        ({"action": (Channel("dx", "rad/s"),)}, "action channel 'dx'"),
        ({"control_mode": "joint_position"}, "'joint_velocity' against 'joint_position'"),
        ({"control_dt_s": 1 / 30}, "0.1 s against 0.0333333 s"),
    ],
)
def test_a_difference_is_named(change, named):
    other = dataclasses.replace(BASE, **change)
    with pytest.raises(InterfaceError, match=named) as caught:
        BASE.require_same(other, where="mix", do="resample it")
    assert str(caught.value).startswith("mix: ") and str(caught.value).endswith("; resample it")


def test_select_keeps_only_these_cameras():
    chosen = BASE.select(["front"])
    assert dict(chosen.cameras) == {"front": (48, 64)}
    assert dataclasses.replace(chosen, cameras=BASE.cameras) == BASE
    with pytest.raises(InterfaceError, match=r"'wirst'.*available: wrist, front"):
        BASE.select(["wirst"])


@given(INTERFACES)
def test_the_space_of_an_interface_has_its_shapes(interface):
    space = observation_space(interface)
    sample = space.sample()
    assert sample["state"].shape == (len(interface.state),)
    assert {k: v.shape for k, v in sample["images"].items()} == {
        k: (h, w, 3) for k, (h, w) in interface.cameras.items()
    }


@pytest.mark.parametrize("text", ["put it down", "", "把香蕉放在盘子上", "leg die Banane über …"])
def test_instructions_may_be_in_any_script(text):
    assert observation_space(BASE)["instruction"].contains(text)
    assert not observation_space(BASE)["instruction"].contains(len(text))

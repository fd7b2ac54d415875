"""An episode that does not fit its interface is refused before anyone stores it."""

import dataclasses

import numpy as np
import pytest

from trimix.core.contracts import Channel, PolicyInterface
from trimix.core.episode import Episode, Provenance

INTERFACE = PolicyInterface(
    cameras={"wrist": (4, 6)},
    state=(Channel("x"), Channel("y")),
    action=(Channel("dx"),),
    control_mode="joint_velocity",
    control_dt_s=0.1,
)
T = 3
GOOD = Episode(
    interface=INTERFACE,
    instruction="go",
    images={"wrist": np.zeros((T, 4, 6, 3), np.uint8)},
    state=np.zeros((T, 2), np.float32),
    action=np.zeros((T, 1), np.float32),
    provenance=Provenance("sim"),
    reward=np.zeros(T, np.float32),
    success=np.zeros(T, bool),
    done=np.zeros(T, bool),
    trust=np.ones(T, np.float32),
    sim_state=np.zeros((T, 9)),
)


def test_a_good_one_passes_with_and_without_labels():
    GOOD.validate()
    bare = dict.fromkeys(("reward", "success", "done", "trust", "sim_state"))
    dataclasses.replace(GOOD, **bare).validate()
    assert len(GOOD) == T


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"images": {}}, "cameras"),
        ({"images": {"front": GOOD.images["wrist"]}}, "front"),
        ({"images": {"wrist": np.zeros((T, 6, 4, 3), np.uint8)}}, r"images\[wrist\]"),
        ({"images": {"wrist": np.zeros((T, 4, 6, 3), np.float32)}}, "float32, expected"),
        ({"images": {"wrist": np.zeros((T + 1, 4, 6, 3), np.uint8)}}, r"\(4, 4, 6, 3\)"),
        ({"state": np.zeros((T, 3), np.float32)}, "state"),
        ({"state": np.zeros((T, 2))}, "float64"),
        ({"state": np.full((T, 2), np.nan, np.float32)}, "state has values that are not finite"),
        ({"action": np.full((T, 1), np.inf, np.float32)}, "action has values"),
        ({"action": np.zeros((0, 1), np.float32)}, "at least one row"),
        ({"reward": np.zeros(T)}, "reward"),
        ({"success": np.zeros(T, np.float32)}, "success"),
        ({"done": np.zeros(T + 1, bool)}, "done"),
        ({"trust": np.ones((T, 1), np.float32)}, "trust"),
        ({"sim_state": np.zeros((T - 1, 9))}, "sim_state"),
        ({"sim_state": np.zeros(T)}, "sim_state"),
    ],
)
def test_a_bad_one_is_named(change, named):
    with pytest.raises(ValueError, match=named):
        dataclasses.replace(GOOD, **change).validate()

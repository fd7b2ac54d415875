"""What every registered policy keeps to."""

import numpy as np
import pytest
import torch

from trimix.core.contracts import Channel, Policy, PolicyInterface
from trimix.core.errors import unknown
from trimix.core.version import ROOT
from trimix.policy import POLICIES
from trimix.policy.chunk import ChunkPolicy
from trimix.policy.make import PolicyParts
from trimix.policy.normalization import Normalization, SourceRows
from trimix.policy.store import build_model, save_pretrained

INTERFACE = PolicyInterface(
    cameras={"wrist": (16, 24)},
    state=(Channel("joint_0", "rad"), Channel("joint_1", "rad")),
    action=(Channel("vel_0", "rad/s", -1.0, 1.0), Channel("vel_1", "rad/s"), Channel("gripper")),
    control_mode="joint_velocity",
    control_dt_s=0.1,
)


OWN = "spiral:make"  # a user's own, of examples/own_policy


@pytest.fixture(params=[*sorted(POLICIES), OWN])
def make(request, tmp_path, monkeypatch):
    """() -> a fresh policy of the registered name."""
    monkeypatch.syspath_prepend(str(ROOT / "examples" / "own_policy"))
    rng = np.random.default_rng(0)
    action = rng.normal(size=(60, 3)).astype(np.float32)
    action[:, 2] = rng.random(60) < 0.5
    state = rng.normal(size=(60, 2)).astype(np.float32)
    normalization = Normalization.fit([SourceRows(state, action, np.arange(60) // 20)])
    path = None
    if request.param in ("flow", "bc"):
        torch.manual_seed(0)
        model = build_model(request.param, INTERFACE, width=32)
        path = tmp_path / "policy"
        save_pretrained(ChunkPolicy(model, INTERFACE, normalization), path)
    recording = np.clip(action[:20], -1, 1)  # a recording is played as it was made
    parts = PolicyParts(path=path, normalization=normalization, recordings=[recording])
    return lambda: POLICIES[request.param](INTERFACE, parts)


def observe(keys, time):
    rngs = [np.random.default_rng([k, time]) for k in keys]
    return {
        "images": {"wrist": np.stack([r.integers(0, 256, (16, 24, 3), np.uint8) for r in rngs])},
        "state": np.stack([r.normal(size=2) for r in rngs]).astype(np.float32),
        "instruction": ["put it down"] * len(keys),
    }


def run(policy, keys, steps=10):
    policy.reset(np.ones(len(keys), bool), np.array(keys, np.int64))
    return np.stack([policy.act(observe(keys, t)) for t in range(steps)])


def test_it_is_a_policy_of_its_interface(make):
    policy = make()
    assert isinstance(policy, Policy)
    assert policy.interface.difference(INTERFACE) is None


def test_actions_are_finite_float32_within_the_limits(make):
    out = run(make(), [1, 2, 3])
    assert out.shape == (10, 3, 3) and out.dtype == np.float32 and np.isfinite(out).all()
    assert np.abs(out[..., 0]).max() <= 1.0


def test_equal_seeds_give_equal_bytes(make):
    policy = make()
    first = run(policy, [1, 2, 3])
    assert first.tobytes() == run(policy, [1, 2, 3]).tobytes() == run(make(), [1, 2, 3]).tobytes()


def test_a_row_does_not_hang_on_the_others(make):
    whole = run(make(), list(range(18)))
    assert whole[:, [11]].tobytes() == run(make(), [11]).tobytes()


def test_resetting_some_rows_leaves_the_others(make):
    policy = make()
    base = run(policy, [1, 2, 3], 8)
    policy.reset(np.ones(3, bool), np.array([1, 2, 3]))
    for t in range(8):
        if t == 3:
            policy.reset(np.array([False, True, False]), np.array([7, 7, 7]))
        out = policy.act(observe([1, 2, 3], t))
        assert np.array_equal(out[[0, 2]], base[t][[0, 2]])


def test_an_observation_is_not_written_to(make):
    policy, obs = make(), observe([1, 2], 0)
    obs["images"]["wrist"].setflags(write=False)
    obs["state"].setflags(write=False)
    policy.reset(np.ones(2, bool), np.zeros(2, np.int64))
    first = policy.act(obs)
    kept = first.copy()
    policy.act(observe([1, 2], 1))
    assert np.array_equal(first, kept)  # nor is an action that was given out


def test_a_name_that_is_not_registered():
    with pytest.raises(type(unknown("", "", [])), match=r"available: .*flow"):
        POLICIES["gpt"]

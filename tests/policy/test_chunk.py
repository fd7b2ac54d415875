"""Laws of acting: rows are independent, seeds decide, plans last as long as they should."""

import numpy as np
import pytest
import torch

from trimix.core.errors import ConfigError
from trimix.policy.chunk import ActConfig

KINDS = ("bc", "flow")


def run(policy, observe, keys, steps, seeds=None):
    """(steps, N, A) actions of rows that see what these keys see."""
    policy.reset(np.ones(len(keys), bool), np.array(keys if seeds is None else seeds, np.int64))
    return np.stack([policy.act(observe(keys, t)) for t in range(steps)])


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_acts_the_same_bytes_in_any_company(kind, make_policy, observe):
    whole = run(make_policy(kind), observe, list(range(21)), 7)
    alone = run(make_policy(kind), observe, [13], 7)
    turned = run(make_policy(kind), observe, list(range(21))[::-1], 7)
    assert whole[:, 13:14].tobytes() == alone.tobytes()
    assert whole.tobytes() == turned[:, ::-1].tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_reset_forgets_the_masked_rows_alone(kind, make_policy, observe):
    policy, keys = make_policy(kind), [1, 2, 3]
    base = run(policy, observe, keys, 9)
    policy.reset(np.ones(3, bool), np.array(keys))
    for t in range(3):
        policy.act(observe(keys, t))
    policy.reset(np.array([False, True, False]), np.array([-1, 2, -1]))
    for t in range(3, 9):
        obs, again = observe(keys, t), observe(keys, t - 3)
        obs["state"][1] = again["state"][1]
        for name in obs["images"]:
            obs["images"][name][1] = again["images"][name][1]
        out = policy.act(obs)
        assert np.array_equal(out[[0, 2]], base[t][[0, 2]])
        assert np.array_equal(out[1], base[t - 3][1])


def test_seeds_and_plans_decide_the_noise(make_policy, observe):
    one = run(make_policy(execute=2), observe, [5, 5, 5], 4, seeds=[1, 2, 1])
    assert np.array_equal(one[:, 0], one[:, 2])
    assert not np.allclose(one[:, 0], one[:, 1])
    frozen = make_policy(execute=1)
    frozen.reset(np.ones(1, bool), np.array([3]))
    same = [frozen.act(observe([5], 0)) for _ in range(2)]
    assert not np.allclose(same[0], same[1])  # equal observation, second plan: fresh noise


@pytest.mark.parametrize("execute", [1, 3, 8])
def test_a_plan_is_played_for_as_long_as_asked(make_policy, observe, execute):
    policy, calls = make_policy(execute=execute), []
    sample = policy.model.sample
    policy.model.sample = lambda inputs, noise: calls.append(1) or sample(inputs, noise)
    run(policy, observe, [0, 1], 9)
    assert len(calls) == -(-9 // execute)


def test_a_plan_follows_from_the_last_two_observations(make_policy, observe):
    policy = make_policy("bc", execute=1)
    base = run(policy, observe, [4], 6)[-1]
    policy.reset(np.ones(1, bool), np.zeros(1, np.int64))
    for t in (90, 4, 5):
        late = policy.act(observe([4], t))
    assert np.array_equal(base, late)
    policy.reset(np.ones(1, bool), np.zeros(1, np.int64))
    for t in (4, 91, 5):
        other = policy.act(observe([4], t))
    assert not np.allclose(base, other)


def test_actions_keep_within_limits_and_switches_on_their_levels(make_policy, observe):
    policy = make_policy()
    with torch.no_grad():
        policy.model.leave.bias += torch.tensor([30.0, -30.0]).repeat(12)
    out = run(policy, observe, [0, 1, 2], 8)
    assert out[..., 0].min() == -0.5 and out[..., 0].max() == 0.5
    assert np.abs(out[..., 1]).max() > 5  # no limits declared
    assert set(np.unique(out[..., 2])) == {0.0, 1.0}
    assert out.dtype == np.float32


def test_the_asked_domain_matters(make_policy, observe):
    base = run(make_policy("bc"), observe, [0], 2)
    assert np.array_equal(base, run(make_policy("bc", domain="none"), observe, [0], 2))
    assert not np.allclose(base, run(make_policy("bc").acting(domain="sim"), observe, [0], 2))


def test_settings_that_cannot_be():
    with pytest.raises(ConfigError, match="execute is 0"):
        ActConfig(execute=0)
    with pytest.raises(ConfigError, match="available: dream, none, real, sim"):
        ActConfig(domain="mars")


def test_a_plan_cannot_be_outlived(make_policy):
    with pytest.raises(ConfigError, match="at most 8"):
        make_policy(execute=9)


def test_acting_before_reset_is_refused(make_policy, observe):
    with pytest.raises(ValueError, match="reset"):
        make_policy().act(observe([0], 0))

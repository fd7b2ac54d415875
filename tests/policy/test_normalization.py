"""Laws of normalization: it inverts, counts sources by share, and looks at nothing else."""

import json
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimix.core.errors import DataError
from trimix.policy.normalization import CLIP, Normalization, SourceRows


def rows(seed, count, weight=1.0, mean=0.0):
    rng = np.random.default_rng(seed)
    state = rng.normal(mean, 2.0, (count, 4)).astype(np.float32)
    action = rng.normal(mean, 0.1, (count, 2)).astype(np.float32)
    action[:, 1] = rng.random(count) < 0.3
    return SourceRows(state, action, np.arange(count) // 10, weight)


def close(a, b, rtol=1e-5):
    return a.switch == b.switch and all(
        np.allclose(getattr(a, f.name), getattr(b, f.name), rtol, 1e-6)
        for f in fields(a)
        if f.name != "switch"
    )


@given(st.integers(0, 1000), st.floats(-50, 50))
def test_actions_come_back(seed, mean):
    source = rows(seed, 100, mean=mean)
    normalization = Normalization.fit([source])
    back = normalization.to_action(normalization.action(source.action))
    assert np.allclose(back, source.action, atol=1e-4)


def test_one_source_has_unit_scale():
    source = rows(0, 5000, mean=7.0)
    n = Normalization.fit([source])
    assert np.allclose(n.state(source.state).mean(0), 0, atol=1e-2)
    assert np.allclose(n.state(source.state).std(0), 1, atol=1e-2)
    assert n.switch == (None, (0.0, 1.0))
    assert set(np.unique(n.action(source.action)[:, 1])) == {-1.0, 1.0}


def test_a_source_counts_by_share_and_not_by_size():
    a, b = rows(0, 100, 0.3), rows(1, 50, 0.7, mean=5.0)
    doubled = SourceRows(
        np.tile(a.state, (2, 1)), np.tile(a.action, (2, 1)), np.r_[a.episode, a.episode + 10], 0.3
    )
    base = Normalization.fit([a, b])
    assert close(base, Normalization.fit([b, a]))
    # The seam between the copies is an episode's edge, so that no change of state runs over it.
    assert close(base, Normalization.fit([doubled, b]))
    assert np.allclose(base.state_mean, 0.3 * a.state.mean(0) + 0.7 * b.state.mean(0), atol=1e-5)


def test_a_source_without_a_share_is_not_looked_at():
    poison = SourceRows(
        np.full((9, 4), np.nan, np.float32), np.ones((9, 2), np.float32), np.zeros(9), 0.0
    )
    assert close(Normalization.fit([rows(0, 100)]), Normalization.fit([rows(0, 100), poison]))


def test_changes_of_state_stay_within_episodes():
    state = np.repeat(np.array([0.0, 100.0, -100.0], np.float32), 5)[:, None]
    state += np.tile(np.arange(5, dtype=np.float32), 3)[:, None]
    n = Normalization.fit([SourceRows(state, np.zeros((15, 1), np.float32), np.arange(15) // 5)])
    assert np.allclose(n.delta_std, 1.0)
    assert np.allclose(n.delta(state[:5]), 1.0)


def test_a_channel_that_does_not_move_is_harmless():
    flat = SourceRows(np.ones((20, 1), np.float32), np.full((20, 1), 3.0, np.float32), np.zeros(20))
    n = Normalization.fit([flat])
    assert np.array_equal(n.state(flat.state), np.zeros((20, 1)))
    assert np.allclose(n.to_action(np.zeros((2, 1), np.float32)), 3.0)
    assert n.switch == (None,)


def test_states_far_out_are_clipped():
    n = Normalization.fit([rows(0, 100)])
    assert np.abs(n.state(np.full((1, 4), 1e6, np.float32))).max() == CLIP


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1] * 50, (0.0, 1.0)),
        ([-1, 1] * 50, (-1.0, 1.0)),
        ([0, 1, 0.5, 0.2] * 25, None),
        ([0.0] * 100, None),
        ([0.0] * 99 + [0.7], None),
        ([0, 2] * 50, None),
    ],
)
def test_a_switch_is_two_levels_that_both_occur(values, expected):
    action = np.array(values, np.float32)[:, None]
    source = SourceRows(np.zeros((100, 1), np.float32), action, np.zeros(100))
    n = Normalization.fit([source])
    assert n.switch == (expected,)
    if expected:
        assert set(n.to_action(np.array([[-0.1], [0.1]], np.float32))[:, 0]) == set(expected)


def test_a_switch_in_one_source_alone_is_none():
    analogue = rows(3, 100)
    analogue.action[:, 1] = np.linspace(0, 1, 100)
    assert Normalization.fit([rows(0, 100), analogue]).switch == (None, None)


def test_json_keeps_every_bit():
    n = Normalization.fit([rows(0, 100)])
    again = Normalization.from_json(json.loads(json.dumps(n.to_json())))
    assert all(np.array_equal(getattr(n, f.name), getattr(again, f.name)) for f in fields(n)[:-1])
    assert n.switch == again.switch


def test_nothing_to_learn_from_is_an_error():
    with pytest.raises(DataError, match="no training rows"):
        Normalization.fit([rows(0, 10, weight=0.0)])
    bad = rows(0, 10)
    bad.action[3, 0] = np.inf
    with pytest.raises(DataError, match="not finite"):
        Normalization.fit([bad])

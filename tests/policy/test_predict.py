"""Laws of offline prediction, and of what it is compared with."""

import numpy as np
import pytest

from trimix.data.windows import WindowBatch
from trimix.policy.predict import mean_chunks, predict_chunks, repeat_last_chunks


@pytest.fixture
def batch(interface):
    rng = np.random.default_rng(0)
    return WindowBatch(
        images={
            k: rng.integers(0, 256, (20, 2, h, w, 3), np.uint8)
            for k, (h, w) in interface.cameras.items()
        },
        state=rng.normal(size=(20, 2, 3)).astype(np.float32),
        action=rng.normal(size=(20, 8, 3)).astype(np.float32),
        action_valid=np.ones((20, 8), bool),
        history_valid=np.ones((20, 2), bool),
        instruction=["go"] * 20,
        episode=np.repeat([0, 3], 10),
        frame=np.tile(np.arange(10), 2),
        trust=np.ones(20, np.float32),
    )


def pick(batch, rows):
    kept = {k: v[rows] for k, v in vars(batch).items() if isinstance(v, np.ndarray)}
    images = {k: v[rows] for k, v in batch.images.items()}
    return WindowBatch(**kept, images=images, instruction=["go"] * len(rows))


@pytest.mark.parametrize("kind", ["flow", "bc"])
def test_a_prediction_hangs_on_its_window_alone(kind, make_policy, batch):
    policy, rows = make_policy(kind), np.array([17, 2, 5])
    whole = predict_chunks(policy, batch, samples=2)
    assert whole.shape == (20, 8, 3) and whole.dtype == np.float32
    assert predict_chunks(policy, pick(batch, rows), samples=2).tobytes() == whole[rows].tobytes()


def test_more_samples_vary_less(make_policy, batch):
    policy = make_policy()
    spread = [
        np.var([predict_chunks(policy, batch, samples=n, seed=s) for s in range(6)], 0)[
            ..., :2
        ].mean()
        for n in (1, 16)
    ]
    assert spread[1] < 0.25 * spread[0]


def test_predicting_leaves_the_memory_alone(make_policy, batch, observe):
    policy, other = make_policy(), make_policy()
    for p in (policy, other):
        p.reset(np.ones(2, bool), np.arange(2))
        p.act(observe([0, 1], 0))
    predict_chunks(policy, batch)
    for t in range(1, 6):
        assert np.array_equal(policy.act(observe([0, 1], t)), other.act(observe([0, 1], t)))


def test_repeat_last_repeats_the_row_before(batch):
    action = np.arange(30 * 3, dtype=np.float32).reshape(30, 3)
    start = np.where(batch.episode == 0, 0, 20)
    out = repeat_last_chunks(action, start, batch)
    assert (out == out[:, :1]).all()
    assert np.array_equal(out[4, 0], action[3])
    assert np.array_equal(out[15, 0], action[24])
    assert np.array_equal(out[10, 0], action[20])  # nothing before: its own


def test_the_mean_is_the_training_mean(normalization, batch):
    out = mean_chunks(normalization, batch)
    assert np.allclose(out[..., :2], normalization.action_mean[:2])
    assert set(np.unique(out[..., 2])) <= {0.0, 1.0}

"""Laws of policy training: it learns, resumes, and is fed what the configuration says."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from trimix.core.contracts import Channel, PolicyInterface
from trimix.core.errors import ConfigError, DataError
from trimix.core.seeds import stream
from trimix.policy.inputs import DOMAINS
from trimix.policy.normalization import Normalization, SourceRows
from trimix.policy.predict import predict_chunks
from trimix.policy.store import from_pretrained
from trimix.train.loop import LoopConfig
from trimix.train.policy import (
    PolicyTrainConfig,
    mix_normalization,
    train_policy,
    training_inputs,
)

INTERFACE = PolicyInterface(
    {"wrist": (16, 16)},
    (Channel("x"), Channel("y")),
    (Channel("vx"), Channel("gripper")),
    "undeclared",
    0.1,
)
LOOP = LoopConfig(steps=12, warmup_steps=2, checkpoint_every=5, device="cpu", ema_decay=0.9)
CONFIG = PolicyTrainConfig(loop=LOOP, width=32, augment="shift+colour")


@dataclass(frozen=True)
class Batch:
    images: dict[str, np.ndarray]
    state: np.ndarray
    action: np.ndarray
    action_valid: np.ndarray
    instruction: list[str]
    trust: np.ndarray
    domain: list[str]
    domain_shown: np.ndarray
    augment_seed: np.ndarray
    episode: np.ndarray
    frame: np.ndarray


class Toy:
    """The action follows from the state's first channel and from how bright the image is."""

    def __init__(self, size=16, chunk=8, shown=True, fail_at=None):
        self.size, self.chunk, self.shown, self.fail_at = size, chunk, shown, fail_at

    def load(self, k):
        if k == self.fail_at:
            raise RuntimeError("crash")
        rng = stream(3, k, "toy")
        n = self.size
        state = np.repeat(rng.normal(size=(n, 1, 2)), 2, axis=1).astype(np.float32)
        bright = rng.integers(0, 2, n)
        images = rng.integers(0, 100, (n, 2, 16, 16, 3)) + 150 * bright[:, None, None, None, None]
        action = np.stack([state[:, 0, 0] * 0.1, bright], axis=1).astype(np.float32)
        valid = np.arange(self.chunk) < rng.integers(1, self.chunk + 1, n)[:, None]
        chunk = np.repeat(action[:, None], self.chunk, axis=1)
        chunk[~valid] = 77.0
        return Batch(
            images={"wrist": images.astype(np.uint8)},
            state=state,
            action=chunk,
            action_valid=valid,
            instruction=["go"] * n,
            trust=np.ones(n, np.float32),
            domain=["sim", "real"] * (n // 2),
            domain_shown=np.full(n, self.shown),
            augment_seed=rng.integers(0, 2**63, n).astype(np.uint64),
            episode=np.zeros(n, np.int64),
            frame=np.arange(n),
        )


def stats():
    batches = [Toy().load(k) for k in range(20)]
    state = np.concatenate([b.state[:, 0] for b in batches])
    action = np.concatenate([b.action[:, 0] for b in batches])
    return Normalization.fit([SourceRows(state, action, np.arange(len(state)))])


def weights(policy):
    return {k: v.numpy().tobytes() for k, v in policy.model.state_dict().items()}


@pytest.mark.parametrize("kind", ["flow", "bc"])
def test_it_learns_from_state_and_image_despite_padding(kind, tmp_path):
    loop = replace(LOOP, steps=160, learning_rate=3e-3, warmup_steps=20)
    config = replace(CONFIG, kind=kind, loop=loop, augment="shift", state_noise=0.0)
    trained = train_policy(Toy(32), INTERFACE, stats(), config, tmp_path, progress=False)
    test = Toy(64).load(10_000)
    out = predict_chunks(trained.policy, test, samples=8)
    truth = np.stack([test.state[:, 0, 0] * 0.1, test.images["wrist"].mean((1, 2, 3, 4)) > 120], 1)
    error = np.square(out[..., 0] - truth[:, None, 0]).mean() / truth[:, 0].var()
    assert error < 0.15
    assert (out[..., 1] == truth[:, None, 1]).mean() > 0.97


def test_a_crashed_training_resumes_to_the_same_bytes_and_is_saved(tmp_path):
    whole = train_policy(Toy(), INTERFACE, stats(), CONFIG, tmp_path / "a", progress=False)
    with pytest.raises(RuntimeError, match="crash"):
        train_policy(Toy(fail_at=8), INTERFACE, stats(), CONFIG, tmp_path / "b", progress=False)
    again = train_policy(Toy(), INTERFACE, stats(), CONFIG, tmp_path / "b", progress=False)
    assert weights(whole.policy) == weights(again.policy)
    assert weights(from_pretrained(tmp_path / "b" / "policy")) == weights(whole.policy)


def test_seeds_give_other_weights(tmp_path):
    other = replace(CONFIG, loop=replace(LOOP, seed=1, steps=1))
    one = replace(CONFIG, loop=replace(LOOP, steps=1))
    a = train_policy(Toy(), INTERFACE, stats(), one, tmp_path / "a", progress=False)
    b = train_policy(Toy(), INTERFACE, stats(), other, tmp_path / "b", progress=False)
    assert weights(a.policy) != weights(b.policy)


def test_a_run_of_other_data_or_settings_is_not_resumed(tmp_path):
    train_policy(Toy(), INTERFACE, stats(), CONFIG, tmp_path, progress=False, fingerprint="lock a")
    with pytest.raises(ConfigError, match="other data"):
        train_policy(Toy(), INTERFACE, stats(), CONFIG, tmp_path, fingerprint="lock b")
    with pytest.raises(ConfigError, match="other data"):
        train_policy(
            Toy(),
            INTERFACE,
            stats(),
            replace(CONFIG, augment="off"),
            tmp_path,
            fingerprint="lock a",
        )


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"kind": "act"}, "available: bc, flow"),
        ({"augment": "blur"}, "available: colour, off"),
        ({"chunk": 0}, "at least 1"),
        ({"tag_dropout": 1.5}, "tag_dropout"),
    ],
)
def test_settings_that_cannot_be(setting, says):
    with pytest.raises(ConfigError, match=says):
        PolicyTrainConfig(**setting)


def test_windows_of_other_lengths_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="2 frames and 4 actions, the policy takes 2 and 8"):
        train_policy(Toy(chunk=4), INTERFACE, stats(), CONFIG, tmp_path, progress=False)


def test_tags_are_told_in_part_and_only_if_they_may_be():
    device = torch.device("cpu")
    config = replace(CONFIG, tag_dropout=0.25)
    tags = [training_inputs(Toy(200).load(k), stats(), config, device).domain for k in range(5)]
    counts = torch.bincount(torch.cat(tags), minlength=len(DOMAINS)) / 1000
    assert counts.tolist() == pytest.approx([0.25, 0.375, 0.375, 0.0], abs=0.05)
    hidden = training_inputs(Toy(shown=False).load(0), stats(), config, device)
    assert (hidden.domain == DOMAINS.index("none")).all()


@dataclass(frozen=True)
class Row:
    index: int
    start: int
    length: int


class Store:
    """The part of a data set that normalization reads; episode 1 is held out and far away."""

    episodes = (Row(0, 0, 50), Row(1, 50, 50), Row(2, 100, 50))

    def __init__(self, seed, mean):
        rng = np.random.default_rng(seed)
        self.rows = rng.normal(mean, 1, (150, 2)).astype(np.float32)
        self.rows[50:100] = 1e6

    def state(self):
        return self.rows

    def action(self):
        return self.rows


def test_normalization_sees_training_episodes_by_their_share():
    a, b = Store(0, 0.0), Store(1, 10.0)
    n = mix_normalization([(a, [0, 2], 0.75), (b, [0, 2], 0.25)])
    assert np.allclose(n.state_mean, 2.5, atol=0.3) and np.allclose(n.action_mean, 2.5, atol=0.3)
    alone = mix_normalization([(a, [0, 2], 1.0), (b, [0, 2], 0.0)])
    assert np.allclose(alone.state_mean, 0.0, atol=0.3)
    assert np.allclose(alone.delta_std, np.sqrt(2), atol=0.3)
    with pytest.raises(DataError, match="no training rows"):
        mix_normalization([(a, [], 1.0)])

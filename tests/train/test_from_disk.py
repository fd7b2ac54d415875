"""From stored data sets over a locked mix to a policy that is loaded and predicts."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from trimix.core.contracts import Channel, PolicyInterface
from trimix.core.episode import Episode, Provenance
from trimix.core.errors import ConfigError
from trimix.data.cache import open_cache
from trimix.data.dataset import Dataset
from trimix.data.lineage import recordings as recordings_of
from trimix.data.windows import Windows, WindowSpec
from trimix.data.writing.writer import DatasetWriter
from trimix.mix.compile import compile_recipe
from trimix.mix.loader import MixLoader
from trimix.mix.recipe import Phase, Recipe, Source
from trimix.policy.predict import predict_chunks
from trimix.policy.store import from_pretrained, learned_from
from trimix.train.loop import LoopConfig
from trimix.train.policy import (
    PolicyTrainConfig,
    lock_normalization,
    train_from_lock,
    training_inputs,
)

INTERFACE = PolicyInterface(
    {"wrist": (16, 16)},
    (Channel("x", "rad"),),
    (Channel("vx", "rad/s"), Channel("gripper")),
    "joint_velocity",
    0.1,
)
STEPS = 6


def write(root, origin, mean):
    rng = np.random.default_rng(int(mean))
    with DatasetWriter(root, INTERFACE) as writer:
        for index in range(3):
            split = "heldout" if index == 2 else "train"
            length = 12 + index
            state = rng.normal(1e5 if split == "heldout" else mean, 1.0, (length, 1))
            action = np.stack([rng.normal(mean, 1, length), np.arange(length) % 2], axis=1)
            writer.add(
                index,
                Episode(
                    INTERFACE,
                    "go",
                    {"wrist": rng.integers(0, 256, (length, 16, 16, 3), np.uint8)},
                    state.astype(np.float32),
                    action.astype(np.float32),
                    Provenance(origin, split=split),
                ),
            )
        writer.finalize()
    return Dataset.open(root)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("TRIMIX_CACHE", str(tmp_path_factory.getbasetemp() / "frames"))


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    root = tmp_path_factory.mktemp("stores")
    return {o: write(root / o, o, mean) for o, mean in (("real", 0.0), ("sim", 8.0))}


def lock_of(stores, seed=0, **shares):
    sources = {name: Source(str(data.root)) for name, data in stores.items()}
    return compile_recipe(
        Recipe(sources=sources, phases=(Phase(1.0, shares),), batch_size=8, steps=STEPS, seed=seed)
    )


CONFIG = PolicyTrainConfig(
    kind="bc",
    loop=LoopConfig(steps=STEPS, warmup_steps=1, device="cpu", checkpoint_every=2),
    width=32,
)


def trained(stores, run_dir, config=CONFIG, **changes):
    return train_from_lock(lock_of(stores, **changes), config, run_dir, progress=False)


def weights(policy):
    return {k: v.numpy().tobytes() for k, v in policy.model.state_dict().items()}


def test_a_mix_on_disk_becomes_a_policy(stores, tmp_path):
    made = trained(stores, tmp_path / "run", real=1, sim=3)
    policy = from_pretrained(tmp_path / "run" / "policy")
    real = stores["real"]
    windows = Windows(real, open_cache(real), WindowSpec(2, 8), [2])
    batch = windows.gather(np.arange(len(windows)))
    out = predict_chunks(policy, batch)
    assert out.shape == (14, 8, 2)
    assert np.array_equal(out, predict_chunks(made.policy, batch))


def test_an_arm_is_normalized_by_its_own_training_episodes(stores):
    mixed = lock_normalization(lock_of(stores, real=1, sim=3))
    assert np.allclose(mixed.state_mean, 6.0, atol=0.7)
    alone = lock_normalization(lock_of(stores, real=1, sim=0))
    assert np.allclose(alone.state_mean, 0.0, atol=0.7)
    assert mixed.switch == alone.switch == (None, (0.0, 1.0))


def test_a_policy_knows_what_it_learned_from(stores, tmp_path):
    trained(stores, tmp_path / "run", real=1, sim=3)
    chosen = {s.name: s.episodes for s in lock_of(stores, real=1, sim=3).sources}
    recordings = [stores[name].fingerprints[i] for name, kept in chosen.items() for i in kept]
    assert learned_from(tmp_path / "run" / "policy") == tuple(sorted(recordings))
    held = [f for d in stores.values() for f in recordings_of(d, "heldout")]
    assert held and not set(held) & set(recordings)
    (tmp_path / "run" / "policy" / "lineage.json").unlink()
    assert learned_from(tmp_path / "run" / "policy") is None


def test_a_run_keeps_account_of_what_it_drew(stores, tmp_path):
    made = trained(stores, tmp_path, real=1, sim=3)
    saved = json.loads((tmp_path / "ledger.json").read_text())
    assert saved == json.loads(json.dumps(made.ledger.to_json()))
    assert saved["steps"] == STEPS and saved["differences"] == []
    assert saved["origins"] == {"real": 12, "sim": 36}


@pytest.mark.parametrize("fail_at", [1, 3, 5])
def test_a_run_that_was_stopped_counts_every_step_once(stores, tmp_path, monkeypatch, fail_at):
    """It died in mid-step: some steps after the last checkpoint are taken again."""
    whole = trained(stores, tmp_path / "a", real=1, sim=3)

    def dies(self, k, load=MixLoader.load):
        if k == fail_at:
            raise RuntimeError("killed")
        return load(self, k)

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="killed"):
        patch.setattr(MixLoader, "load", dies)
        trained(stores, tmp_path / "b", real=1, sim=3)
    assert not (tmp_path / "b" / "ledger.json").exists()
    again = trained(stores, tmp_path / "b", real=1, sim=3)
    assert weights(again.policy) == weights(whole.policy)
    a, b = ((tmp_path / run / "ledger.json").read_bytes() for run in "ab")
    assert a == b
    (tmp_path / "b" / "ledger.json").unlink()
    trained(stores, tmp_path / "b", real=1, sim=3)
    assert (tmp_path / "b" / "ledger.json").read_bytes() == a, "from the checkpoint alone"


def test_reading_ahead_gives_the_same_weights_and_account(stores, tmp_path):
    plain = trained(stores, tmp_path / "a", real=1, sim=3)
    ahead = trained(stores, tmp_path / "b", replace(CONFIG, prefetch=1), real=1, sim=3)
    assert weights(plain.policy) == weights(ahead.policy)
    assert plain.ledger.to_json() == ahead.ledger.to_json()
    trained(stores, tmp_path / "a", replace(CONFIG, prefetch=1), real=1, sim=3)  # goes on


def test_the_locks_seed_gives_the_order_the_augmentation_and_the_hidden_tags(stores):
    """Two locks that differ in their seed alone, under one training seed."""
    config = replace(CONFIG, augment="shift+colour", tag_dropout=0.5, state_noise=0.1)
    stats = lock_normalization(lock_of(stores, real=1, sim=3))
    seen = []
    for seed in (0, 0, 1):
        loader = MixLoader(lock_of(stores, seed, real=1, sim=3))
        batches = [loader.load(k) for k in range(STEPS)]
        torch.manual_seed(0)
        inputs = [training_inputs(b, stats, config, torch.device("cpu")) for b in batches]
        order = [(*b.source.tolist(), *b.episode.tolist(), *b.frame.tolist()) for b in batches]
        told = [i.domain.tolist() for i in inputs]
        seen.append((order, [b.augment_seed.tolist() for b in batches], told))
    same, again, other = seen
    assert same == again
    for ours, theirs in zip(same, other, strict=True):
        assert all(a != b for a, b in zip(ours, theirs, strict=True))


def test_one_window_is_augmented_otherwise_under_another_locks_seed(stores):
    """The same pixels, so that nothing but the augmentation can differ."""
    config = replace(CONFIG, augment="shift+colour", tag_dropout=0.5)
    locks = [lock_of(stores, seed, real=1, sim=3) for seed in (0, 1)]
    stats = lock_normalization(locks[0])
    batch, other = (MixLoader(lock).load(0) for lock in locks)
    turned = replace(batch, augment_seed=other.augment_seed)
    made = []
    for b in (batch, turned):
        torch.manual_seed(0)
        made.append(training_inputs(b, stats, config, torch.device("cpu")))
    one, two = made
    assert torch.equal(one.state, two.state), "the noise on states is the training seed's"
    assert not torch.equal(one.images["wrist"], two.images["wrist"])
    assert not torch.equal(one.colour, two.colour)
    assert not torch.equal(one.domain, two.domain)


def test_the_training_seed_gives_the_weights_and_the_noise(stores, tmp_path):
    """One lock; after one step of no learning, weights differ by their start alone."""
    lock = lock_of(stores, real=1, sim=3)
    made = [
        train_from_lock(
            lock, replace(CONFIG, loop=replace(CONFIG.loop, seed=seed)), tmp_path / f"{seed}"
        )
        for seed in (0, 1)
    ]
    assert weights(made[0].policy) != weights(made[1].policy)
    losses = [[h["loss"] for h in m.result.history] for m in made]
    assert all(a != b for a, b in zip(*losses, strict=True))
    assert made[0].ledger.to_json() == made[1].ledger.to_json(), "the data are the lock's"


def test_a_lock_of_other_steps_is_refused(stores, tmp_path):
    config = replace(CONFIG, loop=replace(CONFIG.loop, steps=STEPS + 1))
    with pytest.raises(ConfigError, match=f"plans {STEPS} steps, training is set to {STEPS + 1}"):
        trained(stores, tmp_path, config, real=1, sim=3)

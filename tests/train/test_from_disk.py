"""From stored data sets over a locked mix to a policy that is loaded and predicts."""

import numpy as np
import pytest

from trimix.core.contracts import Channel, PolicyInterface
from trimix.core.episode import Episode, Provenance
from trimix.data.cache import open_cache
from trimix.data.dataset import Dataset
from trimix.data.windows import Windows, WindowSpec
from trimix.data.writing.writer import DatasetWriter
from trimix.mix.compile import compile_recipe
from trimix.mix.loader import MixLoader
from trimix.mix.recipe import Phase, Recipe, Source
from trimix.policy.predict import predict_chunks
from trimix.policy.store import from_pretrained
from trimix.train.loop import LoopConfig
from trimix.train.policy import PolicyTrainConfig, lock_normalization, train_policy

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


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    root = tmp_path_factory.mktemp("stores")
    return {o: write(root / o, o, mean) for o, mean in (("real", 0.0), ("sim", 8.0))}


def lock_of(stores, **shares):
    sources = {name: Source(str(data.root)) for name, data in stores.items()}
    return compile_recipe(
        Recipe(sources=sources, phases=(Phase(1.0, shares),), batch_size=8, steps=STEPS)
    )


def test_a_mix_on_disk_becomes_a_policy(stores, tmp_path, monkeypatch):
    monkeypatch.setenv("TRIMIX_CACHE", str(tmp_path / "cache"))
    lock = lock_of(stores, real=1, sim=3)
    config = PolicyTrainConfig(
        kind="bc", loop=LoopConfig(steps=STEPS, warmup_steps=1, device="cpu"), width=32
    )
    stats = lock_normalization(lock)
    trained = train_policy(
        MixLoader(lock),
        lock.interface,
        stats,
        config,
        tmp_path / "run",
        progress=False,
        fingerprint=lock.hash,
    )
    policy = from_pretrained(tmp_path / "run" / "policy")
    real = stores["real"]
    windows = Windows(real, open_cache(real), WindowSpec(2, 8), [2])
    batch = windows.gather(np.arange(len(windows)))
    out = predict_chunks(policy, batch)
    assert out.shape == (14, 8, 2)
    assert np.array_equal(out, predict_chunks(trained.policy, batch))


def test_an_arm_is_normalized_by_its_own_training_episodes(stores):
    mixed = lock_normalization(lock_of(stores, real=1, sim=3))
    assert np.allclose(mixed.state_mean, 6.0, atol=0.7)
    alone = lock_normalization(lock_of(stores, real=1, sim=0))
    assert np.allclose(alone.state_mean, 0.0, atol=0.7)
    assert mixed.switch == alone.switch == (None, (0.0, 1.0))

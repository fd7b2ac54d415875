"""Training of the world model: resume, what is never read, that it learns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from trimix.core.contracts import Channel, Parent, PolicyInterface, Start
from trimix.core.episode import Episode, Provenance
from trimix.core.errors import ConfigError, DataError, InterfaceError
from trimix.core.seeds import stream
from trimix.data.dataset import Dataset
from trimix.data.writing.writer import DatasetWriter
from trimix.train import worldmodel as training
from trimix.train.loop import LoopConfig
from trimix.train.worldmodel import WorldModelConfig, run_worldmodel
from trimix.worldmodel.architecture import ArchitectureConfig
from trimix.worldmodel.clips import split_episodes
from trimix.worldmodel.metrics import evaluate_worldmodel
from trimix.worldmodel.pipeline import WorldModelPipeline
from trimix.worldmodel.world import DreamConfig, DreamWorld

HW = (16, 16)
INTERFACE = PolicyInterface(
    {"wrist": HW}, (Channel("x", "px"),), (Channel("vx", "px/s"),), "joint_velocity", 0.1
)


def loop(steps: int) -> LoopConfig:
    return LoopConfig(steps=steps, warmup_steps=2, ema_decay=0.9, checkpoint_every=2)


TINY = WorldModelConfig(
    architecture=ArchitectureConfig(
        channels=(16, 16),
        refiner_channels=(16, 16),
        codec_channels=8,
        latent_channels=4,
        features=4,
    ),
    batch_size=4,
    trust_horizon=3,
    trust_rollouts=4,
    codec=loop(4),
    motion=loop(6),
    refiner=loop(4),
    trust=loop(4),
    device="cpu",
)


def write(
    root: Path, episodes: int = 8, heldout: tuple[int, ...] = (7,), other_heldout: bool = False
) -> Dataset:
    """Wide pictures seen through a window that moves by the action, in whole pixels."""
    with DatasetWriter(root, INTERFACE, plan_hash=str(other_heldout)) as writer:
        for index in range(episodes):
            split = "heldout" if index in heldout else "train"
            salt = int(other_heldout and split == "heldout")
            rng = stream(salt, index, "windowed picture")
            rows = 12
            coarse = torch.from_numpy(rng.uniform(0, 255, (1, 3, 5, 24)).astype(np.float32))
            wide = torch.nn.functional.interpolate(coarse, (16, 96), mode="bicubic")[0]
            picture = wide.clamp(0, 255).permute(1, 2, 0).round().byte().numpy()
            speed = rng.integers(-3, 4, rows)
            place = 40 + np.concatenate([[0], np.cumsum(speed)[:-1]])
            writer.add(
                index,
                Episode(
                    INTERFACE,
                    "look",
                    {"wrist": np.stack([picture[:, p : p + 16] for p in place])},
                    place[:, None].astype(np.float32),
                    10 * speed[:, None].astype(np.float32),
                    Provenance(origin="sim", split=split),
                ),
            )
        writer.finalize()
    return Dataset.open(root)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return write(tmp_path_factory.mktemp("data") / "windows")


@pytest.fixture(scope="module")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("frames")


@pytest.fixture(scope="module")
def whole(
    dataset: Dataset, cache_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> training.WorldModelTraining:
    """A small run from beginning to end."""
    folder = tmp_path_factory.mktemp("whole")
    return run_worldmodel([dataset], TINY, folder / "run", False, cache_dir)


def weights(run: training.WorldModelTraining) -> dict[str, torch.Tensor]:
    return {
        f"{name}.{key}": value
        for name, part in run.pipeline.parts.items()
        for key, value in part.state_dict().items()
    }


@pytest.mark.parametrize("stage", ["codec_loss", "motion_loss", "refiner_loss"])
def test_a_run_that_was_stopped_ends_as_one_that_was_not(
    whole: training.WorldModelTraining,
    dataset: Dataset,
    cache_dir: Path,
    tmp_path: Path,
    stage: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original, calls = getattr(training, stage), []

    def fail(*arguments: object) -> object:
        calls.append(1)
        if len(calls) == 4:
            raise OSError("the machine went away")
        return original(*arguments)

    monkeypatch.setattr(training, stage, fail)
    with pytest.raises(OSError, match="went away"):
        run_worldmodel([dataset], TINY, tmp_path / "stopped", False, cache_dir)
    monkeypatch.setattr(training, stage, original)
    resumed = run_worldmodel([dataset], TINY, tmp_path / "stopped", False, cache_dir)
    assert resumed.pipeline.weights_hash() == whole.pipeline.weights_hash()


def test_held_out_episodes_are_never_read(
    whole: training.WorldModelTraining, dataset: Dataset, cache_dir: Path, tmp_path: Path
) -> None:
    other = write(tmp_path / "other", other_heldout=True)
    assert other.content_hash != dataset.content_hash
    two = run_worldmodel([other], TINY, tmp_path / "b", False, cache_dir)
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(two)[name]), name

    parts = {t["part"]: t for t in whole.pipeline.card["training"]}
    assert sorted(i for t in parts.values() for i in t["episodes"]) == list(range(7))
    assert set(parts["dynamics"]["episodes"]).isdisjoint(parts["trust"]["episodes"])
    assert whole.pipeline.learned_from() == tuple(sorted(dataset.fingerprints[:7]))


@pytest.fixture(scope="module")
def split_anew(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The same episodes, of which another one is held out."""
    return write(tmp_path_factory.mktemp("data") / "anew", heldout=(2,))


def test_a_model_is_not_judged_by_what_it_learned_from(
    whole: training.WorldModelTraining, dataset: Dataset, split_anew: Dataset, cache_dir: Path
) -> None:
    model, config = whole.pipeline, DreamConfig(split="heldout", time_limit_s=0.2)
    evaluate_worldmodel(model, dataset, steps=(1,), cache_dir=cache_dir)
    DreamWorld(model, [dataset], 1, config, cache_dir)
    for judge in (
        lambda: evaluate_worldmodel(model, split_anew, steps=(1,), cache_dir=cache_dir),
        lambda: evaluate_worldmodel(model, dataset, split="train", cache_dir=cache_dir),
        lambda: DreamWorld(model, [split_anew], 1, config, cache_dir),
    ):
        with pytest.raises(DataError, match=r"learned from \d of the \d episodes"):
            judge()


def test_a_model_that_learned_from_what_is_held_out_dreams_held_out_episodes(
    whole: training.WorldModelTraining, dataset: Dataset, split_anew: Dataset, cache_dir: Path
) -> None:
    for data, split in ((dataset, "train"), (split_anew, "heldout")):
        world = DreamWorld(whole.pipeline, [data], 1, DreamConfig(time_limit_s=0.2), cache_dir)
        world.reset(seed=0)
        assert world.provenance(0)["split"] == split
        assert world.provenance(0)["parent"].split == "train"


def test_what_another_data_set_holds_out_is_not_learned_from(
    dataset: Dataset, split_anew: Dataset, cache_dir: Path, tmp_path: Path
) -> None:
    run = run_worldmodel([dataset], TINY, tmp_path, False, cache_dir, lineage=[split_anew])
    learned = {i for t in run.pipeline.card["training"] for i in t["episodes"]}
    assert learned == set(range(7)) - {2}
    world = DreamWorld(run.pipeline, [dataset, split_anew], 2, DreamConfig(), cache_dir)
    parents = [Parent(dataset.content_hash, i, 0, "train") for i in (0, 2)]
    world.reset(options={"starts": [Start(0, k, parent=p) for k, p in enumerate(parents)]})
    assert [world.provenance(k)["split"] for k in range(2)] == ["train", "heldout"]


def test_an_old_card_says_too_little(
    whole: training.WorldModelTraining, dataset: Dataset, cache_dir: Path, tmp_path: Path
) -> None:
    whole.pipeline.save_pretrained(tmp_path)
    old = WorldModelPipeline.load(tmp_path)
    assert old.learned_from() == whole.pipeline.learned_from() is not None
    entry = {"dataset": dataset.content_hash, "split": "train", "episodes": [0]}
    old.register_to_config(card={**old.card, "training": [entry]})
    assert DreamWorld(old, [dataset], 1, DreamConfig(), cache_dir).models == {}
    with pytest.raises(DataError, match="nobody knows"):
        evaluate_worldmodel(old, dataset, steps=(1,), cache_dir=cache_dir)


def test_trust_learns_from_episodes_that_the_dynamics_did_not_see(dataset: Dataset) -> None:
    split = split_episodes(dataset, 0.3, 0)
    assert len(split.trust) == 2 and not set(split.trust) & set(split.dynamics)
    assert sorted(split.trust + split.dynamics) == list(range(7))
    few = split_episodes(dataset, 0.0, 0)
    assert few.trust == few.dynamics == list(range(7))


def test_it_learns_to_beat_repeating_the_last_frame(
    dataset: Dataset, cache_dir: Path, tmp_path: Path
) -> None:
    config = replace(TINY, motion=replace(loop(80), learning_rate=3e-3), batch_size=8)
    run = run_worldmodel([dataset], config, tmp_path / "run", False, cache_dir)
    found = evaluate_worldmodel(
        run.pipeline, dataset, steps=(1,), sampler_steps=0, cache_dir=cache_dir
    )
    assert found["psnr"]["1"] > found["copy_last"]["1"] + 2.0, found
    assert found["state_rmse"]["1"] < 1.0
    assert run.frames > 80 * 8 and run.frames_per_s > 0


def test_two_data_sets_train_one_model(dataset: Dataset, cache_dir: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other", episodes=3, heldout=())
    run = run_worldmodel([dataset, other], TINY, tmp_path / "run", False, cache_dir)
    hashes = [t["dataset"] for t in run.pipeline.card["training"]]
    assert hashes == [dataset.content_hash] * 2 + [other.content_hash] * 2


def test_other_settings_or_data_do_not_resume(
    dataset: Dataset, cache_dir: Path, tmp_path: Path
) -> None:
    run_worldmodel([dataset], TINY, tmp_path / "run", False, cache_dir)
    with pytest.raises(ConfigError, match="other data or another model"):
        run_worldmodel(
            [dataset], replace(TINY, longest_rollout=2), tmp_path / "run", False, cache_dir
        )


def test_what_cannot_be_trained_on_is_an_error(
    dataset: Dataset, cache_dir: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="no data set"):
        run_worldmodel([], TINY, tmp_path)
    with pytest.raises(ConfigError, match="draws"):
        run_worldmodel([dataset], replace(TINY, draws=(2, 1)), tmp_path / "run", False, cache_dir)
    nothing = write(tmp_path / "nothing", episodes=2, heldout=(0, 1))
    with pytest.raises(DataError, match=r"no episode to learn from \(2 held out\)"):
        run_worldmodel([nothing], TINY, tmp_path / "run", False, cache_dir)
    slower = Dataset.open(dataset.root)
    object.__setattr__(slower, "interface", replace(INTERFACE, control_dt_s=0.2))
    with pytest.raises(InterfaceError, match="control period"):
        run_worldmodel([dataset, slower], TINY, tmp_path / "run", False, cache_dir)


@pytest.mark.parametrize(
    ("config", "wrong"),
    [
        (WorldModelConfig, {"batch_size": 0}),
        (WorldModelConfig, {"rollout_from": 2.0}),
        (WorldModelConfig, {"draws": (1, 0)}),
        (ArchitectureConfig, {"sampler_steps": -1}),
        (ArchitectureConfig, {"channels": (20,)}),
        (ArchitectureConfig, {"patch": 3}),
    ],
)
def test_settings_that_make_no_sense_are_refused(config: type, wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        config(**wrong)

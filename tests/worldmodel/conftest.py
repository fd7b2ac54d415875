"""Small data sets of sliding pictures and small world models of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from trimix.core.contracts import Channel, PolicyInterface
from trimix.core.episode import Episode, Provenance
from trimix.core.seeds import stream
from trimix.data.dataset import Dataset
from trimix.data.fingerprint import named
from trimix.data.writing.writer import DatasetWriter
from trimix.worldmodel.architecture import ArchitectureConfig, build_pipeline
from trimix.worldmodel.pipeline import TrainedOn, WorldModelPipeline

HW = (16, 24)
HELDOUT = 3
LEARNED = TrainedOn(
    dataset="x", part="dynamics", episodes=[0], fingerprints=[list(named("x"))], models=[]
)
"""Something that is in none of the data sets here."""


@pytest.fixture(scope="session")
def interface() -> PolicyInterface:
    return PolicyInterface(
        cameras={"wrist": HW, "front": HW},
        state=(Channel("x", "m"), Channel("y", "m")),
        action=(Channel("vx", "m/s", -1, 1), Channel("vy", "m/s"), Channel("gripper")),
        control_mode="joint_velocity",
        control_dt_s=0.1,
    )


def make_episode(interface: PolicyInterface, index: int, labelled: bool) -> Episode:
    """A picture that slides one pixel a row; its state follows the action exactly."""
    rng = stream(0, index, "sliding picture")
    rows = 8 + index % 3
    images = {}
    for camera, (h, w) in interface.cameras.items():
        coarse = torch.from_numpy(rng.uniform(0, 255, (1, 3, 4, 8)).astype(np.float32))
        wide = torch.nn.functional.interpolate(coarse, (h, w + rows), mode="bilinear")[0]
        wide_hwc = wide.permute(1, 2, 0).round().byte().numpy()
        images[camera] = np.stack([wide_hwc[:, t : t + w] for t in range(rows)])
    width, controls = len(interface.state), len(interface.action)
    action = rng.normal(0, 0.5, (rows, controls)).astype(np.float32)
    action[:, -1] = np.arange(rows) >= rows // 2
    state = np.zeros((rows, width), np.float32)
    state[1:] = 0.1 * np.cumsum(action[:-1, :width], axis=0)
    last = np.arange(rows) == rows - 1
    return Episode(
        interface=interface,
        instruction=f"slide {index}",
        images=images,
        state=state,
        action=action,
        provenance=Provenance(
            origin="sim", task="slide", split="heldout" if index == HELDOUT else "train"
        ),
        reward=last.astype(np.float32) if labelled else None,
        success=last if labelled else None,
        done=last if labelled else None,
    )


def write(root: Path, interface: PolicyInterface, labelled: bool, episodes: int = 7) -> Dataset:
    with DatasetWriter(root, interface, robot_type="toy", plan_hash="test") as writer:
        for index in range(episodes):
            writer.add(index, make_episode(interface, index, labelled))
        writer.finalize()
    return Dataset.open(root)


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("frames")


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory, interface: PolicyInterface) -> Dataset:
    return write(tmp_path_factory.mktemp("data") / "labelled", interface, True)


@pytest.fixture(scope="session")
def unlabelled(tmp_path_factory: pytest.TempPathFactory, interface: PolicyInterface) -> Dataset:
    return write(tmp_path_factory.mktemp("data") / "unlabelled", interface, False)


def build(
    interface: PolicyInterface, labels: tuple[bool, bool] = (True, True)
) -> WorldModelPipeline:
    """An untrained pipeline with weights off zero, so that nothing is right by accident."""
    config = ArchitectureConfig(
        channels=(16, 32),
        refiner_channels=(16, 32),
        codec_channels=8,
        latent_channels=4,
        features=4,
    )
    pipeline = build_pipeline(interface, config, [LEARNED])
    pipeline.heads.labels.copy_(torch.tensor(labels))
    torch.manual_seed(0)
    for part in pipeline.parts.values():
        part.eval().requires_grad_(False)
        for parameter in part.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return pipeline


@pytest.fixture
def pipeline(interface: PolicyInterface) -> WorldModelPipeline:
    return build(interface)


@pytest.fixture(scope="session")
def make_dataset(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Dataset]:
    def make(interface: PolicyInterface) -> Dataset:
        return write(tmp_path_factory.mktemp("data") / "set", interface, True)

    return make


@pytest.fixture(scope="session")
def make_pipeline() -> Callable[..., WorldModelPipeline]:
    return build

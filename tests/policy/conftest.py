"""A small robot with two cameras, and observations of it."""

import numpy as np
import pytest
import torch

from trimix.core.contracts import Channel, PolicyInterface
from trimix.policy.chunk import ActConfig, ChunkPolicy
from trimix.policy.normalization import Normalization, SourceRows
from trimix.policy.store import build_model


@pytest.fixture
def interface():
    return PolicyInterface(
        cameras={"wrist": (32, 32), "front": (24, 40)},
        state=tuple(Channel(f"joint_{i}", "rad") for i in range(3)),
        action=(
            Channel("vel_0", "rad/s", -0.5, 0.5),
            Channel("vel_1", "rad/s"),
            Channel("gripper"),
        ),
        control_mode="joint_velocity",
        control_dt_s=0.1,
    )


@pytest.fixture
def normalization():
    rng = np.random.default_rng(0)
    action = rng.normal(size=(200, 3)).astype(np.float32)
    action[:, 2] = np.arange(200) % 5 == 0
    state = rng.normal(2.0, 3.0, size=(200, 3)).astype(np.float32)
    return Normalization.fit([SourceRows(state, action, np.arange(200) // 50)])


@pytest.fixture
def make_policy(interface, normalization):
    """kind -> a policy with random weights (heads included, so that noise and state matter)."""

    def make(kind="flow", **act):
        with torch.random.fork_rng():
            torch.manual_seed(1)
            model = build_model(kind, interface, history=2, chunk=8, width=32)
            for parameter in model.parameters():
                if not parameter.any():
                    torch.nn.init.normal_(parameter, std=0.1)
        return ChunkPolicy(model, interface, normalization, ActConfig(**act))

    return make


@pytest.fixture
def observe(interface):
    """(rows' keys, time) -> what those rows see then: a row's view does not depend on its place."""

    def observation(keys, time):
        images = {
            name: np.stack(
                [
                    np.random.default_rng([k, time, h]).integers(0, 256, (h, w, 3), np.uint8)
                    for k in keys
                ]
            )
            for name, (h, w) in interface.cameras.items()
        }
        state = np.stack([np.random.default_rng([k, time]).normal(size=3) for k in keys])
        return {
            "images": images,
            "state": state.astype(np.float32),
            "instruction": [f"do thing {k % 2}" for k in keys],
        }

    return observation

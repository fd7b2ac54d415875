"""Laws of the networks: masks, gradients, sizes, and what a row may hang on."""

import dataclasses

import numpy as np
import pytest
import torch

from trimix.core.contracts import Channel, PolicyInterface
from trimix.policy.encoder import KEYPOINTS, CameraEncoder
from trimix.policy.inputs import make_inputs
from trimix.policy.normalization import Normalization, SourceRows
from trimix.policy.store import MODELS, build_model

CPU = torch.device("cpu")
KINDS = sorted(MODELS)


def inputs_for(interface, normalization, rows=6, seed=0, domain="none"):
    rng = np.random.default_rng(seed)
    return make_inputs(
        {
            k: rng.integers(0, 256, (rows, 2, h, w, 3), np.uint8)
            for k, (h, w) in interface.cameras.items()
        },
        rng.normal(size=(rows, 2, 3)).astype(np.float32),
        [f"task {i % 3}" for i in range(rows)],
        [domain] * rows,
        normalization,
        CPU,
    )


def loss_of(model, inputs, action, valid, weight=None):
    torch.manual_seed(7)
    return model.loss(inputs, action, valid, torch.ones(len(action)) if weight is None else weight)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_and_distrusted_rows_do_not_count(kind, make_policy, interface, normalization):
    model, inputs = make_policy(kind).model, inputs_for(interface, normalization)
    action, valid = torch.randn(6, 8, 3), torch.ones(6, 8, dtype=torch.bool)
    valid[2, 5:] = False
    weight = torch.ones(6)
    weight[4] = 0.0
    base = loss_of(model, inputs, action, valid, weight)
    action[2, 5:] = 99.0
    action[4] = 99.0
    assert torch.equal(base, loss_of(model, inputs, action, valid, weight))
    action[2, 4] = 99.0
    assert not torch.isclose(base, loss_of(model, inputs, action, valid, weight))


@pytest.mark.parametrize("kind", KINDS)
def test_every_weight_is_trained(kind, make_policy, interface, normalization):
    model = make_policy(kind).model
    inputs = inputs_for(interface, normalization)
    loss_of(model, inputs, torch.randn(6, 8, 3), torch.ones(6, 8, dtype=torch.bool)).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", ["wrist", "front", "state", "delta", "text", "domain"])
def test_every_input_matters(kind, what, make_policy, interface, normalization):
    model = make_policy(kind).model
    one = inputs_for(interface, normalization)
    if what in interface.cameras:
        other = dataclasses.replace(one, images={**one.images, what: 255 - one.images[what]})
    elif what == "domain":
        other = dataclasses.replace(one, domain=one.domain + 2)
    else:
        other = dataclasses.replace(one, **{what: getattr(one, what) + 0.5})
    noise = torch.randn(6, 1, 8, 3)
    with torch.no_grad():
        assert not torch.allclose(model.sample(one, noise), model.sample(other, noise), atol=1e-4)


def test_a_colour_map_acts_on_every_pixel(make_policy, interface, normalization):
    model = make_policy("bc").model
    inputs = inputs_for(interface, normalization)
    invert = torch.cat([-torch.eye(3), torch.ones(3, 1)], dim=1).expand(6, -1, -1)
    mapped = dataclasses.replace(inputs, colour=invert)
    by_hand = dataclasses.replace(inputs, images={k: 255 - v for k, v in inputs.images.items()})
    noise = torch.zeros(6, 1, 8, 3)
    with torch.no_grad():
        assert torch.allclose(model.sample(mapped, noise), model.sample(by_hand, noise), atol=1e-4)


@pytest.mark.parametrize("image_hw", [(8, 8), (64, 64), (96, 128), (24, 200)])
def test_any_size_and_number_of_cameras(image_hw, normalization):
    for count in (1, 3):
        interface = PolicyInterface(
            {f"cam.{i}": image_hw for i in range(count)},  # a dot is no part of a module's name
            tuple(Channel(f"s{i}") for i in range(3)),
            tuple(Channel(f"a{i}") for i in range(3)),
            "undeclared",
            0.1,
        )
        model = build_model("flow", interface, width=32)
        with torch.no_grad():
            out = model.sample(inputs_for(interface, normalization, 2), torch.randn(2, 5, 8, 3))
        assert out.shape == (2, 5, 8, 3) and out.isfinite().all()


def test_a_keypoint_is_where_its_map_is_bright_in_any_precision():
    encoder = CameraEncoder(1, (64, 64), 4)
    torch.nn.init.zeros_(encoder.keys.bias)
    torch.nn.init.zeros_(encoder.keys.weight)
    encoder.keys.weight.data[:, 0] = 1.0
    maps = torch.zeros(2, 64, 16, 16)
    maps[0, 0, 3, 14] = maps[1, 0, 15, 0] = 100.0
    for context in (torch.autocast("cpu", torch.bfloat16), torch.no_grad()):
        with context:
            points = encoder._keypoints(maps)
        y, x = points[:, 0], points[:, KEYPOINTS]
        assert torch.allclose(y, torch.tensor([3 / 7.5 - 1, 1.0]), atol=1e-5)
        assert torch.allclose(x, torch.tensor([14 / 7.5 - 1, -1.0]), atol=1e-5)


def test_a_robot_without_state_and_one_without_cameras(interface, normalization):
    none = np.zeros((9, 0), np.float32)
    stateless = Normalization.fit([SourceRows(none, np.ones((9, 3), np.float32), np.zeros(9))])
    blind = inputs_for(dataclasses.replace(interface, cameras={}), normalization)
    seen = inputs_for(interface, normalization)
    numb = dataclasses.replace(seen, state=seen.state[..., :0], delta=seen.delta[..., :0])
    assert stateless.state(none).shape == (9, 0)
    for changes, inputs in (({"state": ()}, numb), ({"cameras": {}}, blind)):
        model = build_model("bc", dataclasses.replace(interface, **changes), width=32)
        assert model.sample(inputs, torch.zeros(6, 1, 8, 3)).isfinite().all()


def test_the_order_of_cameras_is_of_no_account(interface, normalization):
    turned = dataclasses.replace(interface, cameras=dict(reversed(interface.cameras.items())))
    models = []
    for given in (interface, turned):
        torch.manual_seed(0)
        models.append(build_model("bc", given, width=32))
    inputs, noise = inputs_for(interface, normalization), torch.zeros(6, 1, 8, 3)
    with torch.no_grad():
        assert torch.equal(models[0].sample(inputs, noise), models[1].sample(inputs, noise))


def test_the_flow_learns_a_distribution_with_two_modes(interface, normalization):
    """A regression would answer 0; a flow answers -1 or 1."""
    interface = dataclasses.replace(interface, cameras={"wrist": (8, 8)})
    torch.manual_seed(0)
    model = build_model("flow", interface, width=32, draws=16)
    inputs = inputs_for(interface, normalization, 8)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(250):
        sign = torch.randint(0, 2, (8, 1, 1)) * 2.0 - 1
        loss = model.loss(inputs, sign.expand(8, 8, 3), torch.ones(8, 8).bool(), torch.ones(8))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        out = model.sample(inputs, torch.randn(8, 32, 8, 3)).mean((2, 3))
    assert (out.abs() - 1).abs().mean() < 0.3
    assert 0.2 < (out > 0).float().mean() < 0.8


def test_the_default_network_is_small():
    interface = PolicyInterface(
        {"wrist": (64, 64)},
        tuple(Channel(f"s{i}") for i in range(6)),
        tuple(Channel(f"a{i}") for i in range(7)),
        "joint_velocity",
        0.1,
    )
    for kind in KINDS:
        assert sum(p.numel() for p in build_model(kind, interface).parameters()) <= 2_500_000

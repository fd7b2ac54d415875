"""Laws of the world model's parts."""

from __future__ import annotations

import math

import pytest
import torch
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from trimix.core.contracts import Channel, PolicyInterface
from trimix.core.errors import ConfigError, InterfaceError
from trimix.worldmodel.codec import build_codec, decode, encode
from trimix.worldmodel.motion import MotionModel, run_unet, unet, warp
from trimix.worldmodel.normalizer import Normalizer
from trimix.worldmodel.pipeline import image_layout
from trimix.worldmodel.refiner import Refiner
from trimix.worldmodel.trust import PEAK_DB, Trust, psnr_db


def test_zero_flow_changes_nothing_and_a_flow_of_one_pixel_shifts() -> None:
    image = torch.rand(2, 3, 8, 16)
    still = torch.zeros(2, 2, 8, 16)
    torch.testing.assert_close(warp(image, still), image)
    right = still.clone()
    right[:, 0] = 2 / 16  # one pixel of 16, in half images
    torch.testing.assert_close(warp(image, right)[..., :-1], image[..., 1:])
    down = still.clone()
    down[:, 1] = 2 / 8
    torch.testing.assert_close(warp(image, down)[..., :-1, :], image[..., 1:, :])


def test_an_untrained_motion_model_nearly_repeats_the_last_frame() -> None:
    torch.manual_seed(0)
    model = MotionModel(cameras=2, condition_dim=5, channels=(16, 32))
    frame = torch.rand(2, 6, 16, 24) * 2 - 1
    with torch.no_grad():
        predicted = model(frame, frame, torch.randn(2, 5))
    assert predicted.features.shape == (2, 64)
    assert float((predicted.image - frame).abs().mean()) < 0.02


@settings(max_examples=6)
@given(h=st.integers(1, 11), w=st.integers(1, 11))
def test_the_unet_takes_cells_of_any_size(h: int, w: int) -> None:
    net = unet(3, 4, (16, 16, 32)).eval()
    out = run_unet(net, torch.randn(2, 3, h, w), 0, torch.randn(2, 64))
    assert out.shape == (2, 4, h, w)


@pytest.mark.parametrize("patch", [2, 4, 8])
def test_the_codec_shrinks_by_patch_and_comes_back_to_size(patch: int) -> None:
    codec = build_codec(8, 3, patch)
    images = torch.rand(2, 6, 16, 24) * 2 - 1
    latents = encode(codec, images)
    assert latents.shape == (2, 6, 16 // patch, 24 // patch)
    assert decode(codec, latents).shape == images.shape


def test_cameras_share_the_codec() -> None:
    codec = build_codec(8, 3, 4)
    images = torch.rand(2, 6, 16, 24) * 2 - 1
    alone = encode(codec, images[:, 3:])
    torch.testing.assert_close(encode(codec, images)[:, 3:], alone)


@pytest.mark.parametrize("patch", [0, 1, 3, 6])
def test_a_patch_that_is_no_power_of_two_is_refused(patch: int) -> None:
    with pytest.raises(ConfigError, match="patch"):
        build_codec(8, 3, patch)


@settings(max_examples=20)
@given(levels=st.integers(0, 255), difference=st.integers(1, 100))
def test_psnr_of_a_constant_difference(levels: int, difference: int) -> None:
    other = levels + difference if levels + difference <= 255 else levels - difference
    if other < 0:
        return
    a, b = (torch.full((2, 3, 8, 8), v / 127.5 - 1) for v in (levels, other))
    expected = 20 * math.log10(255 / difference)
    torch.testing.assert_close(psnr_db(a, b), torch.full((2,), expected), atol=1e-3, rtol=0)
    torch.testing.assert_close(psnr_db(a, b), psnr_db(b, a))


def test_psnr_of_equal_frames_is_the_peak() -> None:
    frame = torch.rand(3, 3, 8, 8) * 2 - 1
    torch.testing.assert_close(psnr_db(frame, frame), torch.full((3,), PEAK_DB))


@pytest.mark.parametrize("steps", [1, 2, 3, 7])
def test_sampling_with_the_true_residual_gives_it(
    steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    refiner = Refiner(cameras=1, latent_channels=4, condition_dim=3, channels=(16, 16))
    refiner.scale.fill_(0.3)
    residual = torch.randn(2, 4, 5, 6)

    given_ = (torch.randn(2, 4, 5, 6), torch.randn(2, 4, 5, 6), torch.zeros(2, 3))
    monkeypatch.setattr(Refiner, "forward", lambda *_: residual / refiner.unit(given_))
    noise = torch.randn(2, 4, 5, 6)
    drawn = refiner.sample(FlowMatchEulerDiscreteScheduler(), noise, steps, given_)
    torch.testing.assert_close(drawn, residual, atol=1e-4, rtol=1e-4)
    sigma = torch.rand(2) * 0.9 + 0.1
    assert float(refiner.loss(residual, sigma, noise, given_)) < 1e-6


def test_an_untrained_refiner_changes_nothing() -> None:
    refiner = Refiner(cameras=1, latent_channels=4, condition_dim=3, channels=(16, 16))
    latents, condition = torch.randn(2, 4, 4, 6), torch.randn(2, 3)
    given_ = (latents, latents, condition)
    noise = torch.randn(2, 4, 4, 6)
    with torch.no_grad():
        drawn = refiner.sample(FlowMatchEulerDiscreteScheduler(), noise, 3, given_)
    torch.testing.assert_close(drawn, torch.zeros_like(drawn), atol=1e-5, rtol=0)


def test_conditions_have_unit_scale_whatever_the_units() -> None:
    torch.manual_seed(0)
    scales = torch.tensor([1e-1, 1.0, 1e4])
    state = torch.cumsum(torch.randn(500, 3), 0) * scales
    action = torch.randn(500, 2) * 50 + 7
    follows = torch.ones(500, dtype=torch.bool).numpy()
    normalizer = Normalizer(3, 2)
    normalizer.fit(state.numpy(), action.numpy(), None, follows)
    condition = normalizer.condition(state[:-1], state[1:], action[1:])
    spread = condition.std(0)
    assert condition.shape == (499, normalizer.width)
    assert bool(((spread > 0.8) & (spread < 1.2)).all()), spread


def test_trust_falls_with_the_predicted_error() -> None:
    trust = Trust(condition_dim=3, feature_dim=4, right_psnr_db=18.0)
    mean, std = torch.tensor([10.0, 18.0, 30.0]), torch.full((3,), 2.0)
    probability = trust.probability(mean, std)
    torch.testing.assert_close(probability[1], torch.tensor(0.5))
    assert probability[0] < 0.01 and probability[2] > 0.99


def interface_of(cameras: dict[str, tuple[int, int]]) -> PolicyInterface:
    return PolicyInterface(cameras, (), (Channel("a"),), "joint_velocity", 0.1)


@pytest.mark.parametrize(
    "cameras",
    [{}, {"a": (64, 64), "b": (32, 32)}, {"a": (60, 64)}],
    ids=["none", "unequal", "not a multiple of 8"],
)
def test_cameras_that_do_not_suit_are_refused(cameras: dict[str, tuple[int, int]]) -> None:
    with pytest.raises(InterfaceError):
        image_layout(interface_of(cameras))


def test_cameras_are_stacked_by_name_whatever_their_order() -> None:
    one = image_layout(interface_of({"b": (8, 16), "a": (8, 16)}))
    assert one == image_layout(interface_of({"a": (8, 16), "b": (8, 16)}))
    assert one == (["a", "b"], (8, 16))

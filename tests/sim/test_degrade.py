"""What a cheap camera does: as much as asked for, and no more."""

from dataclasses import fields, replace

import numpy as np
import pytest

from trimix.core.errors import ConfigError
from trimix.core.seeds import stream
from trimix.sim.degrade import Degradation, degrade, noise

GREY = np.full((64, 64, 3), 100, np.uint8)
ALL = Degradation(
    gain=1.1,
    white_balance=(1.1, 1.0, 0.9),
    gamma=1.2,
    noise_std=4.0,
    blur_px=0.7,
    motion_px=3.0,
    motion_rad=0.5,
    vignette=0.3,
    shrink=1.5,
    jpeg_quality=60,
)


@pytest.fixture(scope="module")
def picture():
    """(48, 64, 3) of smooth shapes, edges and colours."""
    y, x = np.mgrid[0:48, 0:64]
    disc = (x - 20) ** 2 + (y - 24) ** 2 < 150
    channels = [np.where(disc, 220, 2 * x + 40), np.where(disc, 180, 4 * y), 60 + 100 * (x > 45)]
    return np.stack(channels, -1).astype(np.uint8)


def means(image):
    return image.reshape(-1, 3).mean(0)


def test_a_neutral_camera_changes_nothing(picture):
    out = degrade(picture, Degradation(), stream(0))
    assert np.array_equal(out, picture) and out is not picture
    assert Degradation().neutral and not ALL.neutral


@pytest.mark.parametrize("name", [f.name for f in fields(Degradation) if f.name != "motion_rad"])
def test_every_setting_alone_is_seen(picture, name):
    value = {"jpeg_quality": 20}.get(name, getattr(ALL, name))
    changed = degrade(picture, replace(Degradation(), **{name: value}), stream(0))
    assert changed.shape == picture.shape and changed.dtype == np.uint8
    assert np.abs(changed.astype(int) - picture).mean() > 0.3


def test_equal_streams_give_equal_bytes_and_the_given_picture_stays(picture):
    kept = picture.copy()
    once, again = (degrade(picture, ALL, stream(3, "frame")) for _ in range(2))
    assert np.array_equal(once, again) and np.array_equal(picture, kept)
    assert not np.array_equal(once, degrade(picture, ALL, stream(4, "frame")))


@pytest.mark.parametrize("std", [1.0, 5.0, 12.0])
@pytest.mark.parametrize("shape", [(64, 64, 3), (128, 128, 3), (31, 17, 3), (600, 800, 3)])
def test_noise_has_the_mean_and_the_deviation_asked_for(shape, std):
    grain = noise(shape, std, stream(1))
    error = 5 / np.sqrt(np.prod(shape))
    assert grain.shape == shape and grain.dtype == np.float32
    assert abs(grain.mean()) < error * std
    assert grain.std() == pytest.approx(std, rel=error)
    assert np.abs(grain).max() > 2.9 * std  # Gaussian, not uniform
    assert ((np.abs(grain) < std).mean()) == pytest.approx(0.6827, abs=error)


def test_noise_in_a_picture_is_centred_on_it():
    out = degrade(GREY, Degradation(noise_std=6.0), stream(0)).astype(float)
    assert out.mean() == pytest.approx(100, abs=0.3) and out.std() == pytest.approx(6.0, abs=0.2)
    together = degrade(GREY, Degradation(gain=1.2, noise_std=6.0), stream(0))
    assert together.mean() == pytest.approx(120, abs=0.3)


def test_noise_of_frames_is_not_alike():
    """Nor along a line, nor between the channels of one frame."""
    frames = np.stack([noise((64, 64, 3), 1.0, stream(0, t)).ravel() for t in range(60)])
    alike = np.corrcoef(frames) - np.eye(60)
    assert np.abs(alike).max() < 5 / np.sqrt(frames.shape[1])
    assert np.abs(alike).mean() == pytest.approx(0.8 / np.sqrt(frames.shape[1]), rel=0.2)
    one = frames[0].reshape(64, 64, 3)
    neighbours = [(one[1:] * one[:-1]), (one[:, 1:] * one[:, :-1]), (one[..., 1:] * one[..., :-1])]
    assert max(abs(float(n.mean())) for n in neighbours) < 0.05


def test_frames_start_anywhere_in_the_tile():
    """Averages of many frames vanish: nothing of the noise stays in its place."""
    mean = np.mean([noise((32, 32, 3), 1.0, stream(1, t)) for t in range(400)], axis=0)
    assert np.abs(mean).max() < 6 / np.sqrt(400) and mean.std() == pytest.approx(0.05, rel=0.15)


def test_exposure_is_a_factor_and_is_cut_not_wrapped():
    assert (degrade(GREY, Degradation(gain=1.5), stream(0)) == 150).all()
    assert (degrade(GREY, Degradation(gain=9.0), stream(0)) == 255).all()
    assert (degrade(GREY, Degradation(gain=0.0), stream(0)) == 0).all()
    noisy = degrade(GREY, Degradation(gain=0.0, noise_std=50.0), stream(0))
    assert noisy.min() == 0 and 10 < noisy.mean() < 30


def test_white_balance_is_a_factor_a_channel():
    out = degrade(GREY, Degradation(white_balance=(1.2, 1.0, 0.5)), stream(0))
    assert means(out).tolist() == [120, 100, 50]
    curved = degrade(GREY, Degradation(white_balance=(1.2, 1.0, 0.5), gamma=1.5), stream(0))
    expected = [255 * (level / 255) ** (1 / 1.5) for level in (120, 100, 50)]
    assert means(curved) == pytest.approx(expected, abs=0.5)


def test_gamma_keeps_black_and_white_and_the_order(picture):
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, 2)
    for gamma in (0.6, 1.8):
        out = degrade(ramp, Degradation(gamma=gamma), stream(0))[0, :, 0].astype(int)
        assert (out[0], out[-1]) == (0, 255) and (np.diff(out) >= 0).all()
        assert (out[128] > 128) == (gamma > 1)


@pytest.mark.parametrize("std", [0.4, 0.8, 1.5, 3.0])
def test_blur_is_a_gaussian_that_keeps_the_light(std):
    spot = np.zeros((65, 65, 3), np.uint8)
    spot[28:37, 28:37] = 250
    out = degrade(spot, Degradation(blur_px=std), stream(0)).astype(float)
    assert out.mean() == pytest.approx(spot.mean(), rel=0.02)
    across = out[..., 0].sum(0)
    x = np.arange(65) - 32
    variance = (across * x**2).sum() / across.sum()
    sharp = (spot[..., 0].sum(0) * x**2).sum() / spot[..., 0].sum()
    assert variance - sharp == pytest.approx(std**2, rel=0.25, abs=0.09)
    # Rounded once along rows and once along columns.
    assert np.array_equal(out, out[::-1]) and np.abs(out - out.swapaxes(0, 1)).max() <= 1


def test_blur_leaves_an_even_picture_even_up_to_its_edges():
    for how in (Degradation(blur_px=2.0), Degradation(motion_px=9.0, motion_rad=0.7)):
        assert (degrade(GREY, how, stream(0)) == 100).all()


def test_motion_smears_along_its_direction_alone():
    spot = np.zeros((33, 33, 3), np.uint8)
    spot[16, 16] = 250
    across = degrade(spot, Degradation(motion_px=6.0), stream(0))[..., 0]
    assert (across > 0).sum() == 7 and (across[16] > 0).sum() == 7
    up = degrade(spot, Degradation(motion_px=6.0, motion_rad=np.pi / 2), stream(0))[..., 0]
    assert np.array_equal(up, across.T)
    rising = degrade(spot, Degradation(motion_px=8.0, motion_rad=np.pi / 4), stream(0))[..., 0]
    assert rising[14, 18] > 0 and rising[18, 14] > 0 and rising[14, 14] == 0


def test_a_vignette_darkens_corners_most_and_the_middle_not():
    out = degrade(GREY, Degradation(vignette=0.4), stream(0))[..., 0].astype(float)
    assert out[31:33, 31:33] == pytest.approx(100, abs=1) and out[0, 0] == pytest.approx(60, abs=1)
    assert np.array_equal(out, out[::-1]) and np.array_equal(out, out[:, ::-1])
    assert (np.diff(out[32, 32:]) <= 0).all()


def test_fewer_pixels_lose_detail_and_keep_the_light(picture):
    fine = np.indices((64, 64)).sum(0) % 2 * 200
    fine = np.repeat(fine[..., None], 3, 2).astype(np.uint8)
    coarse = degrade(fine, Degradation(shrink=4.0), stream(0))
    assert coarse.shape == fine.shape and coarse.std() < 3
    assert coarse.mean() == pytest.approx(fine.mean(), abs=1)


def test_a_lower_quality_is_farther_from_the_picture(picture):
    errors = [
        np.abs(
            degrade(picture, Degradation(jpeg_quality=q), stream(0)).astype(int) - picture
        ).mean()
        for q in (90, 60, 25, 5)
    ]
    assert errors == sorted(errors) and errors[0] < 5 < errors[-1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gain", -0.1),
        ("gain", float("nan")),
        ("white_balance", (1.0, 1.0)),
        ("white_balance", (1.0, -1.0, 1.0)),
        ("gamma", 0.0),
        ("noise_std", -1.0),
        ("blur_px", 9.0),
        ("motion_px", -1.0),
        ("vignette", 1.1),
        ("shrink", 0.5),
        ("jpeg_quality", 96),
    ],
)
def test_a_camera_that_cannot_be_is_refused(name, value):
    with pytest.raises(ConfigError, match=name):
        Degradation(**{name: value})

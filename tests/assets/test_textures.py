"""The pools of textures: apart, unlike, seamless, and the same on every machine."""

import hashlib

import numpy as np
import pytest

from trimix.assets import textures
from trimix.assets.textures import noise
from trimix.assets.textures.surfaces import HELDOUT, TRAIN
from trimix.core.errors import ConfigError
from trimix.core.seeds import stream

POOLS = (*TRAIN, *HELDOUT)
# Of the seven plain patterns: stored episodes and the sealed target are drawn with them.
CLASSIC = "23c103fec1fc9c80a7d0a323600ce0bf"


def test_the_pools_are_apart_and_large_enough():
    assert len(TRAIN) >= 16 and len(HELDOUT) >= 8
    assert len({*TRAIN, *HELDOUT, *textures.NAMES}) == len(TRAIN) + len(HELDOUT) + 7


def test_the_plain_patterns_never_change():
    digest = hashlib.blake2b(digest_size=16)
    for name in textures.NAMES:
        digest.update(textures.texture(name).tobytes())
    assert digest.hexdigest() == CLASSIC


@pytest.mark.parametrize("name", POOLS)
def test_a_surface_is_a_bright_pattern_and_always_the_same(name):
    image = textures.texture(name)
    assert image.shape == (128, 128, 3) and image.dtype == np.uint8
    # The recipe is floating point: another processor may round another way.
    assert np.abs(image.astype(int) - textures.draw(name)).max() <= 1
    assert 85 < image.mean() < 245 and 3 < image.std() < 60
    with pytest.raises(ValueError, match="read-only"):
        image[0] = 0


@pytest.mark.parametrize("name", POOLS)
def test_a_surface_tiles_without_a_seam(name):
    """Across the edge it changes no more than where it changes most inside."""
    image = textures.texture(name).astype(float)
    for axis in (0, 1):
        inside = np.abs(np.diff(image, axis=axis)).mean(axis=(1 - axis, 2))
        first, last = np.take(image, 0, axis), np.take(image, -1, axis)
        assert np.abs(first - last).mean() <= 1.2 * inside.max() + 1


def test_no_two_surfaces_are_alike():
    """Not even in colour and coarse pattern together, as a policy at 64 px would see them."""
    small = {n: textures.texture(n).reshape(8, 16, 8, 16, 3).mean((1, 3)) for n in POOLS}
    fine = {n: textures.texture(n).std((0, 1)) for n in POOLS}
    for i, a in enumerate(POOLS):
        for b in POOLS[i + 1 :]:
            apart = np.abs(small[a] - small[b]).mean() + np.abs(fine[a] - fine[b]).mean()
            assert apart > 6, (a, b)


def test_an_unknown_texture_lists_all():
    with pytest.raises(ConfigError, match=r"'oka' .*available: .*oak.*wood"):
        textures.texture("oka")


def test_a_gradient_goes_from_bottom_to_top():
    image = textures.gradient((1.0, 0.5, 0.0), (0.0, 0.5, 1.0), 16)
    assert image.shape == (16, 16, 3)
    assert image[0, 3].tolist() == [0, 128, 255] and image[-1, 3].tolist() == [255, 128, 0]
    assert (np.diff(image[:, 0, 0].astype(int)) > 0).all()


def test_noise_is_periodic_and_fills_its_range():
    rng = stream("noise")
    for image in (noise.value(rng, 64, 4, 8), noise.fractal(rng, 64, 4, 4)):
        assert image.shape == (64, 64) and image.min() >= 0 and image.max() <= 1
        steps = np.abs(np.diff(image, axis=0)).max()
        assert np.abs(image[0] - image[-1]).max() <= 1.5 * steps


def test_cells_name_their_nearest_point():
    near, second, label = noise.cells(stream("cells"), 64, 30)
    assert (near <= second).all() and near.min() < 0.02
    assert 20 < len(np.unique(label)) <= 30


def test_smearing_keeps_the_mean_and_moves_nothing():
    image = stream("smear").random((32, 32))
    out = noise.smear(image, 5, 1)
    assert out.mean() == pytest.approx(image.mean()) and out.std() < image.std()
    spot = np.zeros((32, 32))
    spot[7, 9] = 1
    assert noise.smear(spot, 5, 1)[7, 7:12].tolist() == [0.2] * 5
    assert np.array_equal(noise.warped(image, np.zeros((32, 32)), np.zeros((32, 32))), image)

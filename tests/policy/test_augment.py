"""Laws of augmentation: it hangs on the window's seed, and on nothing else."""

import numpy as np
import pytest

from trimix.core.errors import ConfigError
from trimix.policy import augment

SEEDS = np.random.default_rng(0).integers(0, 2**63, 32).astype(np.uint64)
IMAGES = {
    c: np.random.default_rng(i).integers(0, 256, (32, 2, 32, 48, 3), np.uint8)
    for i, c in enumerate(("wrist", "front"))
}


def test_a_window_gets_the_same_wherever_it_stands():
    order = np.random.default_rng(1).permutation(32)[:7]
    whole = augment.shift(IMAGES, SEEDS, "shift")
    part = augment.shift({k: v[order] for k, v in IMAGES.items()}, SEEDS[order], "shift")
    assert all(np.array_equal(whole[k][order], part[k]) for k in IMAGES)
    assert np.array_equal(
        augment.colour(SEEDS, "colour")[order], augment.colour(SEEDS[order], "colour")
    )


def test_off_changes_nothing():
    assert augment.shift(IMAGES, SEEDS, "off")["wrist"] is IMAGES["wrist"]
    assert augment.colour(SEEDS, "off") is None
    assert augment.colour(SEEDS, "shift") is None
    assert augment.shift(IMAGES, SEEDS, "colour")["wrist"] is IMAGES["wrist"]


def test_a_shift_moves_the_frames_of_a_window_alike_and_within_bounds():
    ramp = np.zeros((32, 2, 32, 48, 3), np.uint8)
    ramp[..., 0] = np.arange(32)[:, None]
    ramp[..., 1] = np.arange(48)
    out = augment.shift({"wrist": ramp}, SEEDS, "shift")["wrist"].astype(int)
    dy, dx = out[:, :, 16, 24, 0] - 16, out[:, :, 16, 24, 1] - 24
    assert (dy[:, 0] == dy[:, 1]).all() and (dx[:, 0] == dx[:, 1]).all()
    assert set(dy[:, 0]) == {-2, -1, 0, 1, 2} and abs(dx).max() == 3
    for i in range(32):
        rows = np.clip(np.arange(32) + dy[i, 0], 0, 31)
        assert (out[i, 0, :, 5, 0] == rows).all()


def test_cameras_are_shifted_independently():
    same = {"a": IMAGES["wrist"], "b": IMAGES["wrist"]}
    out = augment.shift(same, SEEDS, "shift")
    assert not np.array_equal(out["a"], out["b"])


def test_colour_maps_keep_the_grey_axis_and_are_mild():
    maps = augment.colour(SEEDS, "shift+colour")
    assert maps.shape == (32, 3, 4) and maps.dtype == np.float32
    grey = maps @ np.array([0.5, 0.5, 0.5, 1.0])
    assert np.allclose(grey, grey[:, :1], atol=1e-6)
    assert np.abs(grey - 0.5).max() <= 0.2 + 1e-6
    assert len(np.unique(maps[:, 0, 0])) == 32


def test_uniforms_are_uniform_and_purposes_differ():
    draws = augment.uniforms(np.arange(20000, dtype=np.uint64), "x", 3)
    assert draws.min() >= 0 and draws.max() < 1
    assert np.allclose(draws.mean(0), 0.5, atol=0.01) and np.allclose(
        draws.var(0), 1 / 12, atol=0.01
    )
    assert np.abs(np.corrcoef(draws.T) - np.eye(3)).max() < 0.03
    other = augment.uniforms(np.arange(20000, dtype=np.uint64), "y", 1)
    assert abs(np.corrcoef(draws[:, 0], other[:, 0])[0, 1]) < 0.03


def test_a_mode_that_does_not_exist():
    with pytest.raises(ConfigError, match="available"):
        augment.check_mode("rotate")

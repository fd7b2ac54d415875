"""Asset files and the texture pool."""

import numpy as np
import pytest

from trimix.assets import ROOT, path, textures
from trimix.core.errors import ConfigError, MissingError
from trimix.randomization.presets import TEXTURES
from trimix.sim.robots import ROBOTS


def test_every_robots_file_is_there():
    files = [robot.xml for robot in ROBOTS.values() if robot.xml.endswith(".xml")]
    assert len(files) >= 3
    for name in files:
        assert path(name).is_relative_to(ROOT)


def test_a_missing_asset_lists_its_neighbours():
    with pytest.raises(MissingError, match=r"'robots/cr6.xml' does not exist; there: .*cr5.xml"):
        path("robots/cr6.xml")
    with pytest.raises(MissingError, match="there: -"):
        path("nowhere/cr5.xml")


@pytest.mark.parametrize("name", ["../core/errors.py", "robots", "", "/etc/hostname"])
def test_only_files_of_the_folder_are_assets(name):
    with pytest.raises(MissingError):
        path(name)


@pytest.mark.parametrize("name", textures.NAMES)
def test_a_texture_is_a_bright_grey_pattern_and_always_the_same(name):
    image = textures.texture(name)
    assert image.shape == (textures.SIZE, textures.SIZE, 3) and image.dtype == np.uint8
    assert (image[..., 0] == image[..., 1]).all() and (image[..., 0] == image[..., 2]).all()
    assert image.min() >= 150  # a factor of a colour: it must not black it out
    assert (image.std() == 0) == (name == "plain")
    assert np.array_equal(image, textures.texture(name))


def test_no_two_textures_are_alike():
    images = {textures.texture(name).tobytes() for name in textures.NAMES}
    assert len(images) == len(textures.NAMES)


def test_the_presets_draw_from_the_pool():
    assert set(TEXTURES) == set(textures.NAMES)
    with pytest.raises(ConfigError, match=r"available: .*wood"):
        textures.texture("wod")

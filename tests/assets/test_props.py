"""Meshes: closed, outside out, of the size asked for."""

import numpy as np
import pytest

from trimix.assets import props
from trimix.core.errors import ConfigError

SOLIDS = {
    "banana": props.banana(),
    "plate": props.plate(),
    "bowl": props.bowl(),
    "mug": props.lathe([(0.0, 0.0), (0.03, 0.0), (0.04, 0.1), (0.0, 0.1)]),
    "peg": props.peg(),
    "capsule": props.capsule(0.02, 0.05),
    "ball": props.capsule(0.02, 0.0),
    "cylinder": props.cylinder(0.02, 0.05),
    "bevelled": props.cylinder(0.02, 0.05, bevel=0.003),
    "ellipsoid": props.ellipsoid((0.02, 0.03, 0.05)),
    "box": props.rounded_box((0.1, 0.2, 0.3), 0.0),
    "rounded": props.rounded_box((0.1, 0.2, 0.3), 0.02, steps=3),
    "hull": props.hull(props.merge([props.peg(), props.peg().moved((0.1, 0.0, 0.0))])),
}
OPEN = {
    "mug": props.mug(),
    "handle": props.handle(),
    "sheet": props.sheet((0.5, 0.3), 4),
}


def welded(mesh):
    """Faces (F, 3) by place: vertices that a sharp edge or a seam has twice are one."""
    _, index = np.unique(mesh.vertices.round(6), axis=0, return_inverse=True)
    faces = index.reshape(-1)[mesh.faces]
    return faces[(faces != np.roll(faces, 1, axis=1)).all(1)]


def corners(mesh):
    return (mesh.vertices[mesh.faces[:, k]].astype(float) for k in range(3))


@pytest.mark.parametrize("name", SOLIDS)
def test_a_solid_is_closed(name):
    """Each edge belongs to two faces, which run along it in opposite directions."""
    faces = welded(SOLIDS[name])
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    once, counts = np.unique(edges, axis=0, return_counts=True)
    assert (counts == 1).all()
    assert {tuple(e) for e in once} == {tuple(e[::-1]) for e in once}
    assert props.volume(SOLIDS[name]) > 0


@pytest.mark.parametrize("name", sorted(SOLIDS.keys() - {"hull"} | OPEN.keys()))
def test_normals_are_unit_vectors_on_the_faces_side(name):
    mesh = (SOLIDS | OPEN)[name]
    a, b, c = corners(mesh)
    face = np.cross(b - a, c - a)
    assert np.linalg.norm(mesh.normals, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert (np.einsum("fi,fi->f", face, mesh.normals[mesh.faces].mean(1)) > 0).all()


@pytest.mark.parametrize(
    ("mesh", "volume"),
    [
        (props.cylinder(0.1, 0.2, 200), np.pi * 0.1**2 * 0.4),
        (props.capsule(0.1, 0.2, 200, 60), np.pi * 0.1**2 * (0.4 + 0.4 / 3)),
        (props.ellipsoid((0.1, 0.2, 0.3), 200, 100), 4 / 3 * np.pi * 0.006),
        (props.rounded_box((0.1, 0.2, 0.3), 0.0), 0.048),
    ],
)
def test_volumes_are_those_of_the_ideal_shapes(mesh, volume):
    assert props.volume(mesh) == pytest.approx(volume, rel=2e-3)


def test_fewer_segments_stay_within_the_ideal_shape():
    for segments in (5, 8, 20):
        mesh = props.cylinder(0.1, 0.2, segments)
        assert np.linalg.norm(mesh.vertices[:, :2], axis=1).max() == pytest.approx(0.1, abs=1e-6)


def test_a_smaller_bevel_takes_less_away():
    volumes = [props.volume(props.rounded_box((0.1, 0.2, 0.3), b)) for b in (0.0, 0.01, 0.05, 0.1)]
    assert volumes == sorted(volumes, reverse=True)
    bounds = props.rounded_box((0.1, 0.2, 0.3), 0.05).vertices
    assert np.abs(bounds).max(0) == pytest.approx([0.1, 0.2, 0.3], abs=1e-6)


def test_the_banana_lies_in_its_capsules():
    """The collider: five capsules on an arc of 100 degrees, radius 0.10 m."""
    angle = np.radians(np.linspace(-50, 50, 6))
    knots = np.stack([0.1 * np.sin(angle), 0.1 * (1 - np.cos(angle)), np.zeros(6)], 1)
    radii = 0.021 * np.array([0.80, 0.95, 1.0, 0.95, 0.80])
    skin = props.banana().vertices.astype(float)
    outside = []
    for a, b, radius in zip(knots, knots[1:], radii, strict=False):
        t = np.clip((skin - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
        outside.append(np.linalg.norm(skin - (a + t[:, None] * (b - a)), axis=1) - radius)
    depth = np.min(outside, axis=0)
    body = np.abs(skin[:, 0]) < 0.06
    assert depth[body].max() < 0.0015 and depth.max() < 0.006  # the stem alone stands out
    assert abs(skin[:, 2].min() + 0.021) < 0.001  # it neither floats nor sinks


def test_merging_keeps_all_and_moves_nothing():
    a, b = props.peg(), props.bowl().moved((0.5, 0.0, 0.0))
    both = props.merge([a, b])
    assert props.volume(both) == pytest.approx(props.volume(a) + props.volume(b))
    assert np.array_equal(both.vertices[: len(a.vertices)], a.vertices)
    with pytest.raises(ConfigError, match="no meshes"):
        props.merge([])


def test_moving_turns_and_shifts_without_stretching():
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    mesh = props.mug()
    moved = mesh.moved((0.1, 0.2, 0.3), turn)
    assert moved.vertices[5] == pytest.approx(turn @ mesh.vertices[5] + (0.1, 0.2, 0.3), abs=1e-6)
    assert moved.normals[5] == pytest.approx(turn @ mesh.normals[5], abs=1e-6)


def test_a_hull_is_around_all_and_no_larger_for_what_is_convex():
    peg = props.peg()
    assert props.volume(props.hull(peg)) == pytest.approx(props.volume(peg), rel=1e-4)
    assert props.volume(props.hull(props.bowl())) > 2 * props.volume(props.bowl())


def test_sheets_look_up_and_tile_by_metres():
    sheet = props.sheet((0.5, 0.25), 4, tile_m=0.25)
    assert (sheet.normals == [0, 0, 1]).all() and len(sheet.faces) == 32
    assert np.ptp(sheet.uv, axis=0) == pytest.approx([4.0, 2.0])


@pytest.mark.parametrize("mesh", [props.banana(), props.plate(), props.bowl(), props.mug()])
def test_what_is_drawn_in_every_picture_has_few_triangles(mesh):
    assert 100 <= len(mesh.faces) <= 1000


def test_the_bananas_skin_is_bright_with_darker_ends():
    skin = props.banana_texture()
    assert skin.shape == (*props.BANANA_TEXTURE_HW, 3) and skin.dtype == np.uint8
    assert np.array_equal(skin, props.banana_texture())
    middle, ends = skin[:, 50:90].mean(), skin[:, [0, 1, -2, -1]].mean()
    assert middle > 230 and ends < 130


@pytest.mark.parametrize(
    ("profile", "segments"),
    [([(0, 0)], 8), ([(0, 0), (0.1, 0)], 2), ([(-0.1, 0), (0.1, 1)], 8), ([(0.1, 0), (0.1, 0)], 8)],
)
def test_a_profile_that_is_none_is_refused(profile, segments):
    with pytest.raises(ConfigError, match="lathe"):
        props.lathe(profile, segments)


def test_a_mesh_whose_arrays_do_not_fit_is_refused():
    v = np.zeros((3, 3), np.float32)
    with pytest.raises(ConfigError, match="uv of a mesh"):
        props.Mesh(v, np.array([[0, 1, 2]], np.int32), v, np.zeros((2, 2), np.float32))
    with pytest.raises(ConfigError, match="faces of others"):
        props.Mesh(v, np.array([[0, 1, 3]], np.int32), v, np.zeros((3, 2), np.float32))

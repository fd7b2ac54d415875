"""Pictures: right side up, of the right row, and degraded only when asked."""

import subprocess
import sys

import mujoco
import numpy as np
import pytest

from trimix.core.contracts import Start
from trimix.sim.world import MujocoConfig, MujocoWorld
from trimix.tasks import TASKS

CASES = [(task, camera) for task in sorted(TASKS) for camera in TASKS[task]().cameras]
SIZE = {"image_hw": (64, 64)}


def first(world, draw=None, episode=0):
    """Row 0's pictures at its start."""
    start = Start(0, episode, draw=draw or {})
    obs, _ = world.reset(options={"starts": [start] * world.num_envs})
    return {name: image[0] for name, image in obs["images"].items()}


@pytest.mark.parametrize(("task", "camera"), CASES)
def test_a_picture_shows_something(make_world, task, camera):
    world = make_world(1, task=task, cameras=(camera,), **SIZE)
    image = first(world)[camera]
    assert image.shape == (64, 64, 3) and image.dtype == np.uint8
    assert 25 < image.mean() < 230 and image.std() > 10
    assert image.reshape(-1, 3).std(0).min() > 5


@pytest.mark.parametrize(("task", "camera"), CASES)
def test_motion_moves_the_picture(make_world, task, camera):
    world = make_world(1, task=task, cameras=(camera,), **SIZE)
    before = first(world)[camera]
    action = np.full((1, len(world.interface.action)), 0.4, np.float32)
    for _ in range(10):
        obs, *_ = world.step(action)
    changed = np.abs(obs["images"][camera][0].astype(int) - before).max(-1) > 8
    assert changed.sum() >= 20


class Marked:
    """The banana task with a red ball in the air, on the robot's left beyond the middle."""

    def __init__(self):
        self.task = TASKS["banana_on_plate"]()

    def __getattr__(self, name):
        return getattr(self.task, name)

    def compose(self, scene):
        self.task.compose(scene)
        scene.add_material("red", (1.0, 0.0, 0.0, 1.0))
        # `front` looks at the robot from across the table: the robot's left, +y, is on its right.
        scene.spec.worldbody.add_geom(
            type=mujoco.mjtGeom.mjGEOM_SPHERE,
            size=[0.05, 0, 0],
            pos=[-0.20, 0.20, 0.20],
            material="red",
            contype=0,
            conaffinity=0,
        )


def test_pictures_are_right_side_up_and_not_mirrored():
    config = MujocoConfig(cameras=("front",), image_hw=(48, 64))
    world = MujocoWorld(Marked(), 1, config=config)
    image = first(world)["front"].astype(int)
    world.close()
    assert image.shape == (48, 64, 3)
    red = (image[..., 0] > 80) & (image[..., 1] < 60) & (image[..., 2] < 60)
    rows, columns = np.nonzero(red)
    assert red.sum() > 10
    assert rows.mean() < 20  # high in the scene: in the upper half
    assert columns.mean() > 36
    assert (image[..., 0] - image[..., 2])[red].mean() > 80  # RGB, not BGR


def test_a_picture_does_not_hang_on_other_rows(make_world, starts):
    many = make_world(3, "strong", **SIZE)
    one = make_world(1, "strong", **SIZE)
    together, _ = many.reset(options={"starts": starts(3)})
    for k, start in enumerate(starts(3)):
        alone, _ = one.reset(options={"starts": [start]})
        assert np.array_equal(alone["images"]["wrist"][0], together["images"]["wrist"][k])
    assert not np.array_equal(together["images"]["wrist"][0], together["images"]["wrist"][1])


def test_a_camera_sees_the_same_with_another_beside_it(make_world):
    both = first(make_world(1, cameras=("wrist", "front"), **SIZE))
    for camera in both:
        assert np.array_equal(first(make_world(1, cameras=(camera,), **SIZE))[camera], both[camera])


@pytest.mark.parametrize(
    ("target", "how", "value"),
    [
        ("camera/wrist/pos", "add", [0.0, 0.03, 0.0]),
        ("camera/wrist/rotation", "add", [0.1, 0.0, 0.0]),
        ("camera/wrist/fovy", "scale", 1.2),
        ("light/key/diffuse", "scale", 0.4),
        ("light/fill/diffuse", "scale", [3.0, 1.0, 0.3]),
        ("light/key/dir", "add", [0.8, 0.0, 0.0]),
        ("material/table/rgba", "add", [0.3, 0.0, 0.0, 0.0]),
        ("material/table/texture", "set", "checker"),
        ("material/plate/rgba", "scale", [0.2, 0.2, 0.2, 1.0]),
        ("body/plate/size", "scale", 1.5),
        ("image/camera/gain", "set", 1.3),
        ("image/camera/noise_std", "set", 5.0),
    ],
)
def test_every_look_is_seen_and_undone(make_world, target, how, value):
    world = make_world(1, **SIZE)
    plain = first(world)["wrist"]
    changed = first(world, {target: {"how": how, "value": value}})["wrist"]
    assert np.abs(changed.astype(int) - plain).mean() > 0.3
    assert np.array_equal(first(world)["wrist"], plain)


def test_without_noise_a_still_scene_gives_equal_pictures(make_world):
    """Flicker comes from noise alone, and only when it is asked for."""
    world = make_world(1, **SIZE)
    assert np.array_equal(first(world)["wrist"], first(world)["wrist"])
    noise = {"image/camera/noise_std": {"how": "set", "value": 5.0}}
    noisy = first(world, noise)["wrist"]
    assert np.array_equal(noisy, first(world, noise)["wrist"])  # keyed by episode and step


def test_noise_is_fresh_in_every_frame_and_episode(make_world):
    world = make_world(1, **SIZE)
    noise = {"image/camera/noise_std": {"how": "set", "value": 5.0}}
    grains = []
    for episode in (0, 1):
        frames = []
        for draw in (noise, {}):
            seen = [first(world, draw, episode)["wrist"]]
            obs, *_ = world.step(np.zeros((1, 7), np.float32))
            frames.append([*seen, obs["images"]["wrist"][0]])
        grains += [a.astype(float) - b for a, b in zip(*frames, strict=True)]
    assert all(grain.std() == pytest.approx(5.0, abs=0.5) for grain in grains)
    alike = np.corrcoef([grain.ravel() for grain in grains])
    assert np.abs(alike - np.eye(len(grains))).max() < 0.1


@pytest.mark.parametrize("randomization", ["none", "mild"])
def test_pictures_larger_than_mujocos_default_are_whole(make_world, randomization):
    """MuJoCo's own canvas is 640 x 480."""
    world = make_world(1, randomization, image_hw=(500, 700))
    large = first(world)["wrist"]
    small = first(make_world(1, randomization, image_hw=(50, 70)))["wrist"].astype(float)
    shrunk = large.reshape(50, 10, 70, 10, 3).mean((1, 3))
    assert np.abs(shrunk - small).mean() < 5


def test_closing_one_world_leaves_anothers_pictures(make_world):
    a, b = make_world(1, **SIZE), make_world(1, **SIZE)
    before = first(a)["wrist"]
    first(b)
    first(a, episode=1)
    b._cameras.close()
    assert np.array_equal(first(a)["wrist"], before)
    assert np.array_equal(first(b)["wrist"], before)  # a closed one draws again when asked


def test_a_world_that_nobody_closed_ends_quietly():
    code = (
        "from trimix.sim.world import MujocoWorld\n"
        "from trimix.tasks import TASKS\n"
        "world = MujocoWorld(TASKS['push_t'](), 1)\n"
        "world.reset(seed=0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_no_opengl_is_one_clear_line():
    code = (
        "from trimix.core.errors import MissingError\n"
        "from trimix.sim.world import MujocoWorld\n"
        "from trimix.tasks import TASKS\n"
        "try:\n    MujocoWorld(TASKS['push_t'](), 1).reset(seed=0)\n"
        "except MissingError as error:\n    print(error)\n"
    )
    env = {"MUJOCO_GL": "egl", "__EGL_VENDOR_LIBRARY_FILENAMES": "/nonexistent.json", "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=env,
    )
    assert done.stdout.count("\n") == 1
    assert "no OpenGL context" in done.stdout and "install libegl1" in done.stdout

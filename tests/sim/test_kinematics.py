"""The arm is the published one, and inverse kinematics agrees with it."""

import mujoco
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimix.assets import path
from trimix.sim.kinematics import Kinematics
from trimix.sim.robots.cr5 import CR5

# The CR5's standard Denavit-Hartenberg table: a, d in m, alpha and joint offset in degrees.
A = (0.0, -0.427, -0.357, 0.0, 0.0, 0.0)
D = (0.147, 0.0, 0.0, 0.141, 0.116, 0.105)
ALPHA = (90.0, 0.0, 0.0, 90.0, -90.0, 0.0)
OFFSET = (0.0, -90.0, 0.0, -90.0, 0.0, 0.0)
JOINTS = st.lists(st.floats(-2.8, 2.8), min_size=6, max_size=6).map(np.array)


def published(q):
    """(4, 4) pose of the flange in the base frame."""
    pose = np.eye(4)
    for a, d, alpha, theta in zip(A, D, np.radians(ALPHA), q + np.radians(OFFSET), strict=True):
        c, s, ca, sa = np.cos(theta), np.sin(theta), np.cos(alpha), np.sin(alpha)
        pose = pose @ np.array(
            [
                [c, -s * ca, s * sa, a * c],
                [s, c * ca, -c * sa, a * s],
                [0, sa, ca, d],
                [0, 0, 0, 1],
            ]
        )
    return pose


@pytest.fixture(scope="module")
def arm():
    model = mujoco.MjModel.from_xml_path(str(path(CR5.xml)))
    return model, mujoco.MjData(model)


@pytest.fixture(scope="module")
def kinematics():
    return Kinematics(CR5)


@given(q=JOINTS)
def test_the_flange_is_where_the_published_table_puts_it(arm, q):
    model, data = arm
    data.qpos[:6] = q
    mujoco.mj_kinematics(model, data)
    expected = published(q)
    assert data.body("flange").xpos == pytest.approx(expected[:3, 3], abs=1e-6)
    assert data.body("flange").xmat.reshape(3, 3) == pytest.approx(expected[:3, :3], abs=1e-6)


def test_the_gripper_opens_as_wide_as_the_real_one(arm):
    """85 mm of stroke between the pads' inner faces, and none when closed."""
    model, data = arm
    gap = {}
    for name, at in (("open", CR5.gripper.open), ("closed", CR5.gripper.closed)):
        data.qpos[6:8] = at
        mujoco.mj_kinematics(model, data)
        apart = np.linalg.norm(data.geom("pad_left").xpos - data.geom("pad_right").xpos)
        gap[name] = apart - 2 * model.geom("pad_left").size[0]
    assert gap["open"] == pytest.approx(0.085, abs=1e-3)
    assert gap["closed"] == pytest.approx(0, abs=1e-3)


@settings(max_examples=50)
@given(
    x=st.floats(-0.13, 0.13), y=st.floats(-0.21, 0.21), z=st.floats(0.02, 0.3), yaw=st.floats(-3, 3)
)
def test_inverse_kinematics_reaches_what_it_says(kinematics, x, y, z, yaw):
    """All over the workspace, in its frame; from 0.16 m up its far edge is out of reach."""
    q = kinematics.down((x, y, z), yaw, CR5.home)
    assert q is not None or (z > 0.16 and x > 0.0)
    if q is None:
        return
    position, rotation = kinematics.tool(q)
    assert position == pytest.approx([x, y, z], abs=1e-3)
    # The nearest branch, no turns on the way.
    assert np.abs(q - CR5.home).max() < np.pi
    assert rotation[2, 2] == pytest.approx(-1, abs=1e-3)
    # Either end of the gripper will do.
    assert abs(rotation[0, 0] * np.cos(yaw) + rotation[1, 0] * np.sin(yaw)) > 0.999


def test_inverse_kinematics_does_not_hang_on_what_was_asked_before(kinematics):
    ask = ((0.05, 0.1, 0.3), 0.5, CR5.home)
    first = kinematics.down(*ask)
    kinematics.down((-0.05, -0.1, 0.25), -1.0, CR5.home)
    assert np.array_equal(kinematics.down(*ask), first)


def test_out_of_reach_is_none(kinematics):
    assert kinematics.down((2.0, 0.0, 0.3), 0.0, CR5.home) is None

"""The T's geometry, the quasi-static model, and the way around."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimix.tasks.push_planner import Planner
from trimix.tasks.tee import BOXES, SUPPORT_RADIUS, Tee, clearance

RADIUS, MARGIN = 0.0125, 0.018
TEE = Tee(1.0, RADIUS, MARGIN)
K = len(TEE.contact)


def _area() -> tuple[np.ndarray, np.ndarray]:
    """Points (P, 2) spread evenly over bar and stem, in units, and their weights (P,)."""
    grid = np.linspace(-1, 1, 401)[1::2]
    x, y = np.meshgrid(grid, grid)
    square = np.stack([x.ravel(), y.ravel()], 1)
    points = [np.array(c) + np.array(h) * square for c, h in BOXES]
    weights = [np.full(len(square), h[0] * h[1]) for _, h in BOXES]
    return np.concatenate(points), np.concatenate(weights)


def test_the_origin_is_the_centroid_and_the_support_radius_its_mean_distance() -> None:
    points, weights = _area()
    assert np.average(points, axis=0, weights=weights) == pytest.approx([0, 0], abs=1e-9)
    mean = np.average(np.linalg.norm(points, axis=1), weights=weights)
    assert mean == pytest.approx(SUPPORT_RADIUS, abs=2e-3)


def test_contacts_lie_on_the_boundary_and_push_inwards() -> None:
    assert clearance(TEE.contact, 1.0) == pytest.approx(0, abs=1e-12)
    assert clearance(TEE.contact - 1e-3 * TEE.normal, 1.0) == pytest.approx(1e-3)
    # The stick fits: in its lane nothing but the contact is within reach.
    for back in (0.0, 0.01, 0.03):
        at = TEE.contact - (RADIUS + back) * TEE.normal
        assert (clearance(at, 1.0) > RADIUS + min(back, 0.004) - 1e-9).all()


def test_the_set_of_contacts_mirrors_itself() -> None:
    both = np.concatenate([TEE.contact, TEE.normal], 1)
    mirrored = both * [-1, 1, -1, 1]
    assert {tuple(r) for r in np.round(both, 9) + 0.0} == {
        tuple(r) for r in np.round(mirrored, 9) + 0.0
    }


@given(st.integers(0, K - 1), st.floats(0.0, 0.2), st.floats(0.5, 2.0))
def test_pushes_add_up_and_scale(contact: int, length: float, scale: float) -> None:
    one, two = TEE.moved(np.array([length, 2 * length]))[contact]
    c, s = np.cos(one[2]), np.sin(one[2])
    again = [one[0] + c * one[0] - s * one[1], one[1] + s * one[0] + c * one[1], 2 * one[2]]
    assert two == pytest.approx(again, abs=1e-9)
    larger = Tee(scale, RADIUS, MARGIN).moved(np.array([scale * length]))[contact, 0]
    assert larger == pytest.approx(one * [scale, scale, 1], abs=1e-9)


points = st.tuples(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3)).map(np.array)


@settings(max_examples=60)
@given(points, st.integers(0, K - 1))
def test_the_way_around_arrives_and_never_touches(point: np.ndarray, contact: int) -> None:
    if TEE.inside(point):
        return
    for _ in range(400):
        length, target = TEE.route(point, np.array([contact]))
        away = target[0] - point
        apart = float(np.linalg.norm(away))
        if length[0] < 1e-6:
            break
        assert length[0] >= apart - 1e-9
        point = point + away / apart * min(0.004, apart)
        assert clearance(point, 1.0) > RADIUS
    else:
        pytest.fail("it never arrived")


def test_no_push_remains_at_the_goal_and_a_straight_one_for_a_straight_error() -> None:
    planner = Planner(TEE)
    foot = next(k for k in range(K) if TEE.normal[k, 1] == 1 and abs(TEE.contact[k, 0]) < 1e-9)
    assert planner.remaining(np.zeros(3), foot) == 0.0
    assert planner.remaining(np.array([0.0, -0.09, 0.0]), foot) == pytest.approx(0.09, abs=0.02)
    assert planner.remaining(np.array([0.0, 0.09, 0.0]), foot) == 0.0
    assert planner.choose(np.array([0.0, -0.09, 0.0]), np.array([0.0, -0.2])) == foot


@given(st.tuples(st.floats(0.05, 0.1), st.floats(-0.1, 0.1), st.floats(-3, 3)), points)
@settings(max_examples=15)
def test_a_whole_turn_changes_no_plan(pose: tuple[float, ...], stick: np.ndarray) -> None:
    planner = Planner(TEE)
    turned = np.array(pose) + np.array([0, 0, 4 * np.pi])
    contact = planner.choose(np.array(pose), stick)
    assert planner.choose(turned, stick) == contact
    assert planner.remaining(turned, contact) == planner.remaining(np.array(pose), contact)

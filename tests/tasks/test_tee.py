"""The T's geometry, the quasi-static model, and the way around."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimix.core.seeds import stream
from trimix.tasks.push_planner import Planner
from trimix.tasks.push_t import COVERED
from trimix.tasks.push_t_expert import _DONE as DONE
from trimix.tasks.tee import BOXES, SUPPORT_RADIUS, UNIT, Tee, clearance, lost

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


def test_the_origin_is_the_centroid_and_the_support_radius_that_of_a_t() -> None:
    """Between evenly spread pressure and equal loads on the eight corners of its boxes."""
    points, weights = _area()
    assert np.average(points, axis=0, weights=weights) == pytest.approx([0, 0], abs=1e-9)
    even = np.average(np.linalg.norm(points, axis=1), weights=weights)
    signs = np.array([[x, y] for x in (-1, 1) for y in (-1, 1)])
    corners = np.concatenate([np.array(c) + signs * np.array(h) for c, h in BOXES])
    assert even < SUPPORT_RADIUS < np.linalg.norm(corners, axis=1).mean()


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


MARK, WIDE = np.zeros(3), np.array([9.0, 9.0])
NEAR = np.zeros(K)


def _planner(unit: float) -> Planner:
    return Planner(Tee(unit, RADIUS, MARGIN))


def _foot(tee: Tee) -> int:
    """The contact that pushes the stem's end straight up."""
    return next(k for k in range(K) if tee.normal[k, 1] == 1 and abs(tee.contact[k, 0]) < 1e-9)


def test_no_push_remains_at_the_goal_and_a_straight_one_for_a_straight_error() -> None:
    planner = _planner(UNIT)
    foot = _foot(planner.tee)

    def remaining(y: float) -> float:
        return planner.remaining(np.array([0.0, y, 0.0]), foot, MARK, WIDE, begun=True)

    assert remaining(0.0) == 0.0
    assert remaining(-0.08) == pytest.approx(0.08, abs=0.02)
    assert remaining(0.08) < 0.1 * UNIT  # next to nothing: the other way needs another contact
    below = np.array([0.0, -0.2])
    away = np.array([0.0, -0.08, 0.0])
    for straight in (False, True):
        assert planner.choose(away, below, MARK, WIDE, NEAR, straight) == foot


def test_a_push_that_was_not_begun_goes_on_for_a_while() -> None:
    planner = _planner(UNIT)
    foot = _foot(planner.tee)
    left = [planner.remaining(np.zeros(3), foot, MARK, WIDE, begun=b) for b in (True, False)]
    assert left[0] == 0.0 < left[1]


def test_a_contact_out_of_reach_is_not_chosen() -> None:
    planner = _planner(UNIT)
    foot = _foot(planner.tee)
    away, below = np.array([0.0, -0.08, 0.0]), np.array([0.0, -0.2])
    beyond = np.where(planner.tee.contact[:, 1] < 0, 0.1, 0.0)
    chosen = planner.choose(away, below, MARK, WIDE, beyond, True)
    assert chosen != foot and beyond[chosen] == 0.0


@given(st.tuples(st.floats(0.05, 0.1), st.floats(-0.1, 0.1), st.floats(-3, 3)), points)
@settings(max_examples=15)
def test_a_whole_turn_changes_no_plan(pose: tuple[float, ...], stick: np.ndarray) -> None:
    planner = _planner(UNIT)
    turned = np.array(pose) + np.array([0, 0, 4 * np.pi])
    contact = planner.choose(np.array(pose), stick, MARK, WIDE, NEAR, True)
    assert planner.choose(turned, stick, MARK, WIDE, NEAR, True) == contact
    for begun in (False, True):
        left = planner.remaining(np.array(pose), contact, MARK, WIDE, begun=begun)
        assert planner.remaining(turned, contact, MARK, WIDE, begun=begun) == left


def test_who_leaves_a_t_that_seems_covered_leaves_it_covered() -> None:
    """The planner's estimate of what is uncovered is near enough for the expert to stop by it."""
    rng = stream(0, "lost")
    points, weights = _area()
    some = rng.choice(len(points), 3000, p=weights / weights.sum())
    stopped = 0
    for _ in range(300):
        x, y, yaw = rng.normal(0, [0.05, 0.05, 0.03])
        if lost(np.array(x), np.array(y), np.array(yaw), 1.0) < DONE:
            c, s = np.cos(yaw), np.sin(yaw)
            local = (points[some] - [x, y]) @ np.array([[c, -s], [s, c]])
            assert (clearance(local, 1.0) > 0).mean() < 1 - COVERED
            stopped += 1
    assert stopped > 50

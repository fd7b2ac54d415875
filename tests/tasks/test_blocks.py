"""Laws of putting blocks aside."""

from __future__ import annotations

import numpy as np

from trimix.core.seeds import stream
from trimix.tasks.blocks import _free_spot


def test_a_free_spot_is_as_far_from_everything_as_was_asked() -> None:
    others = [np.array([0.05, 0.05]), np.array([-0.05, -0.1])]
    for i in range(20):
        spot = _free_spot(stream(i), others, 0.08)
        assert min(np.linalg.norm(spot - o) for o in others) >= 0.08


def test_a_crowded_table_has_a_spot_all_the_same() -> None:
    """An expert that finds no room must not stop the whole collection."""
    xs, ys = np.meshgrid(np.linspace(-0.12, 0.12, 9), np.linspace(-0.17, 0.17, 9))
    spot = _free_spot(stream(0), list(np.stack([xs.ravel(), ys.ravel()], 1)), 0.14)
    assert (np.abs(spot) <= (0.11, 0.16)).all()

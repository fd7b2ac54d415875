"""Whether the classifier that looks for leaks finds those that are planted, and no others."""

import numpy as np
import pytest

from trimix.bench import leak
from trimix.core.seeds import stream
from trimix.tasks.reach import Reach

N = 2000


@pytest.mark.parametrize("seed", range(5))
def test_what_is_drawn_apart_is_guessed_by_chance(seed):
    rng = stream(seed, "leak")
    ids, x = rng.integers(3, size=N), rng.standard_normal((N, 12))
    assert abs(leak.guessed(x, ids) - 1 / 3) < 4 * np.sqrt(2 / 9 / (N / 2))


def test_a_leak_on_a_line_and_one_on_a_circle_are_found():
    rng = stream("leak")
    x = rng.standard_normal((N, 4))
    assert leak.guessed(x, np.digitize(x[:, 0], [-0.5, 0.5])) > 0.8
    assert leak.guessed(x, np.digitize((x[:, :2] ** 2).sum(1), [0.8, 2.2])) > 0.6


class Nearest(Reach):
    """Always asks for the ball at the front."""

    def start(self, row, rng):
        goal = super().start(row, rng)
        balls = ("red", "green", "blue")
        front = max(balls, key=lambda b: row.physics._mocap_pos[row.index, balls.index(b), 0])
        while goal.params["object"] != front:
            goal = super().start(row, rng)
            front = max(balls, key=lambda b: row.physics._mocap_pos[row.index, balls.index(b), 0])
        return goal


def test_a_task_that_gives_its_goal_away_is_found(monkeypatch):
    goals, chance, found = leak._measure(None, ("reach", 600), lambda: None)
    assert goals == 3 and abs(max(found.values()) - chance) < 0.12
    monkeypatch.setattr(leak, "TASKS", {"reach": Nearest})
    _, chance, found = leak._measure(None, ("reach", 600), lambda: None)
    assert found["poses"] > chance + 0.3

"""What tasks share: phrases, places apart, a reward that is 1 at the goal alone."""

import numpy as np
import pytest

from trimix.core.seeds import stream
from trimix.tasks.tabletop import Phrases, Tabletop, near, spread, texts

PHRASES = Phrases(("lift {object}", "raise {object}"), ("up with {object}",))


def test_a_goal_says_one_phrase_of_training_and_knows_all():
    said = {PHRASES.goal(stream(k), object="red").instruction for k in range(30)}
    assert said == {"lift red", "raise red"}
    goal = PHRASES.goal(stream(0), object="red")
    assert goal.params == {"object": "red"}
    assert goal.wordings == (("lift red", "raise red"), ("up with red",))
    assert texts([goal], "object") == ["red"] and texts([goal], "into") == [""]


def test_places_are_apart_and_inside_and_clear():
    for k in range(20):
        center, clear = np.array([0.05, 0.1]), [np.zeros(2)]
        found = spread(
            stream(k), 4, 0.06, half=(0.1, 0.15), center=center, clear=clear, clear_m=0.05
        )
        gaps = np.linalg.norm(found[:, None] - found[None], axis=-1)
        assert gaps[np.triu_indices(4, 1)].min() >= 0.06
        assert (np.abs(found - center) <= [0.1, 0.15]).all()
        assert np.linalg.norm(found, axis=1).min() >= 0.05


def test_places_that_do_not_fit_say_so():
    with pytest.raises(ValueError, match=r"9 places 0\.1 m apart"):
        spread(stream(0), 9, 0.1, half=(0.05, 0.05))


def test_near_is_one_at_no_distance_and_halves():
    assert near(np.array([0.0, 0.08, 0.16]), 0.08) == pytest.approx([1.0, 0.5, 0.25])


def test_the_reward_is_one_at_the_goal_alone():
    class Half(Tabletop):
        def success(self, physics, goals):
            return np.array([False, False, True, True])

        def progress(self, physics, goals):
            return np.array([-1.0, 7.0, 0.0, 1.0])

    reward = Half().reward(None, ())
    assert reward.dtype == np.float32
    assert reward == pytest.approx([0.0, 0.9, 1.0, 1.0])

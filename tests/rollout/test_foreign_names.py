"""Worlds of other libraries by one text."""

from __future__ import annotations

from typing import Any

import pytest

from trimix.core import settings
from trimix.core.errors import ConfigError
from trimix.rollout.foreign_names import world_of, world_settings
from trimix.rollout.worlds import WORLDS


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("gym:FetchReach-v4", "gym", {"id": "FetchReach-v4"}),
        ("gym:my.own:toy/Push-v0", "gym", {"id": "my.own:toy/Push-v0"}),
        ("dm_control:cartpole/swingup", "dm_control", {"task_name": "swingup"}),
        ("dm_control:manipulation/lift_brick_vision", "dm_control", {"domain": "manipulation"}),
    ],
)
def test_a_text_names_a_world_and_is_the_worlds_name(
    text: str, name: str, said: dict[str, Any]
) -> None:
    found = world_of(text)
    assert found is not None and found[0] == name and said.items() <= found[1].items()
    assert settings.build(WORLDS[name], found[1], text).name == text


@pytest.mark.parametrize("text", ["gym", "dm_control", "mujoco", "dream", "gymnasium:Own", "a.b:C"])
def test_other_texts_are_left_to_others(text: str) -> None:
    assert world_of(text) is None
    assert world_settings(text, {"a": 1}) == (text, {"a": 1})


@pytest.mark.parametrize(
    "text", ["gym:", "dm_control:", "dm_control:cartpole", "dm_control:/easy", "dm_control:a/b/c"]
)
def test_half_a_name_says_what_a_whole_one_is(text: str) -> None:
    with pytest.raises(ConfigError, match=r"e\.g\."):
        world_of(text)


def test_settings_add_to_the_text_and_cannot_contradict_it() -> None:
    text = "gym:Reacher-v5"
    given = {"seconds": 1.0, "id": "Reacher-v5"}
    assert world_settings(text, given) == ("gym", {"id": "Reacher-v5", "seconds": 1.0})
    with pytest.raises(ConfigError, match=r"id=Reacher-v5, settings\.id is Pusher-v5"):
        world_settings(text, {"id": "Pusher-v5"})

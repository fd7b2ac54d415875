"""What a user reads when something is wrong."""

import pytest

from trimix.core.errors import (
    ConfigError,
    DataError,
    InterfaceError,
    MissingError,
    TrimixError,
    unknown,
)


@pytest.mark.parametrize(
    ("kwargs", "line"),
    [
        ({}, "it broke"),
        ({"where": "row 3"}, "row 3: it broke"),
        ({"do": "mend it"}, "it broke; mend it"),
        ({"where": "row 3", "do": "mend it"}, "row 3: it broke; mend it"),
    ],
)
def test_one_line_says_what_where_and_what_to_do(kwargs, line):
    error = TrimixError("it broke", **kwargs)
    assert str(error) == line
    assert (error.what, error.where, error.do) == (
        "it broke",
        kwargs.get("where", ""),
        kwargs.get("do", ""),
    )


@pytest.mark.parametrize("kind", [ConfigError, DataError, InterfaceError, MissingError])
def test_one_class_catches_all(kind):
    with pytest.raises(TrimixError):
        raise kind("x")


def test_an_unknown_name_lists_the_known_ones():
    error = unknown("camera", "wirst", ["wrist", "front"], where="scene 'push_t'")
    assert isinstance(error, ConfigError)
    assert str(error) == "scene 'push_t': camera 'wirst' is not known; available: front, wrist"
    assert str(unknown("task", "x", [])).endswith("available: none")

"""Names for things that are loaded when asked for."""

import sys

import pytest

from trimix.core.errors import ConfigError
from trimix.core.registry import Registry


def test_an_entry_is_imported_when_asked_for_and_not_before():
    registry = Registry("letter", {"a": "colorsys:rgb_to_hsv", "b": "no_such_module:x"})
    kept = sys.modules.pop("colorsys", None)
    try:
        assert sorted(registry) == ["a", "b"] and len(registry) == 2 and "a" in registry
        assert "colorsys" not in sys.modules
        assert registry["a"](1, 0, 0) == (0.0, 1.0, 1)
        assert "colorsys" in sys.modules
    finally:
        sys.modules["colorsys"] = kept or sys.modules["colorsys"]


def test_an_unknown_name_lists_the_registered_ones():
    registry = Registry("letter", {"a": "string:digits", "b": "string:digits"})
    with pytest.raises(ConfigError, match=r"letter 'c' is not known; available: a, b"):
        registry["c"]


def test_a_broken_entry_is_not_an_unknown_name():
    """A fault of ours must not read as the user's misspelling."""
    with pytest.raises(ModuleNotFoundError):
        Registry("letter", {"a": "no_such_module:x"})["a"]
    with pytest.raises(AttributeError):
        Registry("letter", {"a": "string:no_such_name"})["a"]

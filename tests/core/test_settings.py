"""Frozen dataclasses filled in from plain mappings."""

from dataclasses import dataclass, field

import pytest

from trimix.core.errors import ConfigError
from trimix.core.settings import build


@dataclass(frozen=True)
class Inner:
    sizes: tuple[int, ...] = (1, 2)
    rate: float = 0.5


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner = field(default_factory=Inner)


def test_defaults_stay_where_nothing_is_set():
    made = build(Outer, {"name": "a", "inner": {"rate": 2}}, "test")
    assert made == Outer("a", Inner((1, 2), 2.0))


def test_lists_become_tuples():
    assert build(Outer, {"name": "a", "inner": {"sizes": [3]}}, "test").inner.sizes == (3,)


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        ({"name": "a", "inner": {"rat": 1}}, r"inner\.rat.*'rat' is not known.*sizes, rate"),
        ({"nam": "a"}, r"'nam' is not known; available: name, inner"),
        ({}, "name"),
        ({"name": "a", "inner": {"rate": "fast"}}, r"inner\.rate.*fast"),
    ],
)
def test_mistakes_are_named(raw, named):
    with pytest.raises(ConfigError, match=named):
        build(Outer, raw, "file.yaml")

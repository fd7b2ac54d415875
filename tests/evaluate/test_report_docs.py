"""docs/report.md names every key of report.json, and no other."""

import re
from pathlib import Path
from typing import NotRequired, get_origin, get_type_hints, is_typeddict

import pytest

from trimix.evaluate import schema

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "report.md").read_text()
TYPES = {name: t for name, t in vars(schema).items() if is_typeddict(t)}


def _documented(page):
    """Type -> key -> whether it is said that it may be missing."""
    found = {}
    for title, body in re.findall(r"^### ([^\n]+)\n(.*?)(?=^#|\Z)", page, re.DOTALL | re.MULTILINE):
        (name,) = re.findall(r"\(`(\w+)`\)", title)
        keys = found[name] = {}
        for cell in re.findall(r"^\| (`[^|]*) \|", body, re.MULTILINE):
            for key, optional in re.findall(r"`(\w+)`(\??)", cell):
                assert key not in keys, f"{name}.{key} twice"
                keys[key] = bool(optional)
    return found


def _declared(kind):
    hints = get_type_hints(kind, include_extras=True)
    return {key: get_origin(hint) is NotRequired for key, hint in hints.items()}


def test_every_part_has_its_section():
    assert len(TYPES) > 10
    assert set(_documented(PAGE)) == set(TYPES)


@pytest.mark.parametrize("name", TYPES)
def test_every_key_is_documented_and_none_that_is_not_there(name):
    assert _documented(PAGE)[name] == _declared(TYPES[name])


def test_a_key_that_is_left_out_would_be_noticed():
    """The check itself: one row less, or a `?` less, is a difference."""
    for cut in ("| `delta` | success of a minus success of b |\n", "`mcnemar_p`?"):
        changed = PAGE.replace(cut, cut.replace("?", "") if "?" in cut else "")
        assert changed != PAGE
        assert _documented(changed)["Comparison"] != _declared(TYPES["Comparison"])

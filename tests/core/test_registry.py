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


OWN = {"a": "string:digits"}


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A user's own module, on the path."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text)

    yield write
    for file in tmp_path.glob("*.py"):
        sys.modules.pop(file.stem, None)


def test_a_user_s_own_is_named_by_module_and_attribute(module):
    module("own_letter", "class Letter:\n    def write(self): ...\n")
    registry = Registry("letter", OWN, needs=["write"])
    assert registry["own_letter:Letter"].__name__ == "Letter"
    assert registry.where("own_letter:Letter") == "own_letter:Letter"
    # What comes out of a file is looked for with `in`: it must never lead to an import.
    assert "own_letter:Letter" not in registry and "a" in registry


def test_a_registry_that_is_not_open_imports_nothing_of_a_user_s(module):
    """Names out of files, as a policy's network, must not choose what is run."""
    module("own_closed", "raise AssertionError('was run')\n")
    with pytest.raises(ConfigError, match=r"is not known; available: a$"):
        Registry("letter", OWN)["own_closed:Letter"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere:Letter", r"'nowhere' cannot be imported .*PYTHONPATH"),
        ("own_faulty:Nothing", r"has no 'Nothing'; it has Half, number$"),
        ("own_faulty:Half", r"has no write; give what every letter has"),
        ("own_faulty:number", r"has no write"),
        ("own_typo:Letter", r"own_typo.py: .*\(line 1\)"),
        ("own_needy:Letter", r"No module named 'not_installed'"),
        ("own_faulty:", r"is not known; available: a, your own as module:attribute"),
        ("own_faulty:Half()", r"is not known"),
        ("../own_faulty:Half", r"is not known"),
        ("own_faulty:Half:x", r"is not known"),
        (".own_faulty:Half", r"is not known"),
    ],
)
def test_what_is_wrong_with_a_user_s_own_is_one_line(module, name, said):
    module("own_faulty", "class Half: ...\nnumber = 1\n")
    module("own_typo", "class Letter\n")
    module("own_needy", "import not_installed\n")
    with pytest.raises(ConfigError, match=said) as caught:
        Registry("letter", OWN, needs=["write"])[name]
    assert "\n" not in str(caught.value)


def test_a_fault_inside_a_user_s_own_module_is_theirs_to_see_whole(module):
    module("own_fault", "1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        Registry("letter", OWN, needs=[])["own_fault:Letter"]

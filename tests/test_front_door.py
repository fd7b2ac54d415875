"""Laws of `import trimix`: it costs nothing, and gives what type checkers are told."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import trimix

SOURCE = Path(trimix.__file__)


def told() -> dict[str, str]:
    """name -> "module:attribute" that type checkers are told."""
    (block,) = (n for n in ast.parse(SOURCE.read_text()).body if _is_for_checkers(n))
    return {
        alias.asname or alias.name: f"{node.module}:{alias.name}"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _is_for_checkers(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def test_type_checkers_are_told_every_name_and_no_other() -> None:
    assert sorted([*told(), "__version__"]) == sorted(trimix.__all__) == sorted(dir(trimix))


@pytest.mark.parametrize("name", sorted(set(told()) - {"evaluate"}))
def test_a_name_is_what_type_checkers_are_told(name: str) -> None:
    module, _, attribute = told()[name].partition(":")
    given = getattr(trimix, name)
    assert given is getattr(sys.modules[module], attribute)


def test_what_is_not_there_is_said_as_python_says_it() -> None:
    with pytest.raises(AttributeError, match="no attribute 'evalute'"):
        trimix.evalute  # noqa: B018


def test_the_room_of_evaluation_can_be_called_before_and_after_its_import() -> None:
    """The room's name and the function's are one, so importing any of it must not hide either."""
    code = """
import trimix
from pathlib import Path
calls = [trimix.evaluate]
import trimix.evaluate.report
calls.append(trimix.evaluate)
for call in calls:
    try:
        call({"none": "nowhere"}, trimix.MujocoSpec())
    except Exception as fault:
        print(fault)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    said = done.stdout.splitlines()
    assert len(said) == 2 and all("there is no such policy" in line for line in said)


def test_help_imports_no_room() -> None:
    heavy = ["torch", "mujoco", "hydra", "numpy", "trimix.data.dataset"]
    code = (
        "import sys; from trimix.cli.main import main; main(['--help'])\n"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.splitlines()[-1] == "[]"

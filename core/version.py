"""Which trimix this is: from the tags and the commit of a checkout, else as it was installed.

Packaging runs this file by itself, so it imports the standard library alone. Versions follow
PEP 440: a tag `v0.2.0` is version 0.2.0; three commits later it is 0.2.1.dev3+g<commit>, and with
changes that no commit holds, 0.2.1.dev3+g<commit>.dirty.
"""

from __future__ import annotations

import functools
import re
import subprocess
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FIRST = "0.1.0"
"""The version that a history without tags leads to."""
UNKNOWN = "0+unknown"
TIMEOUT_S = 10.0

_TAG = r"v(\d+\.\d+\.\d+)"


@functools.cache
def version() -> str:
    """The version of the code that runs."""
    return (
        _of_checkout(ROOT)
        or _of_sdist(ROOT / "PKG-INFO")
        or _of_archive(ROOT / ".git_archival.txt")
        or _of_install()
    )


def release() -> str:
    """The release that this is or leads to: what is written into data sets and policies.

    Not the commit: their bytes must not change with a commit that changes nothing about them.
    """
    return re.split(r"\.dev|\+", version())[0]


def described(text: str) -> str:
    """The version that `git describe --tags --long --dirty` stands for; "" if it is none."""
    found = re.fullmatch(_TAG + r"-(\d+)-(g[0-9a-f]+)(-dirty)?", text)
    if found is None:
        return ""
    tag, since, sha, dirty = found.groups()
    if since == "0" and not dirty:
        return tag
    major, minor, patch = tag.split(".")
    return f"{major}.{minor}.{int(patch) + 1}.dev{since}+{sha}{'.dirty' if dirty else ''}"


def _of_checkout(root: Path) -> str:
    if not (root / ".git").exists():  # a venv may lie in a checkout of something else
        return ""
    text = git(root, "describe", "--tags", "--long", "--dirty", "--match=v[0-9]*")
    if text:
        return described(text)
    count = git(root, "rev-list", "--count", "HEAD")
    sha = git(root, "describe", "--always", "--dirty", "--abbrev=7", "--exclude=*")
    return f"{FIRST}.dev{count}+g{sha.replace('-', '.')}" if count and sha else ""


def git(root: Path, *arguments: str) -> str:
    """What git says of a checkout; "" if there is no git, or it refuses or says nothing."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _of_sdist(info: Path) -> str:
    found = re.search(r"^Version: (\S+)$", _text(info), re.MULTILINE)
    return found.group(1) if found else ""


def _of_archive(archival: Path) -> str:
    """Of an archive that git made, where it wrote tag and commit into this file."""
    text = _text(archival)
    tag = re.search(r"^describe: (\S+)$", text, re.MULTILINE)
    node = re.search(r"^node: ([0-9a-f]{7,40})$", text, re.MULTILINE)
    if tag and (found := described(tag.group(1)) or _exact(tag.group(1))):
        return found
    return f"{FIRST}.dev0+g{node.group(1)[:7]}" if node else ""


def _exact(tag: str) -> str:
    found = re.fullmatch(_TAG, tag)
    return found.group(1) if found else ""


def _of_install() -> str:
    try:
        return metadata.version("trimix")
    except metadata.PackageNotFoundError:
        return UNKNOWN


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""

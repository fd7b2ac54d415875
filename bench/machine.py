"""Whether this machine can run trimix: one check a need."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import av
import numpy as np

from trimix.core.errors import MissingError, TrimixError
from trimix.rollout.mujoco import MujocoSpec
from trimix.train.device import pick_device

PACKAGES = ("mujoco", "gymnasium", "torch", "diffusers", "numpy", "av", "pyarrow")
LEAST_FREE_GB = 2


def checked() -> Iterator[tuple[str, str | TrimixError]]:
    """(what was looked at, what was found or the fault), one after another."""
    for name, check in CHECKS.items():
        try:
            yield name, check()
        except TrimixError as fault:
            yield name, fault


def _python() -> str:
    return f"{platform.python_version()} on {platform.platform()}"


def _packages() -> str:
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError as error:
            raise MissingError(f"package {package} is missing", do="run `make setup`") from error
    return ", ".join(found)


def _pictures() -> str:
    world = MujocoSpec().make(1)
    try:
        obs, _ = world.reset(seed=0)
        image = next(iter(obs["images"].values()))
        if np.ptp(image) == 0:
            raise MissingError("pictures are empty", do="check the OpenGL library")
    finally:
        world.close()
    return "MuJoCo draws"


def _video() -> str:
    missing = {c for c in ("libx264", "h264", "libdav1d") if c not in av.codecs_available}
    if missing & {"libx264", "h264"}:
        raise MissingError("PyAV lacks H.264", do="install the av wheel from the package index")
    return "H.264 reads and writes" + (", AV1 does not read" if missing else ", AV1 reads")


def _device() -> str:
    return f"torch computes on {pick_device('auto')}"


def _disk() -> str:
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    if free < LEAST_FREE_GB:
        raise MissingError(f"{free:.1f} GB are free here", do=f"free at least {LEAST_FREE_GB} GB")
    return f"{free:.0f} GB free"


CHECKS: dict[str, Callable[[], str]] = {
    "python": _python,
    "packages": _packages,
    "pictures": _pictures,
    "video": _video,
    "device": _device,
    "disk": _disk,
}

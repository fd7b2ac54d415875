"""trimix doctor: whether this machine can run trimix, and whether a data set can be trusted."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import av
import numpy as np

from trimix.cli.progress import bar
from trimix.cli.verb import Verb
from trimix.core.errors import DataError, MissingError, TrimixError
from trimix.data.checking.check import check
from trimix.data.checking.finding import summary
from trimix.sim.world import MujocoWorld
from trimix.tasks import TASKS
from trimix.train.device import pick_device

PACKAGES = ("mujoco", "gymnasium", "torch", "diffusers", "numpy", "av", "pyarrow")
_MOST_LINES = 12


@dataclass(frozen=True)
class DoctorSettings:
    """What to look at: this machine, or a data set if one is named."""

    data: str = ""


def _packages() -> str:
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError as error:
            raise MissingError(f"package {package} is missing", do="run `make setup`") from error
    return ", ".join(found)


def _pictures() -> str:
    world = MujocoWorld(TASKS["banana_on_plate"](), 1)
    try:
        obs, _ = world.reset(seed=0)
        image = next(iter(obs["images"].values()))
        if np.ptp(image) == 0:
            raise MissingError("pictures are empty", do="check the OpenGL library")
    finally:
        world.close()
    return "MuJoCo draws"


def _video() -> str:
    missing = [c for c in ("libx264", "h264", "libdav1d") if not _has_codec(c)]
    if "libx264" in missing or "h264" in missing:
        raise MissingError("PyAV lacks H.264", do="install the av wheel from the package index")
    return "H.264 reads and writes" + (", AV1 does not read" if missing else ", AV1 reads")


def _has_codec(name: str) -> bool:
    return name in av.codecs_available


def _device() -> str:
    return f"torch computes on {pick_device('auto')}"


def _disk() -> str:
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    if free < 2:
        raise MissingError(f"{free:.1f} GB are free here", do="free at least 2 GB")
    return f"{free:.0f} GB free"


CHECKS: dict[str, Callable[[], str]] = {
    "packages": _packages,
    "pictures": _pictures,
    "video": _video,
    "device": _device,
    "disk": _disk,
}


def _command(settings: DoctorSettings) -> None:
    if settings.data:
        _require_sound(settings.data)
        return
    print(f"{'python':<10}{platform.python_version()} on {platform.platform()}")
    faults = []
    for name, run in CHECKS.items():
        try:
            print(f"{name:<10}{run()}")
        except TrimixError as fault:
            faults.append(name)
            print(f"{name:<10}{fault}")
    if faults:
        raise MissingError(f"not ready: {', '.join(faults)}", do="see the lines above")


def _require_sound(data: str) -> None:
    """Print what is wrong with a data set; raise DataError if an import would refuse any of it."""
    with bar(f"check {data}", "video") as report:
        problems = check(data, report)
    for line in summary(problems, data.rstrip("/"), _MOST_LINES):
        print(line)
    blocking = sum(problem.severity == "blocks" for problem in problems)
    if blocking:
        raise DataError(
            f"{blocking} of {len(problems)} problems block an import",
            where=data,
            do="mend them, or leave what they are in out (skip_bad=true, cameras=)",
        )
    print(f"{data} can be trusted" + (": an import mends the rest" if problems else ""))


VERB = Verb("doctor", DoctorSettings, _command)

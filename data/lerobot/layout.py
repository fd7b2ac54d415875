"""Where things stand in a LeRobotDataset v3.0 directory, and what info.json says about them.

Follows the format of lerobot 0.6.1 (datasets/utils.py, dataset_metadata.py).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from trimix.core.contracts import Channel, PolicyInterface
from trimix.core.errors import DataError

VERSION = "v3.0"
INFO = "meta/info.json"
STATS = "meta/stats.json"
TASKS = "meta/tasks.parquet"
EPISODES = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
INTERFACE = "trimix/interface.json"
MANIFEST = "trimix/manifest.json"
ROWS = "trimix/rows.safetensors"
LINEAGE = "trimix/lineage.json"
CARD = "README.md"
PLAN = "plan.json"

FILES_PER_CHUNK = 1000
STATE, ACTION = "observation.state", "action"
REWARD, SUCCESS, DONE = "next.reward", "next.success", "next.done"
IMAGE_PREFIXES = (
    "observation.images.",
    "observation.image.",
    "observation.",
    "observations.images.",
    "observations.",
    "images.",
)
COUNTERS = ("timestamp", "frame_index", "episode_index", "index", "task_index")
_CAMERA_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*")


@dataclass(frozen=True)
class FileLimits:
    """How much goes into one file before the next one begins; a single episode may exceed it.

    Args:
        data_mb: megabytes of rows, uncompressed.
        video_mb: megabytes of encoded video.
    """

    data_mb: float = 100.0
    video_mb: float = 200.0


def partial_folder(root: Path) -> Path:
    """The folder beside a data set where it is made; the data set appears by one rename."""
    return root.parent / f"{root.name}.partial"


def camera_key(camera: str) -> str:
    """The LeRobot feature that holds a camera."""
    return f"observation.images.{camera}"


def camera_name(key: str) -> str:
    """The short name of an image feature: "observation.images.top" -> "top"."""
    name = key.replace("/", ".")
    for prefix in IMAGE_PREFIXES:
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name


def last_name(key: str) -> str:
    """The last part of a feature's name: "observation/state" -> "state"."""
    return re.split(r"[./]", key)[-1]


def require_camera_name(camera: str, where: str) -> None:
    """Raise DataError unless the name can be part of a file's path and of a feature's name."""
    if not _CAMERA_NAME.fullmatch(camera):
        raise DataError(
            f"{camera!r} cannot name a camera", where=where, do="use letters, digits, _ . and -"
        )


def fps_of(interface: PolicyInterface) -> float:
    """Frames per second, cleaned of the rounding of 1 / dt."""
    return float(fps_fraction(1.0 / interface.control_dt_s))


def fps_fraction(fps: float) -> Fraction:
    """The rate as a small fraction: what video time bases need."""
    return Fraction(fps).limit_denominator(1001)


def features(
    interface: PolicyInterface, optional: Collection[str], codec: str, pixels: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """The `features` entry of info.json.

    Args:
        optional: which of next.reward, next.success, next.done the data set has.
        codec: name of the video codec, e.g. "h264".
        pixels: camera -> pixel format, e.g. "yuv420p".
    """
    fps = _plain(fps_of(interface))
    out: dict[str, dict[str, Any]] = {}
    for key, channels in ((STATE, interface.state), (ACTION, interface.action)):
        if channels:
            out[key] = _feature("float32", [len(channels)], [c.name for c in channels])
    for camera, (height, width) in interface.cameras.items():
        out[camera_key(camera)] = {
            **_feature("video", [height, width, 3], ["height", "width", "channels"]),
            "info": {
                "video.height": height,
                "video.width": width,
                "video.codec": codec,
                "video.pix_fmt": pixels[camera],
                "video.is_depth_map": False,
                "is_depth_map": False,
                "video.fps": fps,
                "video.channels": 3,
                "has_audio": False,
            },
        }
    for key, dtype in ((REWARD, "float32"), (SUCCESS, "bool"), (DONE, "bool")):
        if key in optional:
            out[key] = _feature(dtype, [1], None)
    for key in COUNTERS:
        out[key] = _feature("float32" if key == "timestamp" else "int64", [1], None)
    return out


def info(
    interface: PolicyInterface,
    feature_table: Mapping[str, Any],
    robot_type: str,
    totals: tuple[int, int, int],
    limits: FileLimits,
) -> dict[str, Any]:
    """The content of meta/info.json. totals: (episodes, frames, tasks)."""
    episodes, frames, tasks = totals
    return {
        "codebase_version": VERSION,
        "robot_type": robot_type or "unknown",
        "total_episodes": episodes,
        "total_frames": frames,
        "total_tasks": tasks,
        "chunks_size": FILES_PER_CHUNK,
        "data_files_size_in_mb": _plain(limits.data_mb),
        "video_files_size_in_mb": _plain(limits.video_mb),
        "fps": _plain(fps_of(interface)),
        "splits": {"train": f"0:{episodes}"},
        "data_path": DATA,
        "video_path": VIDEO if interface.cameras else None,
        "features": dict(feature_table),
    }


def channels_of(feature: Mapping[str, Any] | None) -> tuple[Channel, ...]:
    """Channels of a 1-D feature, as far as they have names.

    `names` may be a list, lists or mappings in one another ({"left": ["hip", "knee"], "right":
    [...]}), a mapping of name to position, or null. A name that several groups use gets its
    group's before it.
    """
    if feature is None:
        return ()
    width = 1
    for size in feature["shape"]:
        width *= int(size)
    paths = _name_paths(feature.get("names"))
    short = [path[-1] for path in paths]
    names = [p[-1] if short.count(p[-1]) == 1 else ".".join(p) for p in paths]
    if len(names) != width or len(set(names)) != width:
        names = [f"channel_{i}" for i in range(width)]
    return tuple(Channel(name) for name in names)


def _name_paths(names: Any, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every name with the names of the groups that it is in."""
    if isinstance(names, str):
        return [(*above, names)]
    if isinstance(names, Mapping):
        if sorted(map(str, names.values())) == sorted(str(i) for i in range(len(names))):
            return [(*above, str(name)) for name in sorted(names, key=lambda n: int(names[n]))]
        return [p for group, part in names.items() for p in _name_paths(part, (*above, str(group)))]
    if isinstance(names, Sequence):
        named = [str(n) if isinstance(n, int | float) else n for n in names]
        return [path for part in named for path in _name_paths(part, above)]
    return []


def _feature(dtype: str, shape: list[int], names: list[str] | None) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "names": names}


def _plain(number: float) -> int | float:
    """Whole numbers as int: LeRobot declares fps and the size limits as int."""
    return int(number) if float(number).is_integer() else float(number)
